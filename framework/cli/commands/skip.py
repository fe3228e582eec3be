"""`skip`: archives one pending or unprocessed file without loading it."""

from __future__ import annotations

import argparse

from framework.cli.outcome import outcome_of
from framework.cli.output import Output
from framework.cli.summary import summary
from framework.cli.wiring import open_services
from framework.errors import SpecError
from framework.lake.identity import METADATA_LOST
from framework.lake.pending import is_file_of
from framework.lake.unprocessed import FOLDER, describe_unprocessed
from framework.load.services import Services
from framework.load.skip import skip_file, spec_of_gone
from framework.model.files import SourceFile
from framework.spec.pipeline import PipelineSpec
from framework.spec.project import Project

DEFAULT_REASON = "skipped on request"
_ARCHIVE = "data/archive/"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `skip` takes."""
    parser.add_argument("key", metavar="KEY", help="the file: its key or, if unprocessed, the key it arrived under")
    parser.add_argument("--reason", metavar="TEXT", default=DEFAULT_REASON, help="why, for JOB_STS")
    parser.add_argument("--for", dest="name", metavar="NAME", help="the pipeline, where the file does not identify it")


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Record the file as SKIPPED, archive it, and print the result.

    Raises:
        SpecError: the file does not exist, is loaded, or may belong to several pipelines.
        PipelineError: it could not be recorded or moved.
    """
    environment = project.environment(arguments.env)
    if not arguments.reason.strip():
        raise SpecError("skip --reason takes the reason in words")
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        file = find_file(services, arguments.key)
        spec = owner_of(file, arguments.name, project, services)
        outcome = outcome_of([skip_file(spec, services, file, arguments.reason)])
    output.document(outcome.as_dict(), lambda: summary(outcome, output.width))
    return 0


def find_file(services: Services, asked: str) -> SourceFile:
    """Return the file with this key, or the one that arrived under this key.

    Raises:
        SpecError: there is none, there are several, or it is in the archive.
    """
    lake = services.lake
    key = lake.key_of(asked)
    past = services.program.command("history", "--file", key)
    if key.startswith(lake.key(_ARCHIVE)):
        raise SpecError(f"{lake.url(key)} is in the archive: it was loaded or skipped. See {past}")
    file = lake.describe(key)
    if file is not None:
        return file
    set_aside = [found for found in describe_unprocessed(lake) if found.identity.key == key]
    if not set_aside:
        raise SpecError(f"{lake.url(key)} does not exist, neither pending nor unprocessed. See {past}")
    if len(set_aside) > 1:
        listed = ", ".join(found.key for found in set_aside)
        raise SpecError(f"several unprocessed files arrived as {lake.url(key)}. Name one of them: {listed}")
    return set_aside[0]


def owner_of(file: SourceFile, name: str | None, project: Project, services: Services) -> PipelineSpec:
    """Return the spec of the one pipeline that a file belongs to; `name` is the one that the user gave, if any.

    Raises:
        SpecError: it belongs to none, to several, or not to the one given; or a spec has problems.
    """
    lake = services.lake
    naming = services.program.command("skip", file.key, "--for", "NAME")
    is_moved = file.key.startswith(lake.key(FOLDER))
    if is_moved and file.identity.key == file.key:
        if name is None:
            raise SpecError(
                f"{file.url} does not say which pipeline has moved it: {METADATA_LOST}. Name the pipeline: {naming}"
            )
        return project.pipeline(name)
    if is_moved and file.moved_by is not None:
        return _spec_of_mover(file, file.moved_by, name, project, services)
    arrived = file.identity.key if is_moved else file.key
    wanted = [name] if name is not None else project.pipeline_names()
    specs = [project.pipeline(each) for each in wanted]
    owners = [spec for spec in specs if is_file_of(lake, spec.source, arrived)]
    if len(owners) == 1:
        return owners[0]
    if owners:
        listed = ", ".join(spec.pipeline for spec in owners)
        raise SpecError(f"{file.url} may belong to {listed}. Name the pipeline: {naming}")
    raise SpecError(_no_owner(file, arrived, name))


def _spec_of_mover(
    file: SourceFile, mover: str, name: str | None, project: Project, services: Services
) -> PipelineSpec:
    """Return the spec of the pipeline that set a file aside, whatever it matches now; `name` is what the user gave."""
    skipping = services.program.command("skip", file.key, "--for", mover)
    if name not in (None, mover):
        raise SpecError(f"{file.url} was set aside by {mover}, and not by {name}. Archive it with: {skipping}")
    if mover in project.pipeline_names():
        return project.pipeline(mover)
    if name is None:
        raise SpecError(f"{file.url} was set aside by {mover}, which has no spec any more. Archive it with: {skipping}")
    return spec_of_gone(mover, file, services)


def _no_owner(file: SourceFile, arrived: str, name: str | None) -> str:
    arrival = f"{file.url} arrived as {arrived}"
    if name is not None:
        return f"{arrival}; it does not match source.prefix and source.pattern of {name}"
    return f"{arrival}; it matches no pipeline's source.prefix and source.pattern, so Feedway would never load it"

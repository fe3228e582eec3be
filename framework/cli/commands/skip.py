"""`skip`: archives one pending or unprocessed file without loading it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from framework.cli.outcome import outcome_of
from framework.cli.output import Output
from framework.cli.summary import summary
from framework.cli.wiring import open_services
from framework.errors import SpecError
from framework.lake.identity import METADATA_LOST
from framework.lake.pending import is_file_of
from framework.lake.unprocessed import FOLDER, describe_unprocessed
from framework.load.services import Services
from framework.load.skip import skip_file
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
    arrived = file.identity.key if is_moved else file.key
    wanted = [name] if name is not None else _possible_names(file, project)
    specs = [project.pipeline(each) for each in wanted]
    owners = [spec for spec in specs if is_file_of(lake, spec.source, arrived)]
    if is_moved and file.moved_by is not None:
        owners = [spec for spec in owners if spec.pipeline == file.moved_by]
    if len(owners) == 1:
        return owners[0]
    if owners:
        listed = ", ".join(spec.pipeline for spec in owners)
        raise SpecError(f"{file.url} may belong to {listed}. Name the pipeline: {naming}")
    raise SpecError(_no_owner(file, arrived, name))


def _possible_names(file: SourceFile, project: Project) -> Sequence[str]:
    names = project.pipeline_names()
    return [file.moved_by] if file.moved_by in names else names


def _no_owner(file: SourceFile, arrived: str, name: str | None) -> str:
    moved = f" and was set aside by {file.moved_by}" if file.moved_by is not None else ""
    arrival = f"{file.url} arrived as {arrived}{moved}"
    if name is not None:
        return f"{arrival}; it does not match source.prefix and source.pattern of {name}"
    return f"{arrival}; it matches no pipeline's source.prefix and source.pattern, so Feedway would never load it"

"""`run`: loads pipelines; one result per source file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from framework.announce import Outcome, announce
from framework.cli.output import Output, table
from framework.cli.result_file import check_result_place, write_result
from framework.cli.services import announcing_clients, open_services
from framework.cli.side_by_side import Interruption, run_side_by_side
from framework.engine import run_pipeline
from framework.errors import PipelineError, SpecError
from framework.lake.unprocessed import FOLDER as UNPROCESSED_FOLDER
from framework.redaction import told
from framework.results import LoadRequest, LoadResult, Services
from framework.spec.environment import Environment
from framework.spec.pipeline import PipelineSpec
from framework.spec.project import Project

SUMMARY_COLUMNS = (
    "pipeline",
    "source file",
    "status",
    "read",
    "inserted",
    "updated",
    "deleted",
    "deduplicated",
    "rejected",
    "seconds",
)


@dataclass(frozen=True)
class Surroundings:
    """Where loads happen, and who asked for them. `result` is where to write what comes of them, None for nowhere."""

    project: Project
    environment: Environment
    job_id: str | None
    result: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` takes."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="pipelines to load")
    parser.add_argument("--all", action="store_true", help="load every pipeline of the project")
    parser.add_argument("--tag", metavar="TAG", help="load the pipelines that carry a tag")
    parser.add_argument("--file", metavar="KEY", help="load this object of the lake, pending or not")
    parser.add_argument("--again", action="store_true", help="with --file: load it once more although it is loaded")
    parser.add_argument(
        "--out-of-order", action="store_true", help="with --file: load it although a newer file is loaded already"
    )
    parser.add_argument(
        "--result", metavar="PLACE", help="also write the JSON document there: a local file, or s3://BUCKET/KEY"
    )


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Load the named pipelines side by side, print one result per file, and end in the failure if there is one.

    Raises:
        SpecError: a name, an option or a spec is wrong; nothing was loaded.
        PipelineError: a load failed; of several failures, the class they share.
    """
    environment = project.environment(arguments.env)
    specs = [project.pipeline(name) for name in _names(arguments, project)]
    request = LoadRequest(arguments.file, arguments.again, out_of_order=arguments.out_of_order)
    _check_request(request, specs)
    if arguments.result is not None:
        check_result_place(arguments.result)
    surroundings = Surroundings(project, environment, arguments.job_id, arguments.result)
    return load_pipelines(specs, request, surroundings, output)


def load_pipelines(
    specs: Sequence[PipelineSpec], request: LoadRequest, surroundings: Surroundings, output: Output
) -> int:
    """Load pipelines side by side, print one result per file, and end in the failure if there is one.

    Raises:
        PipelineError: a load failed or was refused; of several failures, the class they share.
    """
    interruption = Interruption()
    environment, folder = surroundings.environment, surroundings.project.folder
    with open_services(folder, environment, output, surroundings.job_id, interruption) as services:
        feeds = [partial(_load, spec, services, request, output) for spec in specs]
        loaded = run_side_by_side(feeds, environment.parallel, interruption)
        outcomes = [Outcome(spec.pipeline, *of_feed) for spec, of_feed in zip(specs, loaded, strict=True)]
        log = services.open_log(services.new_run_id(), "run")
        announce(outcomes, environment, services.job_id, announcing_clients(environment), log)
        results = [result for of_feed, _ in loaded for result in of_feed]
        failures = [failure for _, of_feed in loaded for failure in of_feed]
        document: dict[str, object] = {"loads": [result.as_dict() for result in results]}
        if surroundings.result is not None:
            failures += write_result(document, surroundings.result, services.lake)
    output.document(document, lambda: summary(results))
    return end_in(failures)


def _load(
    spec: PipelineSpec, services: Services, request: LoadRequest, output: Output
) -> tuple[list[LoadResult], list[PipelineError]]:
    """Load one pipeline; what fails there is told, and stops no other."""
    try:
        results = run_pipeline(spec, services, request)
    except PipelineError as error:
        return [], [_told(spec.pipeline, "", "discover", error)]
    if not results:
        output.say(_nothing_to_do(spec, services, request))
    return results, failures_of(results)


def _names(arguments: argparse.Namespace, project: Project) -> Sequence[str]:
    if bool(arguments.names) + arguments.all + bool(arguments.tag) != 1:
        raise SpecError("run takes the names of pipelines, or --all, or --tag TAG")
    if arguments.names:
        return list(dict.fromkeys(arguments.names))
    if arguments.all:
        return project.pipeline_names()
    tagged = [name for name in project.pipeline_names() if arguments.tag in project.pipeline(name).tags]
    if not tagged:
        raise SpecError(f"no pipeline of the project carries the tag {arguments.tag!r}")
    return tagged


def _check_request(request: LoadRequest, specs: Sequence[PipelineSpec]) -> None:
    if request.again and request.file_key is None:
        raise SpecError("--again loads one file once more: name it with --file KEY")
    if request.out_of_order and request.file_key is None:
        raise SpecError("--out-of-order loads one file after newer ones: name it with --file KEY")
    if request.file_key is not None and len(specs) != 1:
        raise SpecError("--file KEY goes with the name of one pipeline")


def _nothing_to_do(spec: PipelineSpec, services: Services, request: LoadRequest) -> str:
    if request.unprocessed:
        where = services.lake.url(services.lake.key(UNPROCESSED_FOLDER))
        return f"{spec.pipeline}: nothing to do, no file below {where} is one of this pipeline"
    where = services.lake.url(services.lake.key(spec.source.prefix))
    return f"{spec.pipeline}: nothing to do, no file below {where} matches {spec.source.pattern}"


def failures_of(results: Sequence[LoadResult]) -> list[PipelineError]:
    """Return one error per failed load; a bug stays the exception it is, behind its place."""
    seen: set[str] = set()
    errors = []
    for result in results:
        if result.failure is not None and result.run_id not in seen:
            seen.add(result.run_id)
            errors.append(_told(result.pipeline, result.source_file, result.failure.step, result.failure.error))
    return errors


def _told(pipeline: str, file: str, step: str, error: BaseException) -> PipelineError:
    kind = type(error) if isinstance(error, PipelineError) else PipelineError
    name = "" if isinstance(error, PipelineError) else f"{type(error).__name__}: "
    failure = PipelineError(f"pipeline={pipeline} file={file or '-'} step={step}: {name}{told(error)}")
    failure.exit_code = kind.exit_code
    failure.__cause__ = error
    return failure


def end_in(failures: Sequence[PipelineError]) -> int:
    """Return 0 where nothing failed, and raise the failure, or what several share, where something did."""
    if not failures:
        return 0
    if len(failures) == 1:
        raise failures[0]
    codes = {failure.exit_code for failure in failures}
    failure = PipelineError("\n".join([f"{len(failures)} loads failed", *(str(failure) for failure in failures)]))
    failure.exit_code = codes.pop() if len(codes) == 1 else 1
    raise failure


def summary(results: Sequence[LoadResult]) -> str:
    """Return the results as a table with why files were not loaded, or a line that says there was nothing to do."""
    if not results:
        return "nothing to do"
    rows = [
        (
            result.pipeline,
            result.source_file,
            result.status,
            result.counts.read,
            result.counts.inserted,
            result.counts.updated,
            result.counts.deleted,
            result.counts.deduplicated,
            result.counts.rejected,
            round(result.seconds, 1),
        )
        for result in results
    ]
    kept = [
        f"bad rows of {result.source_file}: {result.counts.rejected}, in {result.quarantine}"
        for result in results
        if result.quarantine is not None
    ]
    reasons = [f"{result.source_file}: {result.reason}" for result in results if result.reason is not None]
    return "\n".join([table(SUMMARY_COLUMNS, rows), *kept, *reasons])

"""`plan`: what a run would do now; changes nothing."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from functools import partial

from framework.cli.concurrency import Interruption, run_concurrently
from framework.cli.exit_codes import ATTENTION, end_in
from framework.cli.file_options import add_file_options, file_request
from framework.cli.incoming import inbox_key, incoming_files
from framework.cli.output import Output
from framework.cli.plan_markdown import plan_markdown
from framework.cli.plan_report import PlannedFeed, PlanReport
from framework.cli.plan_text import Detail, plan_text
from framework.cli.repository import path_in_repository, repository_root
from framework.cli.results import all_broken, failures_of, why_nothing
from framework.cli.selection import Feed, add_selection, readable, selected_feeds
from framework.cli.set_aside import find_set_aside
from framework.cli.wiring import etag_digest, open_services
from framework.errors import PipelineError, SpecError
from framework.lake.local import local_file
from framework.lake.pending import list_arrived
from framework.load.preview import plan_pipeline
from framework.load.request import Arriving, LoadRequest
from framework.load.services import Services
from framework.log.run_log import utc_now
from framework.spec.environment import Environment
from framework.spec.project import ENVIRONMENTS, Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `plan` takes."""
    add_selection(parser, "plan")
    parser.add_argument("--file", metavar="KEY", help="plan the load of this object of the lake")
    add_file_options(parser)
    parser.add_argument(
        "--from",
        dest="local_files",
        action="extend",
        nargs="+",
        default=[],
        metavar="FILE",
        help="plan these files of this machine, in this order, as if nothing else were pending",
    )
    parser.add_argument(
        "--sample", type=_positive, metavar="N", help="read about the first N rows of each file instead of all"
    )
    parser.add_argument("--columns", action="store_true", help="print all columns, however many there are")
    parser.add_argument("--sql", action="store_true", help="print the statements too")
    parser.add_argument(
        "--detailed-exitcode",
        action="store_true",
        help=f"end in exit code {ATTENTION} where a run would find something to do",
    )


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print the loads a run would make of each pipeline, and end in the failure if one would be refused.

    Raises:
        PipelineError: a load would be refused; the message is the one a run would end in.
    """
    environment = project.environment(arguments.env)
    if arguments.local_files and not arguments.names:
        raise SpecError("--from FILE goes behind the name of a pipeline: plan NAME --from FILE")
    feeds = selected_feeds(arguments, project)
    request = _request(arguments, feeds, environment)
    report = _report(arguments, project, output, feeds, request)
    shown = Detail(
        with_sql=arguments.sql,
        all_columns=arguments.columns,
        width=output.width,
    )
    output.document(
        report.as_dict(),
        lambda: plan_text(report, shown),
        {"github": lambda: plan_markdown(report, environment.name, _place(project), arguments.columns)},
    )
    code = end_in(failures_of(report.failures))
    return ATTENTION if arguments.detailed_exitcode and report.has_changes else code


def _place(project: Project) -> str:
    """Return the path of a project in its repository, or its address in S3."""
    file = project.find(ENVIRONMENTS).name_for(ENVIRONMENTS)
    path = path_in_repository(file, project.folder, repository_root(project.folder, os.environ))
    return path.removesuffix(ENVIRONMENTS).rstrip("/") or "."


def _request(arguments: argparse.Namespace, feeds: Sequence[Feed], environment: Environment) -> LoadRequest:
    if not arguments.local_files:
        return file_request(arguments, pipelines=len(feeds))
    if arguments.file is not None:
        raise SpecError("--from FILE and --file KEY both name what is planned: leave out one of them")
    request = file_request(arguments)
    if len(feeds) != 1:
        raise SpecError("--from FILE goes with the name of one pipeline")
    spec, lake = feeds[0].spec, environment.lake
    if isinstance(spec, SpecError):
        return request
    paths = incoming_files(spec, arguments.local_files, lake.prefix, "planned")
    now, digest = utc_now(), etag_digest(environment)
    keys = [lake.prefix + inbox_key(spec, path) for path in paths]
    files = (local_file(path, (lake.bucket, key), now, digest()) for path, key in zip(paths, keys, strict=True))
    return Arriving(tuple(files))


def _report(
    arguments: argparse.Namespace, project: Project, output: Output, feeds: Sequence[Feed], request: LoadRequest
) -> PlanReport:
    if broken := all_broken(feeds):
        return PlanReport([PlannedFeed(name, failure=error) for name, error in broken.items()], [])
    environment = project.environment(arguments.env)
    interruption = Interruption()
    with open_services(project.folder, environment, output, arguments.job_id, interruption) as services:
        plan = partial(_plan, services=services, request=request, sample_rows=arguments.sample)
        work = [partial(_shown_at_work, feed, plan, output) for feed in feeds]
        output.display.begin(len(feeds))
        planned = run_concurrently(work, environment.parallel, interruption)
        failed = {each.pipeline for each in planned if each.failure is not None}
        of_lake = [] if isinstance(request, Arriving) else readable(feeds, failed)
        return PlanReport(planned, find_set_aside(of_lake, services))


def _shown_at_work(feed: Feed, plan: Callable[[Feed], PlannedFeed], output: Output) -> PlannedFeed:
    """Plan one pipeline, which a terminal shows at work until then."""
    try:
        return plan(feed)
    finally:
        output.display.rest(feed.pipeline, is_done=True)


def _plan(feed: Feed, services: Services, request: LoadRequest, sample_rows: int | None) -> PlannedFeed:
    """Plan one pipeline. What fails there hides no other."""
    try:
        if isinstance(feed.spec, SpecError):
            raise feed.spec
        loads = tuple(plan_pipeline(feed.spec, services, request, sample_rows))
        if loads:
            return PlannedFeed(feed.pipeline, loads)
        unmatched = list_arrived(services.lake, feed.spec.source).unmatched
        return PlannedFeed(feed.pipeline, idle=why_nothing(feed.spec, services, request, unmatched))
    except PipelineError as error:
        return PlannedFeed(feed.pipeline, failure=error)


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() and len(text) < 16 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows")
    return number

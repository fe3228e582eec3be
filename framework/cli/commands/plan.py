"""`plan`: what a run would do now; changes nothing."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from framework.cli.file_options import add_file_options, file_request
from framework.cli.output import Output
from framework.cli.results import all_broken, end_in, failures_of, readable, why_nothing
from framework.cli.selection import Feed, read_feed
from framework.cli.set_aside import SetAside, find_set_aside
from framework.cli.wiring import open_services
from framework.errors import PipelineError, SpecError
from framework.lake.pending import list_arrived
from framework.load.preview import PlannedLoad, plan_pipeline
from framework.load.request import LoadRequest
from framework.load.result import LoadResult, failed_early
from framework.load.services import Services
from framework.model.words import counted, size
from framework.spec.project import Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `plan` takes."""
    parser.add_argument("names", nargs="+", metavar="NAME", help="pipelines to plan")
    parser.add_argument("--file", metavar="KEY", help="plan the load of this object of the lake")
    add_file_options(parser)
    parser.add_argument(
        "--sample", type=_positive, metavar="N", help="read about the first N rows of each file instead of all"
    )
    parser.add_argument("--sql", action="store_true", help="print the statements too")


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print the loads a run would make of each pipeline, and end in the failure if one would be refused.

    Raises:
        PipelineError: a load would be refused; the message is the one a run would end in.
    """
    environment = project.environment(arguments.env)
    feeds = [read_feed(project, name) for name in dict.fromkeys(arguments.names)]
    request = file_request(arguments, pipelines=len(feeds))
    waiting: list[SetAside] = []
    if broken := all_broken(feeds):
        planned = [_Planned(name, failure=error) for name, error in broken.items()]
    else:
        with open_services(project.folder, environment, output, arguments.job_id) as services:
            planned = [_plan(feed, services, request, arguments.sample) for feed in feeds]
            failed = {each.pipeline for each in planned if each.failure is not None}
            waiting = find_set_aside(readable(feeds, failed), services)
    output.document(_document(planned, waiting), lambda: "\n".join(_lines(planned, waiting, arguments.sql)))
    return end_in(failures_of([each.result for each in planned if each.failure is not None]))


@dataclass(frozen=True)
class _Planned:
    """The plan of one pipeline: its loads; or none, with the reason in `idle`; or a failure."""

    pipeline: str
    loads: tuple[PlannedLoad, ...] = ()
    idle: str | None = None
    failure: PipelineError | None = None

    @property
    def result(self) -> LoadResult:
        """The failure as a result."""
        assert self.failure is not None
        return failed_early(self.pipeline, self.failure, step="plan")


def _plan(feed: Feed, services: Services, request: LoadRequest, sample_rows: int | None) -> _Planned:
    """Plan one pipeline. What fails there hides no other."""
    try:
        if isinstance(feed.spec, SpecError):
            raise feed.spec
        loads = tuple(plan_pipeline(feed.spec, services, request, sample_rows))
        if loads:
            return _Planned(feed.pipeline, loads)
        unmatched = list_arrived(services.lake, feed.spec.source).unmatched
        return _Planned(feed.pipeline, idle=why_nothing(feed.spec, services, request, unmatched))
    except PipelineError as error:
        return _Planned(feed.pipeline, failure=error)


def _document(planned: Sequence[_Planned], waiting: Sequence[SetAside]) -> dict[str, object]:
    failed = [each.result.as_dict() for each in planned if each.failure is not None]
    return {
        "loads": [load.as_dict() for each in planned for load in each.loads],
        "failed": [{"pipeline": result["pipeline"], "error": result["error"]} for result in failed],
        "set_aside": [files.as_dict() for files in waiting],
    }


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() and len(text) < 16 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows")
    return number


def _lines(planned: Sequence[_Planned], waiting: Sequence[SetAside], with_sql: bool) -> Iterator[str]:
    for each in planned:
        for load in each.loads:
            yield from _load_lines(load, with_sql)
        if each.idle is not None:
            yield f"{each.pipeline}: nothing to do: {each.idle}"
        if each.failure is not None:
            yield f"{each.pipeline}: would fail: {_first_line(each.failure)}"
    yield from map(str, waiting)


def _first_line(error: PipelineError) -> str:
    """Return the first line of an error; for a spec, its first problem instead of the number of problems."""
    problems = error.problems if isinstance(error, SpecError) else ()
    return str(problems[0] if problems else error).partition("\n")[0]


def _load_lines(load: PlannedLoad, with_sql: bool) -> Iterator[str]:
    yield f"{load.pipeline}: {', '.join(load.source_files)}"
    if load.rows is not None and load.engine is not None:
        yield f"  {counted(load.rows, 'row')}, read by the {load.engine} engine"
    yield from (_change_line(change) for change in load.schema_changes)
    for fill in load.fills:
        yield f"  fill    column {fill['column']} is not in the file: {_fill_text(fill)}"
    # A missing column is listed with the fills.
    others = (warning for warning in load.warnings if warning["rule"] != "missing-column")
    yield from (f"  warning {warning['message']}" for warning in others)
    if load.views:
        yield f"  views   built: {', '.join(load.views)}"
    yield from (f"  note    {note}" for note in load.notes)
    yield from _transaction_lines(load, with_sql)


def _fill_text(fill: Mapping[str, str | None]) -> str:
    value = "NULL" if fill["value"] is None else repr(fill["value"])
    if fill["stored_rows"] == "keep":
        return f"stored rows keep their values, new rows get {value}"
    return f"all rows get {value}"


def _change_line(change: dict[str, str | None]) -> str:
    column = f"column {change['column']}" if change["column"] else "table"
    before = f"{change['from']} -> " if change["from"] else ""
    return f"  change  {change['kind']}: {column} {before}{change['to']} ({change['reason']}; cost: {change['cost']})"


def _transaction_lines(load: PlannedLoad, with_sql: bool) -> Iterator[str]:
    for number, transaction in enumerate(load.transactions, start=1):
        statements = cast(list[dict[str, Any]], transaction["statements"])
        total = size(sum(int(statement["bytes"]) for statement in statements))
        count = f"one transaction of {len(statements)} statements" if len(statements) > 1 else "one statement by itself"
        yield f"  {number}. {transaction['name']}: {count}, {total}"
        yield from (f"     locks {lock}" for lock in cast(list[str], transaction["locks"]))
        for statement in statements if with_sql else ():
            yield "     " + str(statement["sql"]).replace("\n", "\n     ") + ";"

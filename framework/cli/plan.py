"""`plan`: what a run would do now; changes nothing."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from framework.cli.file_options import add_file_options, file_request
from framework.cli.output import Output
from framework.cli.services import open_services
from framework.preview import PlannedLoad, plan_pipeline
from framework.spec.project import Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `plan` takes."""
    parser.add_argument("names", nargs="+", metavar="NAME", help="pipelines to plan")
    parser.add_argument("--file", metavar="KEY", help="plan the load of this object of the lake")
    add_file_options(parser)
    parser.add_argument(
        "--sample", type=_positive, metavar="N", help="look at about N first rows of each file instead of all"
    )
    parser.add_argument("--sql", action="store_true", help="print the statements too")


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print the loads a run would make.

    Raises:
        PipelineError: a load would be refused; the message is the one a run would end in.
    """
    environment = project.environment(arguments.env)
    specs = [project.pipeline(name) for name in dict.fromkeys(arguments.names)]
    request = file_request(arguments)
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        planned = [load for spec in specs for load in plan_pipeline(spec, services, request, arguments.sample)]
    output.document({"loads": [load.as_dict() for load in planned]}, lambda: "\n".join(_lines(planned, arguments.sql)))
    return 0


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() and len(text) < 16 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows")
    return number


def _lines(planned: Sequence[PlannedLoad], with_sql: bool) -> Iterator[str]:
    if not planned:
        yield "nothing to do"
    for load in planned:
        files = ", ".join(load.source_files)
        yield f"{load.pipeline}: {files}"
        if load.rows is not None and load.engine is not None:
            yield f"  {load.rows} rows, read by the {load.engine} engine"
        yield from (_change_line(change) for change in load.schema_changes)
        for fill in load.fills:
            yield f"  fill    column {fill['column']} is not in the file: {_fill_text(fill)}"
        # A column that is missing stands among the fills.
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
        size = sum(int(statement["bytes"]) for statement in statements)
        count = f"one transaction of {len(statements)} statements" if len(statements) > 1 else "one statement by itself"
        yield f"  {number}. {transaction['name']}: {count}, {size} bytes"
        yield from (f"     locks {lock}" for lock in cast(list[str], transaction["locks"]))
        for statement in statements if with_sql else ():
            yield "     " + str(statement["sql"]).replace("\n", "\n     ") + ";"

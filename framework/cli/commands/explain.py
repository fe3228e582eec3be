"""`explain`: why a column of a table has its type."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from framework.cli.audit_options import SHOWN_ID
from framework.cli.output import Output
from framework.cli.wiring import open_services
from framework.errors import SpecError
from framework.lake.pending import list_arrived
from framework.load.services import Services
from framework.model.observation import ObservedTable, TableColumn
from framework.model.words import counted, visible
from framework.plan.column_history import ColumnChange, history_of
from framework.plan.explanation import Explanation, KnownColumn, explain, explain_absent, find_column
from framework.spec.pipeline import PipelineSpec
from framework.spec.project import Project, instead
from framework.warehouse.audit import COLUMN_CHANGE_COLUMNS, read_column_changes, read_column_header
from framework.warehouse.catalog import observe
from framework.warehouse.session import WarehouseSession


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `explain` takes."""
    parser.add_argument("name", metavar="NAME", help="the pipeline")
    parser.add_argument("column", metavar="COLUMN", help="a column of its table, or its header in the files")


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print how a column came to its type, and what the spec says about it now.

    Raises:
        SpecError: the table has no such column.
    """
    environment = project.environment(arguments.env)
    spec = project.pipeline(arguments.name)
    plan_command = output.program.command("plan", spec.pipeline)
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        warehouse = WarehouseSession(services.warehouse, "explain", services.open_log(services.new_run_id(), "explain"))
        observed = observe(warehouse, spec, ())
        name = find_column(arguments.column, spec, observed)
        if observed.table is None:
            explained = explain_absent(spec, name, _nothing_loaded(spec, services, plan_command))
        else:
            column = observed.table.column(name)
            if column is None:
                raise SpecError(_unknown(spec, observed.table, arguments.column, name, plan_command))
            explained = explain(spec, _known(spec, warehouse, column), plan_command)
    output.document(explained.as_dict(), lambda: "\n".join(map(visible, _lines(explained))))
    return 0


def _known(spec: PipelineSpec, warehouse: WarehouseSession, column: TableColumn) -> KnownColumn:
    """Return a column of the table with what Feedway's own tables hold about it."""
    name = column.name
    target = spec.target.table
    rows = [dict(zip(COLUMN_CHANGE_COLUMNS, row, strict=True)) for row in read_column_changes(warehouse, target, name)]
    header = read_column_header(warehouse, target, name)
    return KnownColumn(column, header, history_of(rows, name, with_values=spec.bad_rows.log_samples))


def _unknown(spec: PipelineSpec, table: ObservedTable, asked: str, name: str, plan_command: str) -> str:
    """Return the message that the table has no such column, with the likest one; `name` is the cleaned one."""
    lacking = f"{table.name} has no column {asked!r}"
    if name in spec.columns.exclude:
        return f"{lacking}: columns.exclude of {spec.path} leaves it out."
    known = [column.name for column in table.columns]
    return f"{lacking}. {instead(asked, known)} If a pending file brings it, its type is in: {plan_command}"


def _nothing_loaded(spec: PipelineSpec, services: Services, plan_command: str) -> tuple[str, ...]:
    pending = len(list_arrived(services.lake, spec.source).pending)
    waiting = f"{counted(pending, 'file is', 'files are')} pending" if pending else "no file is pending"
    see = f" See the columns that a run would create: {plan_command}" if pending else ""
    return (f"{spec.target.table} does not exist: nothing is loaded yet, and {waiting}.{see}",)


def _lines(explained: Explanation) -> Iterator[str]:
    is_type = "" if explained.type is None else f" is {explained.type}"
    yield f"{explained.table}.{explained.column}{is_type}"
    if explained.header is not None and explained.header != explained.column:
        yield f"  in files: {explained.header}"
    for change in explained.history:
        yield ""
        yield from _change_lines(explained, change)
    if explained.spec:
        yield ""
        yield "the spec now:"
    for entry in explained.spec:
        yield f"  {entry.field}: {entry.says} ({entry.place or 'a default rule of Feedway'})"
    if explained.notes:
        yield ""
        yield from explained.notes


def _change_lines(explained: Explanation, change: ColumnChange) -> Iterator[str]:
    became = f"{change.type_before} -> {change.type_after}" if change.type_before else f"new, {change.type_after}"
    by = "" if change.pipeline == explained.pipeline else f" of {change.pipeline}"
    file = change.source_filename.rpartition("/")[2]
    yield f"{change.changed_ts[:19]}  {became}  {file}  run {change.run_id[:SHOWN_ID]}{by}"
    why = f"{change.reason}: {change.evidence}" if change.evidence else change.reason
    yield f"  {why}"
    if change.place:
        yield f"  {change.place}"

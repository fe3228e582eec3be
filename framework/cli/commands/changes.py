"""`changes`: what loads changed about tables."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from framework.cli.audit_options import add_audit_options, parse_since
from framework.cli.output import Output
from framework.cli.recorded import shown_by_feed
from framework.cli.selection import add_selection, selected_names
from framework.cli.tables import fitted_table
from framework.cli.wiring import open_services
from framework.load.status.recorded import Shown
from framework.spec.project import Project
from framework.warehouse.audit import CHANGE_COLUMNS, HistoryQuery, read_schema_changes
from framework.warehouse.client import Row
from framework.warehouse.session import WarehouseSession

SHOWN_COLUMNS = {
    "changed_ts": "changed",
    "target_table_name": "table",
    "change": "change",
    "column_name": "column",
    "type_before": "from",
    "type_after": "to",
    "reason": "reason",
    "source_filename": "file",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `changes` takes."""
    add_selection(parser, "show", none_is_all=True)
    add_audit_options(parser, "changes made")


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print the latest changes of tables, newest first: when, what, why, and by which file.

    Raises:
        SpecError: the command line or an environment is wrong.
    """
    environment = project.environment(arguments.env)
    names = selected_names(arguments, project)
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        log = services.open_log(services.new_run_id(), "changes")
        query = HistoryQuery(tuple(names), since=parse_since(arguments, services.now()), rows=arguments.rows)
        rows = read_schema_changes(WarehouseSession(services.warehouse, "changes", log), query)
    shown = shown_by_feed(project)
    changes = [_quoting(row, shown) for row in rows]
    output.document({"changes": changes}, lambda: _text(changes, output.width))
    return 0


def _quoting(row: Row, shown_by_name: Callable[[str], Shown]) -> dict[str, object]:
    """Return a change by column name, with its reason as far as it may be shown."""
    *cells, spec_sha256 = row
    change: dict[str, object] = dict(zip(CHANGE_COLUMNS, cells, strict=True))
    return change | {"reason": shown_by_name(str(change["pipeline"]))(str(change["reason"]), spec_sha256)}


def _text(changes: Sequence[dict[str, object]], width: int | None) -> str:
    if not changes:
        return "no change is recorded"
    rows = [[_shown(name, change[name]) for name in SHOWN_COLUMNS] for change in changes]
    return fitted_table(tuple(SHOWN_COLUMNS.values()), rows, width, cut=("table", "column", "reason", "file"))


def _shown(name: str, value: object) -> object:
    if name == "changed_ts":
        return str(value)[:19]
    return str(value).rpartition("/")[2] if name == "source_filename" else value

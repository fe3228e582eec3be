"""`history`: the audit of past loads and its pruning, what loads changed about tables, and feeds that are late."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from framework.cli.commands.prune import report_pruning
from framework.cli.commands.stale import report_stale
from framework.cli.output import Output, table
from framework.cli.selection import add_selection, selected_names
from framework.cli.wiring import open_services
from framework.errors import SpecError
from framework.lake.heartbeat import Activity, read_activity
from framework.lake.lake import Lake
from framework.load.services import Services
from framework.spec.project import Project
from framework.warehouse.audit import CHANGE_COLUMNS, HISTORY_COLUMNS, HistoryQuery, read_history, read_schema_changes
from framework.warehouse.client import Row
from framework.warehouse.session import WarehouseSession

SHOWN_COLUMNS = (
    "run_start_ts",
    "pipeline",
    "source_filename",
    "status",
    "records_read",
    "records_inserted",
    "records_updated",
    "records_deleted",
    "records_deduplicated",
    "records_rejected",
    "warnings",
    "error_message",
)
SHOWN_OF_CHANGES = (
    "pipeline",
    "target_table_name",
    "change",
    "column_name",
    "type_before",
    "type_after",
    "reason",
    "source_filename",
)
RUNNING, UNFINISHED = "RUNNING", "UNFINISHED"
STATUSES = (RUNNING, UNFINISHED, "SUCCESS", "FAILED", "SKIPPED")
DEFAULT_ROWS = 200
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `history` takes."""
    add_selection(parser, "show", none_is_all=True)
    parser.add_argument(
        "--status",
        action="append",
        type=str.upper,
        choices=STATUSES,
        metavar="STATUS",
        help=f"only loads with this status: {', '.join(STATUSES)}; may be given several times",
    )
    parser.add_argument("--since", metavar="WHEN", help="only loads begun since: 30m, 6h, 7d, or a UTC time")
    parser.add_argument("--file", metavar="KEY", help="only loads of this file, by where it arrived or lies now")
    parser.add_argument("--rows", type=int, metavar="N", help=f"at most this many loads (default {DEFAULT_ROWS})")
    parser.add_argument("--changes", action="store_true", help="instead: what loads changed about their tables")
    parser.add_argument(
        "--prune", metavar="WHEN", help="instead: count the rows from before 400d, or a UTC time, that nothing needs"
    )
    parser.add_argument("--yes", action="store_true", help="with --prune: remove them")
    parser.add_argument(
        "--stale", action="store_true", help="instead: feeds without a load for longer than their spec's expect.every"
    )


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print the latest loads, newest first, one row per load and file; or what another option asks for.

    Returns 0; with --stale 3 where a feed is late.

    Raises:
        SpecError: the command line, an environment or, with --stale, a spec is wrong.
    """
    _check(arguments)
    environment = project.environment(arguments.env)
    names = selected_names(arguments, project)
    if arguments.stale:
        specs = [project.pipeline(name) for name in names or project.pipeline_names()]
        with open_services(project.folder, environment, output, arguments.job_id) as services:
            return report_stale(specs, services, output)
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        if arguments.prune is not None:
            before = parse_when(arguments.prune, services.now(), "--prune")
            return report_pruning(names, before, services, output, is_confirmed=arguments.yes)
        if arguments.changes:
            changes = _changes(arguments, names, services)
            output.document({"changes": changes}, lambda: _changes_text(changes))
            return 0
        loads = _loads(arguments, names, services)
    output.document({"loads": loads}, lambda: _text(loads))
    return 0


def _check(arguments: argparse.Namespace) -> None:
    asked = [option for option in ("--stale", "--changes", "--prune") if getattr(arguments, option[2:])]
    if len(asked) > 1:
        raise SpecError(f"history takes one of {', '.join(asked)}")
    if arguments.yes and arguments.prune is None:
        raise SpecError("history --yes goes with --prune WHEN")
    filters = {"--status": arguments.status, "--since": arguments.since, "--file": arguments.file}
    for name, value in {**filters, "--rows": arguments.rows}.items():
        if arguments.stale and value is not None:
            raise SpecError(f"history --stale shows feeds by their last load; {name} does not go with it")
        if arguments.prune is not None and value is not None:
            raise SpecError(f"history --prune removes rows by their age; {name} does not go with it")
        if arguments.changes and value is not None and name in ("--status", "--file"):
            raise SpecError(f"history --changes shows changes of tables; {name} does not go with it")
    if arguments.rows is not None and arguments.rows < 1:
        raise SpecError(f"history --rows takes a number from 1, not {arguments.rows}")


def _loads(arguments: argparse.Namespace, names: Sequence[str], services: Services) -> list[dict[str, object]]:
    log = services.open_log(services.new_run_id(), "history")
    asked = frozenset(arguments.status or STATUSES)
    stored = {"STARTED" if status in (RUNNING, UNFINISHED) else status for status in asked}
    query = HistoryQuery(
        pipelines=tuple(names),
        statuses=tuple(sorted(stored)),
        since=parse_since(arguments.since, services.now()),
        source_filename=None if arguments.file is None else _arrival_key(arguments.file, services.lake),
        rows=arguments.rows or DEFAULT_ROWS,
    )
    rows = read_history(WarehouseSession(services.warehouse, "history", log), query)
    return [load for load in named_loads(rows, services) if load["status"] in asked]


def _changes(arguments: argparse.Namespace, names: Sequence[str], services: Services) -> list[dict[str, object]]:
    log = services.open_log(services.new_run_id(), "history")
    query = HistoryQuery(
        pipelines=tuple(names),
        since=parse_since(arguments.since, services.now()),
        rows=arguments.rows or DEFAULT_ROWS,
    )
    rows = read_schema_changes(WarehouseSession(services.warehouse, "history", log), query)
    return [dict(zip(CHANGE_COLUMNS, row, strict=True)) for row in rows]


def _changes_text(changes: Sequence[dict[str, object]]) -> str:
    if not changes:
        return "no change is recorded"
    rows = [[str(change["changed_ts"])[:19], *(change[name] for name in SHOWN_OF_CHANGES)] for change in changes]
    return table(["changed_ts", *SHOWN_OF_CHANGES], rows)


def parse_since(text: str | None, now: datetime) -> datetime:
    """Return the time that `--since` names; without one, that of all loads.

    Raises:
        SpecError: it is no time.
    """
    return datetime(1970, 1, 1, tzinfo=UTC) if text is None else parse_when(text, now, "--since")


def parse_when(text: str, now: datetime, option: str) -> datetime:
    """Return the time that an option names: a duration before now, or a date or time, UTC unless it has an offset.

    Raises:
        SpecError: it is neither.
    """
    span = re.fullmatch(r"([0-9]{1,5})([mhd])", text)
    if span is not None:
        return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SpecError(f"history {option} {text!r}: write 30m, 6h, 7d, 2026-01-31 or 2026-01-31T06:00") from error
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _arrival_key(asked: str, lake: Lake) -> str:
    """Return the key under which a file arrived; it may have been moved since."""
    key = lake.key_of(asked)
    file = lake.describe(key)
    return key if file is None else file.identity.key


def named_loads(rows: Sequence[Row], services: Services) -> Iterator[dict[str, object]]:
    """Yield the loads by column name; a load without an end is RUNNING or, without a fresh heartbeat, UNFINISHED."""
    activity: Activity | None = None
    for row in rows:
        load: dict[str, object] = dict(zip(HISTORY_COLUMNS, row, strict=True))
        if load["status"] == "STARTED":
            activity = activity or read_activity(services.lake, services.environment.dead_after_seconds)
            is_active = activity.is_active(str(load["run_id"]), cast(str | None, load["invocation_id"]))
            load["status"] = RUNNING if is_active else UNFINISHED
        load["warnings"] = json.loads(str(load["warnings"] or "[]"))
        yield load


def _text(loads: Sequence[dict[str, object]]) -> str:
    if not loads:
        return "no load is recorded"
    rows = [[_shown(name, load[name]) for name in SHOWN_COLUMNS] for load in loads]
    return table([name.removeprefix("records_") for name in SHOWN_COLUMNS], rows)


def _shown(name: str, value: object) -> object:
    if name == "error_message" and value is not None:
        first = str(value).splitlines()[0]
        return first if len(first) <= 100 else first[:97] + "..."
    if isinstance(value, list):
        return len(value)
    if name == "run_start_ts" and value is not None:
        return str(value)[:19]
    return value

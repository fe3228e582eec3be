"""`history`: past loads, newest first, and those that run."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import cast

from framework.cli.audit_options import SHOWN_ID, add_audit_options, parse_since
from framework.cli.output import Output
from framework.cli.recorded import shown_by_feed
from framework.cli.selection import add_selection, selected_names
from framework.cli.tables import narrowed_table
from framework.cli.wiring import open_services
from framework.lake.heartbeat import RUNNING, UNFINISHED, Activity, read_activity
from framework.lake.lake import Lake
from framework.load.services import Services
from framework.load.status.recorded import Shown
from framework.model.words import duration, visible
from framework.spec.project import Project
from framework.warehouse.audit import HISTORY_COLUMNS, HistoryQuery, read_history
from framework.warehouse.client import Row
from framework.warehouse.session import WarehouseSession

STATUSES = (RUNNING, UNFINISHED, "SUCCESS", "FAILED", "SKIPPED")
OPTIONAL_COLUMNS = ("bad", "warn")
"""The numbers of bad rows and of warnings, shown where one of the loads has some."""
MOST_MESSAGES = 5
"""The most messages below the table, unless one file is asked for."""


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
    parser.add_argument(
        "--file", metavar="FILE", help="only loads of this file: its name, or its key when it arrived or now"
    )
    add_audit_options(parser, "loads begun")


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print the latest loads, newest first, one row per load and file, and why loads failed.

    Raises:
        SpecError: the command line or an environment is wrong.
    """
    environment = project.environment(arguments.env)
    names = selected_names(arguments, project)
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        shown = shown_by_feed(project)
        loads = [_quoting(load, shown) for load in _loads(arguments, names, services)]
    most = MOST_MESSAGES if arguments.file is None else len(loads)
    output.document({"loads": loads}, lambda: _text(loads, output.width, most))
    return 0


def _loads(arguments: argparse.Namespace, names: Sequence[str], services: Services) -> list[dict[str, object]]:
    log = services.open_log(services.new_run_id(), "history")
    asked = frozenset(arguments.status or STATUSES)
    stored = {"STARTED" if status in (RUNNING, UNFINISHED) else status for status in asked}
    file = arguments.file
    is_name = file is not None and "/" not in file
    query = HistoryQuery(
        pipelines=tuple(names),
        statuses=tuple(sorted(stored)),
        since=parse_since(arguments, services.now()),
        source_filename=None if file is None or is_name else _arrival_key(file, services.lake),
        file_name=file if is_name else None,
        rows=arguments.rows,
    )
    rows = read_history(WarehouseSession(services.warehouse, "history", log), query)
    return [load for load in named_loads(rows, services) if load["status"] in asked]


def _quoting(load: dict[str, object], shown_by_name: Callable[[str], Shown]) -> dict[str, object]:
    """Return a load with its messages as far as they may be shown."""
    shown, spec_sha256 = shown_by_name(str(load["pipeline"])), load["spec_sha256"]
    message = load["error_message"]
    warnings = cast(list[dict[str, object]], load["warnings"])
    return load | {
        "error_message": None if message is None else shown(str(message), spec_sha256),
        "warnings": [each | {"message": shown(str(each["message"]), spec_sha256)} for each in warnings],
    }


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
            load["status"] = activity.status_of(str(load["run_id"]), cast(str | None, load["invocation_id"]))
        load["warnings"] = json.loads(str(load["warnings"] or "[]"))
        load["failure"] = json.loads(str(load["failure"] or "null"))
        yield load


def _text(loads: Sequence[dict[str, object]], width: int | None, most_messages: int) -> str:
    if not loads:
        return "no load is recorded"
    return "\n".join([_table([_cells(load) for load in loads], width), *_messages(loads, most_messages)])


def _table(rows: Sequence[Mapping[str, object]], width: int | None) -> str:
    """Return the loads as a table that fits the width, if cut names, no rows read and no year are enough for that."""
    columns = [name for name in rows[0] if name not in OPTIONAL_COLUMNS or any(row[name] for row in rows)]
    without_year = [{**row, "started": str(row["started"])[5:]} for row in rows]
    fewer = [name for name in columns if name != "read"]
    forms = ((columns, rows), (fewer, rows), (fewer, without_year))
    return narrowed_table(forms, width, cut=("pipeline", "file"))


def _run(load: Mapping[str, object]) -> str:
    return str(load["run_id"])[:SHOWN_ID]


def _cells(load: Mapping[str, object]) -> dict[str, object]:
    inserted, updated = load["records_inserted"], load["records_updated"]
    return {
        "run": _run(load),
        "started": str(load["run_start_ts"])[:16],
        "pipeline": load["pipeline"],
        "file": file_name(load),
        "status": load["status"],
        "read": load["records_read"],
        "loaded": None if inserted is None else cast(int, inserted) + cast(int, updated or 0),
        "bad": load["records_rejected"] or None,
        "time": _took(load),
        "warn": len(cast(list[object], load["warnings"])) or None,
    }


def file_name(load: Mapping[str, object]) -> str:
    """Return the name of a load's file, without its folders."""
    return str(load["source_filename"]).rpartition("/")[2]


def _took(load: Mapping[str, object]) -> str | None:
    if load["run_end_ts"] is None:
        return None
    began, ended = (datetime.fromisoformat(str(load[name])) for name in ("run_start_ts", "run_end_ts"))
    # The warehouse's time of a merge has no fraction.
    seconds = round((ended - began).total_seconds())
    return "< 1 s" if seconds < 1 else duration(seconds).replace(".0 s", " s")


def _messages(loads: Sequence[Mapping[str, object]], most: int) -> Iterator[str]:
    """Yield the messages of the newest loads that have one; that of a load of several files once."""
    found: dict[tuple[str, str], Mapping[str, object]] = {}
    for load in loads:
        if load["error_message"]:
            found.setdefault((str(load["run_id"]), str(load["error_message"])), load)
    for (_, message), load in list(found.items())[:most]:
        yield ""
        yield visible(f"{_run(load)}  {load['pipeline']}  {file_name(load)}  {load['status']}")
        yield from (f"  {visible(line)}" for line in message.splitlines())
    if len(found) > most:
        yield f"\nMessages of {len(found) - most} more loads are left out: use --file FILE, or logs RUN."

"""`history`: the audit of past loads."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from framework.cli.output import Output, table
from framework.cli.services import open_services
from framework.spec.project import Project
from framework.warehouse.client import Caller, Row
from framework.warehouse.control import HISTORY_COLUMNS, read_history

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
    "error_message",
)
UNFINISHED = "UNFINISHED"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `history` takes."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="pipelines; none means all")
    parser.add_argument("--rows", type=int, default=200, help="read at most so many audit rows (default 200)")


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print the latest loads, newest first: one row per load and file, with its final status."""
    environment = project.environment(arguments.env)
    with open_services(Path(project.root), environment, output, arguments.job_id) as services:
        log = services.open_log(services.new_run_id(), "history")
        caller = Caller("history", log.run_id)
        rows = read_history(services.warehouse, arguments.names, arguments.rows, caller, log)
    loads = final_rows(rows)
    output.document({"loads": loads}, lambda: _text(loads))
    return 0


def final_rows(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Return one row per load and file: the final one, or the STARTED one as UNFINISHED.

    A load that is still under way is UNFINISHED too.
    """
    found: dict[tuple[object, object], dict[str, object]] = {}
    for row in rows:
        named: dict[str, object] = dict(zip(HISTORY_COLUMNS, row, strict=True))
        key = (named["run_id"], named["source_filename"])
        if named["status"] == "STARTED":
            found.setdefault(key, named | {"status": UNFINISHED})
        else:
            found[key] = named
    return list(found.values())


def _text(loads: Sequence[dict[str, object]]) -> str:
    if not loads:
        return "no load is recorded"
    rows = [[_shown(name, load[name]) for name in SHOWN_COLUMNS] for load in loads]
    return table([name.removeprefix("records_") for name in SHOWN_COLUMNS], rows)


def _shown(name: str, value: object) -> object:
    if name == "error_message" and value is not None:
        first = str(value).splitlines()[0]
        return first if len(first) <= 100 else first[:97] + "..."
    if name == "run_start_ts" and value is not None:
        return str(value)[:19]
    return value

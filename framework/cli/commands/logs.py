"""`logs`: the log of one load, as it was exported to the lake."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import cast

from framework.cli.audit_options import SHOWN_ID
from framework.cli.commands.history import file_name, named_loads
from framework.cli.output import Output
from framework.cli.recorded import shown_by_feed
from framework.cli.wiring import open_services
from framework.dataclass import dataclass
from framework.errors import SpecError
from framework.lake.heartbeat import RUNNING
from framework.load.audit_trail import log_key
from framework.load.services import Services
from framework.load.status.recorded import Shown
from framework.log.run_log import Event
from framework.model.words import visible
from framework.spec.project import Project
from framework.warehouse.audit import HistoryQuery, read_history
from framework.warehouse.session import WarehouseSession

_FEWEST_CHARACTERS = 4
_MOST_LOADS = 400
"""A load has up to so many files, each a row."""
_OF_THE_RUN = frozenset({"level", "ts", "run_id", "pipeline", "msg", "step"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `logs` takes."""
    parser.add_argument(
        "run",
        metavar="RUN",
        help=f"a load's run_id, or at least its first {_FEWEST_CHARACTERS} characters; or a pipeline: its latest load",
    )


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print the log of a load, and where it is.

    Raises:
        SpecError: there is no such load, there are several, it has no log, or one that may not be shown.
    """
    environment = project.environment(arguments.env)
    is_pipeline = arguments.run in project.pipeline_names()
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        loads = _loads(arguments.run, services, is_pipeline=is_pipeline)
        log = _read_log(loads[0], services, shown_by_feed(project)(str(loads[0]["pipeline"])))
    document = {
        "run_id": loads[0]["run_id"],
        "pipeline": loads[0]["pipeline"],
        "status": loads[0]["status"],
        "source_files": [load["source_filename"] for load in loads],
        "log": log.url,
        "entries": log.entries,
    }
    output.document(document, lambda: "\n".join(map(visible, _lines(loads, log))))
    return 0


@dataclass(frozen=True)
class _Log:
    url: str
    entries: Sequence[dict[str, object]]


def _loads(asked: str, services: Services, *, is_pipeline: bool) -> list[dict[str, object]]:
    """Return the rows of one load, one per file."""
    if not is_pipeline and not re.fullmatch(rf"[0-9a-f]{{{_FEWEST_CHARACTERS},32}}", asked):
        raise SpecError(
            f"logs {asked}: there is no such pipeline, and a run_id has 32 characters of 0-9 and a-f, of which the "
            f"first {_FEWEST_CHARACTERS} are enough. See history"
        )
    log = services.open_log(services.new_run_id(), "logs")
    query = HistoryQuery((asked,), rows=_MOST_LOADS) if is_pipeline else HistoryQuery(run_id=asked, rows=_MOST_LOADS)
    loads = list(named_loads(read_history(WarehouseSession(services.warehouse, "logs", log), query), services))
    if not loads:
        raise SpecError(f"logs {asked}: no load of it is recorded. See history")
    found = list(dict.fromkeys(str(load["run_id"]) for load in loads))
    if len(found) > 1 and not is_pipeline:
        shown = ", ".join(run_id[: len(asked) + SHOWN_ID] for run_id in found[:5])
        raise SpecError(f"logs {asked}: several loads begin so: {shown}. Write more characters")
    return [load for load in loads if load["run_id"] == found[0]]


def _read_log(load: dict[str, object], services: Services, shown: Shown) -> _Log:
    began = datetime.fromisoformat(str(load["run_start_ts"]))
    key = log_key(services.lake, str(load["pipeline"]), str(load["run_id"]), began)
    content = services.lake.get(key)
    url = services.lake.url(key)
    if content is None and load["status"] == RUNNING:
        raise SpecError(f"load {load['run_id']} of {load['pipeline']} is running: its log is exported when it ends")
    if content is None:
        raise SpecError(
            f"load {load['run_id']} of {load['pipeline']} has no log: {url} is not there. A load that was killed "
            f"exports none, and a lake may delete old logs. Its command printed what it did (job {load['job_id']})"
        )
    if (text := shown("quotes", load["spec_sha256"])) != "quotes":
        raise SpecError(f"the log of load {load['run_id']} of {load['pipeline']} is {text}. It is {url}")
    entries = [cast(dict[str, object], json.loads(line)) for line in content.decode("utf-8").splitlines() if line]
    return _Log(url, entries)


def _lines(loads: Sequence[dict[str, object]], log: _Log) -> Iterator[str]:
    first = loads[0]
    files = ", ".join(file_name(load) for load in loads[:3])
    more = f" and {len(loads) - 3} more" if len(loads) > 3 else ""
    yield f"{first['run_id']}  {first['pipeline']}  {files}{more}  {first['status']}"
    for entry in log.entries:
        yield from _entry_lines(entry)
    yield log.url


def _entry_lines(entry: dict[str, object]) -> Iterator[str]:
    time, step = str(entry["ts"])[11:23], str(entry.get("step") or "")
    mark = "" if entry["level"] == "info" else f"{entry['level']}: "
    if entry["msg"] == Event.STEP:
        yield f"{time}  {step}"
        return
    first, *rest = str(entry["msg"]).splitlines() or [""]
    yield f"{time}    {mark}{first}"
    yield from (f"{'':16}{line}" for line in rest)
    for name, value in entry.items():
        if name not in _OF_THE_RUN and value is not None:
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            start, *others = str(shown).splitlines() or [""]
            yield f"{'':16}{name}: {start}"
            yield from (f"{'':18}{line}" for line in others)

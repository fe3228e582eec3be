"""Reads what a report shows of feeds: their specs, the audit and the catalog, one query of a kind for all feeds."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar, cast

import yaml

from framework import __version__
from framework.cli.exit_codes import end_in
from framework.cli.feed_status import FeedStatus, status_of
from framework.cli.freshness import duration_text
from framework.cli.selection import Feed, read_feed, readable
from framework.cli.status_text import status_cells
from framework.dataclass import dataclass
from framework.errors import SpecError
from framework.lake.heartbeat import Activity
from framework.lake.quarantine import quarantine_prefix
from framework.load.services import Services
from framework.load.status.recorded import Shown, shown_by
from framework.load.status.seen import Seen, see_feeds
from framework.model.names import TableName
from framework.parallel import map_parallel
from framework.report.site import (
    MOST_NOTED,
    Change,
    Described,
    FeedReport,
    Load,
    Now,
    Past,
    Period,
    Site,
    Unit,
    View,
    Warned,
)
from framework.spec.document import read_document
from framework.spec.load import read_spec_file
from framework.spec.pipeline import PipelineSpec
from framework.spec.project import PIPELINES, Project, instead
from framework.warehouse.client import Row
from framework.warehouse.feed_audit import (
    FEED_CHANGE_COLUMNS,
    FEED_LOAD_COLUMNS,
    FeedsQuery,
    read_feed_changes,
    read_feed_loads,
    read_load_periods,
    read_view_times,
)
from framework.warehouse.session import WarehouseSession
from framework.warehouse.table_columns import read_table_columns

MOST_LOADS, MOST_CHARACTERS = 100, 300
"""Of each feed: the latest loads and changes, and the length of a message."""
_Cells = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class _Found:
    """What the audit has of all feeds, by pipeline; the columns of their tables, and what `status` sees."""

    loads: Mapping[str, list[_Cells]]
    changes: Mapping[str, list[_Cells]]
    periods: Mapping[str, list[Period]]
    view_times: Mapping[TableName, datetime]
    columns: Mapping[TableName, Sequence[tuple[str, str]]]
    seen: Seen


def read_site(project: Project, names: Sequence[str], since: datetime | None, services: Services) -> Site:
    """Return the report of the named feeds; without names, of those of the project and of the audit.

    A feed whose spec cannot be read, or is gone, is in it with what the audit has.

    Raises:
        SpecError: there is neither a spec of a name nor a load of it.
        WarehouseError: the warehouse or S3 cannot be reached, or refuses.
    """
    log = services.open_log(services.new_run_id(), "report")
    session = WarehouseSession(services.warehouse, "report", log)
    now = services.now()
    begun = since or datetime(1970, 1, 1, tzinfo=UTC)
    known = project.pipeline_names()
    read = {name: read_feed(project, name) for name in names or known}
    specs = readable(list(read.values()), ())
    query = FeedsQuery(tuple(names), begun, now, MOST_LOADS, MOST_NOTED, MOST_CHARACTERS)
    found = _read(query, specs, services, session)
    shown = sorted(set(names) or {*known, *found.loads, *found.changes})
    for name in shown:
        if name not in known and name not in found.loads and name not in found.changes:
            place = project.find(PIPELINES).shown
            raise SpecError(f"there is no pipeline {name!r} in {place}, and no load of it. {instead(name, known)}")
    end_in(list({str(error): error for error in found.seen.failures}.values()), "failures")
    feeds = [read.get(name) or read_feed(project, name) for name in shown]
    reports = tuple(_reports(project, feeds, found, services))
    return Site(services.environment.name, now, __version__, since, reports)


def _read(query: FeedsQuery, specs: Sequence[PipelineSpec], services: Services, session: WarehouseSession) -> _Found:
    tables, pipelines = list(dict.fromkeys(spec.target.table for spec in specs)), [spec.pipeline for spec in specs]
    reads: list[Callable[[], Any]] = [
        partial(read_feed_loads, session, query),
        partial(read_feed_changes, session, query),
        partial(read_load_periods, session, query),
        partial(read_view_times, session),
        partial(read_table_columns, session, tables),
        partial(see_feeds, pipelines, specs, services, session),
    ]
    loads, changes, periods, view_times, columns, seen = map_parallel(lambda read: read(), reads)
    return _Found(
        _grouped(loads, lambda row: dict(zip(FEED_LOAD_COLUMNS, row, strict=True))),
        _grouped(changes, lambda row: dict(zip(FEED_CHANGE_COLUMNS, row, strict=True))),
        _grouped(periods, _period),
        view_times,
        columns,
        seen,
    )


def _grouped(rows: Iterable[Row], made: Callable[[Row], T]) -> dict[str, list[T]]:
    """Return values made of rows, by the pipeline that each row begins with."""
    found: dict[str, list[T]] = defaultdict(list)
    for row in rows:
        found[str(row[0])].append(made(row))
    return dict(found)


def _reports(project: Project, feeds: Sequence[Feed], found: _Found, services: Services) -> Iterable[FeedReport]:
    known = frozenset(project.pipeline_names())
    assert found.seen.at_work is not None
    activity = found.seen.at_work.activity
    for feed in feeds:
        name, spec = feed.pipeline, feed.spec
        report = FeedReport(name, None, "", "", (), _past(name, found, activity, shown_by(spec)))
        if isinstance(spec, SpecError):
            yield replace(report, problem=str(spec) if name in known else "")
            continue
        yield replace(
            report,
            described=_described(spec, found.view_times),
            spec_text=_spec_text(project, spec),
            columns=tuple(found.columns.get(spec.target.table, ())),
            now=_now(status_of(feed, found.seen, services)),
            quarantine=services.lake.url(quarantine_prefix(services.lake, name)),
        )


def _spec_text(project: Project, spec: PipelineSpec) -> str:
    """Return the text of a spec, without its comments where they may not quote values."""
    text = read_spec_file((project.find(PIPELINES) / f"{spec.pipeline}.yml").files, spec.path)
    if spec.bad_rows.log_samples:
        return text
    return yaml.safe_dump(read_document(text, spec.path).value, sort_keys=False, allow_unicode=True, width=100)


def _described(spec: PipelineSpec, view_times: Mapping[TableName, datetime]) -> Described:
    every = spec.expect.every
    return Described(
        description=spec.description,
        owner=spec.owner,
        tags=spec.tags,
        every="" if every is None else duration_text(every),
        table=str(spec.target.table),
        views=tuple(View(str(view.view), view.late_binding, view_times.get(view.view)) for view in spec.views),
        log_samples=spec.bad_rows.log_samples,
    )


def _now(status: FeedStatus) -> Now:
    cells = {name: str(value or "") for name, value in status_cells(status).items()}
    return Now(
        tuple(replace(each, message=_cut(each.message[:MOST_CHARACTERS])) for each in status.attention),
        bool(status.running),
        *(cells[name] for name in ("pending", "aside", "bad rows", "late since")),
    )


def _past(name: str, found: _Found, activity: Activity, shown: Shown) -> Past:
    cells, changes = found.loads.get(name, []), found.changes.get(name, [])
    loads = [(each, _load(each, activity, shown)) for each in cells]
    return Past(
        loads=tuple(load for each, load in loads if each["place"] <= MOST_LOADS),
        number_of_loads=cells[0]["number_of_loads"] if cells else 0,
        periods=tuple(found.periods.get(name, ())),
        rejects=tuple(load for each, load in loads if (each["rejected_place"] or MOST_NOTED + 1) <= MOST_NOTED),
        number_of_rejects=int(cells[0]["number_of_rejects"]) if cells else 0,
        warnings=tuple(warned for each, load in loads for warned in _warned(each, load, shown)),
        number_of_warned=int(cells[0]["number_of_warned"]) if cells else 0,
        changes=tuple(_change(each, shown) for each in changes),
        number_of_changes=changes[0]["number_of_changes"] if changes else 0,
    )


def _load(cells: _Cells, activity: Activity, shown: Shown) -> Load:
    status = str(cells["status"])
    if status == "STARTED":
        status = activity.status_of(cells["run_id"], cells["invocation_id"])
    inserted, message = cells["records_inserted"], _cut(cells["error_message"])
    return Load(
        run_id=str(cells["run_id"]),
        began=_moment(cells["run_start_ts"]),
        ended=_moment(cells["run_end_ts"]) if cells["run_end_ts"] else None,
        file=_file_name(cells),
        size_bytes=int(cells["source_size"]),
        rows_read=cells["records_read"],
        rows_of_run=int(cells["run_loaded"]),
        rows_loaded=None if inserted is None else inserted + (cells["records_updated"] or 0),
        rows_rejected=cells["records_rejected"] or 0,
        status=status,
        message=shown(message, cells["spec_sha256"]),
    )


def _warned(cells: _Cells, load: Load, shown: Shown) -> Iterable[Warned]:
    for warning in json.loads(cells["warnings"] or "[]"):
        message = shown(warning["message"], cells["spec_sha256"])
        yield Warned(load.began, load.file, warning["rule"], warning["column"], message)


def _change(cells: _Cells, shown: Shown) -> Change:
    reason = _cut(cells["reason"])
    return Change(
        changed=_moment(cells["changed_ts"]),
        kind=str(cells["change"]),
        column=cells["column_name"],
        type_before=cells["type_before"],
        type_after=str(cells["type_after"]),
        reason=reason if cells["shows_values"] is False else shown(reason, None),
        file=_file_name(cells),
    )


def _period(row: Row) -> Period:
    _, unit, began, loads, rows, seconds, size_bytes = row
    numbers = [float(value or 0) for value in (loads, rows, seconds, size_bytes)]
    return Period(cast(Unit, unit), _moment(began), int(numbers[0]), int(numbers[1]), numbers[2], int(numbers[3]))


def _cut(text: object) -> str:
    """Return a message as the query has cut it; one that may go on ends in `…`."""
    message = str(text or "")
    return message if len(message) < MOST_CHARACTERS else f"{message}…"


def _file_name(cells: _Cells) -> str:
    return str(cells["source_filename"]).rpartition("/")[2]


def _moment(value: object) -> datetime:
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)

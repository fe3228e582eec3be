"""What the lake and the warehouse show of feeds now: each kind of thing by one listing or query for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from framework.dataclass import dataclass
from framework.errors import PipelineError
from framework.lake.bucket import LakeObject
from framework.lake.heartbeat import Activity, pipelines_at_work, read_activity
from framework.lake.lake import Lake
from framework.lake.pending import list_arrived
from framework.lake.unprocessed import UnprocessedFiles, unprocessed_of_feeds
from framework.load.order import order_of, precedence_of
from framework.load.quarantine.left import read_left
from framework.load.request import Unprocessed
from framework.load.services import Services
from framework.load.status.recorded import shown_by
from framework.load.views.late import unreadable_of_specs
from framework.model.files import SourceFile
from framework.model.names import TableName
from framework.model.observation import JournalEntry
from framework.parallel import map_parallel
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.audit import NewestLoad, read_newest_loads
from framework.warehouse.session import WarehouseSession
from framework.warehouse.unsettled import FeedsAudit, QuarantinedFile, read_feeds_audit
from framework.warehouse.view_journal import read_journal


@dataclass(frozen=True)
class AtWork:
    """What invocations have in the staging folder, and the latest heartbeats by the pipelines that they are loading."""

    activity: Activity
    pipelines: Mapping[str, datetime]


@dataclass(frozen=True)
class Seen:
    """What is known of feeds. What could not be read is None, or not in a mapping, and `failures` say why.

    `pending` and `set_aside` are files by pipeline, `set_aside_files` those of all pipelines, also of unknown ones.
    `unseen` are the keys of files set aside that were not read: with
    them numbers are minimums. `newest` are the newest loaded files of pipelines that have set files aside whose order
    matters. `quarantined` are files of which bad rows are left. `unreadable` are late-binding views of specs, with the
    warehouse's message; those of feeds that are being loaded are not read.
    """

    pending: Mapping[str, Sequence[LakeObject]]
    set_aside: Mapping[str, UnprocessedFiles] | None
    set_aside_files: tuple[SourceFile, ...]
    unseen: tuple[str, ...]
    at_work: AtWork | None
    audit: FeedsAudit | None
    quarantined: Sequence[QuarantinedFile] | None
    journal: Sequence[JournalEntry] | None
    newest: Mapping[str, NewestLoad]
    unreadable: Mapping[TableName, str] | None
    failures: tuple[PipelineError, ...]


class _Attempts:
    """Calls that may fail without stopping the others."""

    def __init__(self) -> None:
        self.failures: list[PipelineError] = []

    def of(self, call: Callable[[], Any]) -> Any:
        """Return what a call returns; None where it fails."""
        try:
            return call()
        except PipelineError as error:
            self.failures.append(error)
            return None


def see_feeds(
    names: Sequence[str], specs: Sequence[PipelineSpec], services: Services, warehouse: WarehouseSession
) -> Seen:
    """Return what is known of feeds: `names` are of all, `specs` of those whose spec can be read.

    Messages of loads are without those that may quote a value where the spec of now allows none.
    """
    lake, attempts = services.lake, _Attempts()
    shared: list[Callable[[], Any]] = [
        partial(unprocessed_of_feeds, lake, specs, of_any_name=True),
        partial(_at_work, services),
        partial(read_feeds_audit, warehouse, names),
        partial(read_journal, warehouse, None),
    ]
    calls: list[Callable[[], Any]] = [*shared, *(partial(list_arrived, lake, spec.source) for spec in specs)]
    found, at_work, audit, journal, *arrived = map_parallel(attempts.of, calls)
    set_aside = None if found is None else {spec.pipeline: found.of(lake, spec) for spec in specs}
    listed = zip(specs, arrived, strict=True)
    pending = {spec.pipeline: files.pending for spec, files in listed if files is not None}
    dependent: list[Callable[[], Any]] = [
        lambda: read_newest_loads(warehouse, _orders(specs, set_aside or {}, lake)),
        lambda: audit and read_left(lake, warehouse, _quarantined(specs, audit)),
        lambda: audit and at_work and unreadable_of_specs(warehouse, _late_views(specs, audit, at_work)),
    ]
    newest, quarantined, unreadable = map_parallel(attempts.of, dependent)
    return Seen(
        pending=pending,
        set_aside=set_aside,
        set_aside_files=() if found is None else found.files,
        unseen=() if found is None else found.left,
        at_work=at_work,
        audit=audit and _without_quotes(audit, specs),
        quarantined=quarantined,
        journal=journal,
        newest=newest or {},
        unreadable=unreadable,
        failures=tuple(attempts.failures),
    )


def _without_quotes(audit: FeedsAudit, specs: Sequence[PipelineSpec]) -> FeedsAudit:
    """Return the audit of feeds with the messages of their loads as far as they may be shown."""
    found = {spec.pipeline: spec for spec in specs}

    def shown(pipeline: str, message: str, spec_sha256: str) -> str:
        return shown_by(found.get(pipeline))(message, spec_sha256)

    unsettled = (
        each if each.message is None else replace(each, message=shown(each.pipeline, each.message, each.spec_sha256))
        for each in audit.unsettled
    )
    warnings = (replace(each, message=shown(each.pipeline, each.message, each.spec_sha256)) for each in audit.warnings)
    return replace(audit, unsettled=tuple(unsettled), warnings=tuple(warnings))


def _at_work(services: Services) -> AtWork:
    activity = read_activity(services.lake, services.environment.dead_after_seconds)
    return AtWork(activity, pipelines_at_work(services.lake, activity))


def _late_views(specs: Sequence[PipelineSpec], audit: FeedsAudit, at_work: AtWork) -> list[TableName]:
    """Return the late-binding views of feeds that were loaded and are not being loaded: a load may lock its table."""
    quiet = [spec for spec in specs if spec.pipeline in audit.last_success and spec.pipeline not in at_work.pipelines]
    return list(dict.fromkeys(view.view for spec in quiet for view in spec.views if view.late_binding))


def _orders(specs: Sequence[PipelineSpec], set_aside: Mapping[str, UnprocessedFiles], lake: Lake) -> list[Any]:
    """Return the orders of the feeds that have set files aside whose order matters."""
    return [
        order_of(spec, lake)
        for spec in specs
        if spec.pipeline in set_aside
        and set_aside[spec.pipeline].files
        and precedence_of(spec, lake, Unprocessed()) is not None
    ]


def _quarantined(specs: Sequence[PipelineSpec], audit: FeedsAudit) -> list[QuarantinedFile]:
    """Return the files whose bad rows count; of a feed that replaces its table only those of the last load."""
    replacing = {spec.pipeline for spec in specs if spec.load.mode.replaces_table}
    return [
        each
        for each in audit.quarantined
        if each.pipeline not in replacing or each.ended_at == audit.last_success.get(each.pipeline)
    ]

"""The status of a feed, as `status` and `report` show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import TypeVar

from framework.cli.freshness import StaleFeed, stale_feeds
from framework.cli.selection import Feed
from framework.dataclass import dataclass
from framework.errors import SpecError
from framework.load.quarantine.contents import folder_of
from framework.load.services import Services
from framework.load.status.attention import Attention, Place, attention_of, last_sign, of_spec
from framework.load.status.seen import Seen
from framework.model.program import Program
from framework.spec.pipeline import PipelineSpec
from framework.spec.project import control_schema_problem
from framework.warehouse.unsettled import LastWarning, QuarantinedFile

T = TypeVar("T", LastWarning, QuarantinedFile)


@dataclass(frozen=True)
class FeedStatus:
    """The status of a feed. Numbers are None where they are not known, `late` where the feed is not late.

    `state` is attention, running, unknown or ok: a feed of which something is not known is not ok.
    `set_aside` is a minimum where `set_aside_is_minimum`. `quarantined` counts rows, whose addresses are `quarantine`.
    `heartbeat_ts` is when the command that loads the feed was last seen alive. `command` continues with the first of
    `attention`. `warnings` are of the last command that has loaded files of the feed.
    """

    pipeline: str
    owner: str
    tags: tuple[str, ...]
    state: str
    pending: int | None
    set_aside: int | None
    set_aside_is_minimum: bool
    quarantined: int | None
    quarantine: tuple[str, ...]
    running: bool | None
    heartbeat_ts: str | None
    late: StaleFeed | None
    last_success_ts: str | None
    attention: tuple[Attention, ...]
    command: str | None
    warnings: tuple[LastWarning, ...] | None

    def as_dict(self) -> dict[str, object]:
        """Return it as `status --output json` prints it (schemas/output/status.schema.json)."""
        late = self.late
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        attention = [{k: v for k, v in asdict(each).items() if k != "command"} for each in self.attention]
        return values | {
            "tags": list(self.tags),
            "quarantine": list(self.quarantine),
            "late": None if late is None else {"every": late.every, "since_ts": late.late_since_ts},
            "attention": attention,
            "warnings": None if self.warnings is None else [_warning(each) for each in self.warnings],
        }


def status_of(feed: Feed, seen: Seen, services: Services) -> FeedStatus:
    """Return the status of a feed; one whose spec cannot be read has what the audit and the lake show of its name."""
    pipeline, spec, lake = feed.pipeline, feed.spec, services.lake
    sign = last_sign(pipeline, seen)
    running = None if seen.at_work is None else sign is not None
    late: StaleFeed | None = None
    if isinstance(spec, SpecError):
        attention = [of_spec(pipeline, spec, services.program)]
    else:
        attention = _attention(spec, seen, services)
        late = _late(spec, seen, services.now())
        attention += [] if late is None else [_of_late(late, seen, services.program)]
    set_aside = None if seen.set_aside is None else seen.set_aside.get(pipeline)
    quarantined = _of(pipeline, seen.quarantined or ())
    is_read = isinstance(spec, PipelineSpec)
    return FeedStatus(
        pipeline=pipeline,
        owner=spec.owner if isinstance(spec, PipelineSpec) else "",
        tags=spec.tags if isinstance(spec, PipelineSpec) else (),
        state="attention" if attention else "running" if running else "ok" if _is_known(pipeline, seen) else "unknown",
        pending=len(seen.pending[pipeline]) if pipeline in seen.pending else None,
        set_aside=None if set_aside is None else len(set_aside.files) + len(set_aside.unmatched_of(pipeline)),
        set_aside_is_minimum=is_read and bool(seen.unseen),
        quarantined=None if seen.quarantined is None else sum(each.rows for each in quarantined),
        quarantine=tuple(dict.fromkeys(lake.url(folder_of(lake, each)) for each in quarantined)),
        running=running,
        heartbeat_ts=None if sign is None else f"{sign:%Y-%m-%d %H:%M:%S}",
        late=late,
        last_success_ts=_last_success(pipeline, seen),
        attention=tuple(attention),
        command=attention[0].command if attention else None,
        warnings=None if seen.audit is None else tuple(_of(pipeline, seen.audit.warnings)),
    )


def _of(pipeline: str, found: Iterable[T]) -> list[T]:
    return [each for each in found if each.pipeline == pipeline]


def _warning(warning: LastWarning) -> dict[str, object]:
    shown = ("rule", "column", "message", "files", "run_id")
    return {"source_file": warning.key} | {name: getattr(warning, name) for name in shown}


def _is_known(pipeline: str, seen: Seen) -> bool:
    """Return whether everything was read that a feed's state depends on."""
    parts = (
        seen.pending.get(pipeline),
        seen.set_aside,
        seen.at_work,
        seen.audit,
        seen.quarantined,
        seen.journal,
        seen.unreadable,
    )
    return None not in parts and not seen.unseen


def _attention(spec: PipelineSpec, seen: Seen, services: Services) -> list[Attention]:
    problem = control_schema_problem(spec, services.environment)
    if problem is not None:
        return [of_spec(spec.pipeline, SpecError("", [problem]), services.program)]
    return attention_of(spec, seen, Place(services.lake, services.program))


def _late(spec: PipelineSpec, seen: Seen, now: datetime) -> StaleFeed | None:
    if seen.audit is None:
        return None
    return next(iter(stale_feeds([spec], seen.audit.last_success, now)), None)


def _of_late(feed: StaleFeed, seen: Seen, program: Program) -> Attention:
    since = "it was never loaded" if feed.late_since_ts is None else f"it is late since {feed.late_since_ts} UTC"
    fix = f"Ask {feed.owner or 'its sender'} for the file."
    if seen.pending.get(feed.pipeline):
        fix = "Nothing: files are pending. Check why the schedule does not run."
    message = f"{since}, and a load is expected every {feed.every} (expect.every)"
    return Attention("late", message, fix, program.command("run", feed.pipeline))


def _last_success(pipeline: str, seen: Seen) -> str | None:
    last = None if seen.audit is None else seen.audit.last_success.get(pipeline)
    return None if last is None else f"{last:%Y-%m-%d %H:%M:%S}"

"""Feeds whose last successful load is longer ago than their spec expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from framework.dataclass import dataclass
from framework.load.services import Services
from framework.log.run_log import RunLog
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.audit import read_last_success
from framework.warehouse.session import WarehouseSession


@dataclass(frozen=True)
class StaleFeed:
    """A feed that is late. Times are UTC; both are None where nothing was ever loaded."""

    pipeline: str
    owner: str
    every: str
    last_success_ts: str | None
    late_since_ts: str | None
    late_seconds: int | None


def late_feeds(
    specs: Sequence[PipelineSpec], services: Services, log: RunLog, attempts: int | None = None
) -> list[StaleFeed]:
    """Return the feeds that are late now, by the audit, which is read in so many attempts."""
    names = [spec.pipeline for spec in specs if spec.expect.every is not None]
    loaded = read_last_success(WarehouseSession(services.warehouse, "history", log), names, attempts)
    return stale_feeds(specs, loaded, services.now())


def stale_feeds(specs: Sequence[PipelineSpec], last_success: Mapping[str, datetime], now: datetime) -> list[StaleFeed]:
    """Return the feeds that are late, those that never loaded first, then the longest late."""
    found: list[tuple[float, StaleFeed]] = []
    for spec in specs:
        every, last = spec.expect.every, last_success.get(spec.pipeline)
        if every is None:
            continue
        if last is None:
            feed = StaleFeed(spec.pipeline, spec.owner, duration_text(every), None, None, None)
            found.append((float("-inf"), feed))
        elif now - last > every:
            late = now - last - every
            times = (_time_text(last), _time_text(last + every), int(late.total_seconds()))
            found.append((-late.total_seconds(), StaleFeed(spec.pipeline, spec.owner, duration_text(every), *times)))
    return [feed for _, feed in sorted(found, key=lambda each: (each[0], each[1].pipeline))]


def _time_text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def duration_text(span: timedelta) -> str:
    """Return a time in its largest whole units: `1d`, `6h`, `1d 2h`, `5m`."""
    minutes = int(span.total_seconds()) // 60
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "m"))
    return " ".join(f"{count}{unit}" for count, unit in parts if count) or "0m"

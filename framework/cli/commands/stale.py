"""`stale`: feeds whose last successful load is longer ago than their spec expects."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from framework.cli.exit_codes import ATTENTION
from framework.cli.output import Output
from framework.cli.selection import add_selection, selected_names
from framework.cli.tables import table
from framework.cli.wiring import open_services
from framework.model.words import counted
from framework.spec.pipeline import PipelineSpec
from framework.spec.project import Project
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `stale` takes."""
    add_selection(parser, "check", none_is_all=True)


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print the feeds that are late; return 6 where there is one, else 0.

    Raises:
        SpecError: the command line, an environment or a spec is wrong.
    """
    environment = project.environment(arguments.env)
    names = selected_names(arguments, project) or project.pipeline_names()
    expecting = [spec for spec in map(project.pipeline, names) if spec.expect.every is not None]
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        log = services.open_log(services.new_run_id(), "stale")
        warehouse = WarehouseSession(services.warehouse, "stale", log)
        loaded = read_last_success(warehouse, [spec.pipeline for spec in expecting])
        found = stale_feeds(expecting, loaded, services.now())
    output.document({"stale": [asdict(feed) for feed in found]}, lambda: _text(found, len(expecting)))
    return ATTENTION if found else 0


def stale_feeds(specs: Sequence[PipelineSpec], last_success: Mapping[str, datetime], now: datetime) -> list[StaleFeed]:
    """Return the feeds that are late, those that never loaded first, then the longest late."""
    found: list[tuple[float, StaleFeed]] = []
    for spec in specs:
        every, last = spec.expect.every, last_success.get(spec.pipeline)
        if every is None:
            continue
        if last is None:
            feed = StaleFeed(spec.pipeline, spec.owner, _duration_text(every), None, None, None)
            found.append((float("-inf"), feed))
        elif now - last > every:
            late = now - last - every
            times = (_time_text(last), _time_text(last + every), int(late.total_seconds()))
            found.append((-late.total_seconds(), StaleFeed(spec.pipeline, spec.owner, _duration_text(every), *times)))
    return [feed for _, feed in sorted(found, key=lambda each: (each[0], each[1].pipeline))]


def _text(found: Sequence[StaleFeed], expecting: int) -> str:
    if not expecting:
        return "no feed says in its spec how often it is expected (expect.every)"
    if not found:
        return counted(expecting, "feed is as fresh as expected", "feeds are as fresh as expected")
    rows = [
        (
            feed.pipeline,
            feed.owner,
            feed.every,
            feed.last_success_ts or "never",
            feed.late_since_ts,
            None if feed.late_seconds is None else _duration_text(timedelta(seconds=feed.late_seconds)),
        )
        for feed in found
    ]
    return table(("pipeline", "owner", "every", "last success", "late since", "late by"), rows)


def _time_text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _duration_text(span: timedelta) -> str:
    """Return a time in its largest whole units: `1d`, `6h`, `1d 2h`, `5m`."""
    minutes = int(span.total_seconds()) // 60
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "m"))
    return " ".join(f"{count}{unit}" for count, unit in parts if count) or "0m"

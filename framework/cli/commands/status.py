"""`status`: every feed, what needs attention, and the one command that continues."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from framework.cli.exit_codes import ATTENTION, end_in
from framework.cli.freshness import StaleFeed, stale_feeds
from framework.cli.output import Output
from framework.cli.selection import Feed, add_selection, read_feed, readable, selected_names
from framework.cli.tables import fitted_table, width_of
from framework.cli.wiring import open_services
from framework.errors import SpecError
from framework.load.quarantine.contents import folder_of
from framework.load.services import Services
from framework.load.status.attention import Attention, Place, attention_of, is_running, of_spec
from framework.load.status.seen import Seen, see_feeds
from framework.model.program import Program
from framework.model.words import counted, listed, visible
from framework.spec.pipeline import PipelineSpec
from framework.spec.project import Project, control_schema_problem, empty_problem

MOST_SHOWN = 3
"""The most things that are described below the table of one feed; JSON has all."""
MOST_LINES = 12
"""The most lines of a message that are shown."""
MOST_FAILURES = 5
"""The most reasons why something is not known that the error names; JSON has all."""
_OPTIONAL = ("owner", "tags", "aside", "bad rows", "running", "late since")
"""Columns that are shown where one of the feeds has something in them."""
_TIMES = ("late since", "last load")
_STATES = ("attention", "running", "ok")


@dataclass(frozen=True)
class FeedStatus:
    """The status of a feed. Numbers are None where they are not known, `late` where the feed is not late.

    `set_aside` is a minimum where `set_aside_is_minimum`. `quarantined` counts rows, whose addresses are `quarantine`.
    `command` continues with the first of `attention`.
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
    late: StaleFeed | None
    last_success_ts: str | None
    attention: tuple[Attention, ...]
    command: str | None

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
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `status` takes."""
    add_selection(parser, "show", none_is_all=True)


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print the status of each feed, those that need attention first; return 6 where there is one, else 0.

    Raises:
        SpecError: the command line or an environment is wrong, or there is no pipeline of a name.
        PipelineError: something could not be read; the rest is printed.
    """
    environment = project.environment(arguments.env)
    names = selected_names(arguments, project)
    project.require_pipelines(names)
    feeds = [read_feed(project, name) for name in names or project.pipeline_names()]
    if not feeds:
        raise SpecError(str(empty_problem(project)))
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        log = services.open_log(services.new_run_id(), "status")
        seen = see_feeds([feed.pipeline for feed in feeds], readable(feeds, ()), services, log)
        found = _ordered([_status_of(feed, seen, services) for feed in feeds])
        replacing = {spec.pipeline for spec in readable(feeds, ()) if spec.load.mode.replaces_table}
        notes = [*_quarantine_notes(found, replacing, output.program), *_doubtful_notes(seen)]
    failures = list({str(error): error for error in seen.failures}.values())
    document = {
        "feeds": [feed.as_dict() for feed in found],
        "notes": notes,
        "unknown": [str(error) for error in failures],
    }
    output.document(document, lambda: _text(found, notes, output.width))
    end_in(failures[:MOST_FAILURES], f"of {counted(len(failures), 'failure')}")
    return ATTENTION if any(feed.attention for feed in found) else 0


def _status_of(feed: Feed, seen: Seen, services: Services) -> FeedStatus:
    """Return the status of a feed; one whose spec cannot be read has what the audit and the lake show of its name."""
    pipeline, spec, lake = feed.pipeline, feed.spec, services.lake
    running = None if seen.at_work is None else is_running(pipeline, seen)
    late: StaleFeed | None = None
    if isinstance(spec, SpecError):
        attention = [of_spec(pipeline, spec, services.program)]
    else:
        attention = _attention(spec, seen, services)
        late = _late(spec, seen, services.now())
        attention += [] if late is None else [_of_late(late, seen, services.program)]
    set_aside = None if seen.set_aside is None else seen.set_aside.get(pipeline)
    quarantined = [each for each in seen.quarantined or () if each.pipeline == pipeline]
    is_read = isinstance(spec, PipelineSpec)
    return FeedStatus(
        pipeline=pipeline,
        owner=spec.owner if isinstance(spec, PipelineSpec) else "",
        tags=spec.tags if isinstance(spec, PipelineSpec) else (),
        state="attention" if attention else "running" if running else "ok",
        pending=len(seen.pending[pipeline]) if pipeline in seen.pending else None,
        set_aside=None if set_aside is None else len(set_aside.files),
        set_aside_is_minimum=is_read and seen.is_minimum,
        quarantined=None if seen.quarantined is None else sum(each.rows for each in quarantined),
        quarantine=tuple(dict.fromkeys(lake.url(folder_of(lake, each)) for each in quarantined)),
        running=running,
        late=late,
        last_success_ts=_last_success(pipeline, seen),
        attention=tuple(attention),
        command=attention[0].command if attention else None,
    )


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


def _ordered(found: Sequence[FeedStatus]) -> list[FeedStatus]:
    return sorted(found, key=lambda feed: _STATES.index(feed.state))


def _quarantine_notes(found: Sequence[FeedStatus], replacing: Collection[str], program: Program) -> Iterator[str]:
    """Yield the feeds whose rows are in quarantine, which the budget of their spec allows: no failure, but not loaded.

    Those in `replacing` replace their table, and take no corrected rows.
    """
    for feed in found:
        if feed.quarantined:
            see = f"see them with: {program.command('quarantine', 'show', feed.pipeline)}"
            correct = f"correct them with: {program.command('quarantine', 'export', feed.pipeline)}"
            advice = f"send the file corrected; {see}" if feed.pipeline in replacing else correct
            where = listed(feed.quarantine, MOST_SHOWN)
            yield f"{feed.pipeline}: {counted(feed.quarantined, 'row')} in quarantine, in {where}; {advice}"


def _doubtful_notes(seen: Seen) -> Iterator[str]:
    """Yield the files that were set aside and may belong to several feeds or none."""
    lost: dict[str, tuple[str, list[str]]] = {}
    for pipeline, files in (seen.set_aside or {}).items():
        for file, doubt in files.doubtful:
            if file.moved_by is None:
                lost.setdefault(file.url, (doubt, []))[1].append(pipeline)
    for url, (doubt, pipelines) in lost.items():
        yield f"{url} may belong to {listed(pipelines)}: {doubt}"


def _text(found: Sequence[FeedStatus], notes: Sequence[str], width: int | None) -> str:
    blocks = [_table(found, width)]
    blocks += ["\n".join(_described(feed)) for feed in found if feed.attention]
    blocks += ["\n".join(visible(note) for note in notes)] if notes else []
    return "\n\n".join([*blocks, _totals(found)])


def _totals(found: Sequence[FeedStatus]) -> str:
    states = [feed.state for feed in found]
    words = {"attention": ("needs attention", "need attention"), "running": ("is running", "are running")}
    parts = [counted(states.count(state), *words[state]) for state in words if state in states]
    return f"{counted(len(found), 'feed')}: {', '.join(parts) or 'nothing needs attention'}"


def _table(found: Sequence[FeedStatus], width: int | None) -> str:
    """Return the feeds as a table that fits the width, if cut names, no tags, owner and year are enough for that."""
    rows = [_shown(feed) for feed in found]
    columns = [name for name in rows[0] if name not in _OPTIONAL or any(row[name] for row in rows)]
    without_tags = [name for name in columns if name != "tags"]
    fewer = [name for name in without_tags if name != "owner"]
    without_year = [row | {name: _without_year(row[name]) for name in _TIMES} for row in rows]
    for shown, of_rows in ((columns, rows), (without_tags, rows), (fewer, rows), (fewer, without_year)):
        cells = [[row[name] for name in shown] for row in of_rows]
        fitted = fitted_table(shown, cells, width, cut=("feed", "owner", "tags"))
        if width is None or width_of(fitted) <= width:
            break
    return fitted


def _without_year(time: object) -> object:
    return time[5:] if isinstance(time, str) and time[:1].isdigit() else time


def _shown(feed: FeedStatus) -> dict[str, object]:
    least = ">= " if feed.set_aside_is_minimum and feed.set_aside else ""
    late = None if feed.late is None else (feed.late.late_since_ts or "never loaded")[:16]
    return {
        "": "!" if feed.attention else None,
        "feed": feed.pipeline,
        "owner": feed.owner,
        "tags": ", ".join(feed.tags),
        "pending": _number(feed.pending),
        "aside": f"{least}{feed.set_aside}" if least else _number(feed.set_aside),
        "bad rows": _number(feed.quarantined),
        "running": "?" if feed.running is None else "yes" if feed.running else None,
        "late since": late,
        "last load": (feed.last_success_ts or "")[:16] or None,
    }


def _number(value: int | None) -> object:
    """Return a number as a table shows it: none is no cell, and an unknown one a question mark."""
    return "?" if value is None else value or None


def _described(feed: FeedStatus) -> Iterator[str]:
    """Yield the lines on a feed that needs attention."""
    yield f"{visible(feed.pipeline)}" + (f" (owner: {visible(feed.owner)})" if feed.owner else "")
    for each in feed.attention[:MOST_SHOWN]:
        lines = each.message.splitlines()
        yield from (f"  {visible(line)}" for line in lines[:MOST_LINES])
        if len(lines) > MOST_LINES:
            yield f"  and {counted(len(lines) - MOST_LINES, 'more line')}"
        if each.file is not None:
            more = f", and {counted(each.files - 1, 'more file')}" if each.files > 1 else ""
            yield f"    file:      {visible(each.file)}{more}"
        yield f"    fix:       {visible(each.fix)}"
    if len(feed.attention) > MOST_SHOWN:
        yield f"  and {len(feed.attention) - MOST_SHOWN} more, which the next status shows"
    yield f"    continue:  {visible(feed.command or '')}"

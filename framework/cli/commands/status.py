"""`status`: every feed, what needs attention, and the one command that continues."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from framework.cli.exit_codes import ATTENTION, end_in
from framework.cli.feed_status import FeedStatus, status_of
from framework.cli.output import Output
from framework.cli.selection import add_selection, read_feed, readable, selected_names
from framework.cli.status_text import MOST_SHOWN, status_text
from framework.cli.wiring import open_services
from framework.errors import SpecError
from framework.lake.unprocessed import MOST_COUNTED
from framework.load.status.attention import last_sign
from framework.load.status.seen import Seen, see_feeds
from framework.model.files import SourceFile
from framework.model.program import Program
from framework.model.words import counted, listed
from framework.spec.project import Project, empty_problem
from framework.warehouse.session import WarehouseSession

MOST_FAILURES = 5
"""The most reasons why something is not known that the error names; JSON has all."""
_STATES = ("attention", "unknown", "running", "ok")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `status` takes."""
    add_selection(parser, "show", none_is_all=True)


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print the status of each feed, those that need attention first; return 6 where one or a file does, else 0.

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
        warehouse = WarehouseSession(services.warehouse, "status", services.open_log(services.new_run_id(), "status"))
        seen = see_feeds([feed.pipeline for feed in feeds], readable(feeds, ()), services, warehouse)
        found = _ordered([status_of(feed, seen, services) for feed in feeds])
        replacing = {spec.pipeline for spec in readable(feeds, ()) if spec.load.mode.replaces_table}
        doubtful = list(_doubtful_notes(seen, output.program))
        orphans = [] if names else list(_orphan_notes(seen, project.pipeline_names(), output.program))
        notes = [
            *_quarantine_notes(found, replacing, output.program),
            *doubtful,
            *_running_notes(found, seen, environment.dead_after_seconds, output.program),
            *_unseen_notes(seen),
            *orphans,
        ]
    failures = list({str(error): error for error in seen.failures}.values())
    document = {
        "feeds": [feed.as_dict() for feed in found],
        "notes": notes,
        "unknown": [str(error) for error in failures],
    }
    of_no_feed = orphans or (doubtful and not names)
    others = [*(["files of no feed"] if of_no_feed else []), *(["files that were not read"] if seen.unseen else [])]
    output.document(document, lambda: status_text(found, notes, others, output.width))
    end_in(failures[:MOST_FAILURES], f"of {counted(len(failures), 'failure')}")
    return ATTENTION if others or any(feed.attention for feed in found) else 0


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


def _orphan_notes(seen: Seen, known: Collection[str], program: Program) -> Iterator[str]:
    """Yield the files that were set aside by pipelines without a spec, and those of which no pipeline may be the owner.

    No run, replay or status of a feed shows them.
    """
    gone: dict[str | None, list[SourceFile]] = {}
    claimed = {file.url for own in (seen.set_aside or {}).values() for file, _ in own.doubtful}
    for file in seen.set_aside_files:
        is_claimed = file.moved_by is None and (file.url in claimed or file.identity.key != file.key)
        if not is_claimed and file.moved_by not in known:
            gone.setdefault(file.moved_by, []).append(file)
    for pipeline, files in gone.items():
        what = "No feed fits" if pipeline is None else f"{pipeline} has no spec any more, and has set aside"
        skipping = program.command("skip", files[0].key, "--for", pipeline or "NAME")
        which = "the first" if len(files) > 1 else "it"
        yield (
            f"{what} {listed([file.url for file in files], MOST_SHOWN)}. If a feed still needs the rows, have them "
            f"sent again where it takes its files from. Then archive {which} with: {skipping}"
        )


def _running_notes(found: Sequence[FeedStatus], seen: Seen, dead_after_seconds: int, program: Program) -> Iterator[str]:
    """Yield when the commands that load feeds were last seen alive, and from when on a run takes over a killed one."""
    together: dict[datetime, list[str]] = {}
    for feed in found:
        sign = last_sign(feed.pipeline, seen)
        if sign is not None:
            together.setdefault(sign, []).append(feed.pipeline)
    for sign, names in together.items():
        dead_at = sign + timedelta(seconds=dead_after_seconds + 1)
        yield (
            f"{listed(names, MOST_SHOWN)}: running, last heartbeat {sign:%Y-%m-%d %H:%M:%S} UTC. If the process is "
            f"gone, run again after {dead_at:%H:%M:%S} UTC: {program.command('run', *names)}"
        )


def _unseen_notes(seen: Seen) -> Iterator[str]:
    """Yield that some files that were set aside were not read, as each costs a call."""
    if seen.unseen:
        yield (
            f"{counted(len(seen.unseen), 'file')} in data/unprocessed were not read, beyond the {MOST_COUNTED:,} "
            "that are: any feed may have set them aside. Name one feed, whose files are read first; and replay or "
            "skip what is there"
        )


def _doubtful_notes(seen: Seen, program: Program) -> Iterator[str]:
    """Yield the files that were set aside and may belong to several feeds or none."""
    lost: dict[SourceFile, tuple[str, list[str]]] = {}
    for pipeline, files in (seen.set_aside or {}).items():
        for file, doubt in files.doubtful:
            if file.moved_by is None:
                lost.setdefault(file, (doubt, []))[1].append(pipeline)
    for file, (doubt, pipelines) in lost.items():
        skipping = program.command("skip", file.key, "--for", pipelines[0] if len(pipelines) == 1 else "NAME")
        yield f"{file.url} may belong to {listed(pipelines)}: {doubt}. Then archive this one with: {skipping}"

"""What needs attention in a feed: what is wrong, where the file is, what to correct, and the command that continues."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Literal

from framework.dataclass import dataclass
from framework.errors import SpecError
from framework.lake.lake import Lake
from framework.load.failures.next_step import FailedLoad, fix_of, next_step
from framework.load.order import is_after
from framework.load.request import Pending, Unprocessed
from framework.load.status.seen import Seen
from framework.model.failure import NOT_BEGUN, FailureKind
from framework.model.files import FileIdentity, SourceFile
from framework.model.program import Program
from framework.model.words import listed
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.unsettled import UnsettledFile

Kind = Literal["spec", "unfinished", "failed", "set_aside", "view", "late"]
_OF_FILES = ("SourceFileError", "UndecodableFileError")
"""The classes of errors that a corrected file avoids."""
_OPTION = re.compile(r"source\.(?:options\.)?[a-z_]+")
"""A field of the spec that a message names, by which the file is read otherwise."""
_RENAMED = "columns.rename or, where the first row is no header, source.options (header, skip_lines, range)"
"""What reads the columns of a file otherwise that has none of the table."""
_MOST_PROBLEMS = 3
"""The most problems of a spec that are described."""
_Same = tuple[str, FailureKind | None]
_UNKNOWN = FailureKind("", "")
"""Of a failure that an earlier release has recorded, or that is not in JOB_STS."""


@dataclass(frozen=True)
class Attention:
    """Something that keeps a feed from being up to date. `command` continues once `fix` is done.

    `file` is the address of the first of `files` files where it is now, None where no file is meant. `run_id` is None
    where there was no load.
    """

    kind: Kind
    message: str
    fix: str
    command: str
    file: str | None = None
    files: int = 0
    run_id: str | None = None


@dataclass(frozen=True)
class Place:
    """The lake of the feeds, and the program of the commands."""

    lake: Lake
    program: Program


def of_spec(pipeline: str, error: SpecError, program: Program) -> Attention:
    """Return what is wrong with a spec that cannot be read."""
    command, shown = program.command("run", pipeline), error.problems[:_MOST_PROBLEMS]
    message = "\n".join(str(replace(problem, fix="")) for problem in shown) or str(error)
    fixes = [problem.fix if problem.fix.endswith((".", "?")) else f"{problem.fix}." for problem in shown if problem.fix]
    if len(shown) < len(error.problems):
        fixes.append(f"All problems are shown by: {program.command('validate', pipeline)}")
    return Attention("spec", message, " ".join(fixes) or "Correct the spec.", command)


def last_sign(pipeline: str, seen: Seen) -> datetime | None:
    """Return the latest heartbeat of the live commands that load the feed; None where there is none."""
    if seen.at_work is None:
        return None
    activity = seen.at_work.activity
    signs = [seen.at_work.pipelines[pipeline]] if pipeline in seen.at_work.pipelines else []
    for each in () if seen.audit is None else seen.audit.unsettled:
        if each.pipeline == pipeline and not each.has_ended:
            seen_at = activity.seen_at(each.run_id, each.invocation_id)
            if seen_at is not None and activity.is_active(each.run_id, each.invocation_id):
                signs.append(seen_at)
    return max(signs, default=None)


def attention_of(spec: PipelineSpec, seen: Seen, place: Place) -> list[Attention]:
    """Return what needs attention in a feed whose spec can be read, what comes first in front.

    Files come in order of arrival, as a load would take them; what its loads correct too comes after them.
    """
    unsettled = _unsettled(spec, seen)
    with_files = list(_of_set_aside(spec, seen, place, unsettled))
    if last_sign(spec.pipeline, seen) is None:
        with_files = [*_of_expired(spec, seen, place), *with_files, *_of_pending(spec, seen, place, unsettled)]
    return [*with_files, *_of_views(spec, seen, place)]


def _unsettled(spec: PipelineSpec, seen: Seen) -> Mapping[FileIdentity, UnsettledFile]:
    found = () if seen.audit is None else seen.audit.unsettled
    return {each.identity: each for each in found if each.pipeline == spec.pipeline}


def _of_expired(spec: PipelineSpec, seen: Seen, place: Place) -> Iterator[Attention]:
    """Yield the newest load that was killed and has left something, which the next run cleans up."""
    expired = [] if seen.at_work is None else seen.at_work.activity.expired_runs
    own = [run for run in expired if run.pipeline == spec.pipeline]
    if own:
        last = max(own, key=lambda run: run.seen_at)
        fix = "Nothing: the command cleans up after it, and loads what is pending."
        command = place.program.command("run", spec.pipeline)
        yield Attention("unfinished", _killed_after(last.seen_at), fix, command, run_id=last.run_id)


def _killed_after(last_seen: datetime) -> str:
    return f"a load has not ended: its command was killed after {last_seen:%Y-%m-%d %H:%M:%S} UTC"


def _of_pending(
    spec: PipelineSpec, seen: Seen, place: Place, unsettled: Mapping[FileIdentity, UnsettledFile]
) -> Iterator[Attention]:
    """Yield what has kept pending files from being loaded; those of a load of which another file is at fault wait.

    What is true of several files is one: a message and what follows from it, as messages may be hidden.
    """
    same = dict[_Same, list[tuple[str, UnsettledFile]]]()
    for found in seen.pending.get(spec.pipeline, ()):
        row = unsettled.get(place.lake.arrived(found).identity)
        if row is not None and row.failure != NOT_BEGUN and not (row.failure or _UNKNOWN).is_of_another_file:
            same.setdefault((row.message or "", row.failure), []).append((found.key, row))
    for (message, _), files in same.items():
        key, row = files[0]
        kind = row.failure or _UNKNOWN
        command = next_step(FailedLoad(spec.pipeline, place.program, Pending(), kind, [key]), place.lake).command
        of_file = partial(Attention, command=command, file=place.lake.url(key), files=len(files), run_id=row.run_id)
        if row.has_ended:
            yield of_file("failed", message, _fix(kind))
        else:
            yield of_file("unfinished", _killed_after(row.began_at), "Nothing: the command loads the file.")


def _fix(kind: FailureKind) -> str:
    return "Correct what the message names." if kind == _UNKNOWN else fix_of(kind)


def _of_set_aside(
    spec: PipelineSpec, seen: Seen, place: Place, unsettled: Mapping[FileIdentity, UnsettledFile]
) -> Iterator[Attention]:
    """Yield why each file was set aside; files that one command replays have it in common."""
    if seen.set_aside is None:
        return
    own = seen.set_aside[spec.pipeline]
    found = [_of_file(spec, file, unsettled.get(file.identity), seen, place) for file in own.files]
    together = [place.program.command("replay", spec.pipeline, "--file", file.key) for file in own.files]
    if len(found) > 1 and [each.command for each in found] == together:
        found = [replace(each, command=place.program.command("replay", spec.pipeline)) for each in found]
    yield from found
    for file, doubt in own.unmatched_of(spec.pipeline):
        command = place.program.command("replay", spec.pipeline, "--file", file.key)
        skipping = place.program.command("skip", file.key, "--for", spec.pipeline)
        fix = (
            "Correct source.prefix or source.pattern, so that they match where it arrived. Or, if they are right, have "
            f"it sent again below {place.lake.url(place.lake.key(spec.source.prefix))}. "
            f"Once it was sent, or if its rows are not needed any more, archive it: {skipping}"
        )
        yield Attention("set_aside", f"{file.url}: {doubt}", fix, command, file.url, 1)


def _of_file(spec: PipelineSpec, file: SourceFile, row: UnsettledFile | None, seen: Seen, place: Place) -> Attention:
    """Return why a file was set aside, and what becomes of it."""
    kind = (row.failure if row is not None else None) or _UNKNOWN
    message = "the file was set aside, and JOB_STS does not say why"
    if seen.audit is None:
        message = "the file was set aside. JOB_STS, which says why, cannot be read now"
    if row is not None:
        message = row.message or "the file was set aside, and its last load has not ended"
    newest = seen.newest.get(spec.pipeline)
    later = newest[0] if newest is not None and is_after(spec, newest, file) else None
    if row is not None and row.is_sent_again:
        fix = "Check that the file of the same name that was loaded since has its rows. This one is archived."
        command = place.program.command("skip", file.key)
    elif later is not None:
        fix, command = _of_late(spec, file, kind, later, place), place.program.command("skip", file.key)
    elif any(found.key == file.identity.key for found in seen.pending.get(spec.pipeline, ())):
        fix = "Check that the pending file of the same name has its rows. This one is archived when that one is loaded."
        command = place.program.command("run", spec.pipeline, "--instead-of", file.key)
    else:
        failed = FailedLoad(spec.pipeline, place.program, Unprocessed(), kind, [file.key])
        fix, command = _of_failure(file, failed, message, place), next_step(failed, place.lake).command
    return Attention("set_aside", message, fix, command, file.url, 1, None if row is None else row.run_id)


def _of_late(spec: PipelineSpec, file: SourceFile, kind: FailureKind, later: str, place: Place) -> str:
    """Return what to do before a file is archived after which a later one is loaded."""
    if spec.load.mode.replaces_table:
        return "Nothing: a newer file has replaced the table. This one is archived."
    fix = (
        f"{later}, which comes after it, is loaded. If its rows are still needed, have a file with them sent: the next "
        "run loads it as the newest. This one is archived."
    )
    if kind.needs_new_file:
        return fix
    options = ["--out-of-order", *([kind.accept_with] if kind.accept_with else [])]
    replaying = place.program.command("replay", spec.pipeline, "--file", file.key, *options)
    return f"{fix} To load it after all, so that its rows replace newer ones: correct what is wrong, then {replaying}"


def _of_failure(file: SourceFile, load: FailedLoad, message: str, place: Place) -> str:
    """Return what to do about a file that was set aside, with the ways besides the command that continues."""
    kind, command = load.kind, place.program.command
    fix, replaying = _fix(kind), command("replay", load.pipeline, "--file", file.key)
    sent = f"as {place.lake.url(file.identity.key)}"
    if kind.needs_new_file or kind.accept_with:
        fix += f" The correct file has to be sent {sent}."
        if kind.accept_with:
            fix += f" To load this one as it is: {replaying} {kind.accept_with}"
        options = _RENAMED if kind.accept_with == "--allow-new-columns" else listed(sorted({*_OPTION.findall(message)}))
        if options:
            fix += f" If the spec is wrong, correct {options}, and load this one with: {replaying}"
    elif kind.type in _OF_FILES:
        replacing = command("run", load.pipeline, "--instead-of", file.key)
        fix += f" Or have a correct one sent {sent}, and load it instead with: {replacing}"
    return fix


def _of_views(spec: PipelineSpec, seen: Seen, place: Place) -> Iterator[Attention]:
    """Yield the views on the target that are dropped and not restored, and those of the spec that cannot be read."""
    yield from _of_dropped(spec, seen, place)
    broken = [view.view for view in spec.views if view.view in (seen.unreadable or {})]
    if broken:
        reasons = "; ".join(f"{view}: {(seen.unreadable or {})[view]}" for view in broken)
        fix = "Correct their definitions, which the next load builds, or the relations that they name."
        message = f"late-binding views of the spec cannot be read: {reasons}"
        yield Attention("view", message, fix, place.program.command("run", spec.pipeline))


def _of_dropped(spec: PipelineSpec, seen: Seen, place: Place) -> Iterator[Attention]:
    """Yield the views on the target that no live run has dropped, and that are not restored."""
    if seen.journal is None or seen.at_work is None:
        return
    activity = seen.at_work.activity
    left = [
        entry
        for entry in seen.journal
        if entry.target == spec.target.table and not activity.is_active(entry.run_id, entry.invocation_id)
    ]
    names: Sequence[str] = sorted({str(entry.view.view) for entry in left})
    if names:
        message = f"views on {spec.target.table} were dropped and wait in the view journal: {', '.join(names)}"
        fix = "Correct what they depend on. The command prints what keeps a view from being restored."
        yield Attention("view", message, fix, place.program.command("restore-views", *names), run_id=left[0].run_id)

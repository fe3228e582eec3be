"""The summary of loads as text: a table, notes, the numbers of feeds and files, and the commands that retry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from framework.cli.audit_options import SHOWN_ID
from framework.cli.display import Mark
from framework.cli.outcome import FILE_STATES, Outcome, State
from framework.cli.tables import narrowed_table
from framework.dataclass import dataclass
from framework.errors import SpecError
from framework.load.failures.complaints import quoted
from framework.load.result import LoadFailure, LoadResult
from framework.model.measurements import BadRow
from framework.model.program import Program
from framework.model.words import counted, duration, visible

COUNTS = {
    "read": "read",
    "inserted": "inserted",
    "updated": "updated",
    "deleted": "deleted",
    "deduplicated": "deduped",
    "rejected": "rejected",
}
"""Numbers of rows, and their column. Those after `read` are shown where one of the loads has such rows."""
MOST_FILES = 10
"""The most files of which the first bad rows are shown."""
MOST_CHARACTERS = 300
"""Of the list of columns with which a table was created."""
_IN_WORDS = {
    State.LOADED: "loaded",
    State.FAILED: "failed",
    State.SKIPPED: "skipped",
    State.IDLE: "nothing to do",
    State.STOPPED: "stopped early",
    State.NOT_BEGUN: "not begun",
}


def summary(outcome: Outcome, width: int | None = None) -> str:
    """Return a table of the results that fits `width` columns where names can be cut, and what else to know of them."""
    return _visible(_result_lines(outcome, width))


def full_summary(outcome: Outcome, width: int | None = None) -> str:
    """Return the summary, the numbers of feeds and files, and the commands that retry."""
    lines = [*_result_lines(outcome, width), *_unfinished(outcome), *totals(outcome)]
    if outcome.retries:
        lines += ["retry with:", *(f"  {command}" for command in outcome.retries)]
    return _visible(lines)


def _visible(lines: Iterable[str]) -> str:
    """Return the text of messages that have lines, in which what does not print is escaped."""
    return "\n".join(visible(line) for text in lines for line in text.split("\n"))


@dataclass(frozen=True)
class LoadLine:
    """What is printed when a load ends."""

    text: str
    mark: Mark


def load_lines(results: Sequence[LoadResult]) -> Iterator[LoadLine]:
    """Yield one line for the results of a load, or one per status where they differ."""
    of_status: dict[str, list[LoadResult]] = {}
    for result in results:
        of_status.setdefault(result.status, []).append(result)
    for status, same in of_status.items():
        first, failed = same[0], next((each.failure for each in same if each.failure is not None), None)
        file = counted(len(same), "file") if len(same) > 1 else _name(first.source_file or "")
        parts = [f"{file} {status}" if file else status]
        if status == "SUCCESS":
            parts.append(counted(sum(each.counts.inserted + each.counts.updated for each in same), "row"))
        rejected = sum(each.counts.rejected for each in same)
        parts += [f"{rejected:,} rejected"] if rejected and status == "SUCCESS" else []
        parts += [duration(first.seconds)] if first.run_id is not None else []
        why = f"{failed.step}: {_first_line(failed)}" if failed is not None else first.reason
        mark: Mark = "error" if failed is not None else "good" if status == "SUCCESS" else "warning"
        yield LoadLine(f"{first.pipeline}: {', '.join(parts)}" + (f": {why}" if why else ""), mark)


def _first_line(failure: LoadFailure) -> str:
    """Return the first line of a message; for a spec, its first problem instead of the number of problems."""
    problems = failure.error.problems if isinstance(failure.error, SpecError) else ()
    return str(problems[0] if problems else failure.message).partition("\n")[0]


def _result_lines(outcome: Outcome, width: int | None) -> list[str]:
    results = outcome.results
    idle = {feed.pipeline: feed.idle for feed in outcome.feeds if feed.idle is not None}
    return [
        *([results_table(results, width), *_notes(results, outcome.program)] if results else ()),
        *(f"{pipeline}: nothing to do: {why}" for pipeline, why in sorted(idle.items())),
        # How a feed that has failed goes on depends on why: its message has the command.
        *(each.number if each.pipeline in outcome.named(State.FAILED) else str(each) for each in outcome.waiting),
    ]


def totals(outcome: Outcome) -> list[str]:
    """Return a line with the number of feeds by what became of them, and one for their files."""
    states, files = outcome.states, outcome.files
    of_feeds = [f"{states[state]:,} {words}" for state, words in _IN_WORDS.items() if states[state]]
    lines = [f"{counted(len(outcome.feeds), 'feed')}: {', '.join(of_feeds)}"]
    of_files = [f"{files[status]:,} {word}" for status, word in FILE_STATES.items() if files[status]]
    if files["SUCCESS"]:
        of_files[0] += f" ({counted(outcome.rows_loaded, 'row')})"
    parts = [f"{counted(files.total(), 'file')}: {', '.join(of_files)}"] if of_files else []
    if outcome.waiting:
        number = sum(each.files for each in outcome.waiting)
        least = "at least " if any(each.is_minimum for each in outcome.waiting) else ""
        parts.append(f"{least}{counted(number, 'file')} set aside" if number else "files set aside are not counted")
    return [*lines, *(["; ".join(parts)] if parts else [])]


def _unfinished(outcome: Outcome) -> Iterator[str]:
    for state in (State.STOPPED, State.NOT_BEGUN):
        names = outcome.named(state)
        if names:
            yield f"{_IN_WORDS[state]}: {', '.join(names)}"


def results_table(results: Sequence[LoadResult], width: int | None) -> str:
    """Return one line per result, in at most `width` columns where cut names and fewer numbers reach that."""
    rows = [
        {"pipeline": result.pipeline, "file": file, "status": result.status, "time": duration(result.seconds)}
        | {title: getattr(result.counts, name) for name, title in COUNTS.items()}
        for result, file in zip(results, _file_names(results), strict=True)
    ]
    shown = [title for title in COUNTS.values() if title == "read" or any(row[title] for row in rows)]
    # The rows read are the sum of the others, unless nothing but them is known.
    forms = [("pipeline", "file", "status", *numbers, "time") for numbers in (shown, shown[1:] or shown)]
    return narrowed_table(((columns, rows) for columns in forms), width, cut=("pipeline", "file"))


def _file_names(results: Sequence[LoadResult]) -> list[str]:
    """Return the name of each result's file; its whole key where another file of the feed has the same name."""
    keys = {(result.pipeline, result.source_file or "") for result in results}
    same = Counter((pipeline, _name(key)) for pipeline, key in keys)
    return [
        _name(key) if same[result.pipeline, _name(key)] == 1 else key
        for result, key in ((result, result.source_file or "") for result in results)
    ]


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _notes(results: Sequence[LoadResult], program: Program) -> list[str]:
    """Return the first bad rows, why files were not loaded, what was created, and warnings."""
    bad = list(_bad_row_lines([result for result in results if result.quarantine or result.bad_rows], program))
    reasons = [f"{result.source_file}: {result.reason}" for result in results if result.reason is not None]
    # A header of texts cannot be distinguished from data, but a reader of the first load's summary can judge it.
    created = [
        f"created {change['to']} with {visible(change['reason'] or '', MOST_CHARACTERS)}"
        for result in results
        for change in result.schema_changes
        if change["kind"] == "create_table" and result.status == "SUCCESS"
    ]
    changed = [line for result in results if result.status == "SUCCESS" for line in _change_lines(result)]
    return [*dict.fromkeys([*created, *changed]), *bad, *reasons, *_warning_lines(results)]


def _bad_row_lines(results: Sequence[LoadResult], program: Program) -> Iterator[str]:
    """Yield where the bad rows of each file are, the first of them, and for each load the command that shows them."""
    for place, result in enumerate(results):
        if result.quarantine is not None:
            yield f"bad rows of {result.source_file}: {result.counts.rejected}, in {result.quarantine}"
        elif place < MOST_FILES:
            yield f"first bad rows of {result.source_file}, of which nothing was loaded:"
        if place < MOST_FILES:
            yield from (f"  {bad_row_line(bad, result.source_file or '')}" for bad in result.bad_rows)
        is_last = all(later.run_id != result.run_id for later in results[place + 1 :])
        if result.quarantine is not None and is_last:
            show = ("quarantine", "show", result.pipeline, "--run", (result.run_id or "")[:SHOWN_ID])
            yield f"  see them with: {program.command(*show)}"
    left_out = sum(result.quarantine is None for result in results[MOST_FILES:])
    if left_out:
        yield f"bad rows of {counted(left_out, 'more file')}, of which nothing was loaded, are in the messages"


def bad_row_line(bad: BadRow, source_file: str) -> str:
    """Return the place of a bad row, its first fault, and the value where that is known."""
    member = "" if source_file.endswith(bad.file) else f"{bad.file}, "
    line = "" if bad.line is None else f", line {bad.line}"
    column = "" if bad.column is None else f", {bad.column}"
    value = "" if bad.text is None else f": {quoted(bad.text)}"
    return f"{member}row {bad.row}{line}{column}: {bad.reason}{value}"


def _change_lines(result: LoadResult) -> Iterator[str]:
    """Yield what a load changed about an existing table, and the views it built."""
    for change in result.schema_changes:
        if change["kind"] != "create_table":
            what = f"column {change['column']}" if change["column"] else "the table"
            types = f"{change['from']} -> {change['to']}" if change["from"] else f"{change['to']}, new"
            yield f"changed {result.pipeline}: {what} {types} ({change['reason']})"
    if result.views:
        yield f"built {', '.join(result.views)}"


def _warning_lines(results: Sequence[LoadResult]) -> list[str]:
    """Return one line per warning of a load, with the file where it concerns that file alone."""
    found: dict[tuple[str | None, str], None] = {}
    for result in results:
        for warning in result.warnings:
            place = result.source_file if warning.keys else result.pipeline
            found[result.run_id, f"warning: {place}: {warning.message}"] = None
    return [line for _, line in found]

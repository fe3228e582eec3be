"""The summary of loads as text: a table, notes, the numbers of feeds and files, and the commands that retry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from framework.cli.outcome import FILE_STATES, Outcome, State
from framework.cli.output import table
from framework.load.result import LoadResult
from framework.model.words import counted, duration

COUNTS = {
    "read": "read",
    "inserted": "inserted",
    "updated": "updated",
    "deleted": "deleted",
    "deduplicated": "deduped",
    "rejected": "rejected",
}
"""Numbers of rows, and their column. Those after `read` are shown where one of the loads has such rows."""
SHORTEST = 8
"""The fewest characters to which a name is cut for a narrow terminal."""
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
    return "\n".join(_result_lines(outcome, width))


def full_summary(outcome: Outcome, width: int | None = None) -> str:
    """Return the summary, the numbers of feeds and files, and the commands that retry."""
    lines = [*_result_lines(outcome, width), *_unfinished(outcome), *totals(outcome)]
    if outcome.retries:
        lines += ["retry with:", *(f"  {command}" for command in outcome.retries)]
    return "\n".join(lines)


def _result_lines(outcome: Outcome, width: int | None) -> list[str]:
    results = outcome.results
    idle = {feed.pipeline: feed.idle for feed in outcome.feeds if feed.idle is not None}
    return [
        *([results_table(results, width), *_notes(results)] if results else ()),
        *(f"{pipeline}: nothing to do: {why}" for pipeline, why in sorted(idle.items())),
        *map(str, outcome.waiting),
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
        parts.append(f"{least}{counted(number, 'file')} set aside")
    return [*lines, *(["; ".join(parts)] if parts else [])]


def _unfinished(outcome: Outcome) -> Iterator[str]:
    for state in (State.STOPPED, State.NOT_BEGUN):
        names = outcome.named(state)
        if names:
            yield f"{_IN_WORDS[state]}: {', '.join(names)}"


def results_table(results: Sequence[LoadResult], width: int | None) -> str:
    """Return one line per result, in at most `width` columns where cut names and fewer numbers reach that."""
    shown = [name for name in COUNTS if name == "read" or any(getattr(each.counts, name) for each in results)]
    names = [result.pipeline for result in results]
    files = _file_names(results)
    # The rows read are the sum of the others, unless nothing but them is known.
    for numbers in (shown, shown[1:] or shown):
        cells = [
            (result.status, *(getattr(result.counts, name) for name in numbers), duration(result.seconds))
            for result in results
        ]
        columns = ("pipeline", "file", "status", *(COUNTS[name] for name in numbers), "time")
        excess = 0 if width is None else _width(table(columns, _rows(names, files, cells))) - width
        of_names, of_files = _lengths(max(map(len, names)), max(map(len, files)), excess)
        cut = [_cut(name, of_names) for name in names], [_cut(file, of_files) for file in files]
        fitted = table(columns, _rows(*cut, cells))
        if width is None or _width(fitted) <= width:
            break
    return fitted


def _rows(names: Sequence[str], files: Sequence[str], cells: Sequence[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return [(name, file, *rest) for name, file, rest in zip(names, files, cells, strict=True)]


def _width(text: str) -> int:
    return max(map(len, text.splitlines()))


def _lengths(of_names: int, of_files: int, excess: int) -> tuple[int, int]:
    """Return the lengths of the longest names and files, the longer one cut by one until the excess is gone."""
    while excess > 0 and max(of_names, of_files) > SHORTEST:
        excess -= 1
        if of_files >= of_names:
            of_files -= 1
        else:
            of_names -= 1
    return of_names, of_files


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


def _cut(name: str, length: int) -> str:
    """Return a name of at most `length` characters: its beginning and its end, in which files of a feed differ."""
    if len(name) <= length:
        return name
    ending = length // 2
    return f"{name[: length - ending - 1]}…{name[-ending:]}"


def _notes(results: Sequence[LoadResult]) -> list[str]:
    """Return where bad rows are, why files were not loaded, what was created, and warnings."""
    kept = [
        f"bad rows of {result.source_file}: {result.counts.rejected}, in {result.quarantine}"
        for result in results
        if result.quarantine is not None
    ]
    reasons = [f"{result.source_file}: {result.reason}" for result in results if result.reason is not None]
    # A header of texts cannot be distinguished from data, but a reader of the first load's summary can judge it.
    created = [
        f"created {change['to']} with {change['reason']}"
        for result in results
        for change in result.schema_changes
        if change["kind"] == "create_table" and result.status == "SUCCESS"
    ]
    return [*dict.fromkeys(created), *kept, *reasons, *_warning_lines(results)]


def _warning_lines(results: Sequence[LoadResult]) -> list[str]:
    """Return one line per warning of a load, with the file where it concerns that file alone."""
    found: dict[tuple[str | None, str], None] = {}
    for result in results:
        for warning in result.warnings:
            place = result.source_file if warning.keys else result.pipeline
            found[result.run_id, f"warning: {place}: {warning.message}"] = None
    return [line for _, line in found]

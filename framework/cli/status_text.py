"""The status of feeds as text for people: a table that fits the terminal, and what needs attention below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from framework.cli.audit_options import SHOWN_ID
from framework.cli.feed_status import FeedStatus
from framework.cli.tables import narrowed_table
from framework.model.words import counted, visible

MOST_SHOWN = 3
"""The most things that are described below the table of one feed; JSON has all."""
MOST_LINES = 12
"""The most lines of a message that are shown."""
_OPTIONAL = ("owner", "tags", "aside", "bad rows", "warn", "running", "late since")
"""Columns that are shown where one of the feeds has something in them."""
_TIMES = ("late since", "last load")


def status_text(found: Sequence[FeedStatus], notes: Sequence[str], others: Sequence[str], width: int | None) -> str:
    """Return the feeds, what needs attention, warnings, notes and totals; `others` are no feeds and need attention."""
    blocks = [_table(found, width)]
    blocks += ["\n".join(_described(feed)) for feed in found if feed.attention]
    blocks += ["\n".join(_warned(feed)) for feed in found if feed.warnings]
    blocks += ["\n".join(visible(note) for note in notes)] if notes else []
    return "\n\n".join([*blocks, _totals(found, others)])


def _totals(found: Sequence[FeedStatus], others: Sequence[str]) -> str:
    states = [feed.state for feed in found]
    words = {
        "attention": ("needs attention", "need attention"),
        "running": ("is running", "are running"),
        "unknown": ("is not known", "are not known"),
    }
    parts = [counted(states.count(state), *words[state]) for state in words if state in states]
    parts += [f"{each} need attention" for each in others]
    return f"{counted(len(found), 'feed')}: {', '.join(parts) or 'nothing needs attention'}"


def _table(found: Sequence[FeedStatus], width: int | None) -> str:
    """Return the feeds as a table that fits the width, if cut names, no tags, owner and year are enough for that."""
    rows = [status_cells(feed) for feed in found]
    columns = [name for name in rows[0] if name not in _OPTIONAL or any(row[name] for row in rows)]
    without_tags = [name for name in columns if name != "tags"]
    fewer = [name for name in without_tags if name != "owner"]
    without_year = [row | {name: _without_year(row[name]) for name in _TIMES} for row in rows]
    forms = ((columns, rows), (without_tags, rows), (fewer, rows), (fewer, without_year))
    return narrowed_table(forms, width, cut=("feed", "owner", "tags"))


def _without_year(time: object) -> object:
    return time[5:] if isinstance(time, str) and time[:1].isdigit() else time


def status_cells(feed: FeedStatus) -> dict[str, object]:
    """Return the cells of a feed in the table; what there is none of is empty or None, what is not known a `?`."""
    aside = f">= {feed.set_aside}" if feed.set_aside_is_minimum and feed.set_aside else _number(feed.set_aside)
    late = None if feed.late is None else (feed.late.late_since_ts or "never loaded")[:16]
    return {
        "": "!" if feed.attention else None,
        "feed": feed.pipeline,
        "owner": feed.owner,
        "tags": ", ".join(feed.tags),
        "pending": _number(feed.pending),
        "aside": "?" if feed.set_aside_is_minimum and not feed.set_aside else aside,
        "bad rows": _number(feed.quarantined),
        "warn": _number(None if feed.warnings is None else len(feed.warnings)),
        "running": "?" if feed.running is None else "yes" if feed.running else None,
        "late since": late,
        # Where the audit cannot be read, both are unknown.
        "last load": (feed.last_success_ts or "")[:16] or ("?" if feed.quarantined is None else None),
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


def _warned(feed: FeedStatus) -> Iterator[str]:
    """Yield the lines on the warnings of a feed."""
    warnings = feed.warnings or ()
    yield f"{visible(feed.pipeline)}: {counted(len(warnings), 'warning')} of the last load"
    for each in warnings[:MOST_SHOWN]:
        more = f" and {counted(each.files - 1, 'more file')}" if each.files > 1 else ""
        first, *rest = each.message.splitlines()[:MOST_LINES] or [""]
        yield f"  {visible(each.key.rpartition('/')[2])}{more}: {visible(first)} ({each.rule})"
        yield from (f"    {visible(line)}" for line in rest)
    if len(warnings) > MOST_SHOWN:
        yield f"  and {len(warnings) - MOST_SHOWN} more; see: logs {warnings[MOST_SHOWN].run_id[:SHOWN_ID]}"

"""A plan as text for people, in lines that fit a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from framework.cli.plan_report import (
    MARKS,
    MOST_CHARACTERS,
    PlannedFeed,
    PlanReport,
    chosen_columns,
    cost_of,
    fill_of,
    messages_of,
    type_of,
)
from framework.dataclass import dataclass
from framework.load.preview import PlannedLoad
from framework.model.words import counted, listed, size, visible

_HEADINGS = ("", "in the file", "column", "type", "why", "sample")
_INDENT = "  "
_GAP = "  "
_NARROWEST = 8


@dataclass(frozen=True)
class Detail:
    """How much is shown. `width` is that of the terminal in characters, None where lines may have any length."""

    with_sql: bool = False
    all_columns: bool = False
    width: int | None = None


def plan_text(report: PlanReport, shown: Detail) -> str:
    """Return a plan: each load with its columns, changes, fills, warnings, views and cost."""
    lines = [line for feed in report.feeds for line in _feed_lines(feed, shown)]
    return "\n".join([*lines, *map(str, report.waiting)])


def _feed_lines(feed: PlannedFeed, shown: Detail) -> Iterator[str]:
    for load in feed.loads:
        yield from _load_lines(load, shown)
    if feed.idle is not None:
        yield f"{feed.pipeline}: nothing to do: {visible(feed.idle)}"
    if feed.failure is not None:
        yield f"{feed.pipeline}: would fail: {visible(feed.why_it_fails)}"


def _load_lines(load: PlannedLoad, shown: Detail) -> Iterator[str]:
    yield visible(f"{load.pipeline}: {listed(load.source_files)}")
    yield from _column_lines(load, shown)
    # Columns and views of others may have any name.
    yield from map(visible, _other_lines(load))
    yield from map(visible, _transaction_lines(load) if shown.with_sql else ())


def _other_lines(load: PlannedLoad) -> Iterator[str]:
    yield from (_change_line(change) for change in load.schema_changes)
    for fill in load.fills:
        yield f"  fill    column {fill['column']} is not in the file: {fill_of(fill)}"
    yield from (f"  warning {message}" for message in messages_of(load))
    if load.views:
        yield f"  views   built: {', '.join(load.views)}"
    yield from (f"  note    {note}" for note in load.notes)
    if (cost := cost_of(load)) is not None:
        yield f"  cost    {cost}"


def _column_lines(load: PlannedLoad, shown: Detail) -> Iterator[str]:
    columns, left_out = chosen_columns(load, shown.all_columns)
    rows = [
        (
            MARKS[column.change],
            column.header or "",
            column.column,
            type_of(column),
            str(column.reason),
            visible(column.sample or "", MOST_CHARACTERS),
        )
        for column in columns
    ]
    if rows:
        yield from _table([_HEADINGS, *rows], shown.width)
    if left_out is not None:
        yield f"{_INDENT}{left_out}"


def _table(rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """Yield aligned lines; where they are wider than the terminal, the widest columns are cut."""
    texts = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(*texts, strict=True)]
    room = sum(widths) if width is None else width - len(_INDENT) - len(_GAP) * (len(widths) - 1)
    while sum(widths) > room and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    for row in texts:
        cells = (visible(cell, most).ljust(most) for cell, most in zip(row, widths, strict=True))
        yield f"{_INDENT}{_GAP.join(cells)}".rstrip()


def _change_line(change: dict[str, str | None]) -> str:
    column = f"column {change['column']}" if change["column"] else "table"
    before = f"{change['from']} -> " if change["from"] else ""
    why = f"{change['reason']}; cost: {change['cost']}"
    return f"  change  {change['kind']}: {column} {before}{change['to']} ({why})"


def _transaction_lines(load: PlannedLoad) -> Iterator[str]:
    for number, transaction in enumerate(load.transactions, start=1):
        statements = cast(list[dict[str, Any]], transaction["statements"])
        total = size(sum(int(statement["bytes"]) for statement in statements))
        count = f"one transaction of {counted(len(statements), 'statement')}"
        count = count if len(statements) > 1 else "one statement by itself"
        yield f"  {number}. {transaction['name']}: {count}, {total}"
        yield from (f"     locks {lock}" for lock in cast(list[str], transaction["locks"]))
        for statement in statements:
            yield from (f"     {line}" for line in f"{statement['sql']};".split("\n"))

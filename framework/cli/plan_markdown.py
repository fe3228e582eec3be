"""A plan as Markdown for a comment on a pull request, or for the summary of a job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import quote

from framework.cli.markdown import block, code, details, prose, table
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
from framework.load.preview import PlannedLoad
from framework.model.words import counted, listed, visible

MAX_BYTES = 65_536
"""A comment takes so many characters. Bytes of UTF-8 are at least as many."""
_ROOM_FOR_END = 512
_MOST_HEADER = 60
_MOST_REASON = 160


def plan_mark(environment: str, project: str) -> str:
    """Return the first line of a plan, by which a job finds the comment that it has written before.

    `project` is the project's path in its repository: plans of several are several comments.
    """
    env, path = (quote(name, safe="/:", errors="backslashreplace") for name in (environment, project))
    # Within a comment two hyphens may end it.
    return f"<!-- feedway plan {f'env={env} project={path}'.replace('--', '-%2D')} -->"


def plan_markdown(report: PlanReport, environment: str, project: str, show_all: bool) -> str:
    """Return a plan in at most MAX_BYTES bytes: what each load would do, and its SQL as far as there is room."""
    head = f"{plan_mark(environment, project)}\n\n## Feedway plan for {code(environment)}: {_totals(report)}"
    parts = [part for feed in report.feeds for part in _feed_parts(feed, show_all)]
    parts += [("\n".join(f"- {prose(str(files))}" for files in report.waiting), "")] if report.waiting else []
    kept: list[list[str]] = []
    room = MAX_BYTES - _ROOM_FOR_END - _bytes(head)
    for summary, _ in parts:
        if _bytes(summary) > room:
            break
        kept.append([summary])
        room -= _bytes(summary)
    without_sql = 0
    for each, (_, sql) in zip(kept, parts, strict=False):
        if _bytes(sql) <= room:
            each.append(sql)
            room -= _bytes(sql)
        else:
            without_sql += 1
    shown = [text for each in kept for text in each if text]
    return "\n\n".join([head, *shown, *_end(len(parts) - len(kept), without_sql)])


def _bytes(text: str) -> int:
    """Return the size of a text with the empty line before it."""
    return len(text.encode("utf-8")) + 2


def _totals(report: PlanReport) -> str:
    loads = sum(len(feed.loads) for feed in report.feeds)
    failed = len(report.failures)
    found = [counted(loads, "load")] if loads else ["nothing to do"]
    found += [counted(failed, "pipeline would fail", "pipelines would fail")] if failed else []
    return ", ".join(found)


def _end(left_out: int, without_sql: int) -> Iterator[str]:
    if left_out or without_sql:
        missing = [counted(left_out, "more entry", "more entries")] if left_out else []
        missing += [f"the SQL of {counted(without_sql, 'load')}"] if without_sql else []
        yield f"Left out, as a comment holds {MAX_BYTES:,} characters: {' and '.join(missing)}. `plan --sql` shows all."


def _feed_parts(feed: PlannedFeed, show_all: bool) -> Iterator[tuple[str, str]]:
    """Yield for each load what it would do, and its SQL."""
    for load in feed.loads:
        yield "\n\n".join(_load_blocks(load, show_all)), _sql(load)
    if feed.idle is not None:
        yield f"### {prose(feed.pipeline)}\n\nNothing to do: {prose(feed.idle)}", ""
    if feed.failure is not None:
        yield f"### {prose(feed.pipeline)}\n\n**Would fail**: {prose(feed.why_it_fails)}", ""


def _load_blocks(load: PlannedLoad, show_all: bool) -> Iterator[str]:
    yield f"### {prose(load.pipeline)}"
    yield code(listed(load.source_files))
    columns, left_out = chosen_columns(load, show_all)
    rows = [
        [
            MARKS[column.change],
            code(visible(column.header or "", _MOST_HEADER)),
            code(column.column),
            prose(type_of(column)),
            prose(visible(str(column.reason), _MOST_REASON)),
            code(visible(column.sample or "", MOST_CHARACTERS)),
        ]
        for column in columns
    ]
    if rows:
        yield table(["", "In the file", "Column", "Type", "Why", "Sample"], rows)
    if left_out is not None:
        yield prose(left_out)
    if load.schema_changes:
        yield table(["Change", "Column", "From", "To", "Why", "Cost"], [_change(each) for each in load.schema_changes])
    if items := list(_items(load)):
        yield "\n".join(f"- {item}" for item in items)


def _change(change: dict[str, str | None]) -> list[str]:
    kind, column, *others = (change[name] or "" for name in ("kind", "column", "from", "to", "reason", "cost"))
    return [code(kind), code(column), *map(prose, others)]


def _items(load: PlannedLoad) -> Iterator[str]:
    for fill in load.fills:
        yield f"Fill: column {code(str(fill['column']))} is not in the file: {prose(fill_of(fill))}"
    yield from (f"**Warning**: {prose(message)}" for message in messages_of(load))
    if load.views:
        yield f"Views built: {', '.join(map(code, load.views))}"
    yield from (f"Note: {prose(note)}" for note in load.notes)
    if (cost := cost_of(load)) is not None:
        yield f"Cost: {prose(cost)}"


def _sql(load: PlannedLoad) -> str:
    texts = []
    for number, transaction in enumerate(load.transactions, start=1):
        statements = cast(list[dict[str, Any]], transaction["statements"])
        texts += [f"-- {number}. {transaction['name']}", *(f"{statement['sql']};" for statement in statements)]
    return details("SQL", block("\n".join(texts), "sql")) if texts else ""

"""A record as text: what differs from run to run, such as times, stands there as a placeholder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import psycopg

from tests.harness import FeedHarness
from tests.record.calls import SUBMISSIONS, Call, Calls, Heading

AUDIT = """
select run_id, job_id, pipeline, source_bucket, source_filename, source_etag, source_size, source_generation,
    target_table_name, records_read, records_inserted, records_updated, records_deleted, records_deduplicated,
    records_rejected, status, error_message, spec_sha256, warnings, run_end_ts is not null
from {control}.job_sts
where pipeline = %s
order by run_start_ts, source_filename, case status when 'STARTED' then 0 else 1 end
"""
COLUMNS = """
select column_name, data_type, character_maximum_length, numeric_precision, numeric_scale, is_nullable, column_default
from information_schema.columns
where table_schema = %s and table_name = %s
order by ordinal_position
"""
_LOGGED = (".jsonl", ".parquet")
"""Endings of objects whose content is not shown: a log has times, and of rows the table shows the outcome."""


def write_record(calls: Calls, s3: Any, database_url: str) -> str:
    """Return the record of a scenario: its runs, then what they left behind."""
    plain = Plain(calls.feeds.values())
    lines = [*_runs(calls, plain)]
    with psycopg.connect(database_url, autocommit=True) as connection:
        for feed in calls.feeds.values():
            lines += [f"=== left by {feed.name}", *_left(feed, connection)]
    lines += ["=== the lake", *sorted(plain(key) for key in _keys(s3))]
    return "".join(f"{plain(line)}\n" for line in lines)


class Plain:
    """Replaces what is not the same in every session; values that are compared get a number each."""

    def __init__(self, feeds: Any) -> None:
        names = sorted((feed.name for feed in feeds), key=len, reverse=True)
        order = {feed.name: number for number, feed in enumerate(feeds, 1)}
        self._names = {name: "NAME" if len(order) == 1 else f"NAME{order[name]}" for name in names}
        self._endings = {feed.run_id_ending: self._names[feed.name] for feed in feeds}
        self._numbered: dict[str, str] = {}
        now = datetime.now(UTC)
        days = "|".join(f"{now + timedelta(days=day):%Y-%m-%d}" for day in (-1, 0, 1))
        months = "|".join(f"{now + timedelta(days=day):%Y/%m}" for day in (-1, 0, 1))
        self._time = re.compile(rf"(?:{days})[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?(?:\d\d)?)?")
        self._month = re.compile(rf"/(?:{months})/")

    def __call__(self, text: str) -> str:
        """Return a text without what differs."""
        for name, shown in self._names.items():
            text = text.replace(name, shown)
        text = self._time.sub("TIME", text)
        for ending in self._endings:
            # Temporary tables and copies have the beginning of a run_id in their names.
            text = re.sub(rf"([0-9a-f]{{4}})(?:{ending[:8]}|{ending[:4]})(?![0-9a-f])", r"RUN-\1", text)
        text = self._month.sub("/MONTH/", text)
        text = re.sub(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID", text)
        return re.sub(r"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{16})(?![0-9a-f])", self._hex, text)

    def _hex(self, match: re.Match[str]) -> str:
        value = match[0]
        if value[4:] in self._endings:
            return f"RUN-{value[:4]}"
        if len(value) == 16:
            return "DIGEST"
        kind = "SHA" if len(value) == 64 else "ETAG"
        count = sum(known.startswith(kind) for known in self._numbered.values())
        return self._numbered.setdefault(value, f"{kind}-{count + 1}")


def _runs(calls: Calls, plain: Plain) -> Iterator[str]:
    """Yield the lines of the runs; calls that are made side by side are sorted by the file they are about."""
    shown: dict[str, str] = {}
    for side_by_side, events in groupby(calls.events, lambda event: isinstance(event, Call) and event.is_side_by_side):
        group: list[Any] = list(events)
        if side_by_side:
            group.sort(key=lambda call: _subject(call, plain))
        for event in group:
            if isinstance(event, Heading):
                yield from event.lines
                continue
            mark = "| " if side_by_side else ""
            yield mark + _line(event)
            yield from _statements(event, plain, shown)
            yield from _body(event)


def _subject(call: Any, plain: Plain) -> tuple[str, str]:
    key = plain(str(call.params.get("Key", call.params)))
    return key.rpartition("/")[2].partition(".")[0], "" if call.operation != "GetObject" else str(call.params["Range"])


def _line(call: Call) -> str:
    hidden = {"Bucket", "Body", "Sql", "Sqls", "Id", "ClientToken", "WorkgroupName", "Database"}
    shown = [f"{name}={_value(value)}" for name, value in sorted(call.params.items()) if name not in hidden]
    words = [call.operation, call.number, *shown, f"-> {call.refused}" if call.refused else ""]
    return " ".join(word for word in words if word)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return (
            "{" + ", ".join(f"{name}: {_value(part)}" for name, part in sorted(value.items()) if name != "Bucket") + "}"
        )
    return str(value)


def _statements(call: Call, plain: Plain, shown: dict[str, str]) -> Iterator[str]:
    """Yield the SQL of a submission; a statement that was shown before, but for the run's own id, is referred to."""
    if call.operation not in SUBMISSIONS:
        return
    own = call.params["StatementName"].split("/")[2]
    for number, sql in enumerate(call.params.get("Sqls") or [call.params["Sql"]], 1):
        text = plain(sql).replace(plain(own), "RUN")
        here = f"{call.number}.{number}"
        if text in shown:
            yield f"    as {shown[text]}: {text.partition(chr(10))[0]}"
            continue
        shown[text] = here
        yield f"    {here}"
        yield from (f"    {line}" for line in text.splitlines())


def _body(call: Call) -> Iterator[str]:
    body = call.params.get("Body")
    if isinstance(body, bytes) and not call.params["Key"].endswith(_LOGGED):
        yield from (f"    {line}" for line in body.decode("utf-8", "replace").splitlines())


def _left(feed: FeedHarness, connection: Any) -> Iterator[str]:
    """Yield the rows of JOB_STS, the table's columns and its rows."""
    table = feed.spec().target.table
    control = feed.environment.warehouse.control_schema
    yield "job_sts:"
    yield from _rows(connection.execute(AUDIT.format(control=control), (feed.name,)).fetchall())
    yield f"{table}:"
    columns = connection.execute(COLUMNS, (table.schema, table.name)).fetchall()
    yield from _rows(columns)
    if columns:
        yield from _rows(sorted(connection.execute(f"select * from {table.sql}").fetchall(), key=repr))


def _rows(rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    for row in rows:
        yield "    " + " | ".join("" if value is None else str(value).replace("\n", "\\n") for value in row)


def _keys(s3: Any) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="lake"):
        yield from (item["Key"] for item in page.get("Contents", []))

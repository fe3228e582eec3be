"""The run log: JSON lines immediately, kept for the export."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from framework.log.run_log import RunLog

NOON = datetime(2026, 1, 2, 12, 0, 0, 5000, tzinfo=UTC)


def test_an_entry_has_its_level_time_run_and_free_fields() -> None:
    stream = io.StringIO()
    log = RunLog("r1", "customers", stream, now=lambda: NOON)

    log.warning("column filled", column="größe", rows=3)

    entry = json.loads(stream.getvalue())
    assert entry == {
        "level": "warning",
        "ts": "2026-01-02T12:00:00.005Z",
        "run_id": "r1",
        "pipeline": "customers",
        "msg": "column filled",
        "column": "größe",
        "rows": 3,
    }


def test_what_was_written_is_kept_line_by_line() -> None:
    stream = io.StringIO()
    log = RunLog("r1", "customers", stream, now=lambda: NOON)

    log.info("one")
    log.error("two\nlines")

    assert log.text() == stream.getvalue()
    assert [json.loads(line)["level"] for line in log.text().splitlines()] == ["info", "error"]


def test_a_free_field_cannot_take_the_place_of_the_entrys_own() -> None:
    log = RunLog("r1", "customers", None, now=lambda: NOON)

    log.info("one", run_id="other")

    assert json.loads(log.text())["run_id"] == "r1"


def test_progress_is_heard_always_and_kept_every_ten_seconds() -> None:
    heard: list[Any] = []
    seconds = iter([0, 4, 8, 12, 16, 24, 25, 26, 34, 36])
    log = RunLog("r1", "customers", None, now=lambda: NOON + timedelta(seconds=next(seconds)), listen=heard.append)

    for rows in range(6):
        log.progress("stage", rows=rows)
    # Another step begins: its first word is not old yet.
    for rows in range(4):
        log.progress("bad rows", rows=rows)

    assert [entry["rows"] for entry in heard] == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]
    kept = [json.loads(line) for line in log.text().splitlines()]
    assert [(entry["msg"], entry["step"], entry["rows"]) for entry in kept] == [
        ("progress", "stage", 3),
        ("progress", "stage", 5),
        ("progress", "bad rows", 3),
    ]

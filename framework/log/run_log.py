"""The structured log of one run: JSON lines, written to a stream immediately, kept, and exported at the end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal, TextIO

Level = Literal["info", "warning", "error"]
Entry = dict[str, object]

PROGRESS_SECONDS = 10.0


class Event(StrEnum):
    """Messages of the log that code reacts to."""

    STEP = "step"
    PROGRESS = "progress"
    COLUMNS_NAMED = "column names changed"
    LOAD_STARTED = "load started"
    LEDGER_CREATED = "created the ledger"
    FILE_MOVED = "file moved"
    FILE_SKIPPED = "file skipped"
    FILE_REFUSED = "file refused"
    LOAD_FAILED = "load failed"
    FAILED = "failed"


_STREAM_LOCK = threading.Lock()
"""Concurrent runs write to one stream, and their lines must not mix."""


def utc_now() -> datetime:
    """Return the present time, with its zone."""
    return datetime.now(UTC)


class RunLog:
    """Writes each entry immediately, and keeps all entries for the export.

    Each entry has level, ts (UTC, ISO 8601), run_id, pipeline, msg and free fields. Values must not be
    rows or credentials: the log is exported to the lake. `listen` receives every entry.
    """

    def __init__(
        self,
        run_id: str,
        pipeline: str,
        stream: TextIO | None,
        now: Callable[[], datetime] = utc_now,
        listen: Callable[[Entry], None] | None = None,
    ) -> None:
        self.run_id = run_id
        self.pipeline = pipeline
        self._stream = stream
        self._now = now
        self._listen = listen
        self._lines: list[str] = []
        self._step = ""
        self._progress_kept_at = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def info(self, msg: str, **fields: object) -> None:
        """Log what was done."""
        self._add("info", msg, fields)

    def warning(self, msg: str, **fields: object) -> None:
        """Log a deviation that is not an error."""
        self._add("warning", msg, fields)

    def error(self, msg: str, **fields: object) -> None:
        """Log why a load ended."""
        self._add("error", msg, fields)

    def progress(self, step: str, **numbers: int) -> None:
        """Report a step's progress to the listener; the log keeps an entry every PROGRESS_SECONDS."""
        now = self._now()
        if step != self._step:
            self._step, self._progress_kept_at = step, now
        entry = self._entry("info", Event.PROGRESS, {"step": step, **numbers}, now)
        if (now - self._progress_kept_at).total_seconds() >= PROGRESS_SECONDS:
            self._progress_kept_at = now
            self._keep(entry)
        if self._listen is not None:
            self._listen(entry)

    def text(self) -> str:
        """Return all entries so far as JSON lines."""
        with self._lock:
            return "".join(line + "\n" for line in self._lines)

    def _add(self, level: Level, msg: str, fields: dict[str, object]) -> None:
        entry = self._entry(level, msg, fields, self._now())
        self._keep(entry)
        if self._listen is not None:
            self._listen(entry)

    def _entry(self, level: Level, msg: str, fields: dict[str, object], now: datetime) -> Entry:
        moment = now.astimezone(UTC).isoformat(timespec="milliseconds")
        entry: Entry = {
            "level": level,
            "ts": moment.replace("+00:00", "Z"),
            "run_id": self.run_id,
            "pipeline": self.pipeline,
            "msg": msg,
        }
        return entry | {name: value for name, value in fields.items() if name not in entry}

    def _keep(self, entry: Entry) -> None:
        line = json.dumps(entry, ensure_ascii=False, default=str)
        with self._lock:
            self._lines.append(line)
            if self._stream is not None:
                with _STREAM_LOCK:
                    self._stream.write(line + "\n")
                    self._stream.flush()

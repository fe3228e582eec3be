"""What a task works with in its process: a folder, a database, the object store, and records kept for later passes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TypeVar

import duckdb

from framework.rows.job import SplitReport
from framework.rows.phases import Phases
from framework.rows.segments import SplitRecords
from framework.rows.sql.database import database_failures, new_cursor

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
KeptSplit = tuple[SplitReport, SplitRecords | None]


class Bench:
    """The means of tasks. This one serves one task at a time, in order, and keeps nothing."""

    def __init__(self, folder: Path, database: duckdb.DuckDBPyConnection) -> None:
        self.folder = folder
        self.phases = Phases()
        self._database = database
        self._own = threading.local()
        self.cursors: list[duckdb.DuckDBPyConnection] = []

    def heard(self, size_bytes: int) -> None:
        """Hear that so many bytes of a source file have arrived; 0 while none do."""

    def read(self, records: int) -> None:
        """Hear that so many records are done with."""

    def slot(self) -> AbstractContextManager[object]:
        """Return a context for work that takes a processor."""
        return nullcontext()

    def each(self, do: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
        """Return what is done with each item, in order."""
        return [do(item) for item in items]

    def kept(self, file: int, split: int | None) -> list[KeptSplit]:
        """Return the splits of a file, or one of them, as an earlier pass has left them."""
        return []

    def keep(self, splits: Iterable[KeptSplit]) -> None:
        """Keep splits for later passes, or remove their files."""
        for _, records in splits:
            if records is not None:
                records.remove()

    @contextmanager
    def working(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield this thread's connection, for work that takes a processor. Its failures are explained."""
        with self.slot(), self.phases.busy("stage"), self.querying() as cursor:
            yield cursor

    @contextmanager
    def querying(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield this thread's connection, to who has a processor already. Its failures are explained."""
        with database_failures():
            yield self._cursor()

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield this thread's connection; failures are the caller's."""
        with self.slot():
            yield self._cursor()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """Return this thread's cursor; threads may not share one."""
        if not hasattr(self._own, "cursor"):
            self._own.cursor = new_cursor(self._database)
            self.cursors.append(self._own.cursor)
        cursor: duckdb.DuckDBPyConnection = self._own.cursor
        return cursor

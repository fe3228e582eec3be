"""Rows of sample files, staged into a folder of this machine, and what DuckDB says of them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb

from framework.model.files import SourceFile
from framework.model.measurements import StagingFile
from framework.model.staging import FILE_COLUMN
from framework.rows.protocol import ObjectStore
from framework.rows.sql.database import connect
from framework.rows.sql.expressions import named, quoted


class ScratchStore:
    """Reads source files by another store, and writes staging files into a folder of this machine."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def read_range(self, file: SourceFile, start: int, end: int, heard: Callable[[int], None]) -> bytearray:
        """Return the bytes of a file from `start` up to `end`."""
        return self._store.read_range(file, start, end, heard)

    def stream(self, file: SourceFile, heard: Callable[[int], None]) -> Generator[bytes]:
        """Yield all bytes of a file in order."""
        yield from self._store.stream(file, heard)

    def upload(self, path: Path, url: str) -> None:
        """Copy a staging file to a path."""
        Path(url).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, url)


@contextmanager
def open_scratch(folder: str, memory_bytes: int, files: Sequence[StagingFile]) -> Iterator[Scratch]:
    """Yield staged rows for questions; what takes more memory than this spills into a folder below `folder`."""
    with ExitStack() as stack:
        own = stack.enter_context(tempfile.TemporaryDirectory(dir=folder))
        database = stack.enter_context(closing(connect(Path(own), memory_bytes, os.cpu_count() or 1)))
        yield Scratch(database, files)


class Scratch:
    """Staged rows of all sample files."""

    def __init__(self, database: duckdb.DuckDBPyConnection, files: Sequence[StagingFile]) -> None:
        self._database = database
        self._files = [file.url for file in files]

    @property
    def rows(self) -> int:
        """The number of rows."""
        ((count,),) = self._ask(f"select count(*) from {self._rows}") if self._files else ((0,),)
        return int(count)

    def values(self, column: str, limit: int) -> tuple[str, ...]:
        """Return the distinct values of a column of texts; of more than `limit` two of each shape, the frequent first.

        The shape of a text is what is left when its digits are alike.
        """
        if not self._files:
            return ()
        counted = f"select t, count(*) as n from (select {named(column)} as t from {self._rows}) where t is not null"
        rows = self._ask(f"select t from ({counted} group by t) order by n desc, t limit {limit + 1}")
        if len(rows) > limit:
            shape = "regexp_replace(t, '[0-9]', '0', 'g')"
            ends = f"select unnest([min(t), max(t)]) as t, sum(n) as n from ({counted} group by t) group by {shape}"
            rows = self._ask(f"select distinct t, n from ({ends}) order by n desc, t limit {limit}")
        return tuple(row[0] for row in rows)

    def padded(self, column: str) -> bool:
        """Return whether a column of texts has one with blanks or tabs at an end."""
        name = named(column)
        return bool(
            self._files and self._ask(f"select 1 from {self._rows} where {name} != trim({name}, ' \t') limit 1")
        )

    def other_than_ascii(self, columns: Sequence[str], files: Sequence[int], limit: int) -> list[str]:
        """Return some texts of some columns, of the files with these ordinals, with characters beyond ASCII."""
        found: list[str] = []
        for column in columns if self._files else ():
            name = named(column)
            where = f"{FILE_COLUMN} in ({', '.join(map(str, files))}) and strlen({name}) > length({name})"
            found += [
                text for (text,) in self._ask(f"select distinct {name} from {self._rows} where {where} limit {limit}")
            ]
        return found

    def repeated(self, columns: Sequence[str]) -> int:
        """Return how many rows of some file have the same values in columns as an earlier one of it."""
        names = ", ".join(_compared(column) for column in columns)
        ((count,),) = self._ask(
            f"select coalesce(sum(n - 1), 0) from (select count(*) as n from {self._rows} "
            f"group by {FILE_COLUMN}, {names})"
        )
        return int(count)

    def shared(self, columns: Sequence[str]) -> int:
        """Return how many combinations of values in columns come in several files."""
        names = ", ".join(_compared(column) for column in columns)
        ((count,),) = self._ask(
            f"select count(*) from (select 1 from {self._rows} group by {names} "
            f"having count(distinct {FILE_COLUMN}) > 1)"
        )
        return int(count)

    def nulls(self, columns: Sequence[str]) -> dict[str, int]:
        """Return how many rows have no value, by column."""
        counts = ", ".join(f"count(*) - count({named(column)})" for column in columns)
        (row,) = self._ask(f"select {counts} from {self._rows}")
        return dict(zip(columns, row, strict=True))

    @property
    def _rows(self) -> str:
        return f"read_parquet([{', '.join(map(quoted, self._files))}])"

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        return self._database.execute(query).fetchall()


def _compared(column: str) -> str:
    # Redshift compares texts without their trailing blanks.
    name = named(column)
    return f"case typeof({name}) when 'VARCHAR' then rtrim(cast({name} as varchar)) else cast({name} as varchar) end"

"""Turns the checked document of a feed's tests into values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources.abc import Traversable
from typing import Any

from framework.dataclass import dataclass
from framework.model.column_type import ColumnType, parse_type
from framework.spec.checks.feed_tests import file_at
from framework.spec.document import Document, Path
from framework.spec.feed_tests import (
    PARTS,
    Cell,
    Entry,
    Expected,
    ExpectedColumn,
    ExpectedColumns,
    FeedTest,
    FeedTests,
    GivenFile,
    GivenStatement,
    GivenTable,
    Listed,
    Place,
)
from framework.spec.row_table import TableCell, read_table


def build_feed_tests(document: Document, pipeline: str, folder: Traversable) -> FeedTests:
    """Return the tests that a checked document describes; `folder` is where the paths in it begin."""
    builder = _Builder(document, folder)
    fields: Any = document.value
    tests = tuple(builder.test(name, fields["tests"][name]) for name in fields["tests"])
    return FeedTests(pipeline, document.shown, tests)


@dataclass(frozen=True)
class _Builder:
    document: Document
    folder: Traversable

    def test(self, name: str, fields: Mapping[str, Any]) -> FeedTest:
        path: Path = ("tests", name)
        given, at = fields["given"], (*path, "given")
        loads = tuple(self._load(entry, (*at, "files", number)) for number, entry in enumerate(given["files"]))
        return FeedTest(
            name,
            self.document.keys[path],
            self._table(given["table"], (*at, "table")) if "table" in given else None,
            tuple(
                GivenStatement(text, self.document.values[(*at, "sql", number)])
                for number, text in enumerate(given.get("sql", ()))
            ),
            loads,
            self._expected(fields["expect"], (*path, "expect")),
        )

    def _table(self, fields: Mapping[str, Any], path: Path) -> GivenTable:
        columns: Mapping[str, ColumnType] = {name: parse_type(text) for name, text in fields["columns"].items()}
        return GivenTable(columns, self._rows(fields.get("rows", []), (*path, "rows")), self.document.keys[path])

    def _load(self, entry: str | Mapping[str, Any], path: Path) -> tuple[GivenFile, ...]:
        if isinstance(entry, str):
            return (GivenFile(entry.rpartition("/")[2], file_at(self.folder, entry), self.document.values[path]),)
        return tuple(
            GivenFile(
                name,
                content.encode("utf-8") if isinstance(content, str) else file_at(self.folder, content["path"]),
                self.document.keys[(*path, name)],
            )
            for name, content in entry.items()
        )

    def _expected(self, fields: Mapping[str, Any], path: Path) -> Expected:
        rows = (*path, "rows")
        return Expected(
            Listed(self._rows(fields["rows"], rows), self.document.keys[rows]) if "rows" in fields else None,
            self._columns(fields["columns"], (*path, "columns")) if "columns" in fields else None,
            {part: self._list(fields[part], (*path, part)) for part in PARTS if part in fields},
            self.document.keys[path],
        )

    def _columns(self, fields: Mapping[str, str], path: Path) -> ExpectedColumns:
        columns = [
            ExpectedColumn(name, parse_type(text), self.document.keys[(*path, name)]) for name, text in fields.items()
        ]
        return ExpectedColumns(tuple(columns), self.document.keys[path])

    def _list(self, entries: Sequence[Mapping[str, Any]], path: Path) -> Listed:
        written = [self._entry((*path, number), entry) for number, entry in enumerate(entries)]
        return Listed(tuple(written), self.document.keys[path])

    def _rows(self, rows: str | list[Mapping[str, Any]], path: Path) -> tuple[Entry, ...]:
        if isinstance(rows, str):
            text = self.document.text_place(path)
            return tuple(_table_row(row, text.at) for row in read_table(rows))
        return tuple(self._entry((*path, number), row) for number, row in enumerate(rows))

    def _entry(self, path: Path, fields: Mapping[str, Any]) -> Entry:
        cells = {name: self._cell((*path, name), value) for name, value in fields.items()}
        places = {name: self.document.values[(*path, name)] for name in fields}
        return Entry(cells, self.document.values[path], places)

    def _cell(self, path: Path, value: Any) -> Cell:
        return None if value is None else self.document.numbers.get(path, str(value))


def _table_row(row: Mapping[str, TableCell], at: Callable[[tuple[int, int]], Place]) -> Entry:
    places = {name: at(cell.within) for name, cell in row.items()}
    return Entry({name: cell.text for name, cell in row.items()}, next(iter(places.values())), places)

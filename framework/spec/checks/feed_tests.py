"""Checks of a feed's tests: what they name must be there, and what they give must fit together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources.abc import Traversable

from framework.model.column_type import parse_type
from framework.model.words import listed
from framework.spec.checks.names import column_name_findings
from framework.spec.document import Finding, Path, field_name
from framework.spec.feed_tests import PARTS
from framework.spec.fields import mapping_at, mapping_list, text_at, text_entries
from framework.spec.json_schema import closest
from framework.spec.row_table import TableTextError, read_table


def feed_test_findings(folder: Traversable, document: object) -> Iterator[Finding]:
    """Yield the problems of tests; `folder` is where the paths in them begin."""
    for name in mapping_at(document, "tests"):
        given, expect = ("tests", name, "given"), ("tests", name, "expect")
        yield from _file_findings(document, (*given, "files"), folder)
        for columns in ((*given, "table", "columns"), (*expect, "columns")):
            yield from _column_findings(document, columns)
        known = mapping_at(document, *given, "table", "columns")
        yield from _row_findings(document, (*given, "table", "rows"), list(known))
        yield from _row_findings(document, (*expect, "rows"), None)
        names = [file for _, file, _ in _given_files(document, (*given, "files"))]
        for part in PARTS:
            yield from _named_findings(document, (*expect, part), names)


def _given_files(document: object, path: tuple[str, ...]) -> Iterator[tuple[Path, str, str | None]]:
    """Yield the place of each given file, its name, and the path that it is read from, if it is."""
    entries = mapping_at(document, *path[:-1]).get(path[-1])
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, str):
            yield (*path, number), entry.rpartition("/")[2], entry
        elif isinstance(entry, dict):
            for name, content in entry.items():
                yield (*path, number, name, "path"), name, text_at(content, "path")


def _file_findings(document: object, path: tuple[str, ...], folder: Traversable) -> Iterator[Finding]:
    for at, _, written in _given_files(document, path):
        if written is not None and not file_at(folder, written).is_file():
            message = f"{field_name(at)}: there is no file {written!r}"
            yield Finding(at, "spec/test-file", message, f"Paths are relative to {folder}.")


def _named_findings(document: object, path: tuple[str, ...], names: Sequence[str]) -> Iterator[Finding]:
    """Check that the entries of a list name given files, or members of given archives."""
    for at, entry in mapping_list(document, *path):
        name = text_at(entry, "file")
        if name is not None and not any(name == each or name.startswith(f"{each}/") for each in names):
            slip = closest(name, names)
            message = f"{field_name((*at, 'file'))}: {name!r} is not among given.files"
            fix = f"Did you mean {slip!r}?" if slip else f"There is {listed(names)}."
            yield Finding((*at, "file"), "spec/test-file", message, fix)


def file_at(folder: Traversable, written: str) -> Traversable:
    """Return the file at a path that a test has."""
    return folder.joinpath(*written.split("/"))


def _column_findings(document: object, path: tuple[str, ...]) -> Iterator[Finding]:
    for at, text in text_entries(document, *path):
        yield from column_name_findings(at, str(at[-1]), at_key=True)
        try:
            parse_type(text)
        except ValueError as error:
            yield Finding(at, "spec/type-name", f"{field_name(at)}: {error}", "Write it as in Redshift's DDL.")


def _row_findings(document: object, path: tuple[str, ...], known: list[str] | None) -> Iterator[Finding]:
    """Check that all rows name the same columns, and known ones where these are limited."""
    text = text_at(document, *path)
    if text is not None:
        yield from _table_findings(path, text, known)
        return
    first: list[str] | None = None
    for at, row in mapping_list(document, *path):
        for name in row:
            if known is not None and name not in known:
                yield _unknown((*at, name), name)
        first = list(row) if first is None else first
        for name in first:
            if name not in row:
                message = f"{field_name(path)}: the row lacks {name!r}, which the first row has"
                yield Finding(at, "spec/test-row", message, f"Add it; NULL is {name}: null.")
        for name in row:
            if name not in first:
                message = f"{field_name(path)}: the row has {name!r}, which the first row lacks"
                yield Finding((*at, name), "spec/test-row", message, "Let all rows name the same columns.", at_key=True)


def _table_findings(path: Path, text: str, known: list[str] | None) -> Iterator[Finding]:
    try:
        rows = read_table(text)
    except TableTextError as error:
        fix = 'The first line has the column names, the others a row each: 1,,"a, b".'
        yield Finding(path, "spec/test-row", f"{field_name(path)}: {error}", fix, within=error.within)
        return
    for name in rows[0] if rows and known is not None else ():
        if known is not None and name not in known:
            yield _unknown(path, name)


def _unknown(path: Path, name: str) -> Finding:
    message = f"{field_name(path)}: {name!r} is not among the columns of the given table"
    return Finding(path, "spec/test-row", message, "Add it to given.table.columns with its type.", at_key=True)

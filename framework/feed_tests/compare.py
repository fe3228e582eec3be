"""Compares what a test has found with what it expects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from framework.feed_tests.matching import match_all, pair_similar
from framework.feed_tests.outcome import Difference, FoundColumn, FoundEntry, Outcome
from framework.feed_tests.rows import cell_text, compare_rows, row_text
from framework.feed_tests.values import same_type
from framework.spec.feed_tests import PARTS, Cell, Entry, Expected, ExpectedColumns, Listed

_IN_PART = frozenset({"message", "reason"})
"""Fields of which a test writes a part."""
_TYPES = frozenset({"from", "to"})


def compare(expected: Expected, found: Outcome, keys: Sequence[str]) -> list[Difference]:
    """Return all differences, part by part; empty where everything is as expected. `keys` are the upsert keys.

    A file that failed is a difference unless the test expects errors.
    """
    differences: list[Difference] = []
    if expected.columns is not None:
        differences += _compare_columns(expected.columns, found.columns)
    if expected.rows is not None:
        differences += compare_rows(expected.rows, found, keys)
    for part in PARTS:
        listed = expected.lists.get(part, Listed((), expected.place) if part == "errors" else None)
        if listed is not None:
            differences += _compare_list(part, listed, found.lists[part])
    return differences


def _compare_columns(expected: ExpectedColumns, found: Sequence[FoundColumn]) -> Iterator[Difference]:
    there = {column.name: column for column in found}
    for column in expected.columns:
        if column.name not in there:
            yield Difference("columns", column.place, f"missing column {column.name} {column.type}")
        elif there[column.name].type != column.type:
            message = f"{column.name}: expected {column.type}, found {there[column.name].type_text}"
            yield Difference("columns", column.place, message)
    names = [column.name for column in expected.columns]
    for found_column in found:
        if found_column.name not in names:
            message = f"unexpected column {found_column.name} {found_column.type_text}"
            yield Difference("columns", expected.place, message)
    wanted = [column for column in expected.columns if column.name in there]
    order = [name for name in there if name in names]
    for column, name in zip(wanted, order, strict=True):
        if column.name != name:
            message = f"the order is different: expected {column.name}, found {name} in its place"
            yield Difference("columns", column.place, message)
            return


def _compare_list(part: str, expected: Listed, found: Sequence[FoundEntry]) -> Iterator[Difference]:
    entries = expected.entries
    matched = match_all(len(entries), len(found), lambda one, other: not _unlike(entries[one], found[other]))
    taken = set(matched.values())
    pairing = pair_similar(
        [one for one in range(len(entries)) if one not in matched],
        [other for other in range(len(found)) if other not in taken],
        lambda one, other: 1 - len(_unlike(entries[one], found[other])) / len(entries[one].cells),
    )
    for one, other in pairing.changed:
        entry = entries[one]
        alike = [name for name in entry.cells if name not in _unlike(entry, found[other])]
        for name in _unlike(entry, found[other]):
            wanted = "a text with " if name in _IN_PART and entry.cells[name] is not None else ""
            message = f"expected {wanted}{cell_text(entry.cells[name])}, found {cell_text(found[other][name])}"
            yield Difference(part, entry.places[name], f"{row_text(entry.cells, alike)}: {name}: {message}")
    for position in pairing.missing:
        entry = entries[position]
        yield Difference(part, entry.place, f"missing {row_text(entry.cells, list(entry.cells))}")
    for position in pairing.unexpected:
        yield Difference(part, expected.place, _unexpected(part, found[position]))


def _unexpected(part: str, found: FoundEntry) -> str:
    """Return what was found, in one line; a failure with its whole message, which says what to do."""
    if part == "errors":
        return f"{found['file'] or 'the load'} failed with {found['type']}: {found['message']}"
    return f"unexpected {row_text(found, [name for name, cell in found.items() if cell is not None])}"


def _unlike(entry: Entry, found: FoundEntry) -> list[str]:
    """Return the fields of an expected entry that a found one does not share."""
    return [name for name, wanted in entry.cells.items() if not _is_alike(name, wanted, found[name])]


def _is_alike(name: str, wanted: Cell, found: Cell) -> bool:
    if wanted is None or found is None:
        return wanted is found
    if name in _IN_PART:
        return wanted in found
    return same_type(wanted, found) if name in _TYPES else wanted == found

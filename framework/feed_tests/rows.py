"""The difference between the rows of a table and the expected ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence

from framework.feed_tests.matching import Pairing, pair_similar
from framework.feed_tests.outcome import Difference, FoundColumn, Outcome
from framework.feed_tests.values import comparable
from framework.spec.feed_tests import Cell, Entry, Listed
from framework.spec.json_schema import closest

MOST_SHOWN = 20
"""So many missing, and so many unexpected rows are shown."""
_Row = Mapping[str, Cell]
_Values = tuple[Hashable, ...]


def compare_rows(expected: Listed, found: Outcome, keys: Sequence[str]) -> Iterator[Difference]:
    """Yield what is different about the table's rows, cell by cell where a found row is the counterpart.

    Of two rows, one is the counterpart of the other if they have the same upsert keys, or else most cells in common.
    """
    if not found.columns:
        yield Difference("rows", expected.place, "there is no table")
        return
    entries = expected.entries
    by_name = {column.name: column for column in found.columns}
    names = list(entries[0].cells) if entries else list(by_name)
    for name in names:
        if name not in by_name:
            yield Difference("rows", entries[0].places[name], _no_column(name, list(by_name)))
    columns = [by_name[name] for name in names if name in by_name]
    pairing = _paired([entry.cells for entry in entries], found.rows, columns, keys)
    for one, other in pairing.changed:
        yield from _changed_cells(entries[one], found.rows[other], columns, keys)
    shown = [column.name for column in columns]
    for position in pairing.missing[:MOST_SHOWN]:
        entry = entries[position]
        yield Difference("rows", entry.place, f"missing row {row_text(entry.cells, shown)}")
    for position in pairing.unexpected[:MOST_SHOWN]:
        yield Difference("rows", expected.place, f"unexpected row {row_text(found.rows[position], shown)}")
    for kind, positions in (("missing", pairing.missing), ("unexpected", pairing.unexpected)):
        if len(positions) > MOST_SHOWN:
            yield Difference("rows", expected.place, f"and {len(positions) - MOST_SHOWN:,} more {kind} rows")


def row_text(row: _Row, names: Sequence[str]) -> str:
    """Return cells of a row for a message."""
    return "{" + ", ".join(f"{name}: {cell_text(row[name])}" for name in names) + "}"


def cell_text(cell: Cell) -> str:
    """Return a cell for a message: text in quotes, so that NULL is something else."""
    return "NULL" if cell is None else repr(cell)


def _no_column(name: str, names: Sequence[str]) -> str:
    slip = closest(name, names)
    return f"the table has no column {name!r}" + (f"; did you mean {slip!r}?" if slip else "")


def _paired(
    expected: Sequence[_Row], found: Sequence[_Row], columns: Sequence[FoundColumn], keys: Sequence[str]
) -> Pairing:
    wanted = [_values(row, columns) for row in expected]
    there = [_values(row, columns) for row in found]
    missing, unexpected = _without_equal(wanted, there)
    places = [place for place, column in enumerate(columns) if column.name in keys]
    by_key = _pairs_of_equal(missing, unexpected, wanted, there, places) if len(places) == len(keys) and keys else {}
    rest = pair_similar(
        [one for one in missing if one not in by_key],
        [other for other in unexpected if other not in by_key.values()],
        lambda one, other: sum(map(_same, wanted[one], there[other])) / max(1, len(columns)),
    )
    return Pairing(tuple(sorted([*by_key.items(), *rest.changed])), rest.missing, rest.unexpected)


def _same(one: Hashable, other: Hashable) -> bool:
    return one == other


def _values(row: _Row, columns: Sequence[FoundColumn]) -> _Values:
    # A text that is no value of its type equals nothing that is one.
    return tuple(comparable(row[column.name], column.type) for column in columns)


def _without_equal(wanted: Sequence[_Values], there: Sequence[_Values]) -> tuple[list[int], list[int]]:
    """Return the positions that are left on each side once equal rows are taken off both."""
    left = Counter(wanted) & Counter(there)
    return _beyond(wanted, left.copy()), _beyond(there, left)


def _beyond(rows: Sequence[_Values], common: Counter[_Values]) -> list[int]:
    positions = []
    for position, row in enumerate(rows):
        if common[row] > 0:
            common[row] -= 1
        else:
            positions.append(position)
    return positions


def _pairs_of_equal(
    missing: Sequence[int],
    unexpected: Sequence[int],
    wanted: Sequence[_Values],
    there: Sequence[_Values],
    places: Sequence[int],
) -> dict[int, int]:
    """Pair the rows that have the same values in some places."""
    waiting: dict[_Values, list[int]] = {}
    for other in reversed(unexpected):
        waiting.setdefault(tuple(there[other][place] for place in places), []).append(other)
    pairs = {}
    for one in missing:
        if others := waiting.get(tuple(wanted[one][place] for place in places)):
            pairs[one] = others.pop()
    return pairs


def _changed_cells(
    entry: Entry, found: _Row, columns: Sequence[FoundColumn], keys: Sequence[str]
) -> Iterator[Difference]:
    own = [key for key in keys if key in entry.cells]
    row = row_text(entry.cells, own or [column.name for column in columns])
    for column in columns:
        wanted, there = entry.cells[column.name], found[column.name]
        if comparable(wanted, column.type) != comparable(there, column.type):
            message = f"{row}: {column.name}: expected {cell_text(wanted)}, found {cell_text(there)}"
            yield Difference("rows", entry.places[column.name], message)

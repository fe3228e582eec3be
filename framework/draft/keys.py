"""The columns that identify a row, as the sample files show them: exactly one candidate, or none is taken.

A candidate has a value in every row, and no value twice in one file. See docs/init.md for the rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from framework.dataclass import dataclass
from framework.model.column_type import ColumnType, Kind
from framework.model.words import counted

FEWEST_ROWS = 2
FEWEST_ROWS_OF_OTHERS = 20
"""Below so many rows a column without the name of a key, or a combination, may be unique by chance."""
_MOST_COLUMNS = 8
_LARGEST = 3
_FIRST_COLUMNS = 3
_WORDS = (
    "id|key|pk|uuid|guid|code|nr|no|num|number|nummer|kennung|schluessel|numero|clave|cle|codigo|isbn|ean|gtin|sku|iban"
)
_NAMED = re.compile(rf"(?:.*_)?(?:{_WORDS})|(?:id|uuid|pk)_.+|[a-z_]+(?:id|nr|nummer|number)")
_FIRST = re.compile(r"id|key|pk|uuid|guid|row_id|record_id")


@dataclass(frozen=True)
class KeyColumn:
    """A column that all files have: its name and its type. `nulls` counts the rows without a value."""

    name: str
    type: ColumnType
    nulls: int


@dataclass(frozen=True)
class Keys:
    """The keys of the feed, none where the candidates are not exactly one; `why` says how they were found or not."""

    names: tuple[str, ...]
    why: str


Repeated = Callable[[Sequence[str]], int]
"""Returns how many rows of some file repeat the values that an earlier one has in some columns."""


def guess_keys(pipeline: str, columns: Sequence[KeyColumn], rows: int, repeated: Repeated) -> Keys:
    """Return the columns that identify a row. `columns` are in the order of the files."""
    if rows < FEWEST_ROWS:
        return Keys((), "the files hold one row or none, in which every column is unique")
    if len(columns) == 1 and columns[0].type.is_text:
        return Keys((), f"{columns[0].name} is the only column, and a text: lines that differ are no keys")
    filled = [column for column in columns if not column.nulls]
    whole = [column.name for column in filled if _may_be_key(column.type)]
    repeats = {name: repeated([name]) for name in whole}
    unique = [name for name, count in repeats.items() if count == 0]
    named = [(name, count) for name, count in repeats.items() if count and _NAMED.fullmatch(name)]
    others = "".join(f"; {name} repeats in {counted(count, 'row')}" for name, count in named[:3])
    if (by_name := _named_as_key(pipeline, unique)) is not None:
        return by_name
    if rows < FEWEST_ROWS_OF_OTHERS:
        return Keys((), "no unique column has the name of a key, and so few rows prove none" + _listed(unique) + others)
    if unique:
        first = columns[0].name if columns else ""
        if first in unique:
            return Keys((first,), "the first column: a value in every row, none twice in a file")
        return Keys((), "no unique column has the name of a key or is the first" + _listed(unique) + others)
    found = _combination([column for column in filled if _may_be_part(column.type)], repeated)
    return found if found.names else Keys((), found.why + others)


def _named_as_key(pipeline: str, unique: Sequence[str]) -> Keys | None:
    """Return the key by the names of unique columns, or why there is none; None where no name is one of a key."""
    for tier, why in (
        ([name for name in unique if _FIRST.fullmatch(name) or name in _own_names(pipeline)], "named as the key"),
        ([name for name in unique if _NAMED.fullmatch(name)], "the only column with the name of a key that is unique"),
    ):
        if len(tier) == 1:
            return Keys((tier[0],), f"{why}: a value in every row, none twice in a file")
        if tier:
            return Keys((), f"several columns may be the key: {', '.join(tier)}")
    return None


def check_keys(
    names: Sequence[str], columns: Mapping[str, KeyColumn], all_columns: Sequence[str], repeated: int
) -> str:
    """Return what is wrong with keys that were asked for; an empty text where nothing is."""
    faults = []
    for name in names:
        if name not in all_columns:
            faults.append(f"there is no column {name!r}; there is {', '.join(all_columns[:20])}")
        elif name not in columns:
            faults.append(f"the column {name!r} is not in every file")
        elif columns[name].nulls:
            nulls = columns[name].nulls
            faults.append(f"{counted(nulls, 'row has', 'rows have')} no {name}")
        elif columns[name].type.kind is Kind.SUPER:
            faults.append(f"{name} holds objects or arrays, which cannot be compared")
    if not faults and repeated:
        rows = counted(repeated, "row repeats", "rows repeat")
        faults.append(f"{rows} the {', '.join(names)} of an earlier row of the file")
    return "; ".join(faults)


def _combination(columns: Sequence[KeyColumn], repeated: Repeated) -> Keys:
    """Return the only smallest combination of columns that look like parts of a key."""
    parts = [
        column.name
        for place, column in enumerate(columns)
        if place < _FIRST_COLUMNS or _NAMED.fullmatch(column.name) or column.type.kind in (Kind.DATE, Kind.TIMESTAMP)
    ][:_MOST_COLUMNS]
    for size in range(2, _LARGEST + 1):
        found = [names for names in combinations(parts, size) if repeated(names) == 0]
        if len(found) == 1:
            return Keys(found[0], "no column is unique by itself, and no other combination as small is")
        if found:
            listed = " or ".join(" + ".join(names) for names in found[:5])
            return Keys((), f"several combinations may be the key: {listed}")
    return Keys((), "no column is unique in every file, and no small combination of likely ones")


def _may_be_key(column_type: ColumnType) -> bool:
    return column_type.is_integer or column_type.is_text


def _may_be_part(column_type: ColumnType) -> bool:
    return _may_be_key(column_type) or column_type.kind in (Kind.DATE, Kind.TIMESTAMP)


def _own_names(pipeline: str) -> set[str]:
    stems = {pipeline.replace("-", "_")}
    stems |= {stem.removesuffix("s") for stem in stems} | {stem.removesuffix("es") for stem in stems}
    return {f"{stem}_{word}" for stem in stems for word in ("id", "key", "no", "nr", "number", "code")}


def _listed(names: Sequence[str]) -> str:
    return f" ({', '.join(names[:5])})" if names else ""

"""Column names: from the headers of a file to the columns of the target, no two alike."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from framework.names import MAX_NAME_BYTES
from framework.schema.values import FILE_COLUMN, ROW_COLUMN
from framework.spec.clean_name import HASH_DIGITS, SYSTEM_COLUMNS, clean_name, digest, plain_name, with_suffix
from framework.spec.pipeline import ColumnsSpec

_HASH_DIGITS = (HASH_DIGITS, 12, 24, 64)
"""Hex digits that tell colliding names apart; more of them only where fewer collide again."""


@dataclass(frozen=True)
class NameChange:
    """A header whose column is not simply its text in lower case, and why."""

    raw: str
    name: str
    why: str


@dataclass(frozen=True)
class _Header:
    """One header of a file. `occurrence` counts equal texts from 1."""

    raw: str
    base: str
    occurrence: int

    def candidate(self, level: int) -> str:
        """Return the header's name after it has collided `level` times."""
        marks = []
        if level:
            # A header may hold the longest hash of another as its text.
            salt = "\0" * max(0, level - len(_HASH_DIGITS))
            marks.append(digest(self.raw + salt)[: _HASH_DIGITS[min(level, len(_HASH_DIGITS)) - 1]])
        if self.occurrence > 1:
            marks.append(str(self.occurrence))
        return with_suffix(self.base, "".join(f"_{mark}" for mark in marks)) if marks else self.base


def clean_names(raw: Sequence[str]) -> tuple[str, ...]:
    """Return a valid name for each header, no two alike, whatever order the headers come in.

    Headers with one text are counted: `a`, `a_2`. Of different texts that clean to one name, the one that is that
    name keeps it and every other gets `_` and 6 hex digits of its text's hash. So a column's name does not depend
    on where it stands, unless it has none.
    """
    headers = _headers(raw)
    levels = [0] * len(headers)
    while True:
        names = [header.candidate(level) for header, level in zip(headers, levels, strict=True)]
        holders: dict[str, list[int]] = defaultdict(list)
        for index, name in enumerate(names):
            holders[name].append(index)
        rivals = [group for group in holders.values() if len(group) > 1]
        if not rivals:
            return tuple(names)
        for group in rivals:
            for index in group:
                is_exact = headers[index].raw == names[index] and levels[index] == 0
                levels[index] += 0 if is_exact else 1


def target_names(raw: Sequence[str], columns: ColumnsSpec) -> tuple[tuple[str, ...], tuple[NameChange, ...]]:
    """Return the target column of each header, and what was changed beyond lower case.

    Raises:
        ValueError: two headers go to one column, or one to a name that staging needs itself.
    """
    cleaned = clean_names(raw)
    names = tuple(columns.rename.get(name, name) for name in cleaned)
    for name, count in Counter(names).items():
        if count > 1:
            sources = [repr(text) for text, target in zip(raw, names, strict=True) if target == name]
            raise ValueError(
                f"the columns {' and '.join(sources)} would both become {name!r}; "
                "see columns.rename, or send the file with one of them"
            )
        if name in (FILE_COLUMN, ROW_COLUMN) and name not in columns.exclude:
            raise ValueError(f"the name {name!r} is Feedway's own; give the column another in columns.rename")
    changes = (
        NameChange(text, name, _reason(text, clean, name))
        for text, clean, name in zip(raw, cleaned, names, strict=True)
        if name != unicodedata.normalize("NFC", text).lower()
    )
    return names, tuple(changes)


def _headers(raw: Sequence[str]) -> list[_Header]:
    seen: Counter[str] = Counter()
    headers = []
    for position, text in enumerate((unicodedata.normalize("NFC", each) for each in raw), start=1):
        seen[text] += 1
        # Headers without a text are told apart by their position.
        headers.append(_Header(text, clean_name(text, position), seen[text] if text.strip() else 1))
    return headers


def _reason(raw: str, cleaned: str, name: str) -> str:
    plain = plain_name(raw)
    if name != cleaned:
        return "columns.rename"
    if not raw.strip():
        return "the header is empty"
    if not plain:
        return "the header has no letter or digit"
    if cleaned == f"_{plain}":
        return "a name does not start with a digit"
    if plain in SYSTEM_COLUMNS and cleaned == f"{plain}_":
        return f"{plain} is a system column"
    if len(plain.encode("utf-8")) >= MAX_NAME_BYTES and cleaned != plain:
        return f"a name has at most {MAX_NAME_BYTES} bytes"
    if cleaned != plain:
        return "another header cleans to the same name"
    return "a name has only lower case letters, digits and _"

"""Column names: from what a file's header says to names a warehouse takes.

A cleaned name is lower case, every run of characters other than a-z and 0-9 is one `_`, and
none stands at either end: `First Name!` becomes `first_name`. Letters lose their accents first
and are folded (`é` is `e`, `ö` is `o`, `ß` is `ss`); letters that have no such form count as
other characters.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from framework.names import MAX_NAME_BYTES
from framework.schema.values import FILE_COLUMN, ROW_COLUMN
from framework.spec.pipeline import ColumnsSpec

_OTHER_CHARACTERS = re.compile(r"[^a-z0-9]+")
_HASH_LENGTHS = (6, 12, 24, 64)
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
            marks.append(_digest(self.raw)[: _HASH_LENGTHS[level - 1]])
        if self.occurrence > 1:
            marks.append(str(self.occurrence))
        suffix = "".join(f"_{mark}" for mark in marks)
        return self.base[: MAX_NAME_BYTES - len(suffix)] + suffix


def clean_names(raw: Sequence[str]) -> tuple[str, ...]:
    """Return a valid name for each header, no two alike, whatever order the headers come in.

    An empty name becomes `column_<position>`, a name that starts with a digit gets `_` before
    it, one of more than 127 bytes ends in 8 hex digits of its hash. Headers with one text are
    counted: `a`, `a_2`. Of different texts that clean to one name, the one that is that name
    keeps it and every other gets `_` and 6 hex digits of its text's hash. So a column's name
    does not depend on where it stands, unless it has none.
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
        if name != text.lower()
    )
    return names, tuple(changes)


def _headers(raw: Sequence[str]) -> list[_Header]:
    seen: Counter[str] = Counter()
    headers = []
    for position, text in enumerate(raw, start=1):
        seen[text] += 1
        is_nameless = not _plain(text)
        # Nameless headers are told apart by their position, so their texts are not counted.
        headers.append(_Header(text, _base_name(text, position), 1 if is_nameless else seen[text]))
    return headers


def _plain(raw: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", raw).casefold())
    letters = "".join(character for character in folded if not unicodedata.combining(character))
    return _OTHER_CHARACTERS.sub("_", letters).strip("_")


def _base_name(raw: str, position: int) -> str:
    name = _plain(raw)
    if not name:
        return f"column_{position}"
    if name[0].isdigit():
        name = f"_{name}"
    if len(name) > MAX_NAME_BYTES:
        return f"{name[: MAX_NAME_BYTES - 9]}_{_digest(raw)[:8]}"
    return name


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()


def _reason(raw: str, cleaned: str, name: str) -> str:
    plain = _plain(raw)
    if name != cleaned:
        return "columns.rename"
    if not plain:
        return "the header is empty"
    if len(plain) >= MAX_NAME_BYTES and cleaned != plain:
        return f"a name has at most {MAX_NAME_BYTES} bytes"
    if cleaned == f"_{plain}":
        return "a name does not start with a digit"
    if cleaned != plain:
        return "another header cleans to the same name"
    return "a name has only lower case letters, digits and _"

"""Column names: from the headers of a file to the columns of the target, no two alike."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from framework.dataclass import dataclass
from framework.model.clean_name import HASH_DIGITS, SYSTEM_COLUMNS, clean_name, digest, plain_name, with_suffix
from framework.model.load_warning import LoadWarning
from framework.model.names import MAX_NAME_BYTES
from framework.model.staging import FILE_COLUMN, ROW_COLUMN
from framework.plan.spellings import Spellings
from framework.spec.pipeline import ColumnsSpec

_HASH_DIGITS = (HASH_DIGITS, 12, 24, 64)
"""Hex digits that distinguish colliding names; more of them only where fewer collide again."""
NOTHING_KNOWN = Spellings()


@dataclass(frozen=True)
class NameChange:
    """A header whose column is not simply its text in lower case, and why.

    `is_duplicate` says that another header of the file has its clean name, and that neither a column was made for it
    before nor the spec names it.
    """

    raw: str
    name: str
    why: str
    is_duplicate: bool


class NameClashError(ValueError):
    """Headers that go to one column. `brief` has their positions in place of their texts."""

    def __init__(self, name: str, sources: Mapping[int, str]) -> None:
        ways_out = "see columns.rename, or send the file with one of them"
        texts, positions = map(repr, sources.values()), map(str, sources)
        super().__init__(f"the columns {' and '.join(texts)} would both become {name!r}; {ways_out}")
        self.brief = f"the columns {' and '.join(positions)} of the file would have one name; {ways_out}"


@dataclass(frozen=True)
class _Header:
    """One header of a file. `occurrence` counts equal texts from 1."""

    raw: str
    digest: str
    base: str
    occurrence: int

    def candidate(self, level: int) -> str:
        """Return the header's name after it has collided `level` times."""
        marks = []
        if level > len(_HASH_DIGITS):
            # A header may hold the longest hash of another as its text.
            marks.append(digest(f"{self.raw}\0{level}"))
        elif level:
            marks.append(self.digest[: _HASH_DIGITS[level - 1]])
        if self.occurrence > 1:
            marks.append(str(self.occurrence))
        return with_suffix(self.base, "".join(f"_{mark}" for mark in marks)) if marks else self.base


@dataclass(frozen=True)
class _Target:
    """The known columns of the target, by cleaned name."""

    spellings: Spellings
    rename: Mapping[str, str]

    def has(self, name: str) -> bool:
        """Return whether the target has the column of a cleaned name."""
        return self.rename.get(name, name) in self.spellings.columns

    def creator(self, name: str) -> str | None:
        """Return the digest of the text for which the column of a cleaned name was created, where it is known."""
        return self.spellings.creators.get(self.rename.get(name, name))

    def own_level(self, header: _Header) -> int | None:
        """Return the level at which a header's name is that of a column created for it; None where there is none.

        A name with a header's hash was made for the header, known or not.
        """
        for level in range(len(_HASH_DIGITS) + 1 if self.spellings.columns else 0):
            name = header.candidate(level)
            creator = self.creator(name)
            if creator == header.digest or (level and creator is None and self.has(name)):
                return level
        return None

    def keeper(self, name: str, rivals: Sequence[_Header]) -> _Header | None:
        """Return the header that keeps a name which several come to; None where each gets another."""
        creator = self.creator(name)
        if creator is not None:
            return next((header for header in rivals if header.digest == creator), None)
        exact = next((header for header in rivals if header.raw == name), None)
        if exact is not None or not self.has(name):
            return exact
        lowered = [header for header in rivals if header.raw.lower() == name]
        return min(lowered or rivals, key=lambda header: (header.digest, header.occurrence))


def clean_names(raw: Sequence[str], spellings: Spellings = NOTHING_KNOWN) -> tuple[str, ...]:
    """Return a valid name for each header, no two alike, whatever order the headers come in.

    Headers with one text are counted: `a`, `a_2`. Of different texts that clean to one name, one keeps it and every
    other gets `_` and 6 hex digits of its text's hash. It is the one for which the target's column was created; where
    that is not known, the one that is the name; and none where neither is in the file and the target has no such
    column. A header has the column that was created for it, also where it comes alone.
    """
    return _names(_headers(raw), _Target(spellings, {}))


def _names(headers: Sequence[_Header], target: _Target) -> tuple[str, ...]:
    levels = [target.own_level(header) or 0 for header in headers]
    while True:
        names = [header.candidate(level) for header, level in zip(headers, levels, strict=True)]
        holders: dict[str, list[int]] = defaultdict(list)
        for index, name in enumerate(names):
            holders[name].append(index)
        groups = [(name, group) for name, group in holders.items() if len(group) > 1]
        if not groups:
            return tuple(names)
        for name, group in groups:
            keeper = target.keeper(name, [headers[index] for index in group])
            for index in group:
                levels[index] += 0 if headers[index] is keeper else 1


def target_names(
    raw: Sequence[str], columns: ColumnsSpec, spellings: Spellings = NOTHING_KNOWN
) -> tuple[tuple[str, ...], tuple[NameChange, ...]]:
    """Return the target column of each header, and what was changed beyond lower case.

    Raises:
        NameClashError: two headers go to one column.
        ValueError: one goes to a name that staging needs itself.
    """
    headers, target = _headers(raw), _Target(spellings, columns.rename)
    cleaned = _names(headers, target)
    names = tuple(columns.rename.get(name, name) for name in cleaned)
    for name, count in Counter(names).items():
        if count > 1:
            raise NameClashError(name, {place + 1: raw[place] for place, each in enumerate(names) if each == name})
        if name in (FILE_COLUMN, ROW_COLUMN) and name not in columns.exclude:
            raise ValueError(f"the name {name!r} is Feedway's own; give the column another in columns.rename")
    chosen = {*columns.rename, *columns.exclude}
    changes = []
    for text, header, clean, name in zip(raw, headers, cleaned, names, strict=True):
        has_own = clean != header.base and target.own_level(header) is not None
        is_duplicate = clean != header.base and clean not in chosen and not has_own
        why = "its spelling has a column of its own" if has_own and name == clean else _reason(text, clean, name)
        if name != header.raw.lower():
            changes.append(NameChange(text, name, why, is_duplicate))
    return names, tuple(changes)


def duplicate_warning(change: NameChange, key: str, *, quotes: bool) -> LoadWarning:
    """Return the warning for a header whose clean name another one of the file has; `quotes` lets it name both."""
    message = (
        f"the header {change.raw!r} has a cleaned name that another header of the file has too, so its column is "
        f"named {change.name!r}. Name it in columns.rename, or list it under columns.exclude"
    )
    brief = "two headers of the file have the same cleaned name"
    if not quotes:
        return LoadWarning("duplicate-name", None, brief, (key,))
    return LoadWarning("duplicate-name", change.name, message, (key,), brief)


def _headers(raw: Sequence[str]) -> list[_Header]:
    seen: Counter[str] = Counter()
    headers = []
    for position, text in enumerate((unicodedata.normalize("NFC", each) for each in raw), start=1):
        seen[text] += 1
        # Headers without a text are distinguished by their position.
        occurrence = seen[text] if text.strip() else 1
        headers.append(_Header(text, digest(text), clean_name(text, position), occurrence))
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

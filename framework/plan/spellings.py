"""Spellings: which header's text each column of the target was created for.

They are remembered in a table of Feedway's own. So of two headers that clean to one name, the one whose column
it is keeps the column, whatever stands first in the file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field, replace

from framework.dataclass import dataclass
from framework.model.clean_name import digest
from framework.model.files import SourceBatch
from framework.model.observation import Observation


@dataclass(frozen=True)
class Spellings:
    """The target's columns and spellings, when a file's headers are named.

    `columns` are those of the target. `creators` holds the digest of the text that created a column; a column
    without one was there before spellings were remembered, or is not Feedway's work.
    """

    columns: frozenset[str] = frozenset()
    creators: Mapping[str, str] = field(default_factory=dict)

    def after(self, columns: Sequence[str], header: Sequence[str]) -> Spellings:
        """Return the spellings after loading a file with these columns, whose header has these texts."""
        new = {
            column: digest(text)
            for column, text in zip(columns, header, strict=True)
            if column not in self.columns or column not in self.creators
        }
        return Spellings(self.columns.union(columns), {**self.creators, **new})


def known_spellings(observed: Observation, rename: Mapping[str, str]) -> Spellings:
    """Return the headers that the target's columns were created for, as far as known.

    A column of `columns.rename` that has no spelling has the one its cleaned name had, before it was renamed.
    """
    if observed.table is None:
        return Spellings()
    columns = frozenset(column.name for column in observed.table.columns)
    creators = {column: text for column, text in observed.spellings.items() if column in columns}
    for cleaned, column in rename.items():
        if column not in creators and cleaned in observed.spellings:
            creators[column] = observed.spellings[cleaned]
    return Spellings(columns, creators)


def new_spellings(
    observed: Observation, rename: Mapping[str, str], batch: SourceBatch, staged: Collection[str]
) -> dict[str, str]:
    """Return the text of the first header, by staged column, of the columns whose spelling is not known yet."""
    known = known_spellings(observed, rename)
    texts: dict[str, str] = {}
    for layout in batch.files:
        for column, text in zip(layout.columns, layout.header, strict=bool(layout.header)):
            if column in staged and not (column in known.columns and column in known.creators):
                texts.setdefault(column, text)
    return texts


def with_spellings(observed: Observation, texts: Mapping[str, str]) -> Observation:
    """Return the observation as it would be once the header's text of each of these columns is remembered."""
    new = {column: digest(text) for column, text in texts.items()}
    return replace(observed, spellings={**observed.spellings, **new})

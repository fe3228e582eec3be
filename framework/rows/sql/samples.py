"""A cell of each column, from the first rows of the first files that have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import duckdb

from framework.model.staging import FromFile, StagingColumn
from framework.rows.segments import Segment
from framework.rows.sql.rows import field_text

SAMPLED_ROWS = 10_000
MOST_CHARACTERS = 60
Samples = Mapping[str, tuple[int, str]]
"""By column the ordinal of a file and one of its cells."""


def sample_cells(
    cursor: duckdb.DuckDBPyConnection, part: Sequence[Segment], columns: Sequence[StagingColumn]
) -> Samples:
    """Return the first cells of a part that are not NULL, cut to MOST_CHARACTERS.

    Of each file only the first rows are read, and only for columns that no earlier file of the part has. A column whose
    cells are NULL there has no sample.
    """
    found: dict[str, tuple[int, str]] = {}
    asked: set[str] = set()
    for segment in sorted(part, key=lambda each: each.layout.ordinal):
        own = [column for column in columns if isinstance(column.value, FromFile) and column.name not in asked]
        texts = {column.name: field_text(segment, column.name, column.notation) for column in own}
        cells = {name: f"left({text}, {MOST_CHARACTERS})" for name, text in texts.items() if text is not None}
        if segment.split or segment.before or not cells:
            continue
        asked.update(cells)
        named = ", ".join(f"{cell} as s{place}" for place, cell in enumerate(cells.values()))
        first = ", ".join(f"any_value(s{place})" for place in range(len(cells)))
        rows = f"select {named} from {segment.relation} limit {SAMPLED_ROWS}"
        values = cursor.execute(f"select {first} from ({rows})").fetchone() or ()
        found |= {
            name: (segment.layout.ordinal, value)
            for name, value in zip(cells, values, strict=True)
            if value is not None
        }
    return found


def first_samples(found: Iterable[Samples]) -> Mapping[str, str]:
    """Return the cell of each column from the first file that has one."""
    samples: dict[str, tuple[int, str]] = {}
    for part in found:
        for name, sample in part.items():
            samples[name] = min(sample, samples.get(name, sample))
    return {name: text for name, (_, text) in samples.items()}

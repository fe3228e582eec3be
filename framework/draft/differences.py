"""What varies between the sample files: columns that only some have, their order, and the types of one file alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from framework.draft.proposal import Proposal
from framework.draft.reading import Samples, read_rows
from framework.draft.spec_text import sample
from framework.model.column_type import ColumnType
from framework.model.files import SourceBatch, SourceFile
from framework.model.words import counted, listed
from framework.plan.columns import PlannedColumn, columns_to_profile
from framework.plan.file_types import file_types
from framework.plan.infer_type import settle_type
from framework.rows.protocol import SourceRows

_MOST_FILES = 50
"""Of more files only the columns are compared: each is read once more by itself."""


def differences_of(
    samples: Samples, proposal: Proposal, columns: Sequence[PlannedColumn], file_columns: Sequence[tuple[str, ...]]
) -> list[str]:
    """Return sentences on what varies between the files, without values. `file_columns` are in the files' order."""
    found = list(_of_columns(columns, file_columns))
    if 1 < len(samples.sources) <= _MOST_FILES:
        found += _of_types(samples, proposal, columns)
    return found


def _of_columns(columns: Sequence[PlannedColumn], file_columns: Sequence[tuple[str, ...]]) -> Iterator[str]:
    total = len(file_columns)
    for column in columns:
        having = sum(column.name in names for names in file_columns)
        if having < total:
            yield f"{column.name} is a column of {counted(having, 'file')} of {total}"
    orders = {tuple(name for name in names if all(name in other for other in file_columns)) for names in file_columns}
    if len(orders) > 1:
        yield "the columns come in another order from file to file, and are matched by name"


def _of_types(samples: Samples, proposal: Proposal, columns: Sequence[PlannedColumn]) -> Iterator[str]:
    """Yield the columns whose type needs the values of several files."""
    spec = proposal.spec()
    alone: dict[str, dict[ColumnType, list[str]]] = {}

    def use(batch: SourceBatch, rows: SourceRows) -> dict[str, ColumnType]:
        unknown = columns_to_profile(spec, None, batch)
        profiles = rows.profile(unknown) if unknown else {}
        settled = {
            name: settle_type(name, each, spec.types.rules, name in spec.load.keys).type
            for name, each in profiles.items()
            if each.values
        }
        return settled | dict(file_types(batch, [name for layout in batch.files for name in layout.columns]))

    for source in samples.sources:
        for name, column_type in read_rows(replace(samples, sources=(source,)), spec, use).items():
            alone.setdefault(name, {}).setdefault(column_type, []).append(_name(source))
    for column in columns:
        types = alone.get(column.name, {})
        if len(types) > 1:
            each = "; ".join(f"{found.sql} in {listed(names, 3)}" for found, names in types.items())
            yield f"{column.name} is {column.target_type.sql} because of several files: {each}"


def _name(source: SourceFile) -> str:
    return sample(source.key.rpartition("/")[2])

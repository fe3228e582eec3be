"""The types that files themselves give their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framework.model.column_type import MAX_PRECISION, ColumnType, can_widen, decimal
from framework.model.files import SourceBatch


def file_types(batch: SourceBatch, names: Sequence[str]) -> Mapping[str, ColumnType]:
    """Return the type of each column to which all files of the batch say that it belongs, or is widened.

    Columns that a file has without a type, or as text, are left out: their values decide.
    """
    found = {name: _common(batch, name) for name in names}
    return {name: column_type for name, column_type in found.items() if column_type is not None}


def _common(batch: SourceBatch, name: str) -> ColumnType | None:
    common: ColumnType | None = None
    for layout in batch.files:
        if name not in layout.columns:
            continue
        own = layout.types[layout.columns.index(name)].type if layout.types else None
        if own is None or own.is_text:
            return None
        wider = own if common is None else _wider(common, own)
        if wider is None:
            return None
        common = wider
    return common


def _wider(one: ColumnType, other: ColumnType) -> ColumnType | None:
    """Return the type that holds all values of both; None where there is none."""
    if can_widen(one, other):
        return other
    if can_widen(other, one):
        return one
    if not (one.is_exact_number and other.is_exact_number):
        return None
    scale = max(one.scale or 0, other.scale or 0)
    precision = max(one.integer_digits, other.integer_digits) + scale
    return decimal(precision, scale) if precision <= MAX_PRECISION else None

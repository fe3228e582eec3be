"""To which type a column of the target grows so that it holds what a file brings, and which values none holds."""

from __future__ import annotations

from framework.model.column_type import (
    INTEGER_DIGITS,
    MAX_PRECISION,
    MAX_SCALE,
    ColumnType,
    Kind,
    can_widen,
    decimal,
    with_length,
)
from framework.model.measurements import ColumnMeasurement
from framework.plan.infer_type import fitting_decimal, integer_for, varchar_for
from framework.spec.pipeline import DECIMAL_FIT, PipelineSpec, TypeRule


def wider_type(current: ColumnType, seen: ColumnMeasurement, rules: tuple[TypeRule, ...], is_key: bool) -> ColumnType:
    """Return the narrowest sensible type that holds the table's values and the file's.

    The current type where it is enough, or where no widening helps: what then does not fit is a
    bad row. Whole numbers that get a fraction take the spec's rule for numbers where that is
    wide enough, because a table rewritten for `10.5` today should not be for `10.55` tomorrow.
    """
    if current.is_text:
        return _wider_text(current, seen)
    if seen.wider == 0:
        return current
    if current.kind is Kind.DATE:
        return ColumnType(Kind.TIMESTAMP)
    if current.is_integer and seen.scale == 0:
        return _wider_integer(current, seen)
    if current.is_exact_number:
        return _wider_number(current, seen, rules, is_key)
    return current


def unconvertible_values(spec: PipelineSpec, name: str, column_type: ColumnType, measured: ColumnMeasurement) -> int:
    """Return how many values of a column fit no type that it may be widened to."""
    if spec.evolution.of(name).wider_values == "reject":
        return measured.misfits - measured.wider
    can_grow = wider_type(column_type, measured, spec.types.rules, name in spec.load.keys) != column_type
    return measured.misfits - measured.wider if can_grow else measured.misfits


def may_become_text(spec: PipelineSpec, name: str, column_type: ColumnType) -> bool:
    """Return whether a column may become text: a key only where every value can be written in one way only."""
    if column_type.is_text or column_type.kind is Kind.SUPER:
        return False
    return name not in spec.load.keys or column_type.is_integer or column_type.kind is Kind.DATE


def _wider_text(current: ColumnType, seen: ColumnMeasurement) -> ColumnType:
    if current.kind is Kind.CHAR or seen.longest_bytes <= (current.length_bytes or 0):
        return current
    return with_length(current, varchar_for(seen.longest_bytes).length_bytes or 0)


def _wider_integer(current: ColumnType, seen: ColumnMeasurement) -> ColumnType:
    if seen.smallest is None or seen.largest is None or seen.integer_digits > MAX_PRECISION:
        return current
    wanted = integer_for(seen.smallest, seen.largest)
    return wanted if can_widen(current, wanted) else current


def _wider_number(
    current: ColumnType, seen: ColumnMeasurement, rules: tuple[TypeRule, ...], is_key: bool
) -> ColumnType:
    digits = max(current.integer_digits, seen.integer_digits)
    scale = max(current.scale or 0, seen.scale)
    if digits + scale > MAX_PRECISION or scale > MAX_SCALE:
        return current
    narrowest = decimal(digits + scale, scale)
    if current.kind in INTEGER_DIGITS:
        for rule in rules:
            named = rule.name is None and rule.inferred == "double" and rule.key in (None, is_key)
            wanted = fitting_decimal(digits, scale) if rule.type == DECIMAL_FIT else rule.type
            if named and wanted is not None and wanted.kind is Kind.DECIMAL and can_widen(narrowest, wanted):
                return wanted
    return narrowest

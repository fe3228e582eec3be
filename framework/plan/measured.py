"""The changes that measured values need in the target: wider types, or text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from framework.model.column_type import MAX_VARCHAR_BYTES, ColumnType, Kind, varchar
from framework.model.measurements import BadRow, ColumnMeasurement, Measurements
from framework.model.words import counted
from framework.plan.columns import ColumnPlan, PlannedColumn
from framework.plan.infer_type import varchar_for
from framework.plan.schema_changes import Widening
from framework.plan.type_reason import TypeReason
from framework.plan.widen_type import unconvertible_values, wider_type
from framework.spec.pipeline import PipelineSpec

LONGEST_WRITTEN_BYTES = 64
"""No number, date or time takes more when it is written as text."""
_SAMPLE_CHARACTERS = 60


def apply_measurements(spec: PipelineSpec, plan: ColumnPlan, seen: Measurements) -> ColumnPlan:
    """Return the plan with the columns widened that the measured values call for, or made text.

    The rows must be staged again where that changes what is staged; longer text needs none of it.
    """
    return replace(
        plan, columns=tuple(apply_measurement(spec, column, seen.columns[column.name]) for column in plan.columns)
    )


def apply_measurement(spec: PipelineSpec, column: PlannedColumn, seen: ColumnMeasurement) -> PlannedColumn:
    """Return a column as its measured values call for."""
    staged = column.staged
    if column.may_become_text and (staged.type.is_text or unconvertible_values(spec, column.name, staged.type, seen)):
        return _as_text(column, seen)
    if not column.may_widen:
        return column
    base = column.current_type if staged.type.is_text else staged.type
    wanted = wider_type(base, seen, spec.types.rules, column.name in spec.load.keys)
    if wanted == base:
        return column
    reason = TypeReason("values", _widening_reason(wanted, seen, spec.bad_rows.log_samples))
    widened = column.widened(wanted, reason)
    return widened if wanted.is_text else replace(widened, staged=replace(staged, type=wanted))


def _as_text(column: PlannedColumn, seen: ColumnMeasurement) -> PlannedColumn:
    """Return a column as text, which is as long as its texts once it has been staged so."""
    if isinstance(column.change, Widening) and column.staged.type.is_text:
        reason = column.change.reason
    else:
        verb = "is" if seen.misfits == 1 else "are"
        reason = TypeReason("values", f"{_values(seen.misfits)} that {verb} no {column.current_type}")
    wanted = varchar_for(max(seen.longest_bytes, LONGEST_WRITTEN_BYTES))
    staged = replace(column.staged, type=varchar(MAX_VARCHAR_BYTES), measure_length=True)
    return replace(column.widened(wanted, reason), staged=staged)


def with_samples(plan: ColumnPlan, samples: Mapping[str, BadRow]) -> ColumnPlan:
    """Return the plan with the first value that called for each change, and its place, where one is known."""
    return replace(plan, columns=tuple(_with_sample(column, samples.get(column.name)) for column in plan.columns))


def _with_sample(column: PlannedColumn, bad: BadRow | None) -> PlannedColumn:
    if bad is None or bad.text is None or not isinstance(column.change, Widening):
        return column
    line = "" if bad.line is None else f", line {bad.line}"
    is_cut = len(bad.text) > _SAMPLE_CHARACTERS
    value, place = f"{bad.text[:_SAMPLE_CHARACTERS]}{'…' if is_cut else ''}", f"row {bad.row}{line} of {bad.file}"
    text = column.change.reason.text
    if column.becomes_text:
        text = f"{text}, such as {value!r}"
    elif column.target_type.is_text or value not in text.split():
        place = f"first {value!r} in {place}"
    return replace(column, change=replace(column.change, reason=TypeReason("values", text, place)))


def _values(count: int) -> str:
    return counted(count, "value")


def _widening_reason(wanted: ColumnType, seen: ColumnMeasurement, with_values: bool) -> str:
    if wanted.is_text:
        return f"the longest text has {counted(seen.longest_bytes, 'byte')}"
    if wanted.kind is Kind.TIMESTAMP:
        return f"{_values(seen.wider)} with a time of day"
    if seen.scale:
        digits = f"{counted(seen.integer_digits, 'digit')} before and {seen.scale} after the point"
        return f"{_values(seen.wider)} with up to {digits}"
    if not with_values:
        return f"{_values(seen.wider)} out of range"
    if seen.smallest == seen.largest:
        return f"the value {seen.largest}"
    return f"values from {seen.smallest} to {seen.largest}"

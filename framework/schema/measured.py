"""What the values that staging has seen ask of the table: wider types, or text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from framework.column_type import MAX_VARCHAR_BYTES, ColumnType, Kind, varchar
from framework.schema.changes import Widening
from framework.schema.settle import varchar_for
from framework.schema.staging import StagingPlan
from framework.schema.table import ObservedTable, TableColumn
from framework.schema.values import ColumnMeasurement, Measurements, StagingColumn
from framework.schema.widening import unconvertible_values, wider_type
from framework.spec.pipeline import PipelineSpec
from framework.words import counted

LONGEST_WRITTEN_BYTES = 64
"""No number, date or time takes more when it is written as text."""
_SAMPLE_CHARACTERS = 60


def apply_measurements(
    spec: PipelineSpec, table: ObservedTable, plan: StagingPlan, seen: Measurements
) -> tuple[StagingPlan, bool]:
    """Return the plan with the widenings that the measured values call for, and the columns that become text.

    The second value says whether a staging type changed, so that the rows must be staged again;
    longer text needs none of that.
    """
    restage = False
    columns = []
    widenings = list(plan.widenings)
    for column in plan.columns:
        observed = table.column(column.name)
        if observed is not None and column.name in plan.convertible:
            text = _as_text(spec, observed, column, seen.columns[column.name])
            if text is not None:
                restage = restage or not column.type.is_text
                reason = next((each.reason for each in widenings if each.name == column.name), text.reason)
                widenings = [each for each in widenings if each.name != column.name]
                widenings.append(replace(text, reason=reason if column.type.is_text else text.reason))
                columns.append(replace(column, type=varchar(MAX_VARCHAR_BYTES), measure_length=True))
                continue
        if column.name not in plan.widenable or observed is None or observed.type is None:
            columns.append(column)
            continue
        base = observed.type if observed.type.is_text else column.type
        is_key = column.name in spec.load.keys
        wanted = wider_type(base, seen.columns[column.name], spec.types.rules, is_key)
        if wanted == base:
            columns.append(column)
            continue
        widenings = [widening for widening in widenings if widening.name != column.name]
        reason = _widening_reason(wanted, seen, column.name, spec.bad_rows.log_samples)
        widenings.append(Widening(column.name, observed.type, wanted, reason))
        if not wanted.is_text:
            restage = True
            column = replace(column, type=wanted)
        columns.append(column)
    places = {column.name: place for place, column in enumerate(columns)}
    widenings.sort(key=lambda widening: places[widening.name])
    return replace(plan, columns=tuple(columns), widenings=tuple(widenings)), restage


def _as_text(
    spec: PipelineSpec, observed: TableColumn, column: StagingColumn, measured: ColumnMeasurement
) -> Widening | None:
    """Return how a column of the table becomes text; None where no value asks for it.

    A column that is staged as text already has been found to, and is as long as its texts.
    """
    assert observed.type is not None
    if not column.type.is_text and not unconvertible_values(spec, column.name, column.type, measured):
        return None
    verb = "is" if measured.misfits == 1 else "are"
    reason = f"{_values(measured.misfits)} that {verb} no {observed.type}"
    wanted = varchar_for(max(measured.longest_bytes, LONGEST_WRITTEN_BYTES))
    return Widening(column.name, observed.type, wanted, reason)


def becoming_text(plan: StagingPlan) -> frozenset[str]:
    """Return the columns of the table that become text and were none."""
    return frozenset(
        widening.name for widening in plan.widenings if widening.wanted.is_text and not widening.current.is_text
    )


def with_samples(plan: StagingPlan, samples: Mapping[str, str]) -> StagingPlan:
    """Return the plan with a value in the reason of each column that becomes text, where one is known."""
    widenings = tuple(
        replace(widening, reason=f"{widening.reason}, such as {samples[widening.name][:_SAMPLE_CHARACTERS]!r}")
        if widening.name in samples
        else widening
        for widening in plan.widenings
    )
    return replace(plan, widenings=widenings)


def _values(count: int) -> str:
    return counted(count, "value")


def _widening_reason(wanted: ColumnType, seen: Measurements, name: str, with_values: bool) -> str:
    measured = seen.columns[name]
    if wanted.is_text:
        return f"the longest text has {counted(measured.longest_bytes, 'byte')}"
    if wanted.kind is Kind.TIMESTAMP:
        return f"{_values(measured.wider)} with a time of day"
    if measured.scale:
        digits = f"{measured.integer_digits} digits before and {measured.scale} after the point"
        return f"{_values(measured.wider)} with up to {digits}"
    if not with_values:
        return f"{_values(measured.wider)} out of range"
    if measured.smallest == measured.largest:
        return f"the value {measured.largest}"
    return f"values from {measured.smallest} to {measured.largest}"

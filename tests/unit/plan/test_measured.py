"""What the values of one column ask of the target once they are measured."""

from __future__ import annotations

from functools import partial

import pytest

from framework.model.column_type import parse_type, varchar
from framework.model.measurements import BadRow, ColumnMeasurement, Measurements
from framework.model.staging import FromFile, StagingColumn
from framework.plan.columns import ColumnPlan, PlannedColumn
from framework.plan.measured import apply_measurements, with_samples
from framework.plan.schema_changes import Widening
from framework.plan.type_reason import TypeReason
from framework.spec.load import load_pipeline_text

SPEC = load_pipeline_text(
    "pipeline: p\nsource: {prefix: data/in/p/}\ntarget: {table: t}\nload: {keys: [id]}\n", "p.yml", "p"
)
LONGEST = varchar(65_535)
OUT_OF_RANGE = ColumnMeasurement(misfits=1, wider=1, integer_digits=10, smallest=3_000_000_000, largest=3_000_000_000)
NO_NUMBER = ColumnMeasurement(misfits=2)
BY_VALUES = partial(TypeReason, "values")
INTEGER = parse_type("integer")


def planned(type_text: str) -> ColumnPlan:
    known = parse_type(type_text)
    staged = StagingColumn("a", LONGEST if known.is_text else known, FromFile())
    return ColumnPlan((PlannedColumn(staged, known, may_widen=True, may_become_text=not known.is_text),))


def after(plan: ColumnPlan, *passes: ColumnMeasurement) -> PlannedColumn:
    for seen in passes:
        plan = apply_measurements(SPEC, plan, Measurements((), {"a": seen}, 0))
    return plan.columns[0]


def test_a_number_out_of_range_changes_what_is_staged_and_the_target() -> None:
    column = after(planned("integer"), OUT_OF_RANGE)

    assert column.staged.type == column.target_type == parse_type("bigint")
    assert column.change == Widening(
        "a", parse_type("integer"), parse_type("bigint"), BY_VALUES("the value 3000000000")
    )


def test_a_longer_text_changes_the_target_alone() -> None:
    plan = planned("varchar(20)")

    column = after(plan, ColumnMeasurement(longest_bytes=300))

    assert column.staged == plan.columns[0].staged
    assert column.target_type == varchar(310)


def test_values_that_no_wider_type_holds_make_the_column_text() -> None:
    column = after(planned("integer"), NO_NUMBER)

    assert column.becomes_text
    assert column.staged.type == LONGEST
    assert column.change == Widening(
        "a", parse_type("integer"), varchar(256), BY_VALUES("2 values that are no integer")
    )


def test_a_column_that_becomes_text_is_as_long_as_its_texts_and_keeps_its_reason() -> None:
    first = ColumnPlan((after(planned("integer"), NO_NUMBER),))

    bad = BadRow("1.csv", 2, "a", "n/a", "no integer", 3)
    column = after(with_samples(first, {"a": bad}), ColumnMeasurement(longest_bytes=300))

    reason = "2 values that are no integer, such as 'n/a'"
    assert column.change == Widening("a", INTEGER, varchar(310), BY_VALUES(reason, "row 2, line 3 of 1.csv"))
    assert column.staged == first.columns[0].staged


def test_a_column_widened_on_the_first_pass_may_become_text_on_the_next() -> None:
    column = after(planned("integer"), OUT_OF_RANGE, NO_NUMBER)

    assert column.change == Widening(
        "a", parse_type("integer"), varchar(256), BY_VALUES("2 values that are no integer")
    )


@pytest.mark.parametrize("seen", [OUT_OF_RANGE, NO_NUMBER, ColumnMeasurement(longest_bytes=300)])
def test_a_column_whose_type_is_fixed_stays_as_it_is(seen: ColumnMeasurement) -> None:
    fixed = PlannedColumn(StagingColumn("a", parse_type("integer"), FromFile()), parse_type("integer"))

    assert after(ColumnPlan((fixed,)), seen) == fixed

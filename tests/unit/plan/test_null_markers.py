"""New columns that are text only because of words for NULL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from framework.model.measurements import ColumnProfile
from framework.plan.null_markers import null_marker_warnings
from framework.spec.load import load_pipeline_text
from framework.spec.pipeline import PipelineSpec

AMOUNTS = ColumnProfile(
    1000, 100, 980, 0, 0, 0, 6, 3, 2, 0, 5, null_markers={"-": 5, "NA": 15}
)  # fmt: skip


def spec(more: str = "") -> PipelineSpec:
    text = f"pipeline: p\nsource: {{prefix: data/in/p/}}\ntarget: {{table: t}}\nload: {{keys: [id]}}\n{more}"
    return load_pipeline_text(text, "p.yml", "p")


def warned(profile: ColumnProfile, more: str = "", name: str = "amount") -> list[str]:
    found = list(null_marker_warnings(spec(more), {name: profile}))
    assert all((warning.rule, warning.column) == ("null-markers", name) for warning in found)
    return [warning.message for warning in found]


def test_words_for_null_among_numbers_are_proposed_as_such() -> None:
    (message,) = warned(AMOUNTS)
    assert message == (
        "amount is text: 980 of 1,000 values are numbers, the other 20 are 'NA' or '-'; "
        'if that means NULL: types: {columns: {amount: {null_values: ["NA", "-"]}}}'
    )


def test_what_the_spec_has_of_the_column_stays_in_the_proposal() -> None:
    more = 'types: {parse: {null_values: [x]}, columns: {amount: {decimal: ",", null_values: [y]}}}'
    (message,) = warned(AMOUNTS, more)
    assert message.endswith('types: {columns: {amount: {null_values: ["y", "NA", "-"], decimal: ","}}}')
    (message,) = warned(AMOUNTS, "types: {parse: {null_values: [x]}}")
    assert message.endswith('types: {columns: {amount: {null_values: ["x", "NA", "-"]}}}')


def test_words_for_null_are_found_among_days_and_booleans_too() -> None:
    days = replace(AMOUNTS, values=2, integers=0, numbers=0, dates=1, null_markers={"n/a": 1})
    assert warned(days)[0].startswith("amount is text: 1 of 2 values are dates, the other is 'n/a'; if that means NULL")
    flags = replace(days, dates=0, booleans=1)
    assert " are true or false, the other is 'n/a'" in warned(flags)[0]


def test_without_samples_no_value_is_shown() -> None:
    (message,) = warned(AMOUNTS, "bad_rows: {log_samples: false}")
    assert message == (
        "amount is text: 980 of 1,000 values are numbers, the other 20 are words by which files write NULL; "
        "list what means NULL in types.columns.amount.null_values"
    )


@pytest.mark.parametrize(
    ("profile", "more", "name"),
    [
        (replace(AMOUNTS, null_markers={}), "", "amount"),
        (replace(AMOUNTS, values=1001), "", "amount"),
        (replace(AMOUNTS, values=20, integers=0, numbers=0), "", "amount"),
        (replace(AMOUNTS, scale=40), "", "amount"),
        (AMOUNTS, "types: {rules: [{name: 'am*', type: varchar(9)}]}", "amount"),
        (AMOUNTS, "", "id"),
    ],
    ids=["no words", "other texts", "words alone", "numbers that no type holds", "a rule", "a key"],
)
def test_nothing_is_proposed_where_it_would_not_help(profile: ColumnProfile, more: str, name: str) -> None:
    if profile.scale == 40:
        profile = replace(profile, inexact=1)
    assert warned(profile, more, name) == []

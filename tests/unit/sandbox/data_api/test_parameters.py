"""Parameters are values in the place of `:name`, and nothing else is touched."""

from __future__ import annotations

import pytest

from framework.sandbox.data_api.api_error import ApiError
from framework.sandbox.data_api.parameters import substitute


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select :a", "select 'x'"),
        ("select :a, :a", "select 'x', 'x'"),
        ("select ':a', :a", "select ':a', 'x'"),
        (r"select '\':a', :a", r"select '\':a', 'x'"),
        ("select ''':a', :a", "select ''':a', 'x'"),
        ('select ":a", :a', "select \":a\", 'x'"),
        ("select :a -- :b", "select 'x' -- :b"),
        ("select /* :b */ :a", "select /* :b */ 'x'"),
        ("select 1::a, :a", "select 1::a, 'x'"),
        ("select :a::int", "select 'x'::int"),
    ],
)
def test_placeholders_stand_outside_quotes_comments_and_casts(sql: str, expected: str) -> None:
    assert substitute(sql, {"a": "x"}) == expected


def test_a_value_cannot_leave_its_literal() -> None:
    assert substitute("select :a", {"a": "'; drop table t; -- \\"}) == r"select '''; drop table t; -- \\'"


def test_sql_without_parameters_is_left_alone() -> None:
    assert substitute("select :a", {}) == "select :a"


def test_a_placeholder_without_a_value_is_refused() -> None:
    with pytest.raises(ApiError, match="Cannot find parameter: b"):
        substitute("select :a, :b", {"a": "x"})


def test_a_value_without_a_placeholder_is_refused() -> None:
    with pytest.raises(ApiError, match=r"Unused parameters: \['b'\]"):
        substitute("select :a", {"a": "x", "b": "y"})

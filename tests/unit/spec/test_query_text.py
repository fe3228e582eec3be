"""A view's definition stays one query, whatever stands in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from sqlglot import TokenType
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import TokenError

from framework.spec.query_text import names_relation, query_mistake
from tests.hostile import TEXTS


@pytest.mark.parametrize(
    "text",
    [
        "select 1",
        "select ';' || ';''' || '\\';' as \"a;\"\"b\" -- not; this\nfrom t",
        "select /* ; /* nested; */ ' */ 1",
        "select $$ ; ' $$ || $a$ ; $$ $a$",
        "select 1 -- it's a comment",
        "select '\\\\' as a",
        "select '\\'; drop table t --'",
        "select '(', \")\" /* ( */ -- (\nfrom ((t))",
    ],
)
def test_one_query_is_one_query(text: str) -> None:
    assert query_mistake(text) is None


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("select 1;", "`;`"),
        ("select 1; drop table t", "`;`"),
        ("select 'a' ; select 'b'", "`;`"),
        ("select '\\\\'; drop table t", "`;`"),
        ("select 1 -- comment\n; select 2", "`;`"),
        ("select 1 -- comment\r; select 2", "`;`"),
        ("select $a$ $b$; select 1 $a$ ; select 2", "`;`"),
        ("select 'open", "quote"),
        ("select 'open\\'", "quote"),
        ('select "open', "quote"),
        ("select $$ open", "quote"),
        ("select 1 /* open /* closed */", "comment"),
        ("select (1", "parenthesis that is not closed"),
        ("select 1) as x, (select 2", "parenthesis that is not open"),
        ("select '(' || (a from t", "not closed"),
    ],
)
def test_what_would_be_more_or_less_than_a_query_is_named(text: str, mistake: str) -> None:
    assert mistake in (query_mistake(text) or "")


@given(TEXTS)
@settings(max_examples=300)
def test_what_passes_ends_where_the_definition_ends(text: str) -> None:
    # Of dollar quotes and Jinja's comments the tokenizer has ideas of its own, and it sees `#-` and `-` in `#--`.
    if query_mistake(text) is not None or set(text) & set("${#"):
        return
    try:
        tokens = Redshift().tokenize(f"select\n{text}\nwith no schema binding")
    except TokenError as error:
        pytest.fail(f"{text!r} was passed: {error}")
    assert tokens[0].token_type == TokenType.SELECT
    assert [token.text for token in tokens[-4:]] == ["with", "no", "schema", "binding"]
    assert TokenType.SEMICOLON not in {token.token_type for token in tokens}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select * from reporting.v_low", True),
        ('select * from "reporting" . "v_low" as x', True),
        ("select * from Reporting.V_LOW, other.t", True),
        ("select * from reporting.v_lower", False),
        ("select * from my_reporting.v_low", False),
        ("select 'reporting.v_low' from t", False),
        ("select 1 -- reporting.v_low\n from t", False),
        ("select /* /* */ reporting.v_low */ 1 from t", False),
        ("select x.reporting, v_low from t", False),
    ],
)
def test_a_relation_is_named_outside_of_literals_and_comments(text: str, expected: bool) -> None:
    assert names_relation(text, "reporting", "v_low") is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select * from v_low", True),
        ("select * from public.v_low", True),
        ("select v_low.a from t", False),
        ("select * from other.v_low", False),
        ("select * from v_lower", False),
    ],
)
def test_a_relation_may_be_named_without_its_schema(text: str, expected: bool) -> None:
    assert names_relation(text, "public", "v_low", with_schema=False) is expected

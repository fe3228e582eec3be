"""Texts of one shape are translated once, and each as if it had been translated alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.sandbox.redshift_sql import Parsed, Refused, parse, to_postgres
from framework.sandbox.redshift_sql.parsed import Fixed, Rendered
from framework.sandbox.redshift_sql.shapes import MAX_CHARACTERS, translated_shape
from framework.sandbox.redshift_sql.statements import parse_text

STATEMENTS = (
    "select a from {name} where b = {text} and c > {number} and d in ({text}, {text})",
    "insert into {name} (a, b, c) values ({text}, {number}, null), ({text}, -{number}, {text})",
    "create temp table {name} as select {text} as a, cast({text} as varchar(20)) as b, {number} as c from {name}",
    "create temp table {name} as select {text} from {name}",
    "select cast({text} as varchar({number})), {text}::char(3), cast({text} as date), date {text} from s.t",
    "select date_trunc({text}, a), interval {text}, current_setting({text}), a || {text} from s.t",
    "select case when a = {text} then {text} else {text} end as b from s.t order by {number} limit {number}",
    "with {name} as (select {number} as a) select a from {name} join {name} on {name}.a = {name}.a",
    "select a from t_0123456789ab as {name}, s.{name} where {name}.a = t_0123456789ab.a",
    "create table {name} (a varchar({number}), b decimal({number}, {number}) default {text}, {name} int)",
    "create view s.{name} as select {text} as a, {number} as b from {name}",
    "drop table if exists {name}, {name}",
    "comment on table {name} is {text}",
    "delete from {name} using s.{name} where {name}.a = s.{name}.a and {name}.b = {text}",
    "update {name} set a = {text}, b = {number} where c like {text}",
    "copy {name} from {text} iam_role default format as parquet manifest",
    "select{text}{number} from {name}{text}",
    "-- {text} {name}\nselect a from {name} -- {text}\nwhere /* {text} */ b = {text}",
)
TEXTS = st.one_of(
    st.sampled_from(("", "day", "statement_timeout", "1 day", "2026-11-30 12:00:00", "it's", "s3://b/k", "oid", "$$")),
    st.sampled_from(
        ("--", "/*", "\\", "\\'", "'", "{{", "feedway-text-0-", "\0text0\0", "ä", "'\n--", "\r", "x" * 300)
    ),
    st.text(max_size=30),
)
NAMES = st.one_of(
    st.sampled_from(("t", "staged", "pg_class", "t_0123456789ab", "T_0123456789AB", "pg_t_0123456789ab", "oid", "x y")),
    st.from_regex(r"\A(stage|ledger|feedway_\w{,20})_[0-9a-f]{12,32}\Z"),
    st.text(min_size=1, max_size=70),
)
NUMBERS = st.one_of(st.integers(0, 40), st.integers(0, 10**20)).map(str)


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("statement", STATEMENTS)
@given(data=st.data())
@settings(max_examples=30)
def test_every_text_of_a_shape_is_translated_as_if_alone(statement: str, data: st.DataObject) -> None:
    for _ in range(2):
        sql = _filled(statement, data)
        assert _outcome(sql, parse) == _outcome(sql, parse_text)


def _filled(statement: str, data: st.DataObject) -> str:
    """Return a statement with values in its places: literals that may be well written or not, one or two names."""
    names = data.draw(st.lists(NAMES, min_size=1, max_size=2))

    def value(place: re.Match[str]) -> str:
        match place[1]:
            case "text":
                text = data.draw(TEXTS)
                return f"'{text}'" if data.draw(st.booleans()) else "'" + text.replace("'", "''") + "'"
            case "name":
                return '"' + data.draw(st.sampled_from(names)).replace('"', '""') + '"'
            case _:
                return data.draw(NUMBERS)

    return re.sub(r"\{(text|name|number)\}", value, statement)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "-- feedway returns\nselect 1 as a from s.t where b = 'x'",
            "-- feedway orders\nselect 22 as a from s.t where b = 'it''s\n-- text'",
        ),
        ("insert into s.t (a) values ('2026-11-30')", "insert into s.t (a) values ('')"),
        ("select cast('x' as varchar(64)) as a", "select cast('xy' as varchar(64)) as a"),
        ('create table "stage_0123456789ab" (a int)', 'create table "stage_fedcba987654" (a int)'),
    ],
)
def test_texts_that_differ_in_values_are_parsed_once(first: str, second: str) -> None:
    assert isinstance(parse(first).statement, Rendered)
    misses = translated_shape.cache_info().misses
    assert isinstance(parse(second).statement, Rendered)
    assert translated_shape.cache_info().misses == misses


@pytest.mark.parametrize(
    "sql",
    [
        r"select a from s.t where b = 'back\\slash'",
        "select a /* why */ from s.t",
        "select date_trunc('day', a) from s.t",
        "create view s.v as select 1 as a",
        'select t_0123456789ab.a from "t_0123456789ab"',
        "select a from s.t where b = '" + "x" * MAX_CHARACTERS + "'",
    ],
)
def test_what_could_be_read_in_two_ways_is_parsed_each_time(sql: str) -> None:
    assert not isinstance(parse(sql).statement, Rendered)


def test_a_text_that_its_type_has_no_room_for_has_a_translation_of_its_own() -> None:
    for length in (3, 30, 2000, 3):
        (statement,) = _translated(f"select cast('{'x' * length}' as varchar(1000)) as a")
        assert ("pg_internal.cut(" in statement) == (length > 1000)


def test_a_relation_that_has_become_a_late_binding_view_is_written_out() -> None:
    sql = "select a from s.\"orders_0123456789ab\" where b = 'x'"
    views = {("s", "orders_0123456789ab"): "select a, b from s.u"}

    before = _translated(sql)
    (expanded,) = to_postgres(parse(sql), lambda schema, name: views.get((schema, name)))

    assert '"s"."u"' in expanded
    assert _translated(sql) == before


def _translated(sql: str) -> tuple[str, ...]:
    return to_postgres(parse(sql), lambda schema, name: None)


def _outcome(sql: str, parse: Callable[[str], Parsed]) -> object:
    """Return all that is known of a text: its translation, or why it is refused."""
    looked_up: list[tuple[str, str]] = []
    try:
        parsed = parse(sql)
        statements = to_postgres(parsed, lambda *name: looked_up.append(name))
    except Refused as refused:
        return refused.message, refused.sqlstate, refused.detail, refused.position
    return statements, set(looked_up), replace(parsed, statement=Fixed(()))

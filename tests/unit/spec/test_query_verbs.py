"""A view is one select: statements that change something are found, columns that are called like one are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from framework.errors import Problem
from framework.spec.query_verbs import find_statement

ProblemsOf = Callable[[str], list[Problem]]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("delete from t", "delete"),
        ("DELETE t", "delete"),
        ("update t set a = 1", "update"),
        ("insert into t select 1", "insert"),
        ("merge into t using s on a = b when matched then delete", "merge"),
        ("truncate t", "truncate"),
        ("copy t from 's3://b/k' iam_role default", "copy"),
        ("unload ('select 1') to 's3://b/k'", "unload"),
        ("call p()", "call"),
        ("grant select on t to public", "grant"),
        ("create table t as select 1", "create"),
        ("show all", "show"),
        ("(((delete from t)))", "delete"),
        ("with d as (delete from t returning id) select * from d", "delete"),
        ("with d (a, b) as (select 1, 2), e as (update t set a = 1 returning a) select * from d, e", "update"),
        ("with d as not materialized (insert into t values (1) returning a) select * from d", "insert"),
        ("with d as (with e as (delete from t) select 1) select * from d", "delete"),
        ("with d as (select 1) delete from t using d", "delete"),
        ("with d as (select 1), e as (select 2) merge into t using d on true when matched then delete", "merge"),
        ("select * from (delete from t returning *) as x", "delete"),
        ('select (select a from (update "T" set a = 1 returning a))', "update"),
        ("select * from (call p())", "call"),
        ("select * from (unload ('x') to 'y')", "unload"),
        ("select a into t2 from t", "into"),
        ("select a, b into temp t2 from t", "into"),
        ("with d as (select 1 as a) select a into t2 from d", "into"),
        ("/* select */ -- select\n delete from t", "delete"),
    ],
)
def test_a_statement_that_is_no_query_is_found(text: str, word: str) -> None:
    mistake = find_statement(text)

    assert mistake is not None
    assert mistake.words.startswith(f"holds `{word}`")
    assert text[mistake.position :].lower().startswith(word)


@pytest.mark.parametrize(
    "text",
    [
        "select 1",
        "SELECT a FROM t UNION ALL (select b from s)",
        "(select 1) union (select 2)",
        "((select 1))",
        "with d as (select 1), e (a, b) as (select 1, 2) select * from d, e",
        "with recursive d(n) as (select 1 union all select n + 1 from d where n < 9) select * from d",
        "with d as (select 1) (select * from d)",
        "select update, delete, t.copy, call from t",
        "select (update), (delete + 1), (copy is null), (call in (1, 2)), max(update), coalesce(grant, 0) from t",
        "select 'delete from t', \"delete from t\" /* delete from t */ from t -- delete from t",
        "select $$ delete from t $$",
        "select a as into, t.into from t",
        "select case when (update = 1) then (insert) else (merge) end from t",
        "select deleted, inserted_at, updated from t",
        "select * from deletes where (update between 1 and 2)",
        "values (1), (2)",
    ],
)
def test_a_query_is_none_whatever_its_columns_are_called(text: str) -> None:
    assert find_statement(text) is None


@pytest.mark.parametrize(
    ("definition", "line", "column", "words"),
    [
        ("|\n      select *\n      from (\n        delete from {{ target }})", 10, 9, "holds `delete`"),
        ("|\n\n      select '{{ target }}' {# one\n      two #} as a, (b", 10, 20, "that is not closed"),
        (
            "|\n      create view {schema_name}.{view_name} as\n      select a into b from {source_table}",
            9,
            16,
            "`into`",
        ),
        ('"with d as (delete from {{ target }}) select 1"', 5, 31, "line 1, column 12"),
        ("'select (a'", 5, 31, "line 1, column 8"),
    ],
)
def test_it_is_reported_with_the_line_of_the_file(
    problems_of: ProblemsOf, definition: str, line: int, column: int, words: str
) -> None:
    text = (
        "pipeline: orders\nsource: {prefix: in}\ntarget: {table: t}\nload: {keys: [a]}\n"
        f"views: [{{name: v, definition: {definition}}}]\n"
    )
    if definition.startswith("|"):
        text = text.replace("views: [{name: v, ", "views:\n- name: v\n  ").replace("}]\n", "\n")

    (problem,) = problems_of(text)

    assert (problem.rule, problem.line, problem.column) == ("spec/view-definition", line, column)
    assert words in problem.message

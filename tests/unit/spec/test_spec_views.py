"""View definitions are templates in a sandbox that know the target and nothing else."""

from __future__ import annotations

import pytest

from framework.errors import SpecError
from framework.model.names import TableName
from framework.spec.load import load_pipeline_text
from framework.spec.views import render_view

VIEW, TARGET = TableName("reporting", "v"), TableName("public", "t")


def test_target_stands_for_the_table() -> None:
    assert (
        render_view("select *\nfrom {{ target }} t", VIEW, TableName("public", 'a"b'))
        == 'select *\nfrom "public"."a""b" t'
    )


def test_braces_are_written_as_a_text() -> None:
    assert (
        render_view("select '{{ \"{{\" }}' {# a note #}from {{ target }}", VIEW, TARGET)
        == 'select \'{{\' from "public"."t"'
    )


def test_a_refusal_says_what_stands_where() -> None:
    with pytest.raises(ValueError, match="line 2: it holds the attribute '__class__'"):
        render_view("select\n{{ target.__class__ }}", VIEW, TARGET)


@pytest.mark.parametrize(
    "definition",
    [
        "select {{ other }}",
        "select {{ target",
        "{% for %}",
        "{{ range(3) }}",
        "{{ [1, 2] | random }}",
        "{{ target.__class__.__mro__ }}",
        "{{ 1 / 0 }}",
        "{% include 'other' %}",
        "{{ target | nonsense }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        # These would render, and reach for Python, or go on without end.
        "{{ self }}",
        "{{ target.upper() }}",
        "{{ target | upper }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{{ 'x' * 9999999999 }}",
        "{{ '{0.__class__}'.format(target) }}",
        "{{ target | map(attribute='__class__') | list }}",
        "{% for a in target %}{% for b in target %}{{ b }}{% endfor %}{% endfor %}",
        "{% set a = 1 %}",
        "{{ " + "(" * 5000 + "1",
    ],
)
def test_anything_else_is_refused(definition: str) -> None:
    with pytest.raises(ValueError, match="cannot be rendered"):
        render_view(definition, VIEW, TARGET)


@pytest.mark.parametrize(
    ("definition", "query"),
    [
        ("select * from {source_table}", 'select * from "public"."t"'),
        (
            "CREATE OR REPLACE VIEW {schema_name}.{view_name} AS\nSELECT a FROM {source_table} s",
            '\nSELECT a FROM "public"."t" s',
        ),
        ("create view {schema_name}.{view_name} as(select 1)", "(select 1)"),
        ("select * from {schema_name}.{source_table}", 'select * from "public"."t"'),
        (
            "select * from {schema_name}.other, {schema_name}.{view_name}",
            'select * from "reporting".other, "reporting"."v"',
        ),
        ("select '{other}', '{}'", "select '{other}', '{}'"),
    ],
)
def test_definitions_of_older_tools_are_taken_as_they_are(definition: str, query: str) -> None:
    assert render_view(definition, VIEW, TARGET) == query


@pytest.mark.parametrize("definition", ["select '{{ target }}'", "select '{source_table}'"])
def test_a_name_that_would_end_a_text_around_it_is_found(definition: str) -> None:
    text = (
        'pipeline: p\nsource: {prefix: data/in/p/}\ntarget: {table: "t\'; drop table x; --"}\nload: {mode: append}\n'
        f'views: [{{name: v, definition: "{definition}"}}]\n'
    )

    with pytest.raises(SpecError, match="spec/view-definition"):
        load_pipeline_text(text, "p.yml", "p")


def test_a_view_with_the_tables_name_is_found_also_where_its_schema_is_left_out() -> None:
    text = (
        "pipeline: p\nsource: {prefix: data/in/p/}\ntarget: {table: t}\nload: {mode: append}\n"
        "views: [{name: t, definition: select 1}]\n"
    )

    with pytest.raises(SpecError, match="spec/duplicate-view"):
        load_pipeline_text(text, "p.yml", "p")


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        (["select a", "from {{ source }}"], 2),
        (["select a", "from {{ target"], 2),
        (["create view {schema_name}.{view_name}", "as", "select a", "from {{ source }}"], 4),
    ],
)
def test_a_definition_that_cannot_be_rendered_is_a_problem_at_its_own_line(lines: list[str], line: int) -> None:
    spec = "pipeline: a\nsource: {prefix: a/}\ntarget: {table: a}\nload: {mode: append}\n"
    text = f"{spec}views:\n  - name: v\n    definition: |\n" + "".join(f"      {each}\n" for each in lines)

    with pytest.raises(SpecError) as caught:
        load_pipeline_text(text, "pipelines/a.yml", "a")

    (problem,) = caught.value.problems
    assert (problem.rule, problem.line, problem.column) == ("spec/view-definition", 7 + line, 7)
    assert f"line {line}: " in problem.message

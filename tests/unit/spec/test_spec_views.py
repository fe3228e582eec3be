"""View definitions are templates in a sandbox that know the target and nothing else."""

from __future__ import annotations

import pytest

from framework.spec.views import render_view


def test_target_stands_for_the_table() -> None:
    assert render_view("select *\nfrom {{ target }} t", '"public"."a""b"') == 'select *\nfrom "public"."a""b" t'


def test_braces_are_written_as_a_text() -> None:
    assert render_view("select '{{ \"{{\" }}' {# a note #}from {{ target }}", "t") == "select '{{' from t"


def test_a_refusal_says_what_stands_where() -> None:
    with pytest.raises(ValueError, match="line 2 holds the attribute '__class__'"):
        render_view("select\n{{ target.__class__ }}", "t")


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
        render_view(definition, '"a"."b"')

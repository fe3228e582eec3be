"""View definitions are templates in a sandbox that know the target and nothing else."""

from __future__ import annotations

import pytest

from framework.spec.views import render_view


def test_target_stands_for_the_table() -> None:
    assert render_view("select *\nfrom {{ target }} t", '"public"."a""b"') == 'select *\nfrom "public"."a""b" t'


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
    ],
)
def test_anything_else_is_refused(definition: str) -> None:
    with pytest.raises(ValueError, match="cannot be rendered"):
        render_view(definition, '"a"."b"')

"""A mistake in a view is found by `plan`, with its line; what a load is about to bring is none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.command_line import SPEC, Shop

FIRST = "id,a\n1,x\n"


def write(shop: Shop, *views: str) -> None:
    """Write the spec with these views in the schema `reporting`, each as `NAME: definition` in lines of its own."""
    text = SPEC.format(name=shop.name) + "views:\n"
    for view in views:
        name, _, definition = view.partition(": ")
        lines = "".join(f"      {line}\n" for line in definition.splitlines())
        text += f"  - schema: reporting\n    name: {name}_{shop.name}\n    definition: |\n{lines}"
    shop.write(f"pipelines/{shop.name}.yml", text.replace("{name}", shop.name))


def line_of(shop: Shop, words: str) -> int:
    text = (shop.root / "pipelines" / f"{shop.name}.yml").read_text(encoding="utf-8")
    return next(number for number, line in enumerate(text.splitlines(), start=1) if words in line)


def relations(shop: Shop) -> Any:
    query = f"select count(*) from pg_class where relname like '%{shop.name}'"
    return shop.json("sandbox", "sql", query)[1]["rows"]


@pytest.mark.parametrize(
    ("definition", "wrong", "words", "is_loaded", "is_pending"),
    [
        ("select id,\n  amuont\nfrom {{ target }}", "amuont", 'column "amuont" does not exist', False, True),
        ("select id,\n  amuont\nfrom {{ target }}", "amuont", 'column "amuont" does not exist', True, False),
        ("select t.id, t.amuont\nfrom {{ target }} t", "amuont", "column t.amuont does not exist", True, True),
        ("select 1\nfrom no_such_table", "no_such_table", 'relation "no_such_table" does not exist', True, True),
        ("select\n  no_such_function(a) as b from {{ target }}", "no_such_function", "no_such_function", False, True),
        ("select id from {{ target }}\ngroup a", "group", "syntax error", True, True),
        ("select id as b, a as b\nfrom {{ target }}", "select id as b", '"b" is specified more than once', False, True),
    ],
)
def test_a_mistake_in_a_view_is_told_with_its_line(
    shop: Shop, definition: str, wrong: str, words: str, is_loaded: bool, is_pending: bool
) -> None:
    if is_loaded:
        shop.land("1.csv", FIRST)
        assert shop.run("run", shop.name)[0] == 0
    if is_pending:
        shop.land("2.csv", "id,a\n2,y\n")
    write(shop, f"v: {definition}")
    before = relations(shop)

    code, _, err = shop.run("plan", shop.name)

    assert code == 2
    assert f"pipelines/{shop.name}.yml:{line_of(shop, wrong)}:" in err
    assert f"the view reporting.v_{shop.name} cannot be created: " in err
    assert words in err
    assert relations(shop) == before


def test_all_mistakes_of_all_views_are_told_at_once(shop: Shop) -> None:
    shop.land("1.csv", FIRST)
    write(shop, "v: select x from {{ target }}", "w: select id from {{ target }}", "u: select y from {{ target }}")

    code, document = shop.json("plan", shop.name)

    assert code == 2
    message = document["failed"][0]["error"]["message"]
    assert "has 2 problems" in message
    assert f"reporting.v_{shop.name} cannot" in message
    assert f"reporting.u_{shop.name} cannot" in message


@pytest.mark.parametrize(
    "views",
    [
        ("v: select id, a, b, {name}.b as c from {{ target }}",),
        ("v: select public.{name}.b from public.{name}",),
        ("v: with b as (select b, id from {{ target }})\nselect b.b, t.a from b join {{ target }} t on t.id = b.id",),
        ("w: select b * 2 as d from reporting.v_{name}", "v: select b from {{ target }}"),
        ("v: select b, a from {{ target }} union all select 1, 'delete from t -- x'",),
        ("v: select * from {{ target }}", "w: select b from reporting.v_{name} as x where x.b > 0"),
    ],
)
def test_columns_and_views_that_are_still_to_come_are_no_mistake(shop: Shop, views: tuple[str, ...]) -> None:
    shop.land("1.csv", FIRST)
    assert shop.run("run", shop.name)[0] == 0
    shop.land("2.csv", "id,a,b\n2,y,7\n")
    write(shop, *views)

    planned, _, err = shop.run("plan", shop.name)
    done, _, told = shop.run("run", shop.name)

    assert (planned, done) == (0, 0), err + told


def test_a_view_of_a_table_that_is_still_to_come_is_no_mistake(shop: Shop) -> None:
    shop.land("1.csv", "id,a,n\n1,x,2.5\n")
    write(shop, "v: select id, upper(a) as a, n + 1 as n, run_date, file_name from {{ target }}")

    assert shop.run("plan", shop.name)[0] == 0
    assert shop.run("run", shop.name)[0] == 0


def test_a_view_that_a_new_type_breaks_is_a_mistake(shop: Shop) -> None:
    shop.land("1.csv", "id,n\n1,5\n")
    write(shop, "v: select id, n + 1 as m from {{ target }}")
    assert shop.run("run", shop.name)[0] == 0
    spec = (shop.root / "pipelines" / f"{shop.name}.yml").read_text(encoding="utf-8")
    shop.write(f"pipelines/{shop.name}.yml", spec + "evolution: {type_conflicts: to_text}\n")
    shop.land("2.csv", "id,n\n2,00x\n")

    code, _, err = shop.run("plan", shop.name)

    assert code == 2
    assert f"the view reporting.v_{shop.name} cannot be created: " in err


def test_a_late_binding_view_may_name_what_is_not_there_yet(shop: Shop) -> None:
    shop.land("1.csv", FIRST)
    write(shop, "v: select a from public.not_yet_{name}", "w: select amuont from {{ target }}")
    path = f"pipelines/{shop.name}.yml"
    text = (shop.root / path).read_text(encoding="utf-8")
    shop.write(path, text.replace("    definition:", "    late_binding: true\n    definition:"))

    code, _, err = shop.run("plan", shop.name)

    assert code == 2
    assert f"reporting.w_{shop.name} cannot be created" in err
    assert f"reporting.v_{shop.name} cannot" not in err

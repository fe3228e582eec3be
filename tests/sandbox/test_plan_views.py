"""A mistake in a view is found by `plan`, with its line; what a load is about to bring is none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import FeedHarness, tagged_spec

FIRST = "id,a\n1,x\n"


def write(feed: FeedHarness, *views: str) -> None:
    """Write the spec with these views in the schema `reporting`, each as `NAME: definition` in lines of its own."""
    text = tagged_spec(feed.name) + "views:\n"
    for view in views:
        name, _, definition = view.partition(": ")
        lines = "".join(f"      {line}\n" for line in definition.splitlines())
        text += f"  - schema: reporting\n    name: {name}_{feed.name}\n    definition: |\n{lines}"
    feed.write(f"pipelines/{feed.name}.yml", text.replace("{name}", feed.name))


def line_of(feed: FeedHarness, words: str) -> int:
    text = (feed.root / "pipelines" / f"{feed.name}.yml").read_text(encoding="utf-8")
    return next(number for number, line in enumerate(text.splitlines(), start=1) if words in line)


def relations(feed: FeedHarness) -> Any:
    query = f"select count(*) from pg_class where relname like '%{feed.name}'"
    return feed.json("sandbox", "sql", query)[1]["rows"]


@pytest.mark.exhaustive(every=4)
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
def test_a_mistake_in_a_view_is_reported_with_its_line(
    feed: FeedHarness, definition: str, wrong: str, words: str, is_loaded: bool, is_pending: bool
) -> None:
    if is_loaded:
        feed.land("1.csv", FIRST)
        assert feed.command("run", feed.name)[0] == 0
    if is_pending:
        feed.land("2.csv", "id,a\n2,y\n")
    write(feed, f"v: {definition}")
    before = relations(feed)

    code, _, err = feed.command("plan", feed.name)

    assert code == 2
    assert f"pipelines/{feed.name}.yml:{line_of(feed, wrong)}:" in err
    assert f"the view reporting.v_{feed.name} cannot be created: " in err
    assert words in err
    assert relations(feed) == before


def test_all_mistakes_of_all_views_are_reported_together(feed: FeedHarness) -> None:
    feed.land("1.csv", FIRST)
    write(feed, "v: select x from {{ target }}", "w: select id from {{ target }}", "u: select y from {{ target }}")

    code, document = feed.json("plan", feed.name)

    assert code == 2
    message = document["failed"][0]["error"]["message"]
    assert "has 2 problems" in message
    assert f"reporting.v_{feed.name} cannot" in message
    assert f"reporting.u_{feed.name} cannot" in message


@pytest.mark.exhaustive(every=3)
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
def test_columns_and_views_that_are_still_to_come_are_no_mistake(feed: FeedHarness, views: tuple[str, ...]) -> None:
    feed.land("1.csv", FIRST)
    assert feed.command("run", feed.name)[0] == 0
    feed.land("2.csv", "id,a,b\n2,y,7\n")
    write(feed, *views)

    planned, _, err = feed.command("plan", feed.name)
    done, _, shown = feed.command("run", feed.name)

    assert (planned, done) == (0, 0), err + shown


def test_a_view_of_a_table_that_is_still_to_come_is_no_mistake(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a,n\n1,x,2.5\n")
    write(feed, "v: select id, upper(a) as a, n + 1 as n, run_date, file_name from {{ target }}")

    assert feed.command("plan", feed.name)[0] == 0
    assert feed.command("run", feed.name)[0] == 0


def test_a_view_that_a_new_type_breaks_is_a_mistake(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,n\n1,5\n")
    write(feed, "v: select id, n + 1 as m from {{ target }}")
    assert feed.command("run", feed.name)[0] == 0
    spec = (feed.root / "pipelines" / f"{feed.name}.yml").read_text(encoding="utf-8")
    feed.write(f"pipelines/{feed.name}.yml", spec + "evolution: {type_conflicts: to_text}\n")
    feed.land("2.csv", "id,n\n2,00x\n")

    code, _, err = feed.command("plan", feed.name)

    assert code == 2
    assert f"the view reporting.v_{feed.name} cannot be created: " in err


def test_a_late_binding_view_may_name_what_is_not_there_yet(feed: FeedHarness) -> None:
    feed.land("1.csv", FIRST)
    write(feed, "v: select a from public.not_yet_{name}", "w: select amuont from {{ target }}")
    path = f"pipelines/{feed.name}.yml"
    text = (feed.root / path).read_text(encoding="utf-8")
    feed.write(path, text.replace("    definition:", "    late_binding: true\n    definition:"))

    code, _, err = feed.command("plan", feed.name)

    assert code == 2
    assert f"reporting.w_{feed.name} cannot be created" in err
    assert f"reporting.v_{feed.name} cannot" not in err

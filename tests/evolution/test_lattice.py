"""Every step of the lattice of types, under all that may stand on a table: nothing of it is missing afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.catalog import catalog
from tests.harness import FeedHarness, MakeFeed, csv_text
from tests.sandbox.conftest import MINIMAL


@dataclass(frozen=True)
class Step:
    """A column's type, a value it holds, one that it does not, and the type that holds both.

    `stored` are both values as they are read afterwards.
    """

    current: str
    value: str
    wider: str
    wanted: str
    stored: tuple[Any, Any]


BIG = "12345678901234567890"
STEPS = (
    Step("smallint", "-7", "40000", "integer", (-7, 40000)),
    Step("smallint", "-7", "3000000000", "bigint", (-7, 3000000000)),
    Step("smallint", "-7", BIG, "numeric(38,0)", ("-7", BIG)),
    Step("smallint", "-7", "1.5", "numeric(38,18)", ("-7." + "0" * 18, "1.5" + "0" * 17)),
    Step("integer", "-7", "3000000000", "bigint", (-7, 3000000000)),
    Step("integer", "-7", BIG, "numeric(38,0)", ("-7", BIG)),
    Step("integer", "-7", "1.5", "numeric(38,18)", ("-7." + "0" * 18, "1.5" + "0" * 17)),
    Step("bigint", "-7", BIG, "numeric(38,0)", ("-7", BIG)),
    Step("bigint", "-7", "1.5", "numeric(38,18)", ("-7." + "0" * 18, "1.5" + "0" * 17)),
    Step("decimal(6,2)", "-7.25", "123456.5", "numeric(8,2)", ("-7.25", "123456.50")),
    Step("decimal(6,2)", "-7.25", "1.2345", "numeric(8,4)", ("-7.2500", "1.2345")),
    Step("decimal(38,0)", "7", "8", "numeric(38,0)", ("7", "8")),
    Step(
        "date",
        "2026-01-31",
        "2026-02-01 03:04:05",
        "timestamp without time zone",
        ("2026-01-31 00:00:00.0", "2026-02-01 03:04:05.0"),
    ),
    Step("varchar(10)", "x", "é" * 200, "character varying(410)", ("x", "é" * 200)),
    Step("varchar(300)", "x", "y" * 65535, "character varying(65535)", ("x", "y" * 65535)),
)
SURROUNDINGS = ("bare", "views", "late", "default", "distkey", "sortkey", "not null", "unique", "everything")
DEFAULTS = {"date": "'2026-01-01'", "varchar(10)": "'d'", "varchar(300)": "'d'"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try every step under everything, or each thing with one step."""
    if metafunc.config.getoption("--exhaustive"):
        cases = [(step, around) for step in STEPS for around in SURROUNDINGS]
    else:
        cases = [(STEPS[number % len(STEPS)], around) for number, around in enumerate(SURROUNDINGS, start=6)]
    ids = [f"{step.current}-{step.wanted}-{around}".replace(" ", "_") for step, around in cases]
    metafunc.parametrize(("step", "around"), cases, ids=ids)


def build(feed: FeedHarness, step: Step, around: str) -> None:
    """Create the table with what stands around it."""
    with_all = around == "everything"
    default = f" default {DEFAULTS.get(step.current, '7')}" if around in ("default", "everything") else ""
    not_null = " not null" if around in ("not null", "everything") else ""
    unique = ", unique (a)" if around in ("unique", "everything") else ""
    design = "distkey (a)" if around in ("distkey", "everything") else ""
    design += " compound sortkey (id, a)" if around in ("sortkey", "everything") else ""
    column = f"a {step.current}{default}{not_null}"
    feed.sql(
        f"create table {feed.table} (id bigint not null, {column}, z integer{unique}) {design}",
        f"create group g_{feed.name}",
        f"grant select, insert on {feed.table} to group g_{feed.name}",
        f"comment on table {feed.table} is 'a table''s comment'",
        f"comment on column {feed.table}.a is 'a column''s comment'",
        "create schema if not exists reporting",
    )
    if around == "views" or with_all:
        low, high = f"reporting.low_{feed.name}", f"reporting.high_{feed.name}"
        feed.sql(
            f"create view {low} as select a, id from {feed.table}",
            f"create view {high} as select a as b from {low}",
            f"grant select on {high} to group g_{feed.name}",
            f"comment on view {low} is 'low'",
        )
    if around == "late" or with_all:
        feed.sql(f"create view reporting.late_{feed.name} as select a, id from {feed.table} with no schema binding")


def views(feed: FeedHarness) -> dict[str, list[tuple[Any, ...]]]:
    """Return what the catalog knows of the views on the table, and what they show."""
    names = feed.sql(f"select viewname from pg_views where viewname like '%\\\\_{feed.name}' order by 1")
    return {
        "definitions": feed.sql(
            f"select viewname, viewowner, definition from pg_views where viewname like '%\\\\_{feed.name}' order by 1"
        ),
        "privileges": feed.sql(
            "select relation_name, identity_name, privilege_type from svv_relation_privileges "
            f"where identity_name = 'g_{feed.name}' order by 1, 3"
        ),
        "rows": [row for (name,) in names for row in feed.sql(f"select count(*) from reporting.{name}")],
    }


def test_a_column_grows_and_all_around_it_stays(make_feed: MakeFeed, step: Step, around: str) -> None:
    # Texts grow natively under views too, as they would in a table of many rows.
    feed = make_feed(MINIMAL + "evolution: {rewrite_up_to_rows: 0}\n")
    build(feed, step, around)
    feed.load("1.csv", csv_text("id,a,z", f"1,{step.value},5"))
    before, views_before = catalog(feed), views(feed)

    result = feed.load("2.csv", csv_text("id,a,z", f"2,{step.wider},6"))

    assert result.status == "SUCCESS", result.failure
    assert feed.types()["a"] == step.wanted
    assert feed.rows("a, z", "id") == [(step.stored[0], 5), (step.stored[1], 6)]
    after, views_after = catalog(feed), views(feed)
    for found in (before, after) if step.current == "date" else ():
        # The default of a date is written otherwise as a timestamp, and is the same moment.
        found["columns"] = [(name, default is not None, *rest) for name, default, *rest in found["columns"]]
    assert after == before
    assert views_after.pop("rows") == [(2,)] * len(views_before.pop("rows"))
    assert views_after == views_before
    assert feed.load("3.csv", csv_text("id,a,z", f"3,{step.wider},6")).schema_changes == ()

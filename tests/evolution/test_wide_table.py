"""A table of 1,000 columns whose names have 20 bytes: every kind of load fits into the limits of the Data API."""

from __future__ import annotations

from collections.abc import Callable

from tests.workshop import Workshop, csv_text

Feed = Callable[..., Workshop]

NAMES = [f"column_{number:013}" for number in range(999)]


def content(*rows: list[str]) -> str:
    return csv_text(",".join(["id", *NAMES]), *(",".join(row) for row in rows))


def test_a_thousand_columns_load_and_grow(feed: Feed) -> None:
    shop = feed("""
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {keys: [id]}
metadata_columns: {run_date: null, file_name: null}
views: [{schema: reporting, name: "v_{name}", definition: "select * from {{ target }}"}]
""")
    first = shop.load("1.csv", content(["1", *("7" for _ in NAMES)]))
    plain = shop.load("2.csv", content(["2", *("8" for _ in NAMES)]))
    grown = ["3000000000" if number < 3 else "9" for number in range(len(NAMES))]
    wider = shop.load("3.csv", content(["3", *grown]))
    copied = shop.load("4.csv", content(["9223372036854775808", *("1.5" for _ in NAMES)]))

    assert [result.status for result in (first, plain, wider, copied)] == ["SUCCESS"] * 4, [
        result.failure for result in (first, plain, wider, copied)
    ]
    assert [change["to"] for change in wider.schema_changes] == ["bigint"] * 3
    assert {change["to"] for change in copied.schema_changes} == {"decimal(38,0)", "decimal(38,18)"}
    assert len(copied.schema_changes) == 1000
    view = f"reporting.v_{shop.name}"
    assert shop.sql(f"select {NAMES[0]}, {NAMES[-1]} from {view} where id in (1, 3) order by id") == [
        ("7." + "0" * 18, "7." + "0" * 18),
        ("3000000000." + "0" * 18, "9." + "0" * 18),
    ]
    assert shop.sql(f"select count(*) from svv_columns where table_name = 'v_{shop.name}'") == [(1000,)]

"""A table of 1,000 columns whose names have 20 bytes: every kind of load fits into the limits of the Data API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from framework.errors import SchemaChangeError
from framework.load.preview import plan_pipeline
from framework.load.request import Pending
from tests.harness import MakeFeed, csv_text

NAMES = [f"column_{number:013}" for number in range(999)]


def content(*rows: list[str]) -> str:
    return csv_text(",".join(["id", *NAMES]), *(",".join(row) for row in rows))


def test_a_thousand_columns_load_and_grow(make_feed: MakeFeed) -> None:
    feed = make_feed("""
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {keys: [id]}
metadata_columns: {run_date: null, file_name: null}
views: [{schema: reporting, name: "v_{name}", definition: "select * from {{ target }}"}]
""")
    first = feed.load("1.csv", content(["1", *("7" for _ in NAMES)]))
    plain = feed.load("2.csv", content(["2", *("8" for _ in NAMES)]))
    grown = ["3000000000" if number < 3 else "9" for number in range(len(NAMES))]
    wider = feed.load("3.csv", content(["3", *grown]))
    copied = feed.load("4.csv", content(["9223372036854775808", *("1.5" for _ in NAMES)]))

    assert [result.status for result in (first, plain, wider, copied)] == ["SUCCESS"] * 4, [
        result.failure for result in (first, plain, wider, copied)
    ]
    assert [change["to"] for change in wider.schema_changes] == ["bigint"] * 3
    assert {change["to"] for change in copied.schema_changes} == {"decimal(38,0)", "decimal(38,18)"}
    assert len(copied.schema_changes) == 1000
    view = f"reporting.v_{feed.name}"
    assert feed.sql(f"select {NAMES[0]}, {NAMES[-1]} from {view} where id in (1, 3) order by id") == [
        ("7." + "0" * 18, "7." + "0" * 18),
        ("3000000000." + "0" * 18, "9." + "0" * 18),
    ]
    assert feed.sql(f"select count(*) from svv_columns where table_name = 'v_{feed.name}'") == [(1000,)]


def test_a_table_does_not_grow_beyond_what_can_be_loaded(make_feed: MakeFeed) -> None:
    """Names of 60 bytes: the merge of 400 such columns fits into a statement, that of 1,000 does not."""
    feed = make_feed()
    names = [f"{'long_name_' * 5}{number:010}" for number in range(1000)]
    narrow, wide = ",".join(["id", *names[:400]]), ",".join(["id", *names])
    loaded = feed.load("1.csv", csv_text(narrow, ",".join("1" * 401)))
    columns = feed.types()
    feed.land("2.csv", csv_text(wide, ",".join("2" * 1001)))

    with pytest.raises(SchemaChangeError, match="the Data API takes 100000"):
        plan_pipeline(feed.spec(), feed.services(), Pending())
    (refused,) = feed.run()
    after = feed.load("3.csv", csv_text(narrow, ",".join("3" * 401)))

    assert [result.failure for result in (loaded, after)] == [None, None]
    assert (loaded.status, refused.status, after.status) == ("SUCCESS", "FAILED", "SUCCESS")
    assert refused.failure is not None
    assert "the Data API takes 100000" in refused.failure.message
    assert feed.types() == columns
    assert feed.keys("data/in/") == []


def test_more_columns_than_a_table_may_have_are_refused_before_anything_is_changed(make_feed: MakeFeed) -> None:
    feed = make_feed()
    names = [f"c{number}" for number in range(1601)]
    feed.land("1.csv", csv_text(",".join(["id", *names]), ",".join("1" * 1602)))

    (refused,) = feed.run()

    assert refused.failure is not None
    assert refused.failure.type == "SchemaChangeError"
    assert "columns, and Redshift takes 1600. Nothing was changed." in refused.failure.message
    assert feed.types() == {}


def test_spark_loads_a_thousand_columns_as_the_embedded_engine_does(make_feed: MakeFeed, spark_engine: Any) -> None:
    embedded = make_feed()
    on_spark = replace(make_feed(), frames=spark_engine)
    texts = [("7", "-0.25", "true", "2024-02-29", "x")[number % 5] for number in range(len(NAMES))]
    rows = [["1", *texts], ["2", *("" for _ in NAMES)]]

    results = [feed.load("1.csv", content(*rows)) for feed in (embedded, on_spark)]

    assert [(result.status, result.engine) for result in results] == [("SUCCESS", "embedded"), ("SUCCESS", "spark")]
    assert on_spark.types() == embedded.types()
    columns = ", ".join(["id", *NAMES])
    assert on_spark.rows(columns, "id") == embedded.rows(columns, "id")

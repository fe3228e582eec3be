"""A view of the spec that is to show something else: replaced where its columns stay, with nothing above it touched."""

from __future__ import annotations

from typing import Any

from tests.harness import FeedHarness, MakeFeed, csv_text
from tests.sandbox.test_views import with_view


def view_ids(feed: FeedHarness) -> dict[str, Any]:
    """Return what distinguishes a view from one that was created anew under its name."""
    found = feed.sql(f"select relname, oid from pg_class where relkind = 'v' and relname like '%\\\\_{feed.name}'")
    return {str(name).removesuffix(f"_{feed.name}"): oid for name, oid in found}


def with_top(feed: FeedHarness) -> FeedHarness:
    """Load a file, and let others put a view on the spec's."""
    feed.load("1.csv", csv_text("id,a", "1,x"))
    feed.sql(f"create view reporting.top_{feed.name} as select id from reporting.v_{feed.name}")
    return feed


def test_another_query_with_the_same_columns_replaces_the_view_and_leaves_what_stands_on_it(
    make_feed: MakeFeed,
) -> None:
    feed = with_top(make_feed(with_view("select id, a from {{ target }}")))
    before = view_ids(feed)
    feed.spec_body = with_view("select id, a from {{ target }} where id > 1")

    result = feed.load("2.csv", csv_text("id,a", "2,y"))

    assert result.status == "SUCCESS", result.failure
    assert view_ids(feed) == before
    assert feed.sql(f"select id from reporting.top_{feed.name}") == [(2,)]


def test_a_new_column_of_the_table_leaves_a_view_that_does_not_show_it(make_feed: MakeFeed) -> None:
    feed = with_top(make_feed(with_view("select id, a from {{ target }}")))
    before = view_ids(feed)

    result = feed.load("2.csv", csv_text("id,a,b", "2,y,5"))

    assert result.status == "SUCCESS", result.failure
    assert view_ids(feed) == before
    built = f"select count(*) from feedway.view_builds where view_name = 'v_{feed.name}' and run_id = '{result.run_id}'"
    assert feed.sql(built) == [(1,)]


def test_a_view_with_other_columns_is_created_anew_with_what_stands_on_it(make_feed: MakeFeed) -> None:
    feed = with_top(make_feed(with_view("select id, a from {{ target }}")))
    before = view_ids(feed)
    for number, definition in enumerate(
        (
            "select id, a, 1 as one from {{ target }}",
            "select id, substring(a, 1, 1) as a from {{ target }}",
            "select id, a as b from {{ target }}",
            "select id, later from {{ target }}",
        ),
        start=2,
    ):
        feed.spec_body = with_view(definition)
        result = feed.load(f"{number}.csv", csv_text("id,a,later", f"{number},y,z"))

        assert result.status == "SUCCESS", (definition, result.failure)
        assert not set(before.items()) & set(view_ids(feed).items()), definition
        before = view_ids(feed)


def test_a_view_that_the_warehouse_refuses_to_replace_is_created_anew(make_feed: MakeFeed) -> None:
    feed = with_top(make_feed(with_view("select id, a from {{ target }}")))
    before = view_ids(feed)
    feed.spec_body = with_view("select id, a from {{ target }} where id > 0")
    feed.redshift_data.meta.events.register_first(
        "before-parameter-build.redshift-data.BatchExecuteStatement", _refuse_to_replace, unique_id=feed.name
    )
    try:
        result = feed.load("2.csv", csv_text("id,a", "2,y"))
    finally:
        feed.redshift_data.meta.events.unregister(
            "before-parameter-build.redshift-data.BatchExecuteStatement", unique_id=feed.name
        )

    assert result.status == "SUCCESS", result.failure
    assert not set(before.items()) & set(view_ids(feed).items())
    assert feed.sql(f"select id from reporting.top_{feed.name} order by 1") == [(1,), (2,)]


def _refuse_to_replace(params: dict[str, Any], **_: Any) -> None:
    params["Sqls"] = [
        sql.replace("select id, a from", "select a, id from") if "create or replace view" in sql else sql
        for sql in params["Sqls"]
    ]

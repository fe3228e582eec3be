"""Several rows with one key in a load: which one wins, how they are counted, and refusing them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from framework.load.result import RecordCounts
from tests.harness import MakeFeed, csv_text

MODES = ["upsert", "append", "replace"]


def spec(load: str, more: str = "") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/, batch: all}}
target: {{table: "{{name}}"}}
load: {{{load}}}
metadata_columns: {{run_date: null, file_name: null}}
{more}
"""


@pytest.mark.parametrize("mode", MODES)
def test_without_an_order_the_last_row_of_the_last_file_wins_in_every_mode(make_feed: MakeFeed, mode: str) -> None:
    feed = make_feed(spec(f"mode: {mode}, keys: [id, k]"))
    feed.land("1.csv", csv_text("id,k,a", "1,x,first", "2,x,only", "1,x,second"))
    first = feed.run()
    feed.land("2.csv", csv_text("id,k,a", "1,x,old", "1,y,other", "1,x,older"))
    feed.land("3.csv", csv_text("id,k,a", "3,x,new", "1,x,newest"))

    second = feed.run() if mode != "replace" else feed.run()[:1]

    assert first[0].counts == RecordCounts(read=3, inserted=2, updated=0, deleted=0, deduplicated=1, rejected=0)
    expected = {
        "upsert": [RecordCounts(3, 1, 0, 0, 2, 0), RecordCounts(2, 1, 1, 0, 0, 0)],
        "append": [RecordCounts(3, 1, 0, 0, 2, 0), RecordCounts(2, 2, 0, 0, 0, 0)],
        # Of several pending replacements the newest alone is loaded.
        "replace": [RecordCounts(2, 2, 0, 2, 0, 0)],
    }
    assert [result.counts for result in second] == expected[mode]
    rows = {
        "upsert": [(1, "x", "newest"), (1, "y", "other"), (2, "x", "only"), (3, "x", "new")],
        "append": [
            (1, "x", "newest"),
            (1, "x", "second"),
            (1, "y", "other"),
            (2, "x", "only"),
            (3, "x", "new"),
        ],
        "replace": [(1, "x", "newest"), (3, "x", "new")],
    }
    assert feed.rows("id, k, a", "id, k, a") == rows[mode]


ORDERED_ROWS = st.lists(st.tuples(st.integers(1, 3), st.none() | st.integers(1, 3)), max_size=8)


@pytest.mark.parametrize("mode", MODES)
@settings(
    max_examples=3,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(files=st.lists(ORDERED_ROWS, min_size=2, max_size=2), descending=st.booleans())
def test_the_winner_is_the_first_by_order_then_the_last_that_came(
    make_feed: MakeFeed, mode: str, files: list[list[tuple[int, int | None]]], descending: bool
) -> None:
    direction = "desc" if descending else "asc"
    feed = make_feed(
        spec(
            f"mode: {mode}, keys: [id], order_by: [n {direction}]",
            "expect: {min_rows: 0, max_shrink: 1}\ntypes: {columns: {n: integer}}",
        )
    )
    files = files[-1:] if mode == "replace" else files
    winners: dict[int, tuple[tuple[int, int, int, int], str]] = {}
    for ordinal, rows in enumerate(files):
        for row, (key, n) in enumerate(rows):
            rank = (n is not None, (n or 0) if descending else -(n or 0), ordinal, row)
            winners[key] = max(winners.get(key, (rank, "")), (rank, f"{ordinal}.{row}"))
    for ordinal, rows in enumerate(files):
        texts = [f"{key},{'' if n is None else n},{ordinal}.{row}" for row, (key, n) in enumerate(rows)]
        feed.land(f"{ordinal}.csv", csv_text("id,n,came", "0,1,x" if not ordinal else "9,1,x", *texts))

    results = feed.run()

    stored = feed.rows("id, cast(came as varchar(9))", "id")
    assert [row for row in stored if row[0] not in (0, 9)] == [
        (key, came) for key, (_, came) in sorted(winners.items())
    ]
    for ordinal, (result, rows) in enumerate(zip(results, files, strict=True)):
        won = sum(came.startswith(f"{ordinal}.") for _, came in winners.values())
        assert result.counts == RecordCounts(len(rows) + 1, won + 1, 0, 0, len(rows) - won, 0)


@pytest.mark.parametrize("mode", MODES)
def test_duplicates_can_be_refused_in_every_mode(make_feed: MakeFeed, mode: str) -> None:
    feed = make_feed(spec(f"mode: {mode}, keys: [id, k], duplicates: reject"))
    feed.land("0.csv", csv_text("id,k,a", "7,x,1"))
    (loaded,) = feed.run()
    feed.land(f"{feed.name}.csv", csv_text("id,k,a", "1,x,1", "2,x,1", "1,y,1", "2,x ,1", "1,x,1", "1,x,1"))

    (result,) = feed.run()

    assert loaded.counts.inserted == 1
    assert result.failure is not None
    assert (result.failure.type, result.failure.step) == ("SourceFileError", "merge")
    first, *samples, last = result.failure.message.splitlines()
    assert first.endswith(f"{feed.name}.csv: 5 rows share 2 keys (id, k), and load.duplicates is reject")
    assert samples == ["  id 1, k 'x': 3 rows", "  id 2, k 'x': 2 rows"]
    assert last.startswith("No row was loaded.")
    assert feed.rows("id, a", "id") == [(7, 1)]
    assert [key.rpartition("/")[2] for key in feed.keys("data/unprocessed/")] == [f"{feed.name}.csv"]
    assert feed.sql("select count(*) from svv_tables where table_schema = 'feedway' and table_name like 'stage_%'") == [
        (0,)
    ]


def test_every_file_of_a_batch_with_a_duplicate_is_refused_and_no_other(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("keys: [id], duplicates: reject"))
    feed.land(f"{feed.name}_1.csv", csv_text("id,a", "1,x", "2,x"))
    feed.land(f"{feed.name}_2.csv", csv_text("id,a", "3,x"))
    feed.land(f"{feed.name}_3.csv", csv_text("id,a", "4,x", "2,y", "2,z"))

    first = feed.run()

    assert first[0].failure is not None
    assert "3 rows share 1 key (id), and" in first[0].failure.message
    assert f"{feed.name}_1.csv: 1 of these rows" in first[0].failure.message
    assert f"{feed.name}_3.csv: 2 of these rows" in first[0].failure.message
    assert len(feed.keys("data/unprocessed/")) == 2
    (second,) = feed.run()
    assert second.status == "SUCCESS"
    assert feed.rows("id, a", "id") == [(3, "x")]


def test_many_duplicate_keys_are_counted_and_a_few_shown(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("keys: [id], duplicates: reject"))
    feed.land("1.csv", csv_text("id,a", *(f"{number % 20},x" for number in range(60))))

    (result,) = feed.run()

    assert result.failure is not None
    _, *samples, _ = result.failure.message.splitlines()
    assert "60 rows share 20 keys (id), and" in result.failure.message
    assert samples == [*(f"  id {number}: 3 rows" for number in range(5)), "  and 15 more keys"]


def test_without_samples_no_key_is_shown(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("keys: [id], duplicates: reject", "bad_rows: {log_samples: false}"))
    feed.land("1.csv", csv_text("id,a", "secret,x", "secret,y"))

    (result,) = feed.run()

    assert result.failure is not None
    assert "2 rows share 1 key (id), and" in result.failure.message
    (audited,) = (row[0] for row in feed.audit("error_message") if row[0] is not None)
    exported = [feed.s3.get_object(Bucket="lake", Key=key)["Body"].read().decode() for key in feed.keys("logs/")]
    assert "secret" not in "".join([result.failure.message, audited, feed.log.getvalue(), *exported])

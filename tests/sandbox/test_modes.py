"""Upsert, append, replace: winners, counts, and loading the same again."""

import re

import pytest

from framework.errors import SpecError
from framework.load.request import OneFile
from framework.load.result import RecordCounts
from tests.harness import MakeFeed, csv_text


def mode(text: str, source: str = "") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/{source}}}
target: {{table: "{{name}}"}}
load: {{{text}}}
metadata_columns: {{run_date: null, file_name: null}}
"""


def test_an_upsert_replaces_by_key_and_counts_what_it_did(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.load("1.csv", csv_text("id,a", "1,x", "2,y"))

    result = feed.load("2.csv", csv_text("id,a", "2,new", "3,z", "3,later"))

    assert result.counts == RecordCounts(read=3, inserted=1, updated=1, deleted=0, deduplicated=1, rejected=0)
    assert feed.rows("id, a", "id") == [(1, "x"), (2, "new"), (3, "later")]


def test_trailing_blanks_make_no_other_key(make_feed: MakeFeed) -> None:
    """Redshift compares VARCHAR without trailing blanks, and its equality is what counts."""
    feed = make_feed()
    feed.load("1.csv", csv_text("id,a", "k,x"))

    result = feed.load("2.csv", csv_text("id,a", "k ,y", "k,z"))

    assert (result.counts.updated, result.counts.inserted, result.counts.deduplicated) == (1, 0, 1)
    assert feed.rows("a", "a") == [("z",)]


def test_order_by_decides_within_the_file_and_against_the_stored_row(make_feed: MakeFeed) -> None:
    feed = make_feed(mode("keys: [id], order_by: [at desc, n]"))
    feed.load("1.csv", csv_text("id,at,n,a", "1,2026-01-05,1,stored", "2,2026-01-05,1,stored", "3,,1,stored"))

    result = feed.load(
        "2.csv",
        csv_text(
            "id,at,n,a",
            "1,2026-01-04,1,older",
            "2,2026-01-06,2,second",
            "2,2026-01-06,1,first",
            "3,2026-01-01,9,has a date",
        ),
    )

    assert result.counts == RecordCounts(read=4, inserted=0, updated=2, deleted=0, deduplicated=2, rejected=0)
    assert feed.rows("id, a", "id") == [(1, "stored"), (2, "first"), (3, "has a date")]


def test_an_append_keeps_every_row(make_feed: MakeFeed) -> None:
    feed = make_feed(mode("mode: append"))
    feed.load("1.csv", csv_text("id,a", "1,x", "1,x"))

    result = feed.load("2.csv", csv_text("id,a", "1,x"))

    assert result.counts == RecordCounts(read=1, inserted=1, updated=0, deleted=0, deduplicated=0, rejected=0)
    assert feed.rows("id, a", "id") == [(1, "x")] * 3


def test_a_replacement_leaves_only_the_new_rows_and_keeps_the_view(make_feed: MakeFeed) -> None:
    feed = make_feed(mode("mode: replace"))
    feed.load("1.csv", csv_text("id,a", "1,x", "2,y"))
    feed.sql(
        "create schema if not exists reporting", f"create view reporting.r_{feed.name} as select * from {feed.table}"
    )

    result = feed.load("2.csv", csv_text("id,a", "3,z"))

    assert result.counts == RecordCounts(read=1, inserted=1, updated=0, deleted=2, deduplicated=0, rejected=0)
    assert feed.sql(f"select id, a from reporting.r_{feed.name}") == [(3, "z")]


def test_of_several_pending_replacements_the_newest_is_loaded(make_feed: MakeFeed) -> None:
    feed = make_feed(mode("mode: replace"))
    for number in (1, 2, 3):
        feed.land(f"{feed.name}_{number}.csv", csv_text("id", str(number)))

    results = feed.run()

    assert [(result.status, str(result.source_file)[-5:]) for result in results] == [
        ("SUCCESS", "3.csv"),
        ("SKIPPED", "1.csv"),
        ("SKIPPED", "2.csv"),
    ]
    assert feed.rows("id", "id") == [(3,)]
    assert len(feed.keys("data/archive/")) == 3
    assert [row[0] for row in feed.audit("status")].count("SKIPPED") == 2


def test_a_batch_loads_all_files_in_one_transaction_with_a_row_each(make_feed: MakeFeed) -> None:
    feed = make_feed(mode("keys: [id]", ", batch: all"))
    feed.land("1.csv", csv_text("id,a", "1,x", "2,y"))
    feed.land("2.csv", csv_text("a,id,b", "later,2,7", "z,3,8"))
    feed.land("3.csv", csv_text("id,a"))

    results = feed.run()

    assert len({result.run_id for result in results}) == 1
    assert [(result.counts.read, result.counts.inserted, result.counts.deduplicated) for result in results] == [
        (2, 1, 1),
        (2, 2, 0),
        (0, 0, 0),
    ]
    assert feed.rows("id, a, b", "id") == [(1, "x", None), (2, "later", 7), (3, "z", 8)]
    audited = feed.audit("status, source_filename, records_read, records_inserted, records_deduplicated")
    assert [row[2:] for row in audited if row[0] == "SUCCESS"] == [(2, 1, 1), (2, 2, 0), (0, 0, 0)]


def test_the_same_file_twice_changes_nothing(make_feed: MakeFeed) -> None:
    feed = make_feed()
    text = csv_text("id,a", "1,x")
    loaded = feed.load(f"{feed.name}.csv", text)
    (archived,) = feed.keys("data/archive/")
    feed.sql(f"update {feed.table} set a = 'touched'")
    key = f"data/in/{feed.name}/{feed.name}.csv"
    feed.s3.copy_object(Bucket="lake", Key=key, CopySource={"Bucket": "lake", "Key": archived})

    (result,) = feed.run()

    assert result.status == "SKIPPED"
    assert re.fullmatch(rf"already loaded on 20..-..-..T..:..:..Z by run {loaded.run_id}", str(result.reason))
    assert feed.rows("a", "id") == [("touched",)]
    assert feed.keys("data/in/") == []
    assert [row[0] for row in feed.audit("status")] == ["STARTED", "SUCCESS", "SKIPPED"]


def test_the_ledger_stops_a_file_the_audit_does_not_know(make_feed: MakeFeed) -> None:
    """The guard of the merge decides, not what was observed before."""
    feed = make_feed(mode("mode: append"))
    key = feed.land(f"{feed.name}.csv", csv_text("id,a", "1,x"))
    body = feed.s3.get_object(Bucket="lake", Key=key)["Body"].read()
    (loaded,) = feed.run()
    feed.sql(f"delete from feedway.job_sts where pipeline = '{feed.name}'")
    feed.s3.put_object(Bucket="lake", Key=key, Body=body)

    (result,) = feed.run()

    assert result.status == "SKIPPED"
    assert str(result.reason).endswith(f"by run {loaded.run_id}")
    assert feed.rows("id, a", "id") == [(1, "x")]
    assert feed.keys("data/in/") == []


def test_again_loads_a_file_once_more_wherever_it_lies(make_feed: MakeFeed) -> None:
    feed = make_feed(mode("mode: append"))
    feed.load(f"{feed.name}.csv", csv_text("id,a", "1,x"))
    (archived,) = feed.keys("data/archive/")

    (result,) = feed.run(OneFile(archived, again=True))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert feed.rows("id, a", "id") == [(1, "x")] * 2
    assert feed.keys("data/archive/") == [archived]
    generations = feed.sql(
        f"select source_generation from feedway.job_sts where pipeline = '{feed.name}' and status = "
        "'SUCCESS' order by 1"
    )
    assert generations == [(1,), (2,)]


def test_a_file_that_another_pipeline_has_moved_stays_its_own(make_feed: MakeFeed) -> None:
    owner, other = make_feed(), make_feed(mode("mode: append"))
    owner.load(f"{owner.name}.csv", csv_text("id,a", "1,x"))
    (archived,) = owner.keys("data/archive/")

    for again in (False, True):
        with pytest.raises(SpecError, match=f"is a file of {owner.name}"):
            other.run(OneFile(archived, again=again))

    assert owner.keys("data/archive/") == [archived]


def test_an_archived_file_that_does_not_load_again_stays_in_the_archive(make_feed: MakeFeed) -> None:
    feed = make_feed("source: {prefix: data/in/{name}/}\ntarget: {table: '{name}'}\nload: {keys: [id]}\n")
    feed.load(f"{feed.name}.csv", csv_text("id,a", "1,1"))
    (archived,) = feed.keys("data/archive/")
    feed.sql(f"drop table {feed.table}", f"create table {feed.table} (id bigint, a date)")

    (result,) = feed.run(OneFile(archived, again=True))

    assert result.failure is not None
    assert result.failure.type == "SourceFileError"
    assert feed.keys("data/archive/") == [archived]
    assert feed.keys("data/unprocessed/") == []


def test_a_single_file_can_be_asked_for(make_feed: MakeFeed) -> None:
    feed = make_feed()
    feed.land("1.csv", csv_text("id,a", "1,x"))
    second = feed.land("2.csv", csv_text("id,a", "2,y"))

    results = feed.run(OneFile(f"s3://lake/{second}"))

    assert [result.source_file for result in results] == [second]
    assert feed.rows("id", "id") == [(2,)]
    assert len(feed.keys(f"data/in/{feed.name}/1.csv")) == 1


def test_a_target_among_feedways_own_tables_is_refused(make_feed: MakeFeed) -> None:
    feed = make_feed(mode("mode: append").replace("target: {", "target: {schema: feedway, "))
    feed.land("1.csv", csv_text("id,a", "1,x"))

    with pytest.raises(SpecError, match="it belongs to Feedway's own tables"):
        feed.run()

    assert len(feed.keys("data/in/")) == 1

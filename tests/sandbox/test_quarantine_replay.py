"""Loading corrected quarantine files, without overwriting what was loaded since."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from framework.errors import SourceFileError, SpecError
from framework.load.quarantine.replay import replay_quarantine
from framework.load.request import OneFile
from framework.load.result import LoadResult, RecordCounts
from framework.log.run_log import RunLog
from framework.warehouse.audit import read_last_success
from framework.warehouse.session import WarehouseSession
from tests.harness import FeedHarness, MakeFeed, csv_text


def spec(load: str = "keys: [id]", more: str = "", source: str = "") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/{source}}}
target: {{table: "{{name}}"}}
load: {{{load}}}
metadata_columns: {{run_date: null}}
types: {{columns: {{id: integer, n: integer}}}}
bad_rows: {{action: quarantine, max_fraction: 1}}
{more}
"""


def quarantine_rows(feed: FeedHarness) -> list[dict[str, Any]]:
    """Return the rows of the feed's last quarantine file."""
    return rows_at(feed, max(key for key in feed.keys("data/quarantine/") if key.endswith(".parquet")))


def rows_at(feed: FeedHarness, key: str) -> list[dict[str, Any]]:
    """Return the rows of a quarantine file."""
    body = feed.s3.get_object(Bucket="lake", Key=key)["Body"].read()
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()
    return rows


def corrected(rows: Sequence[dict[str, Any]], records: Mapping[int, Sequence[str | None]], path: Path) -> str:
    """Write the rows with other records, by their row, as a Parquet file of somebody's own making."""
    changed = [row | {"record": json.dumps(records[row["row"]])} for row in rows if row["row"] in records]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(changed), path)
    return str(path)


def replay(feed: FeedHarness, address: str) -> list[LoadResult]:
    return replay_quarantine(feed.spec(), feed.services(), address)


def last_success(feed: FeedHarness) -> dict[str, datetime]:
    return read_last_success(WarehouseSession(feed.warehouse, "history", RunLog("r", "history", None)), [feed.name])


def test_only_keys_that_the_table_lacks_are_added(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(spec())
    feed.load("1.csv", csv_text("id,n", "1,1", "2,x", "3,y"))
    rows = quarantine_rows(feed)
    feed.load("2.csv", csv_text("id,n", "2,22"))

    (result,) = replay(feed, corrected(rows, {2: ["2", "2"], 3: ["3", "3"]}, tmp_path / "fixed.parquet"))

    assert result.status == "SUCCESS", result.failure
    assert result.counts == RecordCounts(read=2, inserted=1, updated=0, deleted=0, deduplicated=1, rejected=0)
    assert feed.rows("id, n, file_name", "id") == [(1, 1, "1.csv"), (2, 22, "2.csv"), (3, 3, "1.csv")]
    assert feed.keys("staging/") == []
    assert feed.audit("status, source_filename, source_etag like 'corrected-%'")[-1] == (
        "SUCCESS",
        f"data/in/{feed.name}/1.csv",
        True,
    )


def test_with_an_order_the_order_decides_and_a_tie_leaves_the_stored_row(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(spec("keys: [id], order_by: [at desc, n]", "evolution: {missing_columns: 'null'}"))
    feed.load("1.csv", csv_text("id,n,at", *(f"{number},x,2026-01-02" for number in range(1, 6)), "6,6,2026-01-02"))
    rows = quarantine_rows(feed)
    feed.load(
        "2.csv",
        csv_text("id,n,at", "1,9,2026-01-01", "2,9,2026-01-03", "3,9,2026-01-02", "4,7,2026-01-02", "5,9,", "6,9,"),
    )
    fixed = {number: [str(number), "7", "2026-01-02"] for number in range(1, 6)}

    (result,) = replay(feed, corrected(rows, fixed, tmp_path / "fixed.parquet"))

    # Older by date, newer by date, level by date and first by n, level in both, without a date.
    assert result.counts == RecordCounts(read=5, inserted=0, updated=3, deleted=0, deduplicated=2, rejected=0)
    stored = feed.rows("id, n, file_name", "id")
    assert stored[:5] == [(1, 7, "1.csv"), (2, 9, "2.csv"), (3, 7, "1.csv"), (4, 7, "2.csv"), (5, 7, "1.csv")]


def test_the_same_corrections_load_once(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(spec("mode: append"))
    feed.load("1.csv", csv_text("id,n", "1,1", "1,x"))
    address = corrected(quarantine_rows(feed), {2: ["1", "1"]}, tmp_path / "fixed.parquet")

    results = [*replay(feed, address), *replay(feed, address)]

    assert [result.status for result in results] == ["SUCCESS", "SKIPPED"]
    assert feed.rows("id, n", "id") == [(1, 1), (1, 1)]


def test_rows_of_an_archives_members_are_corrected(make_feed: MakeFeed, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x/a.csv", csv_text("id,n", "1,1", "2,x"))
        archive.writestr("x/b.csv", csv_text("n,id", "3,3", "y,4"))
    feed = make_feed(spec("mode: append", source=", pattern: '*.zip'"))
    assert feed.load("a.zip", packed.getvalue()).status == "SUCCESS"
    rows = [row for key in sorted(feed.keys("data/quarantine/")) for row in rows_at(feed, key)]
    assert [(row["file"], row["row"], row["record"]) for row in rows] == [
        ("a.zip/x/a.csv", 2, '["2","x"]'),
        ("a.zip/x/b.csv", 2, '["y","4"]'),
    ]
    fixed = [row | {"record": json.dumps(record)} for row, record in zip(rows, [["2", "2"], ["4", "4"]], strict=True)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(fixed), tmp_path / "fixed.parquet")

    results = replay(feed, str(tmp_path / "fixed.parquet"))

    assert {result.status for result in results} == {"SUCCESS"}
    assert feed.rows("id, n, file_name", "id") == [
        (1, 1, "a.zip/x/a.csv"),
        (2, 2, "a.zip/x/a.csv"),
        (3, 3, "a.zip/x/b.csv"),
        (4, 4, "a.zip/x/b.csv"),
    ]


def test_of_rows_of_several_files_the_last_files_row_is_added(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(spec(source=", batch: all"))
    feed.land("a.csv", csv_text("id,n", "1,x"))
    feed.land("sub/b.csv", csv_text("n,id,s", "2,2,s", "x,1,"))
    feed.run()
    rows = quarantine_rows(feed)

    results = replay(feed, corrected(rows, {1: ["1", "10"], 2: ["20", "1", ""]}, tmp_path / "fixed.parquet"))

    assert [str(result.source_file).partition(feed.name)[2] for result in results] == ["/sub/b.csv", "/a.csv"]
    assert [(result.counts.inserted, result.counts.deduplicated) for result in results] == [(1, 0), (0, 1)]
    assert feed.rows("id, n, s, file_name", "id") == [(1, 20, "", "sub/b.csv"), (2, 2, "s", "sub/b.csv")]


def test_the_same_bad_rows_of_another_delivery_are_other_rows(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(spec("mode: append"))
    for day in (1, 2):
        feed.load("p.csv", csv_text("id,n", f"{day}0,1", "2,x"))
        path = corrected(quarantine_rows(feed), {2: ["2", "22"]}, tmp_path / f"{day}.parquet")
        assert [result.status for result in replay(feed, path)] == ["SUCCESS"]
        assert [result.status for result in replay(feed, path)] == ["SKIPPED"]

    assert feed.rows("id, n", "id") == [(2, 22), (2, 22), (10, 1), (20, 1)]


def test_the_name_of_a_corrected_file_means_nothing(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(spec())
    feed.load("1.csv", csv_text("id,n", "1,x", "2,y"))
    rows = quarantine_rows(feed)
    folder = tmp_path / "file=evil"
    folder.mkdir()
    corrected(rows, {1: ["7", "7"], 2: ["8", "8"]}, folder / "fixed1.parquet")
    path = corrected(rows, {1: ["1", "1"], 2: ["2", "2"]}, folder / "fixed[1].parquet")

    (result,) = replay(feed, path)

    assert result.source_file == f"data/in/{feed.name}/1.csv"
    assert feed.rows("id, n", "id") == [(1, 1), (2, 2)]


def test_renamed_and_excluded_columns_and_null_values_mean_what_they_meant(make_feed: MakeFeed, tmp_path: Path) -> None:
    names = 'columns: {rename: {grosse_a: "größe", a: b, b: a}, exclude: [secret]}'
    body = spec(more=names, source=', options: {delimiter: ";", encoding: latin-1}')
    feed = make_feed(body.replace("types: {", "types: {parse: {null_values: [NA]}, "))
    text = "id;Große A;A;B;Secret;n\n1;NA;a;b;s;1\n2;g;a;b;s;x\n"
    feed.load("1.csv", text.encode("latin-1"))
    rows = quarantine_rows(feed)
    assert json.loads(rows[0]["header"]) == ["id", "größe", "b", "a", "secret", "n"]

    (result,) = replay(feed, corrected(rows, {2: ["2", "NA", 'a"\n', "", None, "2"]}, tmp_path / "fixed.parquet"))

    assert result.status == "SUCCESS", result.failure
    assert feed.rows('id, "größe", a, b, n', "id") == [(1, None, "b", "a", 1), (2, None, "", 'a"\n', 2)]


def test_a_row_that_is_still_bad_refuses_its_file_and_moves_nothing(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(spec())
    feed.load("1.csv", csv_text("id,n", "0,0", "1,x", "2,y"))
    rows = quarantine_rows(feed)
    archived = feed.keys("data/archive/")
    address = corrected(rows, {2: ["1", "1"], 3: ["2", "zwei"]}, tmp_path / "fixed.parquet")

    (result,) = replay(feed, address)

    assert result.failure is not None
    message = result.failure.message
    assert message.startswith(f"{address}: 1 of 2 rows cannot be loaded\n")
    assert "1 of 2 values of n is not an integer: 'zwei', in row 2, which is row 3 of 1.csv" in message
    assert message.endswith(f"Correct these rows in {address}, and replay it again with the same command.")
    assert feed.audit("error_message")[-1] == (message,)
    assert feed.rows("id", "id") == [(0,)]
    assert feed.keys("data/unprocessed/") == []
    assert feed.keys("staging/") == []
    assert feed.keys("data/archive/") == archived


def test_rows_that_were_loaded_corrected_are_not_appended_twice(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(spec("mode: append"))
    feed.load("1.csv", csv_text("id,n", "0,0", "1,x", "2,y", "3,z"))
    rows = quarantine_rows(feed)
    fixed = {2: ["1", "1"], 3: ["2", "2"], 4: ["3", "3"]}
    part = corrected(rows, {3: fixed[3]}, tmp_path / "part.parquet")
    whole = corrected(rows, fixed, tmp_path / "whole.parquet")
    assert replay(feed, part)[0].status == "SUCCESS"

    with pytest.raises(SourceFileError, match=r"1 row was loaded .* row 3 of 1\.csv, .*Delete row 2 of "):
        replay(feed, whole)

    assert [result.status for result in replay(feed, part)] == ["SKIPPED"]
    assert feed.rows("id", "id") == [(0,), (2,)]
    rest = corrected(rows, {2: fixed[2], 4: fixed[4]}, tmp_path / "rest.parquet")
    assert replay(feed, rest)[0].status == "SUCCESS"
    assert feed.rows("id", "id") == [(0,), (1,), (2,), (3,)]


def test_a_row_that_still_conflicts_is_not_quarantined_once_more(make_feed: MakeFeed, tmp_path: Path) -> None:
    typed = "types: {columns: {id: integer, n: integer}}\nbad_rows: {action: quarantine, max_fraction: 1}"
    conflicts = "evolution: {type_conflicts: quarantine}\nbad_rows: {max_fraction: 1}"
    feed = make_feed(spec().replace(typed, conflicts))
    feed.load("1.csv", csv_text("id,n", "1,1"))
    assert feed.load("2.csv", csv_text("id,n", "2,2", "3,x")).counts.rejected == 1
    kept = [key for key in feed.keys("data/quarantine/") if key.endswith(".parquet")]

    (result,) = replay(feed, corrected(quarantine_rows(feed), {2: ["3", "y"]}, tmp_path / "fixed.parquet"))

    assert (result.status, [bad.row for bad in result.bad_rows]) == ("FAILED", [2])
    assert [key for key in feed.keys("data/quarantine/") if key.endswith(".parquet")] == kept
    assert feed.rows("id", "id") == [(1,), (2,)]


def test_corrections_are_no_delivery_after_which_others_would_be_late(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(spec())
    feed.load("1.csv", csv_text("id,n", "1,1", "2,x"))
    rows = quarantine_rows(feed)
    key = feed.land("2.csv", csv_text("id,n", "1,2"))
    delivered = last_success(feed)
    (result,) = replay(feed, corrected(rows, {2: ["2", "2"]}, tmp_path / "fixed.parquet"))
    assert result.status == "SUCCESS"

    (picked,) = feed.run(OneFile(key))

    assert picked.status == "SUCCESS", picked.reason
    again = last_success(feed)
    feed.sql(f"delete from feedway.job_sts where pipeline = '{feed.name}' and source_filename like '%2.csv'")
    before = last_success(feed)
    assert before == delivered
    assert again[feed.name] > delivered[feed.name]


def test_rows_of_another_pipeline_are_refused(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed, other = make_feed(spec()), make_feed(spec(source=", pattern: 'other_*.csv'"))
    any_name = make_feed(spec())
    feed.load("1.csv", csv_text("id,n", "1,1", "2,other"))
    (key,) = feed.keys("data/quarantine/")
    fixed = corrected(quarantine_rows(feed), {2: ["2", "2"]}, tmp_path / "fixed.parquet")

    with pytest.raises(SourceFileError, match=f"holds bad rows of {feed.name}"):
        replay(other, f"s3://lake/{key}")
    with pytest.raises(SourceFileError, match=f"'1.csv' does not match source.pattern of {other.name}"):
        replay(other, fixed)
    with pytest.raises(SourceFileError, match=f"of 1.csv. Replay them with a pipeline that has: {feed.name}"):
        replay(any_name, fixed)
    assert any_name.keys("staging/") == []
    assert feed.sql(f"select count(*) from feedway.job_sts where pipeline = '{any_name.name}'") == [(0,)]


def test_rows_of_a_renamed_pipeline_are_corrected_and_those_of_no_delivery_are_not(
    make_feed: MakeFeed, tmp_path: Path
) -> None:
    feed = make_feed(spec())
    feed.load("1.csv", csv_text("id,n", "1,1", "2,x"))
    rows = quarantine_rows(feed)
    renamed = replace(feed.spec(), pipeline=f"{feed.name}_2")
    other = corrected([row | {"etag": "e"} for row in rows], {2: ["2", "2"]}, tmp_path / "other.parquet")

    with pytest.raises(SourceFileError, match="Leave the columns file and etag"):
        replay(feed, other)
    (result,) = replay_quarantine(
        renamed, feed.services(), corrected(rows, {2: ["2", "2"]}, tmp_path / "fixed.parquet")
    )

    assert result.status == "SUCCESS", result.failure
    assert feed.rows("id, n", "id") == [(1, 1), (2, 2)]


@pytest.mark.parametrize(
    ("load", "change"),
    [
        ("mode: append", {"row": 1}),
        ("mode: append", {"row": 200}),
        ("keys: [id]", {"row": 3}),
        ("keys: [id]", {"file": "2.csv"}),
    ],
)
def test_a_row_that_is_not_in_quarantine_is_refused(
    make_feed: MakeFeed, tmp_path: Path, load: str, change: dict[str, Any]
) -> None:
    """Else the bad row would stay there, and could be loaded too."""
    feed = make_feed(spec(load=load))
    feed.load("1.csv", csv_text("id,n", "1,1", "2,x", "3,3"))
    rows = quarantine_rows(feed)
    moved = corrected([{**rows[0], "row": 2} | change], {change.get("row", 2): ["2", "2"]}, tmp_path / "moved.parquet")

    with pytest.raises(SourceFileError) as refused:
        replay(feed, moved)

    place = {"row": 2, "file": "1.csv"} | change
    assert f"row 1 is to be row {place['row']} of {place['file']}, which is not in quarantine" in str(refused.value)
    assert feed.rows("id, n", "id") == [(1, 1), (3, 3)]
    (result,) = replay(feed, corrected(rows, {2: ["2", "2"]}, tmp_path / "fixed.parquet"))
    assert result.status == "SUCCESS", result.failure
    assert feed.rows("id, n", "id") == [(1, 1), (2, 2), (3, 3)]


def test_rows_that_the_lake_no_longer_has_are_corrected(make_feed: MakeFeed, tmp_path: Path) -> None:
    """An export may be corrected after the quarantine was cleared by age."""
    feed = make_feed(spec())
    feed.load("1.csv", csv_text("id,n", "1,1", "2,x"))
    fixed = corrected(quarantine_rows(feed), {2: ["2", "2"]}, tmp_path / "fixed.parquet")
    for key in feed.keys("data/quarantine/"):
        feed.s3.delete_object(Bucket="lake", Key=key)

    (result,) = replay(feed, fixed)

    assert result.status == "SUCCESS", result.failure
    assert feed.rows("id, n", "id") == [(1, 1), (2, 2)]


def test_a_file_with_an_odd_name_takes_its_corrections(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(spec())
    feed.load("a +ü 'b'#%.csv", csv_text("id,n", "1,1", "2,x"))

    (result,) = replay(feed, corrected(quarantine_rows(feed), {2: ["2", "2"]}, tmp_path / "fixed.parquet"))

    assert result.status == "SUCCESS", result.failure
    assert feed.rows("id, n", "id") == [(1, 1), (2, 2)]


def test_a_pipeline_that_replaces_its_table_takes_no_corrections(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(spec("mode: replace"))

    with pytest.raises(SpecError, match=r"load\.mode is replace"):
        replay(feed, str(tmp_path / "fixed.csv"))


GOOD = {"file": "1.csv", "row": "1", "record": '["1","1"]', "header": '["id","n"]', "etag": "e"}


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ([GOOD | {"record": '["1"]'}], "row 1 of 1.csv has 1 field, and its header names 2"),
        ([GOOD, GOOD], "row 1 of 1.csv occurs twice"),
        ([GOOD | {"record": "1,1"}], "row 1, record: no JSON"),
        ([GOOD | {"record": '{"id": 1}'}], "row 1, record: no array of texts and nulls"),
        ([GOOD, GOOD | {"row": "2", "record": '["1", true]'}], "row 2, record: no array of texts and nulls"),
        ([GOOD | {"record": '["1", "\\ud800"]'}], "row 1, record: no JSON"),
        ([GOOD | {"header": "[]"}], "row 1, header: a name is missing"),
        ([GOOD | {"row": "-1"}], "file, row and etag must say"),
        ([GOOD | {"row": "0"}], "file, row and etag must say"),
        ([GOOD | {"file": "x" * 1024}], "which is too long"),
        ([GOOD | {"file": "../../other/1.csv"}], "file, row and etag must say"),
        ([GOOD | {"etag": ""}], "file, row and etag must say"),
        ([{"file": "1.csv", "row": "1", "record": "[]"}], "the column 'header' is missing"),
        ([GOOD | {"record": "[null]", "header": '["id"]'}], "row 1 of 1.csv is empty"),
        ([GOOD | {"header": '["id","N n"]'}], "no column of 1.csv is called 'N n'"),
        ([GOOD | {"header": '["id",""]'}], "no column of 1.csv is called ''"),
        ([GOOD | {"header": '["id","id"]'}], "names a column twice"),
        ([GOOD | {"row": "9" * 5000}], "file, row and etag must say"),
        ([GOOD | {"record": "[" * 100_000}], "row 1, record: no JSON"),
        ([GOOD | {"record": '["1", NaN]'}], "row 1, record: no array of texts and nulls"),
    ],
)
def test_what_is_no_quarantine_file_is_refused_before_anything_loads(
    make_feed: MakeFeed, tmp_path: Path, rows: list[dict[str, str]], shown: str
) -> None:
    feed = make_feed(spec())
    path = tmp_path / "fixed.csv"
    lines = [",".join('"' + text.replace('"', '""') + '"' for text in row.values()) for row in rows]
    path.write_text(csv_text(",".join(rows[0]), *lines), encoding="utf-8")

    with pytest.raises(SourceFileError) as refused:
        replay(feed, str(path))

    assert shown in str(refused.value)
    assert feed.keys("staging/") == []


def test_a_number_in_a_record_stands_for_its_own_text(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(spec().replace("n: integer", 'n: "decimal(38,18)"'))
    feed.load("1.csv", csv_text("id,n", "1,x"))
    (row,) = quarantine_rows(feed)
    path = tmp_path / "fixed.csv"
    line = f'1.csv,1,"[1, 0.100000000000000005]","[""id"",""n""]",{row["etag"]}'
    path.write_text(f"\ufefffile,row,record,header,etag\r\n{line}\r\n", "utf-8")

    replay(feed, str(path))

    assert feed.rows("id, n", "id") == [(1, "0.100000000000000005")]


def test_a_file_that_is_nowhere_is_named(make_feed: MakeFeed, tmp_path: Path) -> None:
    feed = make_feed(spec())
    for address in (str(tmp_path / "no.csv"), "s3://lake/data/quarantine/no.parquet", "s3://other/no.parquet"):
        with pytest.raises(SpecError, match=r"no\.(csv|parquet) is not"):
            replay(feed, address)
    with pytest.raises(SpecError, match="is not in the lake"):
        replay(feed, "s3://lake/")

"""Files without a header line, with one that is replaced, and with lines before it."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pyarrow.parquet
import pytest

from framework.load.quarantine.replay import replay_quarantine
from tests.harness import FeedHarness, MakeFeed
from tests.sandbox.test_bad_rows import quarantined

THREE = "header: false, names: [Id, Name, n]"


def spec(options: str, more: str = "") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/, options: {{{options}}}}}
target: {{table: "{{name}}"}}
load: {{keys: [id]}}
metadata_columns: {{run_date: null, file_name: null}}
{more}
"""


@pytest.fixture
def frames(embedded_engine: object) -> object:
    """Only the embedded engine reads all of them."""
    return embedded_engine


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize(
    ("options", "content"),
    [
        (THREE, "1,ann,10\n2,bob,20\n"),
        (THREE, "\r\n1,ann,10\r\n\r\n2,bob,20"),
        (THREE, "1,ann,10\r2,bob,20\r"),
        (THREE, "\ufeff1,ann,10\n2,bob,20"),
        (f"{THREE}, skip_lines: 1", "sep=,\n1,ann,10\n2,bob,20\n"),
        ("header: true, names: [id, name, n]", "1,x,n\n1,ann,10\n2,bob,20\n"),
        ("skip_lines: 2", 'All of "2024\n\nid,name,n\n1,ann,10\n2,bob,20\n'),
        ("skip_lines: 1, delimiter: ;", "sep=;\r\nid;name;n\r\n1;ann;10\r\n2;bob;20\r\n"),
        ("skip_lines: 1", "Report\rid,name,n\r1,ann,10\r2,bob,20\r"),
    ],
)
def test_the_options_say_what_the_first_lines_are(make_feed: MakeFeed, options: str, content: str) -> None:
    feed = make_feed(spec(options))

    assert feed.load("1.csv", content).status == "SUCCESS"
    assert feed.load("2.csv.gz", gzip.compress(content.replace("ann", "eve").encode())).status == "SUCCESS"
    assert feed.rows("id, name, n", "id") == [(1, "eve", 10), (2, "bob", 20)]


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_a_file_without_a_header_may_have_no_rows(make_feed: MakeFeed, content: str) -> None:
    feed = make_feed(spec(THREE))

    result = feed.load("1.csv", content)

    assert (result.status, result.counts.read) == ("SUCCESS", 0)


def test_many_rows_without_a_header_are_all_loaded(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("header: false, names: [id, text]"))
    rows = [f"{n},{'x' * (n % 50)}" for n in range(200_000)]

    result = feed.load("1.csv", "\n".join(rows))

    assert result.counts.inserted == 200_000
    assert feed.sql(f"select min(id), max(id), sum(len(text)) from {feed.table}") == [
        (0, 199_999, sum(n % 50 for n in range(200_000)))
    ]


def test_bad_rows_are_counted_from_the_first_record_and_their_lines_from_the_first_line(
    make_feed: MakeFeed, tmp_path: Path
) -> None:
    declared = "types: {columns: {n: integer}}"
    content = 'a title\n\n1,"ann\nlee",10\n2,bob,x\n3,c\n'
    feed = make_feed(spec(f"{THREE}, skip_lines: 1", declared))

    result = feed.load("1.csv", content)

    assert result.failure is not None
    assert "of n is not an integer" in result.failure.message
    assert "in row 3, line 6" in result.failure.message

    feed.spec_body = spec(f"{THREE}, skip_lines: 1", f"{declared}\nbad_rows: {{action: quarantine, max_rows: 2}}")
    assert feed.load("2.csv", content).counts.rejected == 2
    assert [(row, fields) for _, row, _, _, fields in quarantined(feed)] == [(2, ["2", "bob", "x"]), (3, ["3", "c"])]

    fixed = tmp_path / "fixed.csv"
    key = feed.keys("data/quarantine/")[0]
    etag = _etag(feed, key)
    header = '"[""id"",""name"",""n""]"'
    fixed.write_text(f'file,row,record,header,etag\n2.csv,2,"[""2"",""bob"",""20""]",{header},{etag}\n')
    (corrected,) = replay_quarantine(feed.spec(), feed.services(), str(fixed))
    assert corrected.status == "SUCCESS", corrected.failure
    assert feed.rows("id, name, n", "id") == [(1, "ann\nlee", 10), (2, "bob", 20)]


def _etag(feed: FeedHarness, key: str) -> str:
    body = feed.s3.get_object(Bucket="lake", Key=key)["Body"].read()
    return str(pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()[0]["etag"])


def test_a_file_that_ends_within_the_skipped_lines_is_rejected(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("skip_lines: 3"))

    result = feed.load("1.csv", "id\n1\n")

    assert result.failure is not None
    assert "no header after the skipped lines (source.options.skip_lines: 3)" in result.failure.message

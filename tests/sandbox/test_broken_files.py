"""Files that cannot be loaded, packed and not: one clear message, and they are set aside."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from typing import Any

import pytest

from framework.load.preview import plan_pipeline
from framework.load.request import Pending
from framework.load.result import LoadResult
from framework.rows.formats.text.stream import MAX_RECORD_BYTES
from tests.harness import FeedHarness, MakeFeed

CSV = b"id,name\n" + b"".join(b"%d,%d\n" % (number, number * 7919) for number in range(20_000))


def spec(source: str = "", options: str = "") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/, {source} options: {{{options}}}}}
target: {{table: "{{name}}"}}
load: {{mode: append}}
metadata_columns: {{run_date: null, file_name: null}}
"""


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def rejected(feed: FeedHarness, content: bytes) -> str:
    """Load a file that is set aside; return why."""
    result: LoadResult = feed.load("a.csv", content)
    assert result.status == "FAILED"
    assert result.failure is not None
    assert result.failure.type in ("SourceFileError", "SchemaChangeError"), result.failure.message
    assert feed.keys("data/in/") == []
    assert "data/unprocessed/" in result.failure.full_message
    assert feed.types() == {}
    return result.failure.message


def damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_cut_off_file_is_none(make_feed: MakeFeed, pack: Any) -> None:
    assert "data is cut off" in rejected(make_feed(spec()), pack(CSV)[:-9])
    assert "data is damaged" in rejected(make_feed(spec()), damaged(pack(CSV)))


def test_archives_that_cannot_be_read_are_named(make_feed: MakeFeed) -> None:
    whole = zipped({"a.csv": b"id\n1\n", "b.csv": CSV})
    encrypted = bytearray(zipped({"a.csv": CSV}))
    encrypted[6] |= 1
    encrypted[encrypted.rindex(b"PK\x01\x02") + 8] |= 1

    assert "zip archive is damaged or cut off" in rejected(make_feed(spec()), whole[:-30])
    assert "a.csv is encrypted" in rejected(make_feed(spec()), bytes(encrypted))
    assert "no member that source.members (*.txt) takes" in rejected(make_feed(spec("members: '*.txt',")), whole)
    other = rejected(make_feed(spec()), whole)
    assert "a.csv/b.csv: its columns are not those of a.csv" in other
    assert "only one of them has name" in other
    assert "the file is no Excel workbook" in rejected(
        make_feed(spec()), zipped({"[Content_Types].xml": b"", "xl/a.xml": b"x"})
    )
    twice = rejected(make_feed(spec()), zipped({"a.csv.gz": gzip.compress(CSV)}))
    assert "a.csv/a.csv.gz: the file is packed twice, inside as gzip" in twice


def test_a_member_is_at_fault_by_its_name_and_its_own_rows(make_feed: MakeFeed) -> None:
    broken = rejected(make_feed(spec()), zipped({"a.csv": CSV, "b.csv": b'id,name\n1,x\n2,"y'}))
    assert "a.csv/b.csv: record 2: a quoted field is not closed" in broken
    bad = rejected(make_feed(spec()), zipped({"a.csv": CSV, "b.csv": b"id,name\n1,x\n2\n"}))
    assert "1 of 20,002 records has another number of fields" in bad
    assert "in a.csv/b.csv, row 2, line 3: 1 instead of 2" in bad


@pytest.mark.exhaustive
def test_a_bomb_ends_at_its_limit(make_feed: MakeFeed) -> None:
    rows = b"id,name\n" + b"1,x\n" * 300_000
    limit = "unpacks to more than 1.0 MB, the limit of source.max_unpacked"
    for packed in (gzip.compress(rows), bz2.compress(rows), lzma.compress(rows), zipped({"a.csv": rows})):
        assert limit in rejected(make_feed(spec("max_unpacked: 1MB,")), packed)
        # The limit is by default 1 GB, or more.
        assert make_feed(spec()).load("a.csv", packed).status == "SUCCESS"


@pytest.mark.exhaustive
def test_a_field_of_a_gigabyte_is_no_field(make_feed: MakeFeed) -> None:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as target:
        target.write(b'id,name\n1,a\n2,"')
        for _ in range(1024):
            target.write(b"x" * 1024**2)
    message = rejected(make_feed(spec("max_unpacked: 4GB,")), packed.getvalue())
    assert "record 2: a quoted field is not closed" in message
    assert MAX_RECORD_BYTES == 64 * 1024**2
    assert "no header or first record ends within the first 16 MB" in rejected(
        make_feed(spec()), gzip.compress(b"x" * 64 * 1024**2, compresslevel=1)
    )


@pytest.mark.exhaustive
def test_a_hundred_thousand_columns_are_too_many(make_feed: MakeFeed) -> None:
    header = ",".join(f"c{number}" for number in range(100_000))
    message = rejected(make_feed(spec()), f"{header}\n{'1,' * 99_999}1\n".encode())
    assert "would have 100002 columns, and Redshift takes 1600" in message
    assert len(message) < 1000


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_last_byte_decides_on_the_encoding(make_feed: MakeFeed, pack: Any) -> None:
    content = CSV + b"1,\xe9"
    message = rejected(make_feed(spec()), pack(content))
    assert "record 20001: the bytes are not valid in the file's encoding" in message
    assert "set source.options.encoding to its encoding, which is not utf-8" in message

    feed = make_feed(spec(options="encoding: [utf-8, us-ascii, windows-1252]"))
    feed.land("a.csv", pack(content))
    (planned,) = plan_pipeline(feed.spec(), feed.services(), Pending())
    assert [note for note in planned.notes if note.endswith("is read with encoding 'windows-1252'")] != []
    assert feed.run()[0].status == "SUCCESS"
    assert feed.rows("name", "id, name desc limit 2")[-1] == ("é",) or ("é",) in feed.rows("name", "1")

    none = rejected(make_feed(spec(options="encoding: [utf-8, us-ascii]")), pack(content))
    assert "not valid in the file's encoding" in none


def test_a_byte_order_mark_leaves_no_other_encoding(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(options="encoding: [utf-8, windows-1252]"))
    assert "record 20001" in rejected(feed, b"\xef\xbb\xbf" + CSV + b"1,\xe9\n")


def test_utf_16_without_a_mark_is_read_where_the_list_has_it(make_feed: MakeFeed) -> None:
    content = "id,name\n1,Ann\n".encode("utf-16-le")
    message = rejected(make_feed(spec()), content)
    assert message.endswith("or set source.options.encoding: utf-16-le")
    feed = make_feed(spec(options="encoding: [utf-8, utf-16-le]"))
    assert feed.load("a.csv", content).status == "SUCCESS"
    assert feed.rows("id, name", "id") == [(1, "Ann")]
    marked = rejected(make_feed(spec(options="encoding: [utf-8, windows-1252]")), b"\xef\xbb\xbfid,\xe9\n1,2\n")
    assert "byte 7 (0xe9) is not valid utf-8, which its byte order mark says" in marked


def test_plan_says_where_the_header_is(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(options="skip_lines: {until: id}"))
    for name, above, lines in (("a.csv", b"", 0), ("b.csv", b"Report\n\n", 2)):
        key = feed.land(name, above + b"id,name\n1,Ann\n")
        planned = plan_pipeline(feed.spec(), feed.services(), Pending())[-1]
        assert planned.notes == (f"s3://lake/{key} is read with skip_lines {lines}",)


def test_a_packing_that_the_spec_does_not_have(make_feed: MakeFeed) -> None:
    message = rejected(make_feed(spec("compression: none,")), gzip.compress(CSV))
    assert "packed with gzip, and source.compression is none" in message
    assert make_feed(spec("compression: gzip,")).load("a.csv", gzip.compress(CSV)).status == "SUCCESS"


def test_a_file_without_its_footer_may_have_been_cut_off(make_feed: MakeFeed) -> None:
    assert "may have been cut off" in rejected(make_feed(spec(options="footer_lines: 2")), b"id,name\nTotal,1\n")
    feed = make_feed(spec(options="footer_lines: {from: 'Total*'}"))
    feed.land("a.csv", b"id,name\n1,a\nTotal,1\n\nend\n")
    (planned,) = plan_pipeline(feed.spec(), feed.services(), Pending())
    assert planned.notes == ("lines left out as footers: 3",)
    many = b"id,name\n1,a\nTotal\n" + b"2,b\n" * 200
    assert "rows may be among them" in rejected(make_feed(spec(options="footer_lines: {from: 'Total*'}")), many)


@pytest.mark.exhaustive(every=5)
@pytest.mark.parametrize(
    ("content", "advice", "options", "rows"),
    [
        (b"id,name,n\n1,a\n2,b,3\n", "short_rows: pad (their other fields are NULL)", "short_rows: pad", 2),
        (b"id,name\n1,a,\n2,b\n", "long_rows: ignore (their surplus fields are empty)", "long_rows: ignore", 2),
        (b"id,name\n1,a\n2,b\nTotal\n", "footer_lines: 1 (if the last lines are no rows)", "footer_lines: 1", 2),
        (b'id,name\n1,5" pipe\n', "quoting: lenient", "quoting: lenient", 1),
        (b"# by me\nid,name\n1,a\n", 'comment: "#"}}  # lines that begin with # are comments', "comment: '#'", 1),
    ],
)
def test_a_message_names_the_option_that_loads_the_file(
    make_feed: MakeFeed, content: bytes, advice: str, options: str, rows: int
) -> None:
    feed = make_feed(spec())
    assert advice in rejected(feed, content)
    other = make_feed(spec(options=options))
    assert other.load("b.csv", content).status == "SUCCESS"
    assert other.sql(f"select count(*) from {other.table}") == [(rows,)]

"""A file that is divided at any byte has the records, ordinals and faults of the file as a whole."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.errors import SourceFileError
from framework.model.column_type import parse_type
from framework.model.csv_options import CsvOptions
from framework.model.files import SourceBatch
from framework.model.notation import PLAIN
from framework.model.staging import FromFile, StagingColumn
from framework.rows import engine
from framework.rows.formats.csv import cut as csv_cut
from framework.rows.job import Split
from framework.rows.work import OnlyRead
from tests.unit.rows.benches import COMMA, CollectRecords, batch_of, rows_of

csv.field_size_limit(2**30)

ANYTHING = st.lists(
    st.sampled_from(["a", '"', '""', ",", "\n", "\r\n", "\r", "é", "😀", "\ufeff", "\0", '"x"', '"a\nb"', "1,2\n"]),
    max_size=30,
).map("".join)
FIELDS = st.lists(st.sampled_from(["a", "é", "\n", "\r\n", ",", '"', "1,2\n", " "]), max_size=4).map("".join)
ROWS = st.lists(st.lists(FIELDS, min_size=1, max_size=3), max_size=8)


def well_formed(rows: Sequence[Sequence[str]], line_end: str, quote_all: bool, blanks: int) -> str:
    def written(field: str) -> str:
        is_quoted = quote_all or set(field) & set('",\r\n')
        return '"' + field.replace('"', '""') + '"' if is_quoted else field

    lines = ["c0,c1", *(",".join(map(written, row)) for row in rows)]
    return "".join(line + line_end * (1 + blanks * (number % 2)) for number, line in enumerate(lines))


def read(batch: SourceBatch, content: bytes, cuts: Sequence[int], folder: Path) -> Any:
    """Return the records of a file that is divided at some places, by ordinal; or what is wrong with it."""
    (layout,) = batch.files
    start, end = layout.rows_start.at, len(content)
    places = sorted({start, end, *(cut for cut in cuts if start < cut < end)})
    ranges = enumerate(pairwise(places))
    splits = [Split(0, number, begin, until, number == 0) for number, (begin, until) in ranges]
    splits = splits or [Split(0, 0, start, end, True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "divide", lambda batch, size: splits)
        rows, session = rows_of(batch, [content], folder, 1)
        try:
            found = [record for part in rows._pass("read", CollectRecords()) for record in part]
        except SourceFileError as error:
            return str(error)
        finally:
            assert len(session.rounds) <= 2
        before = rows._before()
        reports = rows._reports()
        assert sum(report.records for report in reports) == len(found)
        lines = sum(report.line_ends for report in reports)
        records = {before[file, split].records + place: record for file, split, place, record in found}
        assert len(records) == len(found)
        # A later pass, which knows the borders, reads the same.
        again = [record for part in rows._pass("read", CollectRecords()) for record in part]
        assert sorted(again, key=str) == sorted(found, key=str)
        return records, lines


def everywhere(content: bytes, options: CsvOptions, folder: Path) -> Any:
    """Return what the file holds as a whole, and check that it is the same wherever it is divided."""
    batch = batch_of(content, options=options, head_bytes=content.find(b"\n") + 1 or None)
    if not batch.files[0].rows_start.is_divisible:
        return None
    whole = read(batch, content, [], folder)
    for cut in range(batch.files[0].rows_start.at, len(content)):
        assert read(batch, content, [cut], folder) == whole, cut
        assert read(batch, content, [cut, cut + 1], folder) == whole, cut
    assert read(batch, content, range(len(content)), folder) == whole
    return whole


@settings(max_examples=25)
@given(
    rows=ROWS,
    line_end=st.sampled_from(["\n", "\r\n"]),
    quote_all=st.booleans(),
    blanks=st.integers(0, 2),
    is_open_ended=st.booleans(),
)
def test_a_well_formed_file_divided_at_any_byte(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    line_end: str,
    quote_all: bool,
    blanks: int,
    is_open_ended: bool,
) -> None:
    text = well_formed(rows, line_end, quote_all, blanks)
    text = text.removesuffix(line_end) if is_open_ended else text
    whole = everywhere(text.encode(), COMMA, tmp_path_factory.mktemp("splits"))
    assert not isinstance(whole, str), whole
    parsed = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row][1:]
    assert {n: tuple(row) for n, row in enumerate(parsed, start=1) if len(row) == 2} == {
        n: record for n, record in whole[0].items() if isinstance(record, tuple)
    }
    assert len(whole[0]) == len(parsed)


@settings(max_examples=100)
@given(text=ANYTHING)
def test_any_text_divided_at_any_byte(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    everywhere(("c0,c1\n" + text).encode(), COMMA, tmp_path_factory.mktemp("splits"))


OTHER_ENCODINGS = st.sampled_from(
    ["windows-1252", "iso-8859-1", "koi8-r", "mac_arabic", "euc_jp", "shift_jis", "cp932", "gb18030", "big5hkscs",
     "johab", "cp949"]
)  # fmt: skip


@settings(max_examples=40)
@given(text=st.lists(ANYTHING, max_size=2).map("東ア".join), encoding=OTHER_ENCODINGS)
def test_other_encodings_divided_at_any_byte(
    tmp_path_factory: pytest.TempPathFactory, text: str, encoding: str
) -> None:
    content = ("c0,c1\n" + text).encode(encoding, "ignore")
    everywhere(content, replace(COMMA, encoding=encoding), tmp_path_factory.mktemp("splits"))


@settings(max_examples=40)
@given(
    content=st.lists(
        st.sampled_from([b"a", b'"', b",", b"\n", b"\x81", b"\x8f", b"\xa4", b"\xfe", b"\x30", b"\x5c", b"\x93\x8c"]),
        max_size=12,
    ),
    encoding=OTHER_ENCODINGS,
)
def test_other_encodings_with_broken_bytes_divided_at_any_byte(
    tmp_path_factory: pytest.TempPathFactory, content: list[bytes], encoding: str
) -> None:
    whole = b"c0,c1\n" + b"".join(content)
    everywhere(whole, replace(COMMA, encoding=encoding), tmp_path_factory.mktemp("splits"))


@settings(max_examples=40)
@given(text=ANYTHING, trim=st.sampled_from(["unquoted", "all"]), short_rows=st.sampled_from(["reject", "pad"]))
def test_options_that_change_no_border_divided_at_any_byte(
    tmp_path_factory: pytest.TempPathFactory, text: str, trim: Any, short_rows: Any
) -> None:
    options = replace(COMMA, trim=trim, short_rows=short_rows, long_rows="ignore")
    everywhere(f"c0,c1\n{text}".replace("a", " ").encode(), options, tmp_path_factory.mktemp("splits"))


@settings(max_examples=25)
@given(
    content=st.lists(st.sampled_from([b"a", b'"', b",", b"\n", b"\xc3", b"\xa9", b"\xff", b"\xe2\x82"]), max_size=20)
)
def test_broken_bytes_divided_at_any_byte(tmp_path_factory: pytest.TempPathFactory, content: list[bytes]) -> None:
    everywhere(b"c0,c1\n" + b"".join(content), COMMA, tmp_path_factory.mktemp("splits"))


def test_a_quoted_field_that_holds_csv_of_the_same_columns_is_one_value(tmp_path: Path) -> None:
    """Splits within it look sound, with the right number of fields; only the chain shows that none of it is a row."""
    inner = b"1,2\n" * 200_000
    content = b'c0,c1\n0,x\n7,"' + inner + b'"\n8,y\n'
    batch = batch_of(content, head_bytes=6)
    rows, session = rows_of(batch, [content], tmp_path, 50_000)
    found = [record for part in rows._pass("read", CollectRecords()) for record in part]
    assert sorted(record[-1] for record in found) == [("0", "x"), ("7", inner.decode()), ("8", "y")]
    assert len(session.rounds) == 2


@pytest.mark.parametrize("end", [b"", b'"\n8,y\n'])
def test_a_quoted_field_of_many_splits_breaks_its_file_and_no_row_within_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: bytes
) -> None:
    monkeypatch.setattr(csv_cut, "MAX_RECORD_BYTES", 4 * 1024**2)
    content = b'c0,c1\n0,x\n7,"' + b"1,2\n" * 3_000_000 + end
    batch = batch_of(content, head_bytes=6)
    rows, session = rows_of(batch, [content], tmp_path, 1024**2)
    with pytest.raises(SourceFileError, match="record 2: a quoted field is not closed where its record ends"):
        rows._pass("read", OnlyRead())
    assert len(session.rounds) == 1, "the split with the open quote has the last word"


def test_small_files_share_a_task_and_the_biggest_split_comes_first(tmp_path: Path) -> None:
    contents = [b"c0,c1\n" + b"1,2\n" * size for size in (10, 500, 20, 100_000, 0)]
    batch = batch_of(*contents)
    rows, session = rows_of(batch, contents, tmp_path, 100_000)
    found = [record for part in rows._pass("read", CollectRecords()) for record in part]
    assert [sum(record[0] == file for record in found) for file in range(5)] == [10, 500, 20, 100_000, 0]
    (tasks,) = session.rounds
    assert [len(task.splits) for task in tasks] == [1, 1, 1, 1, 4]
    assert {split.file for split in tasks[-1].splits} == {0, 1, 2, 4}


def test_at_most_200_files_share_a_task(tmp_path: Path) -> None:
    contents = [b"c0,c1\n1,2\n"] * 401
    rows, session = rows_of(batch_of(*contents), contents, tmp_path, 4 * 1024**2)
    assert sum(len(part) for part in rows._pass("read", CollectRecords())) == 401
    (tasks,) = session.rounds
    assert [len(task.splits) for task in tasks] == [200, 200, 1]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_sample_reads_no_more_than_it_needs(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    content = pack(b"c0,c1\n" + b"".join(b"%d,x\n" % number for number in range(100_000)))
    batch = batch_of(content, sample_rows=50)
    rows, session = rows_of(batch, [content], tmp_path, 1000)
    found = [record for part in rows._pass("read", CollectRecords()) for record in part]
    assert 50 <= len(found) < 1000
    assert [record[-1] for record in found] == [(str(number), "x") for number in range(len(found))]
    assert [record for part in rows._pass("read", CollectRecords()) for record in part] == found
    if pack is bytes:
        assert all(end < 70_000 for _, _, end in session.store.reads)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "windows-1252"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_stream_has_the_records_of_its_text_however_it_is_cut(
    tmp_path: Path, line_end: str, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    rows = [(str(number), f'é "{line_end},' if number % 3 else "x") for number in range(500)]
    text = line_end.join(["c0,c1", *(f'{a},"{b.replace(chr(34), chr(34) * 2)}"' for a, b in rows)]) + line_end
    content = pack(text.encode(encoding))
    options = replace(COMMA, encoding=encoding)
    batch = batch_of(content, options=options)
    read, _ = rows_of(batch, [content], tmp_path, 100)
    found = [record for part in read._pass("read", CollectRecords()) for record in part]
    assert [record[-1] for record in sorted(found)] == rows
    before = read._before()
    assert [before[file, split].records + place for file, split, place, _ in sorted(found)] == [*range(1, 501)]


@pytest.mark.parametrize("tail", ["", "\r", "\r\r\n", "\n\r\r\n", "\r\n\r\r\n\n\r", "\n\n\n"])
@pytest.mark.parametrize("before", ["", "1,2", '1,2\n"a\n",2', '1,2\n3,"\n\n"'])
@pytest.mark.parametrize("line_end", ["\n", "\r"])
def test_the_last_record_of_a_stream_ends_in_any_run_of_line_ends(
    tmp_path: Path, before: str, tail: str, line_end: str
) -> None:
    text = f"c0,c1{line_end}{before.replace(chr(10), line_end)}{tail}"
    content = gzip.compress(text.encode())
    expected = [tuple(row) for row in csv.reader(io.StringIO(before.replace("\n", line_end), newline=""))]
    for size in range(1, len(text)):
        read, _ = rows_of(batch_of(content), [content], tmp_path, size)
        found = [record for part in read._pass("read", CollectRecords()) for record in part]
        assert [record[-1] for record in sorted(found)] == expected, size


@pytest.mark.parametrize("content", [b"c0,c1\n1,2\n3,4", b"c0,c1\n1,2\n3,4\n", b"c0,c1", b"c0,c1\n", b"c0,c1\r1,2"])
@pytest.mark.parametrize("size", [4, 1000])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_last_line_without_an_end_is_noticed_where_one_is_expected(
    tmp_path: Path, content: bytes, size: int, pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(content)
    rows, _ = rows_of(batch_of(packed, needs_last_line_end=True), [packed], tmp_path, size)
    if content.endswith(b"\n"):
        rows._pass("read", OnlyRead())
    else:
        with pytest.raises(SourceFileError, match="the last line has no line end") as error:
            rows._pass("read", OnlyRead())
        assert not error.value.needs_new_file


def test_a_file_that_goes_between_two_passes_is_named_by_every_later_one(tmp_path: Path) -> None:
    contents = [b"c0,c1\n1,x\n", b"c0,c1\nx,1\n"]
    rows, session = rows_of(batch_of(*contents), contents, tmp_path, 1000)
    columns = [StagingColumn("c0", parse_type("integer"), FromFile())]
    assert rows.stage(columns, None).rows_bad == 1
    del session.store.contents["1.csv"]
    for read in (
        lambda: rows.read_bad_rows(columns, [1], 5),
        lambda: rows.quarantine(columns, [1], "s3://lake/quarantine"),
        lambda: rows.stage(columns, None),
        lambda: rows.profile({"c0": PLAIN}),
    ):
        with pytest.raises(SourceFileError, match="has gone") as error:
            read()
        assert error.value.keys == ("1.csv",)


@pytest.mark.parametrize("tail", ["\r", "\r\r\n", "\r\r\n\n", "\n\r", "\r\n\r\r\n\n\r", "\n\n\n"])
@pytest.mark.parametrize("before", ["", "1,2", '"a\n",2'])
def test_the_last_record_ends_in_any_run_of_line_ends_divided_anywhere(tmp_path: Path, before: str, tail: str) -> None:
    whole = everywhere(f"c0,c1\n{before}{tail}".encode(), COMMA, tmp_path)
    assert len(whole[0]) == (before != "")

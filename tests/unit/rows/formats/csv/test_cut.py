"""How files are cut into records, against Python's csv module."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.model.csv_options import CsvOptions
from framework.rows.formats.csv import cut
from framework.rows.formats.csv.blocks import check_block
from framework.rows.formats.csv.cut import SplitCutter
from framework.rows.formats.csv.records import RecordCutter
from framework.rows.formats.text.format import BrokenRecord
from framework.rows.formats.text.text import whole_text, without_start
from framework.rows.segments import SplitRecords
from tests.unit.rows.benches import COMMA, layout_of

LETTERS = st.sampled_from('ab,;"\n\r é😀\\\ufeff\0')
TEXTS = st.text(LETTERS, max_size=40)
FIELDS = st.text(LETTERS, max_size=6)
SOUND = FIELDS.filter(lambda text: "\0" not in text)


def record_text(fields: list[str], quote_all: bool) -> str:
    """Return a record by RFC 4180; csv.writer would leave a lone carriage return bare."""
    return ",".join(
        '"' + field.replace('"', '""') + '"' if quote_all or set(field) & set('",\r\n') else field for field in fields
    )


def cut_file(content: bytes, columns: int, folder: Path, options: CsvOptions = COMMA, piece: int = 7) -> SplitRecords:
    """Return the records of a file that arrives in small pieces."""
    head = content.splitlines(keepends=True)[0] if options.encoding == "utf-8" else content[:14]
    layout = replace(layout_of(content, options, head_bytes=len(head)), columns=tuple(f"c{n}" for n in range(columns)))
    pieces = (content[start : start + piece] for start in range(0, len(content), piece))
    text = without_start(whole_text(pieces, options.encoding), layout.rows_start.at)
    return SplitCutter(layout, options, 0, folder, "split").cut(text, len(content), is_last=True)


def rows_of(records: SplitRecords) -> Iterator[tuple[int, list[str]]]:
    """Yield place and fields of every good record, read back with the csv module."""
    for segment in records.segments:
        text = segment.path.read_bytes().decode("utf-8").removeprefix("\ufeff")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert len(rows) == segment.records
        for number, row in enumerate(rows, start=1):
            yield segment.place(number), row


@settings(max_examples=150)
@given(
    rows=st.lists(st.lists(FIELDS, min_size=1, max_size=4), max_size=30),
    quote_all=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n"]),
    is_open_ended=st.booleans(),
    block=st.sampled_from([1, 16, 64, 10_000]),
)
def test_segments_hold_the_sound_records_and_the_notes_the_others(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    quote_all: bool,
    line_end: str,
    is_open_ended: bool,
    block: int,
) -> None:
    lines = [record_text(["c0", "c1"], False), *(record_text(row, quote_all) for row in rows)]
    content = line_end.join(lines) + ("" if is_open_ended else line_end)
    parsed = [row for row in csv.reader(io.StringIO(content, newline=""), strict=True) if row][1:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cut, "BLOCK_BYTES", block)
        patch.setattr(cut, "SMALL_BYTES", 8)
        cutter = cut_file(content.encode(), 2, tmp_path_factory.mktemp("cut"))
    good = list(rows_of(cutter))
    malformed = {each.place: each.record for each in cutter.malformed()}
    assert cutter.records == len(parsed)
    sound = [(n, row) for n, row in enumerate(parsed, start=1) if len(row) == 2 and "\0" not in "".join(row)]
    assert good == sound
    assert sorted(malformed) == sorted({*range(1, len(parsed) + 1)} - {n for n, _ in sound})
    assert all(next(csv.reader(io.StringIO(text, newline=""))) == parsed[n - 1] for n, text in malformed.items())


@settings(max_examples=600)
@given(text=TEXTS.map(lambda text: text + "\n"), columns=st.integers(1, 3))
def test_a_block_is_plain_only_where_every_record_is_sound(text: str, columns: int) -> None:
    options = CsvOptions(",", "utf-8")
    block = check_block(text.encode(), ",", columns)
    try:
        cut = RecordCutter(options, columns).cut(text, 0, is_all=False)
    except BrokenRecord:
        # What follows the last record of a plain block is read with the next one.
        if block is not None:
            RecordCutter(options, columns).cut(text.encode()[: block.end].decode(), 0, is_all=True)
        return
    if block is not None:
        assert (block.end, block.records) == (len(text[: cut.end].encode()), cut.records)
        assert not cut.malformed
        ended = [record + block.line_end for record in cut.good]
        assert text[: cut.end] == "".join(ended)
        assert block.longest_bytes == max(len(record.encode()) for record in ended)


@given(rows=st.lists(st.tuples(SOUND, SOUND), min_size=1, max_size=20), line_end=st.sampled_from(["\n", "\r\n"]))
def test_plain_records_are_recognised(rows: list[tuple[str, str]], line_end: str) -> None:
    text = "".join(record_text(list(row), quote_all=True) + line_end for row in rows).encode()
    block = check_block(text, ",", 2)
    assert block is not None
    assert (block.end, block.records, block.line_end) == (len(text), len(rows), line_end)


@pytest.mark.parametrize(
    "text",
    ["a,b\n\nc,d\n", "a,b\r\nc,d\n", "a\n", "a,b,c\n", 'a,b"\n', '"a"b,c\n', "a,\0\n", "a,b\rc\n", "\na,b\n", ""],
)
def test_what_is_not_plain_is_left_to_others(text: str) -> None:
    assert check_block(text.encode(), ",", 2) is None


def test_quotes_are_followed_over_many_words() -> None:
    field = '"' + "x,\n" * 100 + '""' + "y" * 61 + '"'
    text = "".join(f"{n},{field}\n" for n in range(50)).encode()
    block = check_block(text, ",", 2)
    assert block is not None
    assert (block.records, block.end) == (50, len(text))


def test_a_quote_that_is_never_closed_ends_somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cut, "MAX_RECORD_BYTES", 1000)
    monkeypatch.setattr(cut, "BLOCK_BYTES", 16)
    with pytest.raises(BrokenRecord, match="not closed") as error:
        cut_file(b'c0,c1\n1,2\n3,"' + b"x" * 5000, 2, tmp_path)
    assert error.value.place == 2


@pytest.mark.parametrize(
    ("content", "place"), [(b"c0,c1\n1,2\n3,\xff\n", 2), (b"c0,c1\n1,2\n3,\xc3", 2), (b"c0,c1\n\xff,2\n3,4\n", 1)]
)
def test_bytes_that_are_no_utf_8_are_placed(tmp_path: Path, content: bytes, place: int) -> None:
    with pytest.raises(BrokenRecord, match="not valid") as error:
        cut_file(content, 2, tmp_path)
    assert error.value.place == place


@pytest.mark.parametrize("encoding", ["utf-16", "windows-1252", "iso-8859-1"])
def test_other_encodings_become_utf_8(tmp_path: Path, encoding: str) -> None:
    content = "c0,c1\n1,é\n2,ü\n".encode(encoding)
    cutter = cut_file(content, 2, tmp_path, CsvOptions(",", encoding), piece=3)
    assert list(rows_of(cutter)) == [(1, ["1", "é"]), (2, ["2", "ü"])]


def test_half_a_character_at_the_end_of_utf_16_is_placed(tmp_path: Path) -> None:
    content = "c0,c1\n1,é\n2,ü".encode("utf-16")[:-1]
    with pytest.raises(BrokenRecord, match="not valid") as error:
        cut_file(content, 2, tmp_path, CsvOptions(",", "utf-16"), piece=3)
    assert error.value.place == 2


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "\n", "\r", "\r\n", "\n\n", "\r\r", "\n\r", "\r\n\r\n", "\r\r\n"])
@pytest.mark.parametrize("size", [1, 10_000])
def test_the_last_record_may_end_in_any_line_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line_end: str, last: str, size: int
) -> None:
    monkeypatch.setattr(cut, "BLOCK_BYTES", size)
    monkeypatch.setattr(cut, "SMALL_BYTES", 8)
    content = line_end.join(["c0,c1", "1,2", '3,"x\n"']) + last
    cutter = cut_file(content.encode(), 2, tmp_path, piece=1)
    assert list(rows_of(cutter)) == [(1, ["1", "2"]), (2, ["3", "x\n"])]


@pytest.mark.parametrize(
    "content", ["c0,c1\r1,2\n3,4\r", "c0,c1\r1,2\n\r3,4", "c0,c1\n1,2\r3,4\n", "c0,c1\n1,2\r\r\n3,4\n"]
)
def test_another_line_end_before_the_last_breaks_the_file(tmp_path: Path, content: str) -> None:
    with pytest.raises(BrokenRecord, match="carriage return"):
        cut_file(content.encode(), 2, tmp_path, piece=1)


def test_a_header_is_a_file_whatever_line_ends_follow(tmp_path: Path) -> None:
    for last in ("", "\n", "\r", "\r\n", "\n\n", "\r\r", "\n\r", "\r\r\n"):
        assert cut_file(f"c0,c1{last}".encode(), 2, tmp_path).records == 0

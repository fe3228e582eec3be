"""Where a file's rows begin, against the file that was put together around that place."""

from __future__ import annotations

import codecs
import gzip
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.model.csv_options import CsvOptions
from framework.model.files import RowsStart
from framework.rows.formats.csv import start
from framework.rows.formats.recognise import BrokenFile
from tests.headers import beginning_of

COMMA = CsvOptions(",", "utf-8")
HEADERS = ["a,b", '"a\né",b', '"a","b""\r\n"', "é"]
ROWS = ["", "1,2", '"x\r"']


def find_rows_start(head: bytes, options: CsvOptions, is_complete: bool) -> RowsStart | None:
    return start.find_rows_start(beginning_of(head, is_complete), options)


@given(
    header=st.sampled_from(HEADERS),
    row=st.sampled_from(ROWS),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    blanks=st.integers(0, 2),
    skipped=st.lists(st.sampled_from(["", "sep=;", 'a "title']), max_size=2),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "windows-1252", "utf-16"]),
    is_packed=st.booleans(),
)
def test_what_stands_behind_the_place_are_the_rows(
    header: str, row: str, line_end: str, blanks: int, skipped: list[str], encoding: str, is_packed: bool
) -> None:
    before = "".join(line + line_end for line in skipped) + line_end * blanks + header + line_end
    rows = row + line_end if row else ""
    content = (before + rows).encode(encoding)
    options = replace(COMMA, encoding=encoding.removesuffix("-sig"), skip_lines=len(skipped))

    found = find_rows_start(gzip.compress(content) if is_packed else content, options, True)

    assert found is not None
    is_divisible = not is_packed and encoding != "utf-16" and line_end != "\r"
    assert (found.is_divisible, found.line_end) == (is_divisible, line_end[-1])
    if is_divisible:
        assert content[found.at :].decode(options.encoding) == rows
    else:
        assert (before + rows).encode()[found.at :].decode() == rows
    inner = header.count(found.line_end) + blanks
    assert found.line == 2 + len(skipped) + inner


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize(("first", "line_end"), [(b"1,2\n", "\n"), (b"1,2\r\n", "\n"), (b"1,2\r3,4\r", "\r")])
def test_rows_without_a_header_begin_where_the_file_does(mark: bytes, first: bytes, line_end: str) -> None:
    options = replace(COMMA, header=False, names=("a", "b"))
    start = len(mark) if line_end == "\n" else 0
    assert find_rows_start(mark + first, options, True) == RowsStart(start, 1, line_end, line_end == "\n")


@pytest.mark.parametrize(("head", "more"), [(b"a,b", b"c\n"), (b'a,"b\n', b'"\n'), (b"a,b\r", b"\n")])
def test_a_header_that_may_go_on_is_waited_for(head: bytes, more: bytes) -> None:
    assert find_rows_start(head, COMMA, False) is None
    found = find_rows_start(head + more, COMMA, False)
    assert found is not None
    assert (found.at, found.line_end) == (len(head + more), "\n")


@pytest.mark.parametrize(
    ("encoding", "delimiter", "is_divisible"),
    [
        ("utf-8", ",", True),
        ("utf-8", "|", True),
        ("utf-8", "§", False),
        ("windows-1252", ";", True),
        ("iso-8859-1", "|", True),
        ("iso-8859-15", "|", True),
        ("cp437", ",", True),
        ("koi8-r", ",", True),
        ("mac-roman", ",", True),
        ("hz", ",", False),
        ("utf-32", ",", False),
        ("us-ascii", ",", True),
        ("utf-16", ",", False),
        ("utf-7", ",", False),
        ("cp037", ",", False),
        ("iso2022_jp", ",", False),
        ("gbk", ",", True),
        ("gbk", "\t", True),
        ("gbk", "|", False),
        ("gb18030", ";", False),
        ("shift_jis", ",", True),
    ],
)
def test_a_file_is_divided_where_marks_stand_for_themselves(encoding: str, delimiter: str, is_divisible: bool) -> None:
    options = CsvOptions(delimiter, encoding)
    found = find_rows_start(f"a{delimiter}b\n1{delimiter}2\n".encode(encoding), options, True)
    assert found is not None
    assert found.is_divisible is is_divisible


def test_line_feeds_before_a_header_that_ends_in_a_carriage_return_break_the_file() -> None:
    with pytest.raises(BrokenFile, match="ends in a carriage return"):
        find_rows_start(b"\r\na,b\r1,x\r", COMMA, True)

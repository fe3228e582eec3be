"""Physical lines of records, against the text before each record."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.model.csv_options import CsvOptions
from framework.model.files import FileIdentity, FileLayout, SourceFile
from framework.rows.formats.csv.lines import physical_lines

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
TEXTS = st.text(st.sampled_from('a1é,"\n\r;'), max_size=6)
ROWS = st.lists(st.lists(TEXTS, min_size=1, max_size=3), min_size=1, max_size=12)


def layout(is_gzip: bool) -> FileLayout:
    identity = FileIdentity("lake", "a.csv", "e", 1)
    return FileLayout(SourceFile("lake", "a.csv", "e", 1, NOON, identity, NOON), 0, "a.csv", ("a",), is_gzip)


def in_pieces(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"'


@given(
    rows=ROWS,
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    blanks=st.lists(st.integers(0, 2), min_size=12, max_size=12),
    encoding=st.sampled_from(["utf-8", "utf-16", "windows-1252"]),
    is_gzip=st.booleans(),
    size=st.integers(1, 40),
    skipped=st.lists(st.sampled_from(["", "sep=;", '"', 'a,"b\u2028c']), max_size=3),
    has_header=st.booleans(),
)
def test_a_record_begins_where_the_line_ends_before_it_have_been_counted(
    rows: list[list[str]],
    line_end: str,
    blanks: list[int],
    encoding: str,
    is_gzip: bool,
    size: int,
    skipped: list[str],
    has_header: bool,
) -> None:
    mark = line_end[-1]
    skipped = [line if encoding != "windows-1252" else line.replace("\u2028", " ") for line in skipped]
    text, expected = "".join(line + line_end for line in skipped) + line_end * blanks[0], {}
    text += "a" + line_end if has_header else ""
    for number, (row, blank) in enumerate(zip(rows, blanks, strict=False), start=1):
        text += line_end * blank
        expected[number] = text.count(mark) + 1
        text += ",".join(map(quoted, row)) + line_end
    content = text.encode(encoding)
    content = gzip.compress(content) if is_gzip else content

    options = CsvOptions(",", encoding, True, (), header=has_header, names=("a",), skip_lines=len(skipped))
    found = physical_lines(in_pieces(content, size), layout(is_gzip), options, set(expected))

    assert found == expected


@pytest.mark.parametrize("wanted", [{1}, {2}, {1, 3}, set()])
def test_only_what_is_asked_for_is_read(wanted: set[int]) -> None:
    """A megabyte is read to see how lines end, and no more than is needed."""
    pieces = iter([b"a\n" + b"1\n" * 600_000, b"2\n", b"3\n"])

    assert physical_lines(pieces, layout(False), CsvOptions(",", "utf-8", True, ()), wanted) == {
        row: row + 1 for row in wanted
    }
    assert list(pieces) == [b"2\n", b"3\n"]

"""Options that a file decides: where its header is, its delimiter; and its footer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.model.csv_options import CsvOptions
from framework.rows.formats.csv.resolve import resolve
from framework.rows.formats.text.footer import BrokenFooter, Footer

COMMA = CsvOptions(",", "utf-8")
AUTO = replace(COMMA, delimiter="auto")
HASH = replace(COMMA, comment="#")


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("id;price\n1;2,50\n2;3,75\n", ";"),
        ("id,price\n1,2.50\n", ","),
        ("id\tname\n1\ta, b\n2\tc\n", "\t"),
        ('id|"a;b"\n1|"c;d"\n', "|"),
        ("id\n1\n2\n", ","),
        ('a;b\n"1,2";3\n"4,5";6\n', ";"),
    ],
)
def test_the_first_records_decide_on_the_delimiter(text: str, delimiter: str) -> None:
    assert resolve(text, True, AUTO) == replace(COMMA, delimiter=delimiter)
    assert resolve(f"a title, or two; three\n{text}", True, replace(AUTO, skip_lines=1)) == replace(
        COMMA, delimiter=delimiter, skip_lines=1
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id;price,eur\n1;2,50\n2;3,75\n", "';', ',' fit|',', ';' fit"),
        ("a,b;c\n", "',', ';' fit"),
        ("a;b\n1;2\n3\n4;5\n", "no delimiter of"),
    ],
)
def test_a_delimiter_is_not_guessed(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        resolve(text, True, AUTO)


def test_a_few_records_and_the_footer_do_not_count() -> None:
    rows = "".join(f"{number};2,50\n" for number in range(20))
    assert resolve(f"id;price\n{rows}malformed\n", True, AUTO) == replace(COMMA, delimiter=";")
    footer = replace(AUTO, footer_from="Total*")
    assert resolve("id;price\n1;2,5\nTotal, all;;3,5\n", True, footer) == replace(footer, delimiter=";")
    two = replace(AUTO, footer_lines=2)
    assert resolve("id;price\n1;2\na, b\nc\n\n", True, two) == replace(two, delimiter=";")


def test_a_title_does_not_make_a_file_of_one_column() -> None:
    assert resolve("Report\nid;name\n1;a, b\n2;c\n", True, AUTO) == replace(COMMA, delimiter=";")


def test_names_decide_between_delimiters() -> None:
    options = replace(AUTO, header=False, names=("a", "b", "c"))
    found = resolve("1;2,50;x\n2;3,75;y\n", True, options)
    assert found == replace(options, delimiter=";")


def test_the_header_is_the_first_line_that_begins_so() -> None:
    options = replace(COMMA, skip_until="Date,")
    text = 'Report, "2024\r\nof Date,\r\n\r\nDate,Amount\r\n1,2\r\n'
    assert resolve(text, True, options) == replace(COMMA, skip_lines=3)
    assert resolve("Date,Amount\n", True, options) == COMMA
    for end in range(text.index("Date,A")):
        assert resolve(text[:end], False, options) is None
    with pytest.raises(ValueError, match=r"none of the first 1,000 lines begins with 'Date,'"):
        resolve("a,b\n1,2\n", True, options)
    with pytest.raises(ValueError, match=r"none of the first 1,000 lines"):
        resolve("x\n" * 1001 + "Date,Amount\n", False, options)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("id,name\n1,a\n", 0),
        ("# title\nid,name\n1,a\n", 1),
        ("# one, two\n\n#\nid,name\n1,a\n2,b\n", 3),
        ("#id,name\n1,a\n2,b\n", 0),
        ("# title\n#id,name\n1,a\n2,b\n", 1),
        ("# title\n\n#id,name\n\n1,a\n2,b\n", 2),
        ("id\n1\n", 0),
        ("# by, me\r\nid,name\r\n1,a\r\n2,b\r\n3,c\r\n", 1),
        ("#only\n", 1),
    ],
)
def test_comments_above_the_header_are_none(text: str, lines: int) -> None:
    assert resolve(text, True, HASH) == replace(HASH, skip_lines=lines)


def test_a_line_that_may_be_header_or_comment_is_not_guessed() -> None:
    text = "#name,city\nann,rome\nbob,oslo\n"
    with pytest.raises(ValueError, match="may be the header"):
        resolve(text, True, HASH)
    assert resolve(text, True, replace(HASH, skip_until="#name")) == HASH
    assert resolve(text, True, replace(HASH, skip_until="ann")) == replace(HASH, skip_lines=1)


def test_comments_that_may_go_on_are_waited_for() -> None:
    assert resolve("# a", False, HASH) is None
    assert resolve("# a\n", False, HASH) is None
    assert resolve("/", False, replace(COMMA, comment="//")) is None


PIECES = st.sampled_from([1, 2, 7, 10**6])
LINES = st.lists(st.sampled_from(["", "a,b", "1", "Total,3", '"x', "Totals"]), max_size=8)


def cut(text: bytes, piece: int, options: CsvOptions, line_end: str) -> bytes:
    pieces = (text[start : start + piece] for start in range(0, len(text), piece))
    return b"".join(Footer(options, line_end[-1]).records(pieces))


@given(lines=LINES, count=st.integers(1, 3), line_end=st.sampled_from(["\n", "\r\n", "\r"]), piece=PIECES)
def test_the_last_lines_are_left_out(lines: list[str], count: int, line_end: str, piece: int) -> None:
    text = "".join(line + line_end for line in lines)
    while lines and not lines[-1]:
        lines = lines[:-1]
    options = replace(COMMA, footer_lines=count)
    if len(lines) < count:
        with pytest.raises(BrokenFooter, match="may have been cut off"):
            cut(text.encode(), piece, options, line_end)
        return
    expected = "".join(line + line_end for line in lines[:-count])
    assert cut(text.encode(), piece, options, line_end).decode() == expected
    assert cut(text.rstrip("\r\n").encode(), piece, options, line_end).decode() == expected


@given(
    lines=LINES,
    glob=st.sampled_from(["Total*", "Total,?", "*3", "[1]"]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    has_end=st.booleans(),
    piece=PIECES,
)
def test_rows_end_before_the_first_line_that_matches(
    lines: list[str], glob: str, line_end: str, has_end: bool, piece: int
) -> None:
    matches = {"Total*": ("Total,3", "Totals"), "Total,?": ("Total,3",), "*3": ("Total,3",), "[1]": ("1",)}[glob]
    text = line_end.join(lines) + (line_end if has_end and lines else "")
    first = next((place for place, line in enumerate(lines) if line in matches), None)
    expected = text if first is None else "".join(line + line_end for line in lines[:first])
    assert cut(text.encode(), piece, replace(COMMA, footer_from=glob), line_end).decode() == expected


def test_a_footer_of_many_lines_may_hold_rows() -> None:
    options = replace(COMMA, footer_from="Total*")
    assert cut(b"1\nTotal\n" + b"x\n" * 99, 9, options, "\n") == b"1\n"
    with pytest.raises(BrokenFooter, match="rows may be among them"):
        cut(b"1\nTotal\n" + b"x\n" * 100, 9, options, "\n")

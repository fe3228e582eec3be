from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from framework.model.csv_options import CsvOptions
from framework.model.notation import Notation
from framework.model.staging import Constant, FileName, FromFile
from framework.rows import splits
from tests.rows.conftest import Bench, column

ROWS = b'a,b\n1,"x"\n2,\n3,""\n'
READ = [("1", "x"), ("2", None), ("3", "")]


def with_options(delimiter: str = ",", encoding: str = "utf-8") -> CsvOptions:
    return CsvOptions(delimiter, encoding)


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (ROWS, READ),
        (b"\xef\xbb\xbf" + ROWS, READ),
        (ROWS.replace(b"\n", b"\r\n"), READ),
        (ROWS.replace(b"\n", b"\r"), READ),
        (b"\n\n" + ROWS.replace(b"\n", b"\n\n"), READ),
        (b"\r\n" + ROWS.replace(b"\n", b"\r\n\r\n"), READ),
        (b"a,b\n1,x\r\n2,y\n", [("1", "x"), ("2", "y")]),
        (b'a,b\n" x ", y\t\n', [(" x ", " y\t")]),
        (b'a,b\n"""","a""b"\n"","""a"""\n', [('"', 'a"b'), ("", '"a"')]),
        (b'a,b\n"x,y",\\\n#,\\"'.replace(b'\\"', b"\\N"), [("x,y", "\\"), ("#", "\\N")]),
        (b'a\n1\n\n""\n" "\n', [("1",), ("",), (" ",)]),
        (b"a,b\n", []),
        (b"\n\r\n\na,b", []),
        (b"a,b", []),
    ],
)
def test_records_without_line_breaks(bench: Bench, content: bytes, rows: list[tuple[str | None, ...]]) -> None:
    assert bench.texts(content) == rows


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b'a,b\n1,"x\ny"\n2,z\n', [("1", "x\ny"), ("2", "z")]),
        (b'a,b\n1,"x\r\ny"\n2,z\n', [("1", "x\r\ny"), ("2", "z")]),
        (b'a,b\r\n1,"x\ny"\r\n\r\n2,"\r\n"\r\n', [("1", "x\ny"), ("2", "\r\n")]),
        (b'\n\r\n\r\na,b\r\n1,"x\ny"\r\n', [("1", "x\ny")]),
        (b'\r\ra,b\r\r1,"x\ny"\r', [("1", "x\ny")]),
        (b'a,b\r\n\r\n1,"x\ry"\r\n', [("1", "x\ry")]),
        (b'a,b\r1,"x\ry"\r2,z\r', [("1", "x\ry"), ("2", "z")]),
        (b'\n\n"a","b"\n1,"\n\n"\n\n2,"q\n""r"""\n', [("1", "\n\n"), ("2", 'q\n"r"')]),
        (b'a\n"1\n2"\n3\n""\n', [("1\n2",), ("3",), ("",)]),
    ],
)
def test_fields_over_several_lines_keep_their_line_breaks(
    bench: Bench, content: bytes, rows: list[tuple[str, ...]]
) -> None:
    assert bench.texts(content) == rows


def test_a_line_break_far_from_the_start_is_found_on_the_way(bench: Bench) -> None:
    content = b"a,b\n" + b"1,some text\n" * 60_000 + b'2,"x\ny"\n3,z\n'
    rows = bench.texts(content)
    assert len(rows) == 60_002
    assert rows[-2:] == [("2", "x\ny"), ("3", "z")]


def test_a_long_field_over_many_lines_is_one_value(bench: Bench) -> None:
    long = "line\n" * 10_000
    assert bench.texts(f'a,b\n1,"{long}"\n2,y\n'.encode()) == [("1", long), ("2", "y")]


def test_the_delimiter_is_no_pattern(bench: Bench) -> None:
    for delimiter in ("|", "\t", ";", "^"):
        content = f'a{delimiter}b\n"x{delimiter}y"{delimiter}z,\n'.encode()
        assert bench.texts(content, with_options(delimiter)) == [(f"x{delimiter}y", "z,")]


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "utf-16", "us-ascii"])
def test_every_encoding(bench: Bench, encoding: str) -> None:
    letter = "e" if encoding == "us-ascii" else "é"
    text = f'a,b\n{letter},"x, y"\n2,\n'
    assert bench.texts(text.encode(encoding), with_options(encoding=encoding)) == [(letter, "x, y"), ("2", None)]
    text += f'3,"{letter}\n"\n'
    assert bench.texts(text.encode(encoding), with_options(encoding=encoding))[-1] == ("3", f"{letter}\n")


def test_a_replacement_character_of_the_files_own_is_kept(bench: Bench) -> None:
    assert bench.texts("a,b\n1,\ufffd\n".encode()) == [("1", "\ufffd")]
    assert bench.texts('a,b\n1,"\ufffd\n"\n'.encode()) == [("1", "\ufffd\n")]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.GZ", "a.bz2", "a b%20+#é'.txt", "plain"])
@pytest.mark.parametrize("content", [ROWS, ROWS + b'4,"p\nq"\n'])
def test_gzip_is_known_by_content_whatever_the_name(bench: Bench, name: str, content: bytes) -> None:
    columns = [column("a", "varchar(9)"), column("b", "varchar(9)")]
    plain = bench.stage(bench.batch({name: content}), columns)
    packed = bench.stage(bench.batch({name: gzip.compress(content)}), columns)
    assert plain == packed
    assert plain[0].rows_staged == content.count(b"\n") - 1 - content.count(b"p\nq")


@pytest.mark.parametrize(
    "name",
    ["a b.csv", "a%41.csv", "a+b.csv", "a#b?.csv", "it's.csv", "a\\b.csv", '"a*[b]{c,d}".csv', "é名𝄞.csv", "t1:2.csv"],
)
def test_exactly_the_named_object_is_read(bench: Bench, name: str) -> None:
    batch = bench.batch({name: b"a\n1\n", "aXb.csv": b"a\n2\n", "aA.csv": b"a\n3\n"})
    seen, rows = bench.stage(batch, [column("a", "integer"), column("file", "varchar(99)", value=FileName())])
    assert seen.rows_staged == 3
    assert [row[:2] for row in rows] == [(1, name), (2, "aXb.csv"), (3, "aA.csv")]


def test_files_of_one_batch_may_differ_in_their_columns(bench: Bench) -> None:
    batch = bench.batch({"1.csv": b"a,b\n1,x\n", "2.csv": b"b,c,a\ny,q,2\n", "3.csv": b'a\n3\n"4"\n'})
    columns = [column("b", "varchar(5)", value=FromFile(fill="-")), column("a", "integer"), column("c", "varchar(5)")]
    _, rows = bench.stage(batch, columns)
    assert rows == [("x", 1, None, 0, 1), ("y", 2, "q", 1, 1), ("-", 3, None, 2, 1), ("-", 4, None, 2, 2)]


def test_a_constant_column_never_takes_what_a_file_holds(bench: Bench) -> None:
    columns = [
        column("a", "integer"),
        column("b", "varchar(5)", value=Constant("-")),
        column("c", "date", value=Constant(None)),
    ]
    seen, rows = bench.stage(bench.batch({"1.csv": b"a,b,c\n1,x,no date\n2,y,\n", "2.csv": b"a\n3\n"}), columns)
    assert seen.rows_bad == 0
    assert [row[:3] for row in rows] == [(1, "-", None), (2, "-", None), (3, "-", None)]


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("before", [b"", b'"a",'])
def test_rows_are_numbered_in_their_order_over_all_splits(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, line_end: bytes, before: bytes
) -> None:
    """With nothing quoted but an empty text, a split that begins between its quotes looks sound from within."""
    monkeypatch.setattr(splits, "SMALLEST_SPLIT_BYTES", 2000)
    monkeypatch.setattr(splits, "LARGEST_SPLIT_BYTES", 2000)
    lines = [b'%d,%s,""' % (number, b"x" * (number % 50)) for number in range(5_000)]
    content = line_end.join([before + b"n,text,empty", *(before + line for line in lines), before + b"bad", b""])
    batch = bench.batch(content)
    seen, rows = bench.stage(batch, [column("n", "integer"), column("empty", "varchar(9)")])
    assert (seen.rows_staged, seen.malformed_rows) == (5_000, 1)
    assert [row[:2] for row in rows] == [(number, "") for number in range(5_000)]
    assert len({row[-1] for row in rows}) == 5_000
    assert len(seen.staging_files) > 50
    ranges = [(bench.rows(replace(seen, staging_files=(file,))), file.rows) for file in seen.staging_files]
    # In this file the record n is row n + 1.
    assert all(of.first <= row[0] + 1 <= of.last for found, (of,) in ranges for row in found)
    assert sum(of.last - of.first + 1 for _, (of,) in ranges) in (5_000, 5_001)
    (found,) = bench.read_bad_rows(batch, [column("n", "integer")], 5)
    assert (found.row, found.line, found.column) == (5_001, 5_002, None)


def test_null_texts_are_null_quoted_or_not(bench: Bench) -> None:
    notation = Notation(null_values=("NULL", "\\N", "it's"))
    content = b'a,b,c\nNULL,"NULL",null\n\\N,it\'s,""\n'
    assert bench.texts(content, notation=notation) == [(None, None, "null"), (None, None, "")]


def test_many_files_are_one_batch(bench: Bench) -> None:
    batch = bench.batch({f"{n:03}.csv": b"a\n%d\n" % n for n in range(12)})
    seen, rows = bench.stage(batch, [column("a", "integer")])
    assert [row[0] for row in rows] == list(range(12))
    assert [file.rows_staged for file in seen.files] == [1] * 12


def test_records_end_as_the_header_does(bench: Bench) -> None:
    assert bench.texts(b'"a\n",b\r1,2\r"3\r",4\r') == [("1", "2"), ("3\r", "4")]
    assert bench.texts(b'a,b\n1,2\r\n"3\r",4\n5,6\r') == [("1", "2"), ("3\r", "4"), ("5", "6")]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_big_file_is_read_whatever_ends_its_lines(bench: Bench, line_end: bytes) -> None:
    """Big enough to be checked block by block and passed on as it is."""
    records = [b'%d,"a\r\nb","c ""d""",,""' % number for number in range(30_000)]
    content = line_end.join([b"n,a,b,c,d", *records]) + line_end
    seen, rows = bench.stage(bench.batch(content), [column(name, "varchar(9)") for name in "abcd"])
    assert (seen.rows_staged, seen.rows_bad) == (30_000, 0)
    assert {row[:4] for row in rows} == {("a\r\nb", 'c "d"', None, "")}


MARK = "\ufeff"
MARKED = [(MARK + "x", "1"), (MARK, None), (MARK + MARK + "y", MARK)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("before", ["", "\n\n"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_byte_order_mark_behind_the_files_start_is_a_character(
    bench: Bench, encoding: str, before: str, quote: str
) -> None:
    lines = ["a,b", *(f"{quote}{a}{quote},{b or ''}" for a, b in MARKED)]
    text = before + "".join(line + "\n" for line in lines)
    for content in (text.encode(encoding), (MARK + text).encode("utf-8") if encoding == "utf-8" else b""):
        if content:
            assert bench.texts(content, with_options(encoding=encoding)) == MARKED
            assert bench.texts(gzip.compress(content), with_options(encoding=encoding)) == MARKED


def test_zeros_behind_gzip_data_are_none_of_it(bench: Bench) -> None:
    packed = gzip.compress(b"a,b\n1,x\n") + b"\0" * 40_000 + gzip.compress(b"2,y\n") + b"\0"
    assert bench.texts(packed) == [("1", "x"), ("2", "y")]


def test_a_byte_order_mark_is_a_character_to_every_pass(bench: Bench) -> None:
    content = f"a,b\n{MARK}1,x\n{MARK}2,y\n".encode()
    columns = [column("a", "integer"), column("b", "varchar(9)")]
    batch = bench.batch(content)
    assert bench.profile(batch, ["a"])["a"].integers == 0
    assert [row.text for row in bench.read_bad_rows(batch, columns, 5)] == [f"{MARK}1", f"{MARK}2"]
    kept = bench.quarantine(batch, columns)
    assert [row["record"] for row in kept] == [f'["{MARK}1","x"]', f'["{MARK}2","y"]']


@pytest.mark.parametrize("last", [b"\n", b"\r\n", b"\n\n", b"\n\r"])
@pytest.mark.parametrize("rows", [READ, []])
def test_a_file_of_carriage_returns_may_end_in_a_line_feed(
    bench: Bench, last: bytes, rows: list[tuple[str, str | None]]
) -> None:
    content = (ROWS if rows else b"a,b\n").replace(b"\n", b"\r").removesuffix(b"\r") + last
    assert bench.texts(content) == rows
    assert bench.texts(gzip.compress(content)) == rows


@pytest.mark.parametrize("last", [b"\r", b"\r\n", b"\n\r"])
def test_a_file_of_line_feeds_may_end_in_a_carriage_return(bench: Bench, last: bytes) -> None:
    assert bench.texts(ROWS.removesuffix(b"\n") + last) == READ

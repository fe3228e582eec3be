"""CSV by other options than RFC 4180: every value as a second reader sees it, however the file is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.errors import SourceFileError
from framework.model.csv_options import CsvOptions
from framework.rows.bench import Bench
from framework.rows.formats.csv import cut
from framework.rows.formats.csv.grammar import grammar_of
from framework.rows.job import Job
from framework.rows.segments import SplitRecords
from tests.unit.rows.benches import COMMA, batch_of, rows_of

LENIENT = replace(COMMA, quoting="lenient")
NONE = replace(COMMA, quoting="none")
ESCAPE = replace(COMMA, escape="\\")
TRIM = replace(COMMA, trim="unquoted")
Row = tuple[str | None, ...]


@dataclass(frozen=True)
class CollectValues:
    """Work that returns the values as DuckDB reads them, by place, and malformed records as texts."""

    def do(self, job: Job[Any], bench: Bench, records: Sequence[SplitRecords], name: str) -> list[Any]:
        found: list[Any] = []
        with bench.working() as cursor:
            for split in records:
                for segment in split.segments:
                    rows = cursor.execute(f"select * from {segment.relation}").fetchall()
                    assert len(rows) == segment.records
                    found += [(split.split, segment.place(number), row) for number, row in enumerate(rows, start=1)]
                found += [(split.split, each.place, each.record) for each in split.malformed()]
        return sorted(found, key=lambda each: each[:2])


def read(content: bytes, options: CsvOptions, folder: Path, size: int = 10**6, piece: int = 10**6) -> list[Any] | str:
    """Return a file's rows, malformed records as texts, in order; or what is wrong with it."""
    batch = batch_of(content, options=options)
    rows, session = rows_of(batch, [content], folder, size)
    session.store.piece_bytes = piece
    try:
        parts = rows._pass("read", CollectValues())
    except SourceFileError as error:
        return str(error).partition("\n")[0]
    return [row for _, _, row in sorted((each for part in parts for each in part), key=lambda each: each[:2])]


def read_text(text: str, options: CsvOptions, folder: Path, **sizes: int) -> list[Any] | str:
    return read(text.encode(options.encoding), options, folder, **sizes)


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        ('5" pipe,3', ('5" pipe', "3")),
        ('"He said "hi" to me",3', ('He said "hi" to me', "3")),
        ('"a" b,3', ('"a" b', "3")),
        ('a "b",3', ('a "b"', "3")),
        ('"",3', ("", "3")),
        (",3", (None, "3")),
        ('""",3', ('"', "3")),
        ('"a""b",3', ('a"b', "3")),
        ('"a"",3', ('a"', "3")),
        ('"abc,3', ('"abc', "3")),
        ('abc",3', ('abc"', "3")),
        ('"a,b",3', ("a,b", "3")),
        ('"a\nb",3', ("a\nb", "3")),
        ('"a "" b" c",3', ('a " b" c', "3")),
        ('" x ",3', (" x ", "3")),
        ('","",3', (',"', "3")),
        ('"a", b",3', '"a", b",3'),
    ],
)
def test_a_lenient_field_is_what_stands_in_its_line(
    tmp_path: Path, record: str, fields: tuple[str | None, str] | str
) -> None:
    for text in (f"a,b\n{record}\n", f"a,b\n{record}"):
        assert read_text(text, LENIENT, tmp_path) == [fields]
    both = f'a,b\nu,1\n{record}\n"v",2\n'
    assert read_text(both, LENIENT, tmp_path, size=1, piece=1) == [("u", "1"), fields, ("v", "2")]


@pytest.mark.exhaustive(every=5)
@pytest.mark.parametrize("field", ['"a,', '"a"b,', '"a""b,', 'a",', '" ,'])
def test_a_long_line_of_stray_quotes_is_read_once(tmp_path: Path, field: str) -> None:
    line = field * 200_000
    assert read_text(f"a,b\n{line}\n", LENIENT, tmp_path) == [line]
    assert grammar_of(LENIENT).fields(line) == [*[field[:-1]] * 200_000, None]


def test_an_unclosed_quote_takes_no_other_line_with_it(tmp_path: Path) -> None:
    text = 'a,b\n"abc,3\nx,4\n"y",5\n"open,6\nz,7\n'
    expected = [('"abc', "3"), ("x", "4"), ("y", "5"), ('"open', "6"), ("z", "7")]
    for size, piece in product((1, 7, 10**6), (1, 3, 10**6)):
        assert read_text(text, LENIENT, tmp_path, size=size, piece=piece) == expected


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        (r'"a\"b",3', ('a"b', "3")),
        (r"a\,b,3", ("a,b", "3")),
        (r"\"a,3", ('"a', "3")),
        ("a\\\nb,3", ("a\nb", "3")),
        ('"a\\\nb",3', ("a\nb", "3")),
        (r"a\\,3", ("a\\", "3")),
        (r'"a\\",3', ("a\\", "3")),
        (r'"a\\\"b",3', ('a\\"b', "3")),
        # Before anything else it is a character: \N is a marker for NULL, and C:\new is a folder.
        (r"\N,3", (r"\N", "3")),
        (r'"C:\new",3', (r"C:\new", "3")),
        ('"",3', ("", "3")),
        (",3", (None, "3")),
    ],
)
def test_an_escape_stands_before_what_needs_one(tmp_path: Path, record: str, fields: tuple[str | None, str]) -> None:
    for text in (f"a,b\n{record}\n", f"a,b\n{record}"):
        assert read_text(text, ESCAPE, tmp_path) == [fields]
        assert read_text(text, replace(ESCAPE, quoting="lenient"), tmp_path) == [fields]
    both = f'a,b\nu,1\n{record}\n"v",2\n'
    assert read_text(both, ESCAPE, tmp_path, size=1, piece=1) == [("u", "1"), fields, ("v", "2")]


def test_an_escape_stands_before_a_line_end_of_two_characters(tmp_path: Path) -> None:
    text = 'h,i\r\na\\\r\nb,1\r\n"c\\\r\nd",2\r\n'
    for piece in range(1, len(text)):
        assert read_text(text, ESCAPE, tmp_path, size=1, piece=piece) == [("a\r\nb", "1"), ("c\r\nd", "2")]


def test_a_doubled_quote_is_not_sound_where_an_escape_is_used(tmp_path: Path) -> None:
    found = read_text('a,b\n1,2\n"x""y",3\n', ESCAPE, tmp_path)
    assert isinstance(found, str)
    assert "record 2: the quoting is not" in found


@pytest.mark.parametrize(
    ("record", "unquoted", "everywhere"),
    [
        (" x , 3\t", ("x", "3"), ("x", "3")),
        ('" x ",3', (" x ", "3"), ("x", "3")),
        (' "x, y" ,3', ("x, y", "3"), ("x, y", "3")),
        ("  ,3", (None, "3"), (None, "3")),
        ('"  ",3', ("  ", "3"), ("", "3")),
        ('"", 3', ("", "3"), ("", "3")),
        ("a b,3", ("a b", "3"), ("a b", "3")),
        ("\u00a0x,3", ("\u00a0x", "3"), ("\u00a0x", "3")),
    ],
)
def test_blanks_are_trimmed_and_a_quoted_field_never_becomes_null(
    tmp_path: Path, record: str, unquoted: Row, everywhere: Row
) -> None:
    for options, expected in ((TRIM, unquoted), (replace(TRIM, trim="all"), everywhere)):
        for quoting in ("strict", "lenient"):
            both = f"a,b\nu,1\n{record}\n \t\nv,2\n"
            found = read_text(both, replace(options, quoting=quoting), tmp_path, size=3, piece=2)
            assert found == [("u", "1"), expected, ("v", "2")]


def test_one_column_of_blanks_is_no_row_and_empty_quotes_are(tmp_path: Path) -> None:
    assert read_text('a\nx\n  \n""\ny\n', TRIM, tmp_path) == [("x",), ("",), ("y",)]
    assert read_text('a\nx,\n""\n,\n', replace(COMMA, long_rows="ignore"), tmp_path) == [("x",), ("",), (None,)]


def test_short_and_long_rows_are_what_the_options_say(tmp_path: Path) -> None:
    text = 'a,b,c\n1,2,3\n4\n5,6,7,\n8,9,10,11\n12,13,14,"",\n15,16\n'
    pad = replace(COMMA, short_rows="pad")
    ignore = replace(COMMA, long_rows="ignore")
    assert read_text(text, COMMA, tmp_path)[1:] == ["4", "5,6,7,", "8,9,10,11", '12,13,14,"",', "15,16"]
    assert read_text(text, pad, tmp_path) == [
        ("1", "2", "3"), ("4", None, None), "5,6,7,", "8,9,10,11", '12,13,14,"",', ("15", "16", None)
    ]  # fmt: skip
    assert read_text(text, ignore, tmp_path) == [
        ("1", "2", "3"), "4", ("5", "6", "7"), "8,9,10,11", ("12", "13", "14"), "15,16"
    ]  # fmt: skip


@pytest.mark.parametrize("size", [1, 10**6])
def test_a_last_record_without_a_line_end_is_not_padded(tmp_path: Path, size: int) -> None:
    text = "a,b\n1,2\n3\n4"
    assert read_text(text, replace(COMMA, short_rows="pad"), tmp_path, size=size) == [("1", "2"), ("3", None), "4"]
    assert read_text(text + "\n", replace(COMMA, short_rows="pad"), tmp_path, size=size)[2] == ("4", None)


def test_comments_are_lines_and_no_records(tmp_path: Path) -> None:
    options = replace(COMMA, comment="#")
    text = 'a,b\n# it\'s "odd\n1,2\n#\n"#3",4\n5,"#\n#6"\n#end'
    expected = [("1", "2"), ("#3", "4"), ("5", "#\n#6")]
    for size, piece in product((1, 5, 10**6), (1, 4, 10**6)):
        assert read_text(text, options, tmp_path, size=size, piece=piece) == expected
    slashes = replace(COMMA, comment="//")
    assert read_text("a,b\n//x\n/1,2\n", slashes, tmp_path, size=1, piece=1) == [("/1", "2")]


def test_quotes_are_text_without_quoting(tmp_path: Path) -> None:
    text = 'a|b\n"x|"y"\nit\'s 5"|\n""|z\n'
    options = replace(NONE, delimiter="|")
    for size in (1, 10**6):
        assert read_text(text, options, tmp_path, size=size) == [('"x', '"y"'), ("it's 5\"", None), ('""', "z")]


@pytest.mark.parametrize("delimiter", ["||", "::", " | ", "~|~", "\t\t", "é;"])
def test_a_delimiter_has_several_characters(tmp_path: Path, delimiter: str) -> None:
    rows: list[Row] = [("a", "b,c"), (delimiter[0], None), ("", "x\ny"), (f"q{delimiter}r", "|;")]

    def written(field: str | None) -> str:
        return (
            ""
            if field is None
            else field
            if field and delimiter[0] not in field and "\n" not in field
            else f'"{field}"'
        )

    text = "".join(delimiter.join(map(written, row)) + "\r\n" for row in [("h", "i"), *rows])
    for size, piece, trim in product((1, 10**6), (1, 10**6), ("none", "unquoted")):
        options = replace(COMMA, delimiter=delimiter, trim=trim)  # type: ignore[arg-type]
        assert read_text(text, options, tmp_path, size=size, piece=piece) == rows


CELLS = st.none() | st.text(st.sampled_from("ab,;|'\"\\\n\r# é\t"), max_size=5)
OPTIONS = st.builds(
    CsvOptions,
    delimiter=st.sampled_from([",", ";", "||", "é"]),
    encoding=st.sampled_from(["utf-8", "utf-16", "windows-1252"]),
    quoting=st.sampled_from(["strict", "lenient"]),
    quote=st.sampled_from(['"', "'"]),
    escape=st.sampled_from(["", "\\"]),
    comment=st.sampled_from(["", "#"]),
)


def test_a_line_end_in_the_midst_of_which_a_text_ends_may_close_a_field(tmp_path: Path) -> None:
    text = 'h,i\r\n,"a\nb"\r\nx,"c"\r\n'
    for piece in range(1, len(text)):
        assert read_text(text, LENIENT, tmp_path, size=1, piece=piece) == [(None, "a\nb"), ("x", "c")]


def test_a_delimiter_in_the_midst_of_which_a_text_ends_may_close_a_field(tmp_path: Path) -> None:
    options = replace(LENIENT, delimiter="||")
    for text, row in (('h||i\n";;""""\n"||', (';;""\n', None)), ('h||i\n"a\nb"||x\n', ("a\nb", "x"))):
        for piece in range(1, len(text)):
            assert read_text(text, options, tmp_path, size=1, piece=piece) == [row]


@settings(max_examples=300)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS), max_size=6),
    options=OPTIONS,
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    has_end=st.booleans(),
    size=st.sampled_from([1, 9, 10**6]),
    piece=st.sampled_from([1, 5, 10**6]),
    small=st.sampled_from([4, 10**6]),
)
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[Row],
    options: CsvOptions,
    line_end: str,
    has_end: bool,
    size: int,
    piece: int,
    small: int,
) -> None:
    quote, escape = options.quote, options.escape

    def written(field: str | None) -> str:
        if field is None:
            return ""
        if field and not set(field) & set(options.delimiter + quote + escape + "\r\n#"):
            return field
        if not escape:
            return quote + field.replace(quote, 2 * quote) + quote
        return quote + field.replace(escape, 2 * escape).replace(quote, escape + quote) + quote

    lines = [options.delimiter.join(map(written, row)) for row in [("h", "i"), *rows]]
    content = (line_end.join(lines) + line_end * has_end).encode(options.encoding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cut, "SMALL_BYTES", small)
        assert read(content, options, tmp_path_factory.mktemp("d"), size, piece) == rows


@settings(max_examples=400)
@given(
    text=st.text(st.sampled_from("ab,|\"'\\\n\r# "), max_size=30),
    options=OPTIONS,
    quoting=st.sampled_from(["strict", "lenient", "none"]),
    trim=st.sampled_from(["none", "unquoted", "all"]),
    short=st.sampled_from(["reject", "pad"]),
    long=st.sampled_from(["reject", "ignore"]),
    size=st.sampled_from([1, 3, 9]),
    piece=st.sampled_from([1, 2, 5]),
)
def test_any_text_is_the_same_records_however_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory,
    text: str,
    options: CsvOptions,
    quoting: Any,
    trim: Any,
    short: Any,
    long: Any,
    size: int,
    piece: int,
) -> None:
    escape = "" if quoting == "none" else options.escape
    options = replace(options, quoting=quoting, escape=escape, trim=trim, short_rows=short, long_rows=long)
    content = f"h{options.delimiter}i\n{text}".encode(options.encoding)
    folder = tmp_path_factory.mktemp("d")
    whole = read(content, options, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cut, "SMALL_BYTES", 4)
        assert read(content, options, folder, size, piece) == whole

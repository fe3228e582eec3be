from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.model.csv_options import CsvOptions
from tests.headers import read_header

COMMA = CsvOptions(",", "utf-8")
NAMES = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=8), min_size=1)


def with_options(delimiter: str = ",", encoding: str = "utf-8") -> CsvOptions:
    return CsvOptions(delimiter, encoding)


@given(names=NAMES, packed=st.booleans())
def test_what_csv_wrote_is_read_back(names: list[str], packed: bool) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow(names)
    head = text.getvalue().encode("utf-8")
    head = gzip.compress(head) if packed else head
    assert read_header(head, COMMA, True) == tuple(names)


@given(names=NAMES, cut=st.integers(min_value=1, max_value=40))
def test_a_record_that_is_cut_off_is_asked_for_again(names: list[str], cut: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(names)
    head = text.getvalue().encode("utf-8")
    assert read_header(head[: max(0, len(head) - cut)], COMMA, False) is None
    assert read_header(head + b"1,2", COMMA, False) == tuple(names)


@pytest.mark.parametrize(
    ("head", "names"),
    [
        (b"a,b\n1,2\n", ("a", "b")),
        (b"a,b", ("a", "b")),
        (b"\xef\xbb\xbfa,b\r\n1,2", ("a", "b")),
        (b"\n\r\n\ra, b \r1", ("a", " b ")),
        (b'"a ""x""","b\r\nc",\n', ('a "x"', "b\r\nc", "")),
        (b'\xef\xbb\xbf"a",b\n', ("a", "b")),
        (b",\n", ("", "")),
        (b'""\n', ("",)),
    ],
)
def test_headers_as_files_have_them(head: bytes, names: tuple[str, ...]) -> None:
    assert read_header(head, COMMA, True) == names


def test_the_delimiter_is_the_files_own() -> None:
    assert read_header("ä;b,c\n1".encode("latin-1"), with_options(";", "iso-8859-1"), False) == ("ä", "b,c")


def test_utf_16_is_read_with_its_byte_order_mark() -> None:
    assert read_header("é,b\n".encode("utf-16"), with_options(encoding="utf-16"), True) == ("é", "b")


def test_a_piece_of_a_gzip_file_may_be_enough() -> None:
    packed = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * 7919) for i in range(50_000)))
    assert read_header(packed[:20_000], COMMA, False) == ("a", "b")
    assert read_header(packed[:11], COMMA, False) is None


def test_a_gzip_file_of_several_members_is_one_text() -> None:
    assert read_header(gzip.compress(b"a,") + gzip.compress(b"b\n1,2\n"), COMMA, True) == ("a", "b")


def test_a_character_cut_in_two_is_no_error() -> None:
    assert read_header("a,b\né".encode()[:-1], COMMA, False) == ("a", "b")


@pytest.mark.parametrize(
    ("head", "options", "names"),
    [
        (b"Report\r\n\r\na,b\r\n", replace(COMMA, skip_lines=2), ("a", "b")),
        (b'an "open quote\ra,b\r', replace(COMMA, skip_lines=1), ("a", "b")),
        (b"\xef\xbb\xbfsep=,\n\na,b\n", replace(COMMA, skip_lines=1), ("a", "b")),
        (b"1,2\n", replace(COMMA, header=False, names=("x", "y")), ("x", "y")),
        (b"", replace(COMMA, header=False, names=("x", "y")), ("x", "y")),
        (b"a,b\n1,2\n", replace(COMMA, header=True, names=("x", "y")), ("x", "y")),
    ],
)
def test_the_options_say_where_the_header_is(head: bytes, options: CsvOptions, names: tuple[str, ...]) -> None:
    assert read_header(head, options, True) == names


@pytest.mark.parametrize("head", [b"", b"Report\n", b"Report\r\n", b"Report\n20"])
def test_more_is_asked_for_until_the_skipped_lines_have_ended(head: bytes) -> None:
    assert read_header(head, replace(COMMA, skip_lines=2), False) is None


@pytest.mark.parametrize("encoding", ["windows-1252", "iso-8859-1", "us-ascii", "utf-16", "utf-16-le", "utf-8"])
@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_byte_order_mark_says_the_encoding(encoding: str, mark: str, pack: Callable[[bytes], bytes]) -> None:
    head = pack("id,ñ\n1,é\n".encode(mark))
    assert read_header(head, with_options(encoding=encoding), True) == ("id", "ñ")


@pytest.mark.parametrize(
    ("head", "options", "message"),
    [
        (b"", COMMA, "empty"),
        (b"\xef\xbb\xbf\n\n", COMMA, "empty: it has only blank lines"),
        (b" \r\n\t\n", COMMA, "empty: it has only blank lines"),
        (b"Report\n\n", replace(COMMA, skip_lines=1), "no header after"),
        (gzip.compress(b"", mtime=0), COMMA, "empty"),
        (b"a,b\n1,\xe9\n", COMMA, r"byte 7 \(0xe9\) is not valid utf-8"),
        (b'a,"b\n1,2\n', COMMA, "never closed"),
        (b'a,"b"x\n', COMMA, "text follows the closing quote"),
        (b'a,b"c\n', COMMA, "quote stands inside"),
        (b"a,b\0\n", COMMA, "NUL character$"),
        ("id,é\n1,2\n".encode("utf-16-be"), with_options(encoding="iso-8859-1"), "looks like UTF-16 without a byte"),
        ("id,é\n1,2\n".encode("utf-16-le"), COMMA, "UTF-16 without a byte order mark: send it with one, or as UTF-8"),
        ("id,é\n1,2\n".encode("utf-16-le"), with_options(encoding="utf-16"), "UTF-16 without a byte order mark"),
        (b"ab,cd\nx1,y2\n", with_options(encoding="utf-16-le"), "no NUL byte at its beginning"),
        (b"a,b\n1,2\n", with_options(encoding="utf-16"), "no byte order mark, and source.options.encoding is utf-16"),
        (b"\x1f\x8bnot gzip at all", COMMA, "gzip data is damaged"),
        (
            b"Report\n2024",
            replace(COMMA, skip_lines=2),
            r"no header after the skipped lines \(source.options.skip_lines: 2\)",
        ),
        (b"a,b\n", replace(COMMA, header=True, names=("x",)), "has 2 columns, and source.options.names has 1"),
        ("a\n".encode("utf-16-le"), with_options(encoding="utf-16"), "byte order mark"),
    ],
)
def test_what_cannot_be_a_header_is_refused(head: bytes, options: CsvOptions, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_header(head, options, True)

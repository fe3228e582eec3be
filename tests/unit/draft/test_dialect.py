"""The dialect of a file is found, or the file is refused: never is it read otherwise than it was written."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from framework.draft.dialect import Known, Text, find_dialects
from framework.model.csv_options import DELIMITERS, CsvOptions
from framework.model.file_options import changed_options
from framework.rows.formats.csv.header import records_of
from framework.rows.formats.text.lines import lines_end

NAMES = ["id", "name", "amount", "seen on", "kind"]
CELLS = st.one_of(
    st.integers(-9999, 9999).map(str),
    st.decimals(-99, 99, places=2).map(str),
    st.dates().map(str),
    st.text(st.sampled_from("ab ,;|\t\"'#\\\n.-1"), max_size=8),
    st.sampled_from(["", "NA", "x", "Total", "# 1", "'a'", '5"']),
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(2, len(NAMES)))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=3, max_size=12))
    return [NAMES[:width], *rows]


def read(text: str, options: CsvOptions) -> list[list[str]]:
    start = lines_end(text, options.skip_lines)
    assert start is not None
    return [list(record) for record in records_of(text[start:], True, options, 1000)]


@given(tables(), st.sampled_from(DELIMITERS), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_what_is_written_by_the_rules_is_read_as_it_was_written(
    table: list[list[str]], delimiter: str, quoting: int
) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter, quoting=quoting).writerows(table)  # type: ignore[arg-type]
    text = written.getvalue()

    try:
        options = find_dialects([Text(text, True)], "utf-8")[0]
    except ValueError:
        assume(False)

    assert options.header != False  # noqa: E712
    # What is no row is left out by the number of fields, and by nothing else.
    assert [record for record in read(text, options) if len(record) > 1] == table


def dialect(text: str, *others: str) -> dict[str, object]:
    (found, *_) = find_dialects([Text(each, True) for each in (text, *others)], "utf-8")
    return changed_options(found, CsvOptions(",", "utf-8"))


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("id;n\n1;2,5\n2;3,5\n", {"delimiter": ";"}),
        ("id\tn\n1\tx\n", {"delimiter": "\t"}),
        ("sep=;\nid;n\n1;2\n", {"delimiter": ";", "skip_lines": 1}),
        ("Report\n\nid,n\n1,2\n2,3\n", {"skip_lines": 2}),
        ("Report,,\nid,n,x\n1,2,a\n2,3,b\n", {"skip_lines": 1}),
        ("1,ann\n2,bob\n", {"header": False, "names": ("column_1", "column_2")}),
        ("# made\n# by\nid,n\n1,2\n# gap\n2,3\n", {"comment": "#"}),
        ("id;n\n1;'a;b'\n2;'c'\n", {"delimiter": ";", "quote": "'"}),
        ('id,n\n1,"a \\"b\\", c"\n2,"d"\n', {"escape": "\\"}),
        ('id,n\n1,5" pipe\n2,"say "hi" now"\n', {"quoting": "lenient"}),
        ("id~n\n1~a\n2~b\n", {"delimiter": "~"}),
        ("name\nann\nbob\n", {}),
    ],
)
def test_dialects_are_found(text: str, options: dict[str, object]) -> None:
    assert dialect(text) == options


def test_rows_that_begin_with_a_hash_are_rows() -> None:
    rows = "".join(f"{number},x\n" for number in range(20))

    assert dialect(f"id,n\n{rows}#21,y\n") == {}


def test_titles_of_different_length_are_skipped_by_the_header() -> None:
    assert dialect("A\nid;n\n1;2\n2;3\n", "A\nB\nid;n\n1;2\n2;3\n") == {"delimiter": ";", "skip_until": "id;"}


def test_files_with_different_delimiters_decide_by_themselves() -> None:
    assert dialect("id;n\n1;2\n2;3\n", "id,n\n1,2\n2,3\n") == {"delimiter": "auto"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b;c\n1,2;3\n4,5;6\n", "fit the file alike"),
        ("001 ann\n002 bob\n003 cid\n", "equally long"),
        ("a,b\n1,2,3\n1\n1,2,3,4\n", "no delimiter"),
    ],
)
def test_what_is_not_regular_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        find_dialects([Text(text, True)], "utf-8")


def test_a_delimiter_that_is_named_is_the_only_one() -> None:
    (found, *_) = find_dialects([Text("a,b;c\n1,2;3\n4,5;6\n", True)], "utf-8", Known(";"))

    assert replace(found, delimiter=",") == CsvOptions(",", "utf-8")

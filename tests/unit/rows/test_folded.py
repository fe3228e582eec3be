"""Texts with every record on a line of its own, against Python's csv module."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.model.csv_options import CsvOptions
from framework.rows.formats.csv.blocks import FOLD
from framework.rows.spark import copies
from framework.rows.spark.copies import CannotCopy, folded

TEXTS = st.text(st.sampled_from('ab,;"\n\r é😀\\' + FOLD), max_size=60)
COMMA = CsvOptions(",", "utf-8", True, ())
FIELDS = st.text(st.sampled_from('ab,"\n é'), max_size=6)


def fold(text: str, size: int) -> list[str]:
    content = text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copies, "BLOCK_BYTES", size)
        pieces = (content[start : start + 3] for start in range(0, len(content), 3))
        parts = list(folded(pieces, COMMA))
    assert all(part.endswith(b"\n") for part in parts)
    return b"".join(parts).decode().split("\n")[:-1]


@settings(max_examples=300)
@given(rows=st.lists(st.lists(FIELDS, min_size=1, max_size=3), max_size=20), size=st.sampled_from([1, 20, 1000]))
def test_a_sound_text_is_folded_record_by_record(rows: list[list[str]], size: int) -> None:
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)

    lines = fold(target.getvalue(), size)

    assert [next(csv.reader(io.StringIO(line.replace(FOLD, "\n"), newline=""))) for line in lines] == rows


@settings(max_examples=600)
@given(text=TEXTS, size=st.sampled_from([1, 8, 100]))
def test_whatever_is_folded_says_the_same_as_the_text(text: str, size: int) -> None:
    try:
        lines = fold(text, size)
    except CannotCopy:
        return
    expected = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    found = [line.replace(FOLD, "\n") for line in lines]
    assert [next(csv.reader(io.StringIO(line, newline=""))) for line in found if line.strip("\r")] == expected
    assert FOLD not in text


def test_a_line_end_that_two_pieces_share_is_a_line_end() -> None:
    content = b'a,b\r\n1,"x\r\ny"\r\n2,z\r\n'
    for size in range(1, len(content)):
        pieces = (content[start : start + size] for start in range(0, len(content), size))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(copies, "BLOCK_BYTES", 1)
            assert b"".join(folded(pieces, COMMA)) == content.replace(b"x\r\n", b"x\r" + FOLD.encode())

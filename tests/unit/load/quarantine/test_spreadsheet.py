"""Exported bad rows come back as they were, from whatever a spreadsheet makes of the file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.errors import SourceFileError
from framework.load.quarantine.contents import QuarantinedRow
from framework.load.quarantine.corrected_file import CorrectedRow, read_corrected
from framework.load.quarantine.spreadsheet import write_sheet
from framework.rows.reasons import no_text_reason

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.sampled_from(
        ["", "=1+1", "+1", "-1", "@a", "00123", "1e5", '"', "\\", '""', "(missing)", "\0", "a\r\nb", ";", "\t"]
    ),
)
NAMES = st.lists(TEXTS.filter(bool), min_size=1, max_size=3, unique=True)


@st.composite
def kept_rows(draw: st.DrawFn) -> list[QuarantinedRow]:
    """Rows of one or two files, each with its header, which may have fewer or more fields."""
    rows = []
    for file in draw(st.lists(TEXTS.filter(bool), min_size=1, max_size=2, unique=True)):
        header = tuple(draw(NAMES))
        for number in range(1, draw(st.integers(1, 3)) + 1):
            size = draw(st.integers(max(1, len(header) - 1), len(header) + 1))
            record = tuple(draw(st.lists(st.none() | TEXTS, min_size=size, max_size=size)))
            rows.append(QuarantinedRow(file, draw(TEXTS.filter(bool)), number, header[0], "is bad", record, header))
    return rows


def resaved(rows: Sequence[QuarantinedRow], path: Path, delimiter: str = ",", quoting: Any = csv.QUOTE_MINIMAL) -> None:
    """Export rows, and save the file as a spreadsheet does: other delimiters and quotes, the same cells."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        assert write_sheet(lambda: rows, file) == len(rows)
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file, strict=True))
    assert all(
        cell[:1]
        not in (
            "=",
            "+",
            "-",
            "@",
        )
        and cell.isprintable()
        for line in lines
        for cell in line
    )
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator="\n").writerows(lines)


def is_outside(name: str) -> bool:
    """Return whether a file's name would lead out of the feed's folder, which is refused."""
    return not {"", ".", ".."}.isdisjoint(name.split("/"))


@given(rows=kept_rows(), delimiter=st.sampled_from(",;\t"), quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_what_is_exported_comes_back(rows: list[QuarantinedRow], delimiter: str, quoting: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bad.csv"
        resaved(rows, path, delimiter, quoting)
        if any(len(row.record) > len(row.header) or is_outside(row.file) for row in rows):
            with pytest.raises(SourceFileError):
                read_corrected(path, "bad.csv")
            return
        found = read_corrected(path, "bad.csv")

    assert found == [
        CorrectedRow(row.file, row.etag, row.row, row.record, row.header, number)
        for number, row in enumerate(rows, start=1)
    ]


ROW = QuarantinedRow("1.csv", "e", 2, "n", "is not a value of integer", ("1", "x"), ("id", "n"))


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("reason,", "reason;", "row 1 has more cells than the header"),
        ('"""x"""', '"""x"', "record.n: the text is not in double quotes"),
        ('"""x"""', '"""x""",extra', "row 1 has more cells than the header"),
        ("record.n", "record.m", "record.m: its file does not have this field"),
        ("record.n", "note", "the column 'record.n' is missing"),
        ("etag", "tag", "the column 'etag' is missing"),
        (',"""e"""', "", "file, row and etag must say"),
        ('"[""id"", ""n""]"', '"[""id"""', "header: no JSON"),
    ],
)
def test_what_is_damaged_is_refused(tmp_path: Path, old: str, new: str, shown: str) -> None:
    path = tmp_path / "bad.csv"
    resaved([ROW], path)
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")

    with pytest.raises(SourceFileError, match=shown.replace(".", r"\.")):
        read_corrected(path, "bad.csv")


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_line_whose_cells_were_emptied_is_a_deleted_one(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "bad.csv"
    resaved([replace(ROW, row=1), replace(ROW, row=2), replace(ROW, row=3)], path, delimiter)
    header, first, _, third = path.read_text("utf-8").splitlines(keepends=True)
    emptied = f"{delimiter * (len(next(csv.reader([header], delimiter=delimiter))) - 1)}\n"
    path.write_text(f"{header}{first}{emptied}{third}{emptied}", "utf-8")

    assert [(row.row, row.number) for row in read_corrected(path, "bad.csv")] == [(1, 1), (3, 3)]


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "bad.csv"
    resaved([QuarantinedRow("1.csv", "e", 2, "n", "is bad", ("é",), ("n",))], path)
    path.write_bytes(path.read_text("utf-8").encode(encoding))

    with pytest.raises(SourceFileError, match="neither Parquet nor CSV in UTF-8"):
        read_corrected(path, "bad.csv")


@pytest.mark.parametrize(
    "row",
    [
        QuarantinedRow("1.parquet", "e", 2, "id", f"is bad; n {no_text_reason()}", ("1", "\\xff"), ("id", "n")),
        # A record that is no object is one field, and so is each record of this file.
        QuarantinedRow("1.json", "e", 2, None, "the record is no JSON", ("{",), ("n",)),
    ],
)
def test_a_text_that_is_not_the_value_has_to_be_corrected(tmp_path: Path, row: QuarantinedRow) -> None:
    path = tmp_path / "bad.csv"
    resaved([row], path)

    with pytest.raises(SourceFileError, match=r"record\.n: write its value in place of \(unreadable\)"):
        read_corrected(path, "bad.csv")

"""Physical lines of records, against the text before each record."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.model.csv_options import CsvOptions
from framework.rows.bench import Bench
from framework.rows.formats.csv.lines import physical_lines
from framework.rows.job import Job
from framework.rows.segments import SplitRecords
from tests.unit.rows.benches import batch_of, rows_of

TEXTS = st.text(st.sampled_from('a1é,"\n\r;'), max_size=6)
ROWS = st.lists(st.lists(TEXTS, min_size=1, max_size=3), min_size=1, max_size=12)


@dataclass(frozen=True)
class CollectLines:
    """Work that returns the lines of all records."""

    def do(self, job: Job[Any], bench: Bench, records: Sequence[SplitRecords], name: str) -> list[Any]:
        return [
            (split.split, place, line)
            for split in records
            for place, line in physical_lines(split, range(1, split.records + 1)).items()
        ]


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
    tmp_path_factory: pytest.TempPathFactory,
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

    options = CsvOptions(",", encoding, header=has_header, names=("a",), skip_lines=len(skipped))
    batch = batch_of(content, options=options)
    read, _ = rows_of(batch, [content], tmp_path_factory.mktemp("lines"), size)
    (layout,) = batch.files
    lines = [line for part in read._pass("read", CollectLines()) for line in part]
    before = read._before()
    found = {
        before[0, n].records + place: layout.rows_start.line + before[0, n].lines + line for n, place, line in lines
    }

    assert found == expected

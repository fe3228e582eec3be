from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from framework.model.csv_options import CsvOptions
from framework.rows import splits
from framework.rows.formats.csv import cut
from tests.rows.conftest import Bench, column

PIECES = [
    "a",
    "B7",
    " ",
    "\t",
    '"',
    '""',
    ",",
    ";",
    "\n",
    "\r\n",
    "\r",
    "\\",
    "'",
    "é",
    "😀",
    "#",
    "NULL",
    "\u2028",
    "\ufeff",
    "\x1a",
    "\x1e",
    "\x85",
]
FIELDS = st.lists(st.sampled_from(PIECES), max_size=5).map("".join)
FILES = st.integers(min_value=1, max_value=5).flatmap(
    lambda width: st.lists(st.lists(FIELDS, min_size=width, max_size=width), min_size=1, max_size=25)
)


def written(rows: list[list[str]], line_end: str, quote_all: bool, delimiter: str) -> bytes:
    """Return the rows as a file, every field that needs it quoted; csv.writer leaves a lone CR bare."""
    lines = [delimiter.join(f"c{index}" for index in range(len(rows[0])))]
    for row in rows:
        fields = []
        for field in row:
            needed = quote_all or (not field and len(row) == 1) or set(field) & set('"\r\n' + delimiter)
            fields.append('"' + field.replace('"', '""') + '"' if needed else field)
        lines.append(delimiter.join(fields))
    return (line_end.join(lines) + line_end).encode("utf-8")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@settings(
    max_examples=4,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    files=st.lists(FILES, min_size=4, max_size=4),
    quote_all=st.booleans(),
    delimiter=st.sampled_from([",", ";"]),
)
def test_staged_texts_are_what_csv_wrote(
    bench: Bench, line_end: str, files: list[list[list[str]]], quote_all: bool, delimiter: str
) -> None:
    contents = {f"{n}.csv": written(rows, line_end, quote_all, delimiter) for n, rows in enumerate(files)}
    batch = bench.batch(contents, CsvOptions(delimiter, "utf-8"))
    width = max(len(rows[0]) for rows in files)
    columns = [column(f"c{index}", "varchar(65535)", measure_length=True) for index in range(width)]
    seen, staged = bench.stage(batch, columns)
    expected = []
    for ordinal, rows in enumerate(files):
        text = contents[f"{ordinal}.csv"].decode("utf-8")
        assert list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[1:] == rows
        for row in rows:
            empty = "" if quote_all or len(row) == 1 else None
            padded: list[str | None] = [field or empty for field in row]
            expected.append((*padded, *[None] * (width - len(row)), ordinal))
    assert [row[:-1] for row in staged] == expected
    assert seen.rows_staged == len(expected)
    for index in range(width):
        texts = [row[index] for row in expected]
        lengths = [len(text.encode()) for text in texts if isinstance(text, str)]
        assert seen.columns[f"c{index}"].longest_bytes == max(lengths, default=0)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=FILES, line_end=st.sampled_from(["\n", "\r\n"]), quote_all=st.booleans())
@example(rows=[[""], ["\n"], [""], ["\n"]], line_end="\r\n", quote_all=False)
def test_splits_of_a_record_or_two_hold_what_csv_wrote(
    embedded_bench: Bench, rows: list[list[str]], line_end: str, quote_all: bool
) -> None:
    """So that every kind of record stands at the start and at the end of a file that DuckDB reads."""
    content = written(rows, line_end, quote_all, ",")
    with pytest.MonkeyPatch.context() as sizes:
        sizes.setattr(splits, "SMALLEST_SPLIT_BYTES", 8)
        sizes.setattr(cut, "BLOCK_BYTES", 8)
        found = embedded_bench.texts(content)
    empty = "" if quote_all or len(rows[0]) == 1 else None
    assert found == [tuple(field or empty for field in row) for row in rows]

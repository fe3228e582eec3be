"""Fields of a raw record, and the JSON they are kept as."""

from __future__ import annotations

import csv
import io
import json
import time

from hypothesis import given
from hypothesis import strategies as st

from framework.model.csv_options import CsvOptions
from framework.rows.formats.csv.grammar import grammar_of
from framework.rows.sql.bad_rows import json_array

FIELDS = st.lists(st.none() | st.text(st.sampled_from('a,;|"\n\r\\é😀 '), max_size=6), min_size=1, max_size=6)
ANY_FIELDS = st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=9), max_size=5)


def split_record(record: str, delimiter: str) -> list[str | None]:
    return grammar_of(CsvOptions(delimiter, "utf-8")).fields(record)


def written(fields: list[str | None], delimiter: str) -> str:
    return delimiter.join("" if field is None else '"' + field.replace('"', '""') + '"' for field in fields)


@given(fields=FIELDS, delimiter=st.sampled_from([",", ";", "|"]))
def test_a_record_is_split_into_the_fields_it_was_written_from(fields: list[str | None], delimiter: str) -> None:
    assert split_record(written(fields, delimiter), delimiter) == fields


@given(text=st.lists(st.text(st.sampled_from("ab ü'\\"), max_size=4), min_size=1, max_size=6).map(",".join))
def test_unquoted_fields_are_those_that_csv_reads(text: str) -> None:
    (expected,) = csv.reader(io.StringIO(text, newline="")) if text else [[""]]
    assert split_record(text, ",") == [field or None for field in expected]


def test_many_doubled_quotes_take_no_more_than_their_time() -> None:
    field = '"' * 500_000
    started = time.monotonic()
    assert split_record(written([field, None, field], ","), ",") == [field, None, field]
    assert time.monotonic() - started < 10


@given(fields=ANY_FIELDS)
def test_the_array_is_json_of_the_same_fields(fields: list[str | None]) -> None:
    assert json.loads(json_array(fields)) == fields

"""What quarantine keeps of bad rows, under both executors."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from framework.model.csv_options import CsvOptions
from framework.model.notation import Notation
from framework.model.staging import FileName, RunDate
from tests.rows.conftest import ARRIVED, Bench, column

COLUMNS = [
    column("k", "integer", required=True),
    column("v", "varchar(3)"),
    column("run_date", "timestamp", value=RunDate(ARRIVED)),
    column("file_name", "varchar(99)", value=FileName()),
]


def kept(row: int, name: str | None, reason: str, record: list[str | None], **changes: Any) -> dict[str, Any]:
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    values = {"file": "a.csv", "row": row, "column": name, "reason": reason, "record": text, "header": '["k","v"]'}
    return values | changes


def test_a_bad_row_is_kept_once_with_every_fault_and_its_raw_fields(bench: Bench) -> None:
    content = b'k,v\n1,a\n\nx,abcd\n,"b,""\n"\n,""\n1,"2\n",3\n2,c\n1\ny,\n'
    assert bench.quarantine(bench.batch(content), COLUMNS) == [
        kept(2, "k", "is not a value of integer; v has 4 bytes, more than varchar(3) holds", ["x", "abcd"]),
        kept(
            3,
            "k",
            "stands in an upsert key, which needs a value; v has 4 bytes, more than varchar(3) holds",
            [None, 'b,"\n'],
        ),
        kept(4, "k", "stands in an upsert key, which needs a value", [None, ""]),
        kept(5, None, "the record has 3 fields, the header names 2", ["1", "2\n", "3"]),
        kept(7, None, "the record has 1 field, the header names 2", ["1"]),
        kept(8, "k", "is not a value of integer", ["y", None]),
    ]


def test_rows_of_several_files_come_by_file_and_row_with_each_files_header(bench: Bench) -> None:
    batch = bench.batch({"1.csv": b"k,v\n1,a\nx,b\n", "2.csv": b"k\n1\n", "3.csv": b"v,k,more\na,y,b\nb,2,b\nc,z,b\n"})
    reason = "is not a value of integer"
    assert bench.quarantine(batch, COLUMNS) == [
        kept(2, "k", reason, ["x", "b"], file="1.csv"),
        kept(1, "k", reason, ["a", "y", "b"], file="3.csv", header='["v","k","more"]'),
        kept(3, "k", reason, ["c", "z", "b"], file="3.csv", header='["v","k","more"]'),
    ]


def test_null_values_are_kept_as_they_were_written(bench: Bench) -> None:
    columns = [replace(each, notation=Notation(null_values=("NA",))) for each in COLUMNS]
    assert bench.quarantine(bench.batch(b"k,v\nNA,a\n"), columns) == [
        kept(1, "k", "stands in an upsert key, which needs a value", ["NA", "a"])
    ]


@pytest.mark.parametrize("delimiter", [",", "^", "\\", "é"])
def test_fields_are_found_whatever_the_delimiter(bench: Bench, delimiter: str) -> None:
    lines = ["k\0v", '"x"\0"a\0""\\"', '1\0""\0\0é', "\0\0"]
    content = "\n".join(lines).replace("\0", delimiter).encode() + b"\n"
    found = bench.quarantine(bench.batch(content, CsvOptions(delimiter, "utf-8")), COLUMNS)
    last = ["é"] if delimiter != "é" else [None, None]
    assert [json.loads(row["record"]) for row in found] == [
        ["x", f'a{delimiter}"\\'],
        ["1", "", None, *last],
        [None, None, None],
    ]


def test_letters_of_every_kind_are_kept_alike(bench: Bench) -> None:
    """The control characters too, which JSON writes in more than one way."""
    text = "".join(chr(code) for code in range(1, 32) if code not in (10, 13)) + '\x7f\x85\u2028\u2029😀\\"/<>&\n\r'
    content = ('k,v\nx,"' + text.replace('"', '""') + '"\n').encode()
    (row,) = bench.quarantine(bench.batch(content), COLUMNS)
    assert json.loads(row["record"]) == ["x", text]
    assert row["record"].startswith('["x","\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\u000B\\f\\u000E')
    assert row["record"].endswith('\\u001F\x7f\x85\u2028\u2029😀\\\\\\"/<>&\\n\\r"]')


def test_rows_keep_their_ordinals_in_a_big_packed_file_of_another_encoding(bench: Bench) -> None:
    lines = "".join(f"{number},é\n" for number in range(1, 40_001)) + 'x,"a\n\nb"\n\n7,"a\nb"\n1,2,3\n'
    content = gzip.compress(("k,v\n\n" + lines).encode("latin-1"))
    batch = bench.batch({"a.csv.gz": content}, CsvOptions(",", "iso-8859-1"))
    found = bench.quarantine(batch, [column("k", "integer", required=True)])
    assert [(row["row"], json.loads(row["record"])) for row in found] == [
        (40_001, ["x", "a\n\nb"]),
        (40_003, ["1", "2", "3"]),
    ]


def test_many_bad_rows_among_records_of_a_wrong_length_keep_their_places(bench: Bench) -> None:
    rows = [
        f"{number},{'x' if number % 3 else 'long'}" + (",more" if number % 5 == 0 else "") for number in range(1, 3001)
    ]
    found = bench.quarantine(bench.batch(("k,v\n" + "\n".join(rows)).encode()), COLUMNS)
    expected = [number for number in range(1, 3001) if number % 3 == 0 or number % 5 == 0]
    assert [row["row"] for row in found] == expected
    assert [json.loads(row["record"])[0] for row in found] == [str(number) for number in expected]


def test_a_record_of_megabytes_is_kept(bench: Bench) -> None:
    text = 'é"' * 2_000_000
    content = ('k,v\nx,"' + text.replace('"', '""') + '"\n').encode()
    (row,) = bench.quarantine(bench.batch(content), [column("k", "integer")])
    assert json.loads(row["record"]) == ["x", text]


def test_a_record_of_very_many_fields_is_one_bad_row(bench: Bench) -> None:
    (row,) = bench.quarantine(bench.batch(b"k,v\n1,a\n" + b"," * 30_000 + b"\n2,b\n"), COLUMNS)
    assert (row["row"], row["reason"]) == (2, "the record has 30001 fields, the header names 2")


NUL = "holds a NUL character, which no warehouse column can store"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_row_with_a_nul_is_bad_and_the_others_are_not(bench: Bench, encoding: str) -> None:
    content = 'k,v\n1,a\n2,b\0\n\0,"\n\0"\n3,c\n\0\n4,"d\0e",\n5,f\n'.encode(encoding)
    batch = bench.batch(content, CsvOptions(",", encoding))
    assert bench.quarantine(batch, COLUMNS) == [
        kept(2, "v", NUL, ["2", "b\0"]),
        kept(3, "k", f"{NUL}; v {NUL}", ["\0", "\n\0"]),
        kept(5, None, f"the record has 1 field, the header names 2, and it {NUL}", ["\0"]),
        kept(6, None, f"the record has 3 fields, the header names 2, and it {NUL}", ["4", "d\0e", None]),
    ]
    seen, rows = bench.stage(batch, COLUMNS[:2])
    assert (seen.rows_staged, seen.rows_bad, seen.malformed_rows) == (3, 4, 4)
    assert [row[:2] for row in rows] == [(1, "a"), (3, "c"), (5, "f")]
    profile = bench.profile(batch, ["k"])["k"]
    assert (profile.values, profile.integers) == (3, 3)

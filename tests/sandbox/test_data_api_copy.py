"""COPY of Parquet manifests in the sandbox: what is loaded, value for value, and what is refused."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tests.sandbox.data_api_caller import ENDLESS, Caller, copy_sql, entry, new_table, parquet

TEXTS = ["plain", "", None, "a\tb", "a\nb\r\nc", "back\\slash \\N \\.", 'quo"te', "comma,", "grün 日本 🎉", " blanks "]


def made(caller: Caller, columns: str) -> str:
    name = new_table()
    caller.do(f"create table {name} ({columns})")
    return name


def loaded(caller: Caller, table: str, staged: pa.Table, **options: Any) -> list[tuple[Any, ...]]:
    described = caller.copy(table, caller.stage(staged, **options))
    assert described["Status"] == "FINISHED", described["Error"]
    assert described["ResultRows"] == staged.num_rows
    return caller.rows(f"select * from {table}")


def refused(caller: Caller, table: str, *staged: pa.Table) -> str:
    described = caller.copy(table, caller.stage(*staged))
    assert described["Status"] == "FAILED"
    assert caller.rows(f"select count(*) from {table.split('(')[0]}") == [(0,)]
    return str(described["Error"])


def ints(*values: int | None, kind: pa.DataType | None = None) -> pa.Table:
    return pa.table({"id": pa.array(values, kind or pa.int32())})


def test_texts_arrive_as_they_are(caller: Caller) -> None:
    table = made(caller, "name varchar(100), id integer")
    staged = pa.table({"name": TEXTS, "id": pa.array(range(len(TEXTS)), pa.int32())})
    rows = loaded(caller, table, staged)
    assert sorted(rows, key=lambda row: row[1]) == list(zip(TEXTS, range(len(TEXTS)), strict=True))


def test_a_single_column_of_nulls_arrives(caller: Caller) -> None:
    assert loaded(caller, made(caller, "name varchar(5)"), pa.table({"name": [None, "", "x"]})) == [
        (None,),
        ("",),
        ("x",),
    ]


def test_decimals_arrive_exactly(caller: Caller) -> None:
    texts = [
        "0.000000000000000001",
        "-99999999999999999999.999999999999999999",
        "0.000000000000000000",
        "12.500000000000000000",
    ]
    column = pa.array([Decimal(text) for text in texts], pa.decimal128(38, 18))
    assert loaded(caller, made(caller, "amount decimal(38,18)"), pa.table({"amount": column})) == [(t,) for t in texts]


@pytest.mark.parametrize("as_integer", [True, False])
def test_small_decimals_arrive_in_either_encoding(caller: Caller, as_integer: bool) -> None:
    column = pa.array([Decimal("-1.50"), None, Decimal("99.99")], pa.decimal128(4, 2))
    table = made(caller, "amount decimal(10,2)")
    rows = loaded(caller, table, pa.table({"amount": column}), store_decimal_as_integer=as_integer)
    assert rows == [("-1.50",), (None,), ("99.99",)]


def test_dates_and_timestamps_arrive_to_the_microsecond(caller: Caller) -> None:
    days = [date(1, 1, 1), date(1969, 12, 31), date(9999, 12, 31)]
    moments = [datetime(1, 1, 1), datetime(1969, 12, 31, 23, 59, 59, 999999), datetime(2024, 2, 29, 12, 0, 0, 10)]  # noqa: DTZ001
    staged = pa.table({"d": pa.array(days, pa.date32()), "t": pa.array(moments, pa.timestamp("us"))})
    assert loaded(caller, made(caller, "d date, t timestamp"), staged) == [
        ("0001-01-01", "0001-01-01 00:00:00.0"),
        ("1969-12-31", "1969-12-31 23:59:59.999999"),
        ("9999-12-31", "2024-02-29 12:00:00.00001"),
    ]


def test_int96_timestamps_arrive(caller: Caller) -> None:
    staged = pa.table({"t": pa.array([datetime(2024, 1, 2, 3, 4, 5, 678901)], pa.timestamp("us"))})  # noqa: DTZ001
    rows = loaded(caller, made(caller, "t timestamp"), staged, use_deprecated_int96_timestamps=True)
    assert rows == [("2024-01-02 03:04:05.678901",)]


def test_floats_and_booleans_arrive_bit_for_bit(caller: Caller) -> None:
    doubles = [0.1, -1e300, 5e-324, math.inf, -math.inf, None]
    staged = pa.table(
        {
            "d": pa.array(doubles, pa.float64()),
            "r": pa.array([0.1, 1.5, None, math.inf, 3e38, -0.5], pa.float32()),
            "b": pa.array([True, False, None, True, False, None]),
        }
    )
    rows = loaded(caller, made(caller, "d double precision, r real, b boolean"), staged)
    assert [row[0] for row in rows] == doubles
    assert [row[1] for row in rows][:4] == [pytest.approx(0.1), 1.5, None, math.inf]
    assert [row[2] for row in rows] == [True, False, None, True, False, None]


def test_integers_widen_but_never_narrow(caller: Caller) -> None:
    wide = pa.table({"a": pa.array([2**15 - 1], pa.int16()), "b": ints(-(2**31))["id"], "c": ints(2**31 - 1)["id"]})
    assert loaded(caller, made(caller, "a smallint, b integer, c bigint"), wide) == [(2**15 - 1, -(2**31), 2**31 - 1)]
    for column, kind in (("integer", pa.int64()), ("smallint", pa.int32())):
        error = refused(caller, made(caller, f"id {column}"), ints(1, kind=kind))
        assert "has an incompatible Parquet schema for column" in error
        assert "code:      15007" in error


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("decimal(10,2)", pa.array([1.5], pa.float64())),
        ("decimal(10,2)", pa.array([1], pa.int64())),
        ("decimal(10,2)", pa.array([Decimal("1.500")], pa.decimal128(9, 3))),
        ("decimal(10,2)", pa.array([Decimal("1.50")], pa.decimal128(11, 2))),
        ("integer", pa.array(["1"])),
        ("date", pa.array(["2024-01-01"])),
        ("varchar(10)", pa.array([1], pa.int32())),
        ("varchar(10)", pa.array([b"x"])),
        ("double precision", pa.array([1.5], pa.float32())),
        ("timestamp", pa.array([1], pa.timestamp("ms"))),
        ("timestamp", pa.array([1], pa.timestamp("us", "UTC"))),
        ("timestamp", pa.array([date(2024, 1, 1)])),
        ("bigint", pa.array([1], pa.uint64())),
    ],
    ids=str,
)
def test_other_pairs_of_types_are_refused(caller: Caller, column: str, values: pa.Array) -> None:
    error = refused(caller, made(caller, f"id {column}"), pa.table({"id": values}))
    assert error.startswith("ERROR: Spectrum Scan Error\n  Detail: ")
    assert "incompatible Parquet schema" in error


def test_a_text_is_measured_in_bytes(caller: Caller) -> None:
    table = made(caller, "name varchar(4)")
    assert loaded(caller, table, pa.table({"name": ["üü"]})) == [("üü",)]
    other = made(caller, "name varchar(4)")
    error = refused(caller, other, pa.table({"name": ["ok"]}), pa.table({"name": ["ok", "üüü"]}))
    text = "The length of the data column name is longer than the length defined in the table. Table: 4, Data: 6"
    assert f"{text}, File name: https://" in error


def test_a_column_list_is_filled_by_position_and_the_rest_by_default(caller: Caller) -> None:
    table = made(caller, "a integer, b varchar(5) default 'dflt', c varchar(5)")
    staged = pa.table({"x": ["c1"], "y": pa.array([7], pa.int32())})
    assert caller.copy(f"{table} (c, a)", caller.stage(staged))["ResultRows"] == 1
    assert caller.rows(f"select a, b, c from {table}") == [(7, "dflt", "c1")]


def test_a_column_list_that_does_not_fit_the_table_is_refused(caller: Caller) -> None:
    table = made(caller, "a integer, b integer not null")
    assert refused(caller, f"{table} (extra)", ints(1)) == (
        f'ERROR: column "extra" of relation "{table}" does not exist'
    )
    assert refused(caller, f"{table} (a)", ints(1)) == (
        "ERROR: NOT NULL column without DEFAULT must be included in column list"
    )
    assert "Unmatched number of columns between table and file. Table columns: 2, Data columns: 1, " in refused(
        caller, table, ints(1)
    )


def test_null_does_not_go_into_a_not_null_column(caller: Caller) -> None:
    assert "NULL" in refused(caller, made(caller, "id integer not null"), ints(1, None)).upper()


def test_nul_is_refused(caller: Caller) -> None:
    assert refused(caller, made(caller, "name varchar(5)"), pa.table({"name": ["a\0b"]})).startswith("ERROR: ")


def test_files_of_several_row_groups_and_encodings_arrive_whole(caller: Caller) -> None:
    table = made(caller, "id bigint, name varchar(20)")
    count = 50_000
    staged = pa.table({"id": range(count), "name": pa.array([f"n{i % 9}" for i in range(count)]).dictionary_encode()})
    described = caller.copy(table, caller.stage(staged, staged, row_group_size=7000, compression="zstd"))
    assert described["ResultRows"] == 2 * count
    assert caller.rows(f"select count(*), sum(id), max(name) from {table}") == [(2 * count, count * (count - 1), "n8")]


def test_a_file_without_rows_loads_nothing(caller: Caller) -> None:
    assert loaded(caller, made(caller, "id integer"), ints()) == []


def test_a_file_listed_twice_is_loaded_twice(caller: Caller) -> None:
    table = made(caller, "id integer")
    listed = entry(*caller.put(parquet(ints(1, 2))))
    assert caller.copy(table, caller.put_manifest(listed, listed))["ResultRows"] == 4


def test_a_missing_file_fails_only_if_it_is_mandatory(caller: Caller) -> None:
    table = made(caller, "id integer")
    missing = "s3://lake/staging/there/is/none.parquet"
    present = entry(*caller.put(parquet(ints(1))))
    described = caller.copy(table, caller.put_manifest(present, entry(missing, 1)))
    assert described["Status"] == "FAILED"
    assert "context:   File not found" in described["Error"]
    assert caller.copy(table, caller.put_manifest(present, entry(missing, 1, mandatory=False)))["ResultRows"] == 1


def test_the_manifest_must_state_true_sizes(caller: Caller) -> None:
    table = made(caller, "id integer")
    url, size_bytes = caller.put(parquet(ints(1)))
    without = caller.copy(table, caller.put_manifest({"url": url, "mandatory": True}))
    assert "code:      15003\n  context:   File entry does not have 'meta' key." in without["Error"]
    wrong = caller.copy(table, caller.put_manifest(entry(url, size_bytes - 1)))
    assert f"The file has {size_bytes} bytes, but content_length in the manifest is {size_bytes - 1}" in wrong["Error"]


def test_a_manifest_that_is_none_is_refused(caller: Caller) -> None:
    table = made(caller, "id integer")
    for manifest in (caller.put(b"{", "m.json")[0], caller.put(b"[]", "m.json")[0], "s3://lake/no/such.manifest"):
        error = caller.copy(table, manifest)["Error"]
        assert error.startswith("ERROR: Problem reading manifest file - "), error


def test_a_file_that_is_no_parquet_is_refused(caller: Caller) -> None:
    table = made(caller, "id integer")
    for content in (b"id\n1\n", b""):
        error = caller.copy(table, caller.put_manifest(entry(*caller.put(content))))["Error"]
        assert "Invalid Parquet file" in error


def test_a_copy_rolls_back_with_its_batch(caller: Caller) -> None:
    table = made(caller, "id integer")
    manifest = caller.stage(ints(1, 2))
    batch = caller.run_batch(copy_sql(table, manifest), "select cast('x' as integer)")
    assert batch["SubStatements"][0]["ResultRows"] == 2
    assert caller.rows(f"select count(*) from {table}") == [(0,)]


def test_a_copy_sees_the_table_that_its_batch_has_just_created(caller: Caller) -> None:
    table = new_table()
    batch = caller.run_batch(f"create table {table} (id integer)", copy_sql(table, caller.stage(ints(1, 2))))
    assert (batch["Status"], batch["ResultRows"]) == ("FINISHED", 2)


def test_a_copy_into_no_table_is_refused(caller: Caller) -> None:
    described = caller.copy("no_such_table", caller.stage(ints(1)))
    assert described["Error"] == 'ERROR: relation "no_such_table" does not exist'


def test_chars_are_measured_and_must_be_ascii(caller: Caller) -> None:
    table = made(caller, "code char(3)")
    assert loaded(caller, table, pa.table({"code": ["ab", "abc", None]})) == [("ab",), ("abc",), (None,)]
    error = refused(caller, made(caller, "code char(3)"), pa.table({"code": ["ü"]}))
    assert "Multibyte character not supported for CHAR" in error


def test_a_copy_by_prefix_or_with_other_options_is_refused_by_name(caller: Caller) -> None:
    command = copy_sql(made(caller, "id integer"), caller.stage(ints(1)))
    by_prefix = caller.run(command.removesuffix(" manifest"))["Error"]
    assert by_prefix == "ERROR: COPY from a prefix is not supported by the sandbox: give a manifest"
    assert caller.run(f"{command} fillrecord")["Error"] == "ERROR: COPY with FILLRECORD is not supported by the sandbox"


def test_a_copy_that_waits_can_be_cancelled(caller: Caller) -> None:
    table = made(caller, "id integer")
    holder = caller.submit_batch(f"lock table {table}", ENDLESS)
    caller.wait_for(f"{holder}:2", ("STARTED",))
    copy = caller.submit(copy_sql(table, caller.stage(ints(1))))
    caller.wait_for(copy, ("STARTED",))
    for statement_id in (copy, holder):
        assert caller.data.cancel_statement(Id=statement_id)["Status"]
        assert caller.wait(statement_id, timeout_seconds=5)["Status"] == "ABORTED"
    assert caller.rows(f"select count(*) from {table}") == [(0,)]


def test_a_role_that_the_namespace_does_not_carry_is_refused_in_redshifts_words(caller: Caller) -> None:
    table = made(caller, "a integer")
    manifest = caller.stage(pa.table({"a": pa.array([1], pa.int32())}))
    role = "arn:aws:iam::123456789012:role/other"

    described = caller.run(copy_sql(table, manifest).replace("default", f"'{role}'"))

    assert described["Status"] == "FAILED"
    assert described["Error"].endswith(f"is not authorized to assume IAM Role {role}")

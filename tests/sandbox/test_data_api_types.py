"""Types of Redshift that PostgreSQL lacks: SUPER with all that is loaded and asked of it, and the bytes of others."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pyarrow as pa

from tests.sandbox.data_api_caller import Caller, new_table


def made(caller: Caller, columns: str) -> str:
    name = new_table()
    caller.do(f"create table {name} ({columns})")
    return name


def copied(caller: Caller, values: list[str | None], kind: pa.DataType, more: str = "serializetojson") -> list[Any]:
    table = made(caller, "n integer, v super")
    staged = pa.table({"n": pa.array(range(len(values)), pa.int32()), "v": pa.array(values, kind)})
    described = caller.copy(table, caller.stage(staged), more)
    assert described["Status"] == "FINISHED", described["Error"]
    return [value for (value,) in caller.rows(f"select v from {table} order by n")]


def refusal(caller: Caller, value: pa.Array, more: str = "serializetojson", columns: str = "v super") -> str:
    table = made(caller, columns)
    described = caller.copy(table, caller.stage(pa.table({"v": value})), more)
    assert described["Status"] == "FAILED"
    assert caller.rows(f"select count(*) from {table}") == [(0,)]
    return str(described["Error"])


def type_names(caller: Caller, sql: str) -> list[str]:
    result = caller.data.get_statement_result(Id=caller.run(sql)["Id"])
    return [column["typeName"] for column in result["ColumnMetadata"]]


def json_array(*values: str | None) -> pa.Array:
    return pa.array(values, pa.json_())


def test_json_arrives_with_its_digits_and_without_its_blanks(caller: Caller) -> None:
    texts = [
        '{ "a" : [ 1.50 , 0.12345678901234567890 , -7 ] , "b, c: " : "x, y: \\"z\\", " }',
        None,
        "null",
        "[]",
        '"a"',
        "12345678901234567890123456789012345678.5",
    ]

    found = copied(caller, texts, pa.json_())

    assert found == [
        '{"a":[1.50,0.12345678901234567890,-7],"b, c: ":"x, y: \\"z\\", "}',
        *(None, "null", "[]", '"a"', "12345678901234567890123456789012345678.5"),
    ]
    for text, value in zip(texts, found, strict=True):
        if text is not None:
            assert json.loads(value, parse_float=Decimal) == json.loads(text, parse_float=Decimal)


def test_a_string_column_stays_a_string_whatever_it_looks_like(caller: Caller) -> None:
    texts = ['{"a": 1}', "", None, 'a "b" \\ é 🎉\n']

    found = copied(caller, texts, pa.string())

    assert [None if value is None else json.loads(value) for value in found] == texts
    assert copied(caller, ["x" * 60_000], pa.string()) == ['"' + "x" * 60_000 + '"']


def test_what_copy_refuses_of_a_super(caller: Caller) -> None:
    assert "SUPER column in COPY query requires SERIALIZETOJSON option" in refusal(caller, json_array("1"), more="")
    too_long = refusal(caller, pa.array(["x" * 65_536]))
    assert "String value exceeds the max size of 65535 bytes" in too_long
    assert "1224" in too_long
    assert "1000 levels" in refusal(caller, json_array("[" * 1_001 + "]" * 1_001))
    assert "16384000 bytes" in refusal(caller, json_array("[" + "1," * 8_200_000 + "1]"))
    assert "65535 bytes" in refusal(caller, json_array('["' + "é" * 32_768 + '"]'))
    nested = pa.array([{"a": 1}], pa.struct({"a": pa.int32()}))
    assert "COPY of a nested Parquet column into SUPER is not supported" in refusal(caller, nested)
    assert "incompatible Parquet schema" in refusal(caller, pa.array([1], pa.int32()))
    assert "incompatible Parquet schema" in refusal(caller, json_array("1"), columns="v varchar(9)")


def test_the_limits_themselves_are_loaded(caller: Caller) -> None:
    deepest = "[" * 1_000 + "]" * 1_000
    assert copied(caller, [deepest, '["' + "x" * 60_000 + '"]'], pa.json_()) == [deepest, '["' + "x" * 60_000 + '"]']


def test_json_is_parsed_and_serialized_in_queries(caller: Caller) -> None:
    table = made(caller, "v super")
    caller.do(f"""insert into {table} select json_parse('{{"a": [1, 2.50], "b": ", "}}')""")

    assert caller.rows(f"select json_serialize(v) from {table}") == [('{"a":[1,2.50],"b":", "}',)]
    assert caller.rows(f"select count(v) from {table} where v is not null") == [(1,)]
    assert type_names(caller, f"select v from {table}") == ["super"]
    for sql in (f"select v[0] from {table}", "select '1'::super"):
        assert "is not supported by the sandbox" in caller.run(sql)["Error"]


def test_the_catalog_knows_the_types(caller: Caller) -> None:
    table = made(
        caller, "a super, b varbyte(200), c varbyte, d geometry, e hllsketch, f binary varying(7), g geography"
    )

    assert caller.rows(
        f"select column_name, data_type, character_maximum_length from svv_columns where table_name = '{table}' "
        "order by ordinal_position"
    ) == [
        ("a", "super", None),
        ("b", "binary varying", 200),
        ("c", "binary varying", 64000),
        ("d", "geometry", None),
        ("e", "hllsketch", None),
        ("f", "binary varying", 7),
        ("g", "geography", None),
    ]
    assert caller.rows(
        f"select data_type, encoding from svv_redshift_columns where table_name = '{table}' order by ordinal_position"
    ) == [
        ("super", "none"),
        ("binary varying(200)", "lzo"),
        ("binary varying(64000)", "lzo"),
        ("geometry", "none"),
        ("hllsketch", "none"),
        ("binary varying(7)", "lzo"),
        ("geography", "none"),
    ]


def test_bytes_are_stored_copied_and_shown(caller: Caller) -> None:
    table, other = made(caller, "b varbyte(5), g geometry"), made(caller, "b varbyte(5), g geometry")
    caller.do(f"insert into {table} values (to_varbyte('68656c6c6f', 'hex'), null), (to_varbyte('hi', 'utf8'), null)")
    caller.do(f"insert into {other} select b, g from {table}")

    assert sorted(caller.rows(f"select b, g from {other}")) == [("68656c6c6f", None), ("6869", None)]
    assert caller.rows(f"select count(b), count(g), max(from_varbyte(b, 'utf8')) from {other}") == [(2, 0, "hi")]
    assert type_names(caller, f"select b, g from {other}") == ["varbyte", "geometry"]
    assert (
        "too long for type binary varying(5)"
        in caller.run(f"insert into {table} values (to_varbyte('123456', 'utf8'), null)")["Error"]
    )
    assert "is not supported by the sandbox" in caller.run("select '61'::varbyte")["Error"]
    assert "TO_VARBYTE with the format base64" in caller.run("select to_varbyte('61', 'base64')")["Error"]

"""Column types: reading them, writing them, and which is wider than which."""

import itertools

import pytest

from framework.model.column_type import can_widen, parse_type


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("varchar(16)", "varchar(16)"),
        ("VARCHAR(MAX)", "varchar(65535)"),
        ("text", "varchar(256)"),
        ("character varying(30)", "varchar(30)"),
        ("char", "char(1)"),
        ("bpchar", "char(256)"),
        ("numeric", "decimal(18,0)"),
        ("Decimal( 38 , 18 )", "decimal(38,18)"),
        ("int4", "integer"),
        ("float", "double precision"),
        ("timestamp without time zone", "timestamp"),
        ("TIME", "time"),
        ("time without time zone", "time"),
        ("Super", "super"),
    ],
)
def test_a_type_is_read_with_redshifts_defaults(text: str, sql: str) -> None:
    assert parse_type(text).sql == sql


@pytest.mark.parametrize(
    "text",
    [
        "jsonb",
        "super(10)",
        "timetz",
        "time with time zone",
        "varbyte(10)",
        "varchar(0)",
        "varchar(65536)",
        "decimal(39,0)",
        "decimal(5,6)",
        "int(4)",
        "decimal(max)",
        "char(5,2)",
        "",
    ],
)
def test_a_type_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="'"):
        parse_type(text)


@pytest.mark.parametrize(
    ("current", "wanted", "expected"),
    [
        ("smallint", "integer", True),
        ("integer", "bigint", True),
        ("bigint", "integer", False),
        ("bigint", "decimal(38,0)", True),
        ("integer", "decimal(12,2)", True),
        ("integer", "decimal(11,2)", False),
        ("smallint", "decimal(5,0)", True),
        ("bigint", "decimal(38,20)", False),
        ("decimal(18,2)", "decimal(18,4)", False),
        ("decimal(18,2)", "decimal(20,4)", True),
        ("decimal(18,2)", "bigint", False),
        ("date", "timestamp", True),
        ("timestamp", "date", False),
        ("varchar(10)", "varchar(20)", True),
        ("varchar(20)", "varchar(10)", False),
        ("char(10)", "varchar(20)", False),
        ("real", "double precision", True),
        ("integer", "varchar(256)", False),
        ("super", "super", True),
        ("super", "varchar(65535)", False),
        ("varchar(10)", "super", False),
        ("time", "timestamp", False),
        ("time", "varchar(20)", False),
        ("date", "time", False),
        ("integer", "double precision", False),
    ],
)
def test_widening_loses_nothing(current: str, wanted: str, expected: bool) -> None:
    assert can_widen(parse_type(current), parse_type(wanted)) is expected


def test_widening_is_transitive() -> None:
    names = ["smallint", "integer", "bigint", "decimal(38,0)", "decimal(38,18)", "decimal(12,2)", "date", "timestamp"]
    types = [parse_type(name) for name in names]

    for first, second, third in itertools.product(types, repeat=3):
        if can_widen(first, second) and can_widen(second, third):
            assert can_widen(first, third), (first, second, third)

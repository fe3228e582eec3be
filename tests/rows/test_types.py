from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from framework.model.date_format import DateFormat
from framework.model.notation import Notation
from framework.model.staging import FileName, RunDate
from tests.rows.conftest import ARRIVED, Bench, column

MISFIT = object()
TABLE: dict[str, dict[str, Any]] = {
    "smallint": {"32767": 32767, "-32768": -32768, "32768": MISFIT, "007": MISFIT, "": MISFIT, "32767.0": 32767},
    "integer": {
        "0": 0,
        "-12": -12,
        "2147483647": 2147483647,
        "2147483648": MISFIT,
        "-2147483649": MISFIT,
        "00501": MISFIT,
        "+49": MISFIT,
        "1e3": MISFIT,
        " 7": MISFIT,
        "7 ": MISFIT,
        "7\n": MISFIT,
        "-0": 0,
        "-0.00": 0,
        "-00": MISFIT,
        "1.0": 1,
        "-3.000": -3,
        ".0": 0,
        "1.": MISFIT,
        "1.5": MISFIT,
        "1.0e0": MISFIT,
        "01.0": MISFIT,
        "2147483647.0": 2147483647,
        "2147483648.0": MISFIT,
        "5." + "0" * 60: 5,
        "1,234": MISFIT,
        "\u0661": MISFIT,
        "": MISFIT,
        "99999999999999999999999": MISFIT,
    },
    "bigint": {
        "9223372036854775807": 2**63 - 1,
        "9223372036854775808": MISFIT,
        "-9223372036854775808": -(2**63),
        "9223372036854775807.00": 2**63 - 1,
        "-9223372036854775809.0": MISFIT,
    },
    "decimal(5,2)": {
        "0": Decimal("0.00"),
        "-0": Decimal("0.00"),
        "-0.000": Decimal("0.00"),
        "-00": MISFIT,
        "-1.5": Decimal("-1.50"),
        "10.500": Decimal("10.50"),
        "-.5": Decimal("-0.50"),
        "999.99": Decimal("999.99"),
        "1000": MISFIT,
        "1.005": MISFIT,
        "5.": MISFIT,
        "1e2": Decimal("100.00"),
        "-.5E+1": Decimal("-5.00"),
        "1.25e0": Decimal("1.25"),
        "1250e-3": Decimal("1.25"),
        "0e99": Decimal("0.00"),
        "1e-3": MISFIT,
        "1.251e0": MISFIT,
        "1e3": MISFIT,
        "1e": MISFIT,
        "e1": MISFIT,
        "01e1": MISFIT,
        "01.5": MISFIT,
        "$5": MISFIT,
        "1.0000000000000000000000000000000000000000000000": Decimal("1.00"),
    },
    "decimal(38,0)": {"9" * 38: Decimal("9" * 38), "1" + "0" * 38: MISFIT, "7.000": Decimal(7), "-.0": Decimal(0)},
    "decimal(38,37)": {"-1." + "1" * 37: Decimal("-1." + "1" * 37), "10": MISFIT},
    "decimal(2,2)": {"0.25": Decimal("0.25"), ".5": Decimal("0.50"), "1": MISFIT},
    "double precision": {
        "1e3": 1000.0,
        "-1.5E-2": -0.015,
        "5.": 5.0,
        ".5": 0.5,
        "0.1": 0.1,
        "1e309": MISFIT,
        "1e-400": MISFIT,
        "-0.00e5": 0.0,
        "NaN": MISFIT,
        "inf": MISFIT,
        "1d": MISFIT,
        "0x1p3": MISFIT,
    },
    "real": {"0.5": 0.5, "3.5e38": MISFIT, "1e-60": MISFIT, "-16777216": -16777216.0},
    "boolean": {"true": True, "FALSE": False, "True": True, "1": MISFIT, "yes": MISFIT, "t": MISFIT, "true ": MISFIT},
    "date": {
        "2024-02-29": date(2024, 2, 29),
        "0001-01-01": date(1, 1, 1),
        "1582-10-10": date(1582, 10, 10),
        "9999-12-31": date(9999, 12, 31),
        "2024-02-30": MISFIT,
        "2023-02-29": MISFIT,
        "2024-1-5": MISFIT,
        "2024-01-05 10:00": MISFIT,
        "0000-01-01": MISFIT,
        "05/01/2024": MISFIT,
    },
    "timestamp": {
        "2024-01-05": datetime(2024, 1, 5),  # noqa: DTZ001 - a TIMESTAMP has no zone
        "2024-01-05 10:30": datetime(2024, 1, 5, 10, 30),  # noqa: DTZ001
        "2024-01-05T10:30:01.000001": datetime(2024, 1, 5, 10, 30, 1, 1),  # noqa: DTZ001
        "2024-03-31 02:30:00": datetime(2024, 3, 31, 2, 30),  # noqa: DTZ001
        "0001-01-01 00:00:00": datetime(1, 1, 1),  # noqa: DTZ001
        "2024-02-30 10:00:00": MISFIT,
        "2024-01-05 24:00:00": MISFIT,
        "2024-01-05T10:00:00Z": MISFIT,
        "2024-01-05 10:00:00.1234567": MISFIT,
        "2024-01-05 10:00:00.123456789": MISFIT,
        "2024-01-05 10:00:00.123456000": datetime(2024, 1, 5, 10, 0, 0, 123_456),  # noqa: DTZ001
        "2024-01-05 10:00:00.100000000000": datetime(2024, 1, 5, 10, 0, 0, 100_000),  # noqa: DTZ001
        "2024-01-05 10:00:00.": MISFIT,
    },
    "timestamptz": {
        "2024-01-05T10:30:00Z": datetime(2024, 1, 5, 10, 30),  # noqa: DTZ001
        "2024-01-05 10:30:00+02:00": datetime(2024, 1, 5, 8, 30),  # noqa: DTZ001
        "2024-01-05 10:30 -0530": datetime(2024, 1, 5, 16, 0),  # noqa: DTZ001
        "2024-01-05 10:30:00.5+14:00": datetime(2024, 1, 4, 20, 30, 0, 500_000),  # noqa: DTZ001
        "2017-07-13 18:54:10.441+00": datetime(2017, 7, 13, 18, 54, 10, 441_000),  # noqa: DTZ001
        "2017-07-13 18:54:10+02": datetime(2017, 7, 13, 16, 54, 10),  # noqa: DTZ001
        "2017-07-13 18:54 -03": datetime(2017, 7, 13, 21, 54),  # noqa: DTZ001
        "2024-01-05T10:30:00.123456000Z": datetime(2024, 1, 5, 10, 30, 0, 123_456),  # noqa: DTZ001
        "2024-01-05 10:30:00 Z": datetime(2024, 1, 5, 10, 30),  # noqa: DTZ001
        "1890-01-05 10:30:00+00:19:32": datetime(1890, 1, 5, 10, 10, 28),  # noqa: DTZ001
        "2024-01-05 10:30:00.123456789Z": MISFIT,
        "2024-01-05 10:30:00+2": MISFIT,
        "2024-01-05 10:30:00+021": MISFIT,
        "2024-01-05 10:30:00+02:60": MISFIT,
        "2024-01-05 10:30:00+15": MISFIT,
        "2024-01-05 10:30:00 + 02": MISFIT,
        "2024-01-05 10:30:00": MISFIT,
        "2024-01-05": MISFIT,
        "2024-02-30T10:30:00Z": MISFIT,
    },
    "char(2)": {"ab": "ab", "a": "a", "": "", " ~": " ~", "\n": "\n", "é": MISFIT, "éa": MISFIT, "abc": MISFIT},
    "time": {
        "00:00": "00:00:00",
        "23:59": "23:59:00",
        "07:05:09": "07:05:09",
        "07:05:09.5": "07:05:09.5",
        "07:05:09.123456000": "07:05:09.123456",
        "07:05:09.1234567": MISFIT,
        "24:00": MISFIT,
        "24:00:00": MISFIT,
        "12:60": MISFIT,
        "12:00:60": MISFIT,
        "7:05": MISFIT,
        "0705": MISFIT,
        "12": MISFIT,
        "12:00:": MISFIT,
        "12:00:00.": MISFIT,
        "12:00Z": MISFIT,
        "12:00+01": MISFIT,
        "2024-01-01 12:00": MISFIT,
        "7:05 AM": MISFIT,
        " 12:00": MISFIT,
        "": MISFIT,
    },
    "super": dict.fromkeys(
        (
            "{}",
            '{"a": 1, "b": [1.50, 0.12345678901234567890, -0, 1E300], "": null}',
            " [ true , false ]\t\n",
            "null",
            "123456789012345678901234567890.10",
            '"[1,] NaN"',
            '{"a": {"a": 1}, "b": {"a": 1}}',
            '[{"a": 1}, {"a": 1}, "\\\\u0000"]',
            '"\\ud83d\\ude00\\/"',
            '"' + "a" * 65_535 + '"',
            "[" * 1_000 + "]" * 1_000,
            "[" + "{}," * 2_000 + "[]]",
        )
    )
    | dict.fromkeys(
        (
            "",
            " ",
            "{",
            "[1,]",
            '{"a": 1,}',
            "NaN",
            "[-Infinity]",
            "[inf]",
            "True",
            "01",
            "+1",
            "1.",
            ".5",
            "'a'",
            "{a: 1}",
            # Beyond the range of DOUBLE.
            '{"a": [1E400]}',
            "[1] 2",
            "/* a */ 1",
            "\ufeff1",
            '"a\nb"',
            '"\\x"',
            '"\\u0000"',
            '"\\\\\\u0000"',
            '"\\ud83d"',
            '{"a": 1, "a": 1}',
            '[{"b": {"a": 1, "\\u0061": 2}}]',
            '{"": 1, "": 2}',
            '"' + "a" * 65_536 + '"',
            '{"' + "a" * 65_536 + '": 1}',
            "[" * 1_001 + "]" * 1_001,
            '{"a":[' * 501 + "]}" * 501,
        ),
        MISFIT,
    ),
    "varchar(4)": {"": "", " ab ": " ab ", "éé": "éé", "ééa": MISFIT, "😀": "😀", "😀a": MISFIT},
}
FORMATS: dict[tuple[str, str], dict[str, Any]] = {
    ("date", "dd/MM/yyyy"): {
        "29/02/2024": date(2024, 2, 29),
        "30/02/2024": MISFIT,
        "1/02/2024": MISFIT,
        "2024-02-01": MISFIT,
        "01/01/0000": MISFIT,
    },
    ("date", "d.M.yy"): {"5.1.24": date(2024, 1, 5), "31.12.99": date(2099, 12, 31), "31.4.24": MISFIT},
    ("date", "yyyy年MM月dd日"): {"2024年01月05日": date(2024, 1, 5), "2024年01月05": MISFIT},
    ("timestamp", "yyyy-MM-dd'é'HH.mm"): {"2024-01-05é10.30": datetime(2024, 1, 5, 10, 30)},  # noqa: DTZ001
    ("date", "yyyyMMdd"): {"20240105": date(2024, 1, 5), "20241301": MISFIT},
    ("timestamp", "dd/MM/yyyy HH:mm"): {
        "05/01/2024 23:59": datetime(2024, 1, 5, 23, 59),  # noqa: DTZ001
        "05/01/2024 24:00": MISFIT,
    },
    ("timestamp", "yyyy-MM-dd'T'HH:mm:ss.SSS"): {
        "2024-01-05T10:00:00.250": datetime(2024, 1, 5, 10, 0, 0, 250_000),  # noqa: DTZ001
        "2024-01-05T10:00:00.25": MISFIT,
    },
    ("timestamp", "[d] 'o''clock' M yyyy H"): {"[5] o'clock 1 2024 9": datetime(2024, 1, 5, 9)},  # noqa: DTZ001
    ("time", "HH:mm"): {"09:05": "09:05:00", "9:05": MISFIT, "24:00": MISFIT, "09:05:00": MISFIT},
    ("time", "H.mm'h'ss"): {"9.05h07": "09:05:07", "23.59h59": "23:59:59", "09.05h07": MISFIT},
    ("time", "h:mm a"): {"12:30 AM": "00:30:00", "1:05 p.m.": "13:05:00", "12:00 pm": "12:00:00", "13:00 PM": MISFIT},
    ("time", "HHmmss.SSS"): {"090507.250": "09:05:07.25", "090507.25": MISFIT},
    ("time", "dd.MM.yyyy"): {"09:05": "09:05:00", "05.01.2024": MISFIT},
    ("date", "HH:mm"): {"2024-01-05": date(2024, 1, 5), "09:05": MISFIT},
    ("timestamp", "yyyyMMddHHmmssSSSSSS"): {"20240105103000000007": datetime(2024, 1, 5, 10, 30, 0, 7)},  # noqa: DTZ001
}


TABLE["super"] |= {text: text for text, value in TABLE["super"].items() if value is not MISFIT}


def staged_values(
    bench: Bench, texts: list[str], type_text: str, formats: tuple[str, ...] = (), exact: bool = False
) -> dict[str, Any]:
    """Return by text the staged value, or MISFIT where the row was not staged."""
    quoted = [text.replace('"', '""') for text in texts]
    content = "n,v\n" + "".join(f'{n},"{text}"\n' for n, text in enumerate(quoted))
    columns = [
        column("n", "integer"),
        column("v", type_text, notation=Notation(formats=tuple(map(DateFormat, formats))), exact=exact),
    ]
    seen, rows = bench.stage(bench.batch(content.encode()), columns)
    found = {row[0]: row[1] for row in rows}
    assert seen.columns["v"].misfits == seen.rows_bad == len(texts) - len(found)
    return {text: found.get(n, MISFIT) for n, text in enumerate(texts)}


@pytest.mark.parametrize("type_text", TABLE)
def test_which_text_is_which_value(bench: Bench, type_text: str) -> None:
    assert staged_values(bench, list(TABLE[type_text]), type_text) == TABLE[type_text]


@pytest.mark.parametrize(("type_text", "date_format"), FORMATS)
def test_which_text_is_which_day_in_a_format(bench: Bench, type_text: str, date_format: str) -> None:
    expected = FORMATS[type_text, date_format]
    assert staged_values(bench, list(expected), type_text, (date_format,)) == expected


@pytest.mark.parametrize("type_text", ["real", "double precision"])
def test_a_zero_has_no_sign(bench: Bench, type_text: str) -> None:
    found = staged_values(bench, ["-0", "-0.00", "-.0", "-0e5"], type_text)
    assert [str(value) for value in found.values()] == ["0.0"] * 4


def test_an_exact_double_takes_the_texts_that_it_gives_back(bench: Bench) -> None:
    random = Random(7)
    texts = [
        "-8.625272885994111",
        "0.1",
        "1e3",
        "-0",
        "0.000",
        "9007199254740993",
        "1e23",
        "5e-324",
        "4.9e-324",
        "1e-400",
    ]
    for length in (14, 15, 16, 17, 18) * 40:
        digits = str(random.randrange(10 ** (length - 1), 10**length))
        point = random.randrange(1, length)
        texts += [f"{digits[:point]}.{digits[point:]}", repr(random.uniform(-90, 90)), f"-{digits}e-{point}"]

    found = staged_values(bench, list(dict.fromkeys(texts)), "double precision", exact=True)

    exact = {text for text in found if Decimal(repr(float(text))) == Decimal(text)}
    accepted = {text for text, value in found.items() if value is not MISFIT}
    assert {text: found[text] for text in accepted} == {text: float(text) for text in accepted}
    assert accepted == exact


def test_staging_files_have_the_types_that_copy_takes(bench: Bench) -> None:
    types = {
        "smallint": pa.int16(),
        "integer": pa.int32(),
        "bigint": pa.int64(),
        "decimal(12,3)": pa.decimal128(12, 3),
        "real": pa.float32(),
        "double precision": pa.float64(),
        "boolean": pa.bool_(),
        "char(3)": pa.string(),
        "varchar(10)": pa.string(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
        "timestamptz": pa.timestamp("us"),
        "time": pa.string(),
        "super": pa.json_(pa.string()),
    }
    names = [f"c{index}" for index in range(len(types))]
    columns = [column(name, text) for name, text in zip(names, types, strict=True)]
    batch = bench.batch((",".join(names) + "\n" + "," * (len(names) - 1) + "\n").encode())
    bench.measure(batch, columns, "s3://lake/staging/types")
    (path,) = bench.parquet_files("staging/types")
    file = pyarrow.parquet.ParquetFile(path)
    expected = [*types.values(), pa.int32(), pa.int64()]
    assert [(field.name, field.type) for field in file.schema_arrow] == list(
        zip([*names, "feedway_file", "feedway_row"], expected, strict=True)
    )
    physical = [file.schema.column(index).physical_type for index in range(len(expected))]
    assert physical[9:] == ["INT32", "INT64", "INT64", "BYTE_ARRAY", "BYTE_ARRAY", "INT32", "INT64"]
    assert [file.schema.column(index).logical_type.type for index in (12, 13)] == ["STRING", "JSON"]
    assert {file.metadata.row_group(0).column(index).compression for index in range(len(expected))} == {"SNAPPY"}


def test_made_columns(bench: Bench) -> None:
    at = ARRIVED.replace(microsecond=123_456)
    columns = [
        column("run_date", "timestamp", value=RunDate(at)),
        column("loaded", "timestamptz", value=RunDate(at)),
        column("file", "varchar(99)", value=FileName()),
    ]
    _, rows = bench.stage(bench.batch({"it's \\ a.csv": b"a\n1\n"}), columns)
    assert rows == [(at.replace(tzinfo=None), at.replace(tzinfo=None), "it's \\ a.csv", 0, 1)]


def test_the_target_may_have_any_column_name(bench: Bench) -> None:
    batch = bench.batch(b"a\n1\n")
    named = [column("Order `No`", "integer"), column("a", "integer")]
    _, rows = bench.stage(batch, named)
    assert rows == [(None, 1, 0, 1)]

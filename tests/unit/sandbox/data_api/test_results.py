"""Values and types as the API's documents have them."""

from __future__ import annotations

import pytest

from framework.sandbox.data_api.results import ResultColumn, field


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        ("int8", b"-9223372036854775808", {"longValue": -(2**63)}),
        ("numeric", b"1.50", {"stringValue": "1.50"}),
        ("float8", b"1e-05", {"doubleValue": 1e-05}),
        ("bool", b"f", {"booleanValue": False}),
        ("bpchar", b"ab   ", {"stringValue": "ab"}),
        ("varchar", b"ab   ", {"stringValue": "ab   "}),
        ("timestamp", b"2022-02-22 00:00:00", {"stringValue": "2022-02-22 00:00:00.0"}),
        ("timestamp", b"2020-08-21 17:33:51.88712", {"stringValue": "2020-08-21 17:33:51.88712"}),
        ("date", b"1969-12-31", {"stringValue": "1969-12-31"}),
        ("varchar", None, {"isNull": True}),
    ],
)
def test_each_type_has_its_member(kind: str, raw: bytes | None, expected: dict[str, object]) -> None:
    assert field(kind, raw) == expected


@pytest.mark.parametrize(
    ("kind", "modifier", "precision", "scale"),
    [("numeric", (38 << 16 | 18) + 4, 38, 18), ("varchar", 260, 256, 0), ("timestamp", -1, 29, 6), ("int2", -1, 5, 0)],
)
def test_precision_and_scale_are_the_columns(kind: str, modifier: int, precision: int, scale: int) -> None:
    metadata = ResultColumn("a", kind, modifier).metadata()
    assert (metadata["precision"], metadata["scale"]) == (precision, scale)

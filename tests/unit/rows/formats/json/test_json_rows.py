"""What records of JSON become, without a server."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework.errors import SourceFileError
from tests.unit.rows.benches import open_rows, stage_rows

NUMBERS = ["1.50", "1e3", "-0", "0.1", "12345678901234567890123", "1E-7", "100.0", "5e-324", "1.0e2", "-0.0"]
NOT_KEPT = "0.12345678901234567890"


@pytest.mark.parametrize("nested", ["super", "text", "flatten"])
def test_a_number_has_one_text_whatever_stands_beside_it(tmp_path: Path, nested: str) -> None:
    alone = "".join(f'{{"n": {number}, "o": {{"l": [{number}]}}}}\n' for number in NUMBERS)
    beside = "".join(f'{{"n": {number}, "o": {{"l": [{number}]}}, "z": {NOT_KEPT}}}\n' for number in NUMBERS)
    source = f"format: json, options: {{nested: {nested}}}"

    one, _ = stage_rows(alone.encode(), source, {}, tmp_path)
    other, _ = stage_rows(beside.encode(), source, {}, tmp_path)

    assert [{name: value for name, value in row.items() if name != "z"} for row in other] == one
    assert {row["z"] for row in other} == {NOT_KEPT.rstrip("0")}
    assert [Decimal(row["n"]) for row in one] == [Decimal(number) for number in NUMBERS]


def paths_of(content: bytes, source: str, folder: Path) -> tuple[str, ...]:
    _, layout, _ = open_rows(content, source, folder)
    return layout.columns


def test_columns_come_in_the_order_of_their_first_records(tmp_path: Path) -> None:
    content = b'{"b": 1}\n{"a": {"x": 1, "y": {"z": 2}}, "b": 2}\n{"a": {"w": 0.12345678901234567890}, "c": 1}\n'

    assert paths_of(content, "format: json", tmp_path) == ("b", "a", "c")
    flat = paths_of(content, "format: json, options: {nested: flatten}", tmp_path)
    assert flat == ("b", "a.x", "a.y.z", "a.w", "c")


def test_an_empty_key_has_the_same_name_wherever_it_stands(tmp_path: Path) -> None:
    assert paths_of(b'{"id": 1, "": 2}\n', "format: json", tmp_path) == ("id", "empty key")
    assert paths_of(b'{"": 2, "id": 1}\n', "format: json", tmp_path) == ("empty key", "id")


def test_a_key_twice_makes_a_bad_row_at_every_level(tmp_path: Path) -> None:
    content = b'{"id": 1, "o": {"a": 1, "a": 2}}\n{"id": 2, "o": {"a": 1, "\\u0061": 2}}\n{"id": 3, "o": {"a": 1}}\n'
    for nested, types in (("super", {"o": "super"}), ("text", {}), ("flatten", {})):
        rows, seen = stage_rows(content, f"format: json, options: {{nested: {nested}}}", types, tmp_path)
        assert (seen.rows_staged, seen.rows_bad) == (1, 2), nested
        assert [row["id"] for row in rows] == ["3"]


def test_many_digits_in_a_document_are_a_number(tmp_path: Path) -> None:
    digits = "1" * 5000
    rows, _ = stage_rows(f'[{{"a": {digits}}}]'.encode(), "format: json", {}, tmp_path)
    assert rows == [{"a": digits}]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"d": [{"a": 1}], "d": [{"a": 2}]}', "the document has d twice in one object"),
        (b'{"n": 1 "d": [{"a": 1}]}', "expecting ','"),
        (b'{"d": [{"a": 1}] "n": 1}', "expecting '}'"),
    ],
)
def test_a_document_is_held_against_the_rules_of_json(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(SourceFileError, match=reason):
        open_rows(content, "format: json, options: {records: d}", tmp_path)


def test_objects_that_are_nested_too_deeply_make_no_columns(tmp_path: Path) -> None:
    begin = time.monotonic()
    deep = b'{"a":' * 900 + b"1" + b"}" * 900 + b"\n"
    with pytest.raises(SourceFileError, match="nested more than 100 levels deep"):
        open_rows(deep, "format: json, options: {nested: flatten}", tmp_path)
    assert time.monotonic() - begin < 30


def test_a_key_for_each_record_is_refused_in_a_bounded_time(tmp_path: Path) -> None:
    begin = time.monotonic()
    content = b"".join(b'{"o": {"k%d": 1}}\n' % number for number in range(12_000))
    with pytest.raises(SourceFileError, match="make more than 2,000 columns: set it to super or text"):
        open_rows(content, "format: json, options: {nested: flatten}", tmp_path)
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize(
    "record",
    [
        {"a": {f"k{number}": {"x": 1} for number in range(4_000)}},
        {"a": {f"k{number}": {"x": 1, "y": 2} for number in range(1_500)}},
        {f"k{number}": {f"x{inner}": 1 for inner in range(50)} for number in range(60)},
        {f"k{number}": 1 for number in range(3_000)},
        {"a": {f"k{number}": {"x": 0.1234567890123456789} for number in range(2_500)}},
    ],
)
def test_objects_that_make_too_many_columns_are_refused(tmp_path: Path, record: dict[str, object]) -> None:
    content = json.dumps(record).encode() + b"\n"
    with pytest.raises(SourceFileError, match="make more than 2,000 columns") as refused:
        open_rows(content * 20, "format: json, options: {nested: flatten}", tmp_path)
    assert "Send it again" not in str(refused.value)


def test_a_number_of_json_is_no_code_however_it_is_written(tmp_path: Path) -> None:
    numbers = ["1e30", "-12.5E20", "1.5e-7", "1e5", "1E-37", "9.87654321e36", "1e38", "1.23456e-35", "0.1e400", "5"]
    content = "".join(f'{{"v": {number}}}\n' for number in numbers).encode()

    rows, _ = stage_rows(content, "format: json", {}, tmp_path)

    assert [row["v"] for row in rows] == [
        "1" + "0" * 30, "-1250000000000000000000", "0.00000015", "100000", "0." + "0" * 36 + "1",
        "9876543210000000000000000000000000000", "1e38", "1.23456e-35", "1e399", "5",
    ]  # fmt: skip


def test_many_objects_in_one_key_are_flattened(tmp_path: Path) -> None:
    content = json.dumps({"a": {f"k{number}": {"x": 1} for number in range(1_500)}}).encode() + b"\n"
    _, layout, _ = open_rows(content * 3, "format: json, options: {nested: flatten}", tmp_path)
    assert layout.columns[::1499] == ("a.k0.x", "a.k1499.x")


def test_a_last_line_without_its_end_is_a_bad_row_unless_it_is_cut_off(tmp_path: Path) -> None:
    _, seen = stage_rows(b'{"id": 1}\n{"id": 2, "id": 3}', "format: json", {}, tmp_path)
    assert (seen.rows_staged, seen.rows_bad) == (1, 1)
    with pytest.raises(SourceFileError, match="it may have been cut off"):
        open_rows(b'{"id": 1}\n{"id": 2, "a": ', "format: json", tmp_path)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "y z", "é"]), inner, max_size=2),
    max_leaves=5,
)  # fmt: skip


def written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    records=st.lists(st.dictionaries(st.sampled_from(["a", "B", "c.d"]), VALUES, min_size=1), min_size=1, max_size=5),
    form=st.sampled_from(["lines", "array", "values", "pretty"]),
    size=st.sampled_from([32, 1024**2]),
)
def test_random_values_are_those_that_python_reads(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]], form: str, size: int
) -> None:
    texts = [written(record) for record in records]
    content = {
        "lines": "\n".join(texts) + "\n",
        "array": f"[{','.join(texts)}]",
        "values": "".join(texts),
        "pretty": "\n".join("{\n" + text[1:] for text in texts),
    }[form]
    types = dict.fromkeys(("a", "B", "c.d"), "super")

    rows, seen = stage_rows(content.encode(), "format: json", types, tmp_path_factory.mktemp("rows"), size)

    assert seen.rows_bad == 0
    for row, text in zip(rows, texts, strict=True):
        expected = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        for name in types:
            found = row.get(name)
            value = None if found is None else json.loads(found, parse_float=Decimal, parse_int=Decimal)
            assert value == expected.get(name), (name, text)

"""Records of JSON that are read exactly, against Python's json and against what DuckDB makes of the same numbers."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.rows.formats.json.exact import NoRecord, fault, is_cut_off, number_text, rewritten
from tests.unit.rows.benches import connect_once

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(FLOATS)
def test_a_number_that_a_float_keeps_is_written_as_duckdb_writes_it(number: float) -> None:
    written = json.dumps(number)

    (found,) = connect_once().execute("select json_extract(?, '/a')", [f'{{"a": {written}}}']).fetchone()

    assert number_text(written) == found


@given(st.decimals(allow_nan=False, allow_infinity=False) | FLOATS.map(str) | st.integers().map(str))
def test_no_digit_is_lost(number: Decimal | str) -> None:
    written = str(number)
    assert Decimal(number_text(written)) == Decimal(written)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('{"a": 1, "a": 2}', 'has the key "a" twice in one object'),
        ('{"a": 1, "\\u0061": 2}', 'has the key "a" twice in one object'),
        ('{"o": {"a": [{"b": 1, "b": 2}]}}', 'has the key "b" twice in one object'),
        ("[1]", "is no object of JSON"),
        ('{"a": 1,}', "is no JSON"),
        ('{"a": "\\ud800"}', "holds half of a surrogate pair"),
        ('{"a\\u0000": 1}', "holds a NUL character in a key"),
        ('{"a": ' + "[" * 5000 + "]" * 5000 + "}", "nested more than about 1,000 levels deep"),
    ],
)
def test_what_is_no_record_says_why(record: str, reason: str) -> None:
    with pytest.raises(NoRecord):
        rewritten(record, flatten=False)
    assert reason in fault(record)


WHOLE = '{"id": -12.5e3, "ok": true, "no": false, "n": null, "t": "x\\u00e9\\n", "l": [{"a": "b"}, []]}'


def test_every_beginning_of_a_record_is_cut_off() -> None:
    json.loads(WHOLE)
    assert [size for size in range(1, len(WHOLE)) if not is_cut_off(WHOLE[:size])] == []
    assert not is_cut_off(WHOLE)
    for other in ('{"id": 2, "id": 3}', '{"a": tru}', '{"a": 1},{"a": 2}', '{"a" 1}', "nonsense"):
        assert not is_cut_off(other)

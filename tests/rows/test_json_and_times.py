"""Random JSON and times of day: a text is staged as it is, or bad, as Python's own json and datetime judge it."""

from __future__ import annotations

import json
import re
from datetime import time
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.rows.conftest import Bench, column

_PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
_STRINGS = st.text(st.sampled_from('aé😀"\\/,:[]{}\n\t '), max_size=5)
_NUMBERS = st.sampled_from(["0", "-0", "1.50", "0.12345678901234567890", "-7e+3", "123456789012345678901234567890"])
_SCALARS = _NUMBERS | st.sampled_from(["true", "false", "null"]) | _STRINGS.map(json.dumps)
_BLANKS = st.sampled_from(["", "", " ", "\t", "\n "])


def _array(items: list[str], blank: str) -> str:
    return f"[{blank}" + f",{blank}".join(items) + f"{blank}]"


def _object(pairs: list[tuple[str, str]], blank: str) -> str:
    return f"{{{blank}" + f"{blank},".join(f"{json.dumps(key)}{blank}:{value}" for key, value in pairs) + "}"


_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.builds(_array, st.lists(inner, max_size=4), _BLANKS),
        st.builds(_object, st.lists(st.tuples(st.sampled_from(["a", "b", "", "é"]), inner), max_size=3), _BLANKS),
    ),
    max_leaves=12,
)
_FAULTS = st.sampled_from([",", "}", "]", "NaN", "Infinity", "\\u0000", "\\ud800", "0", ".", '"', "'", "//", "\\"])


@st.composite
def _texts(draw: st.DrawFn) -> str:
    """Draw JSON, and as often JSON with something put into it."""
    text = draw(_JSON)
    if draw(st.booleans()):
        return text
    place = draw(st.integers(0, len(text)))
    return text[:place] + draw(_FAULTS) + text[place:]


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def _refuse_word(word: str) -> Any:
    raise ValueError(word)


def is_strict_json(text: str) -> bool:
    """Return whether a text is JSON of which nothing is lost: no key twice, no NUL, no half of a surrogate pair."""
    try:
        value = json.loads(text, parse_float=Decimal, parse_constant=_refuse_word, object_pairs_hook=_refuse_twice)
        written = json.dumps(value, ensure_ascii=False, default=str)
        written.encode()
    except ValueError:
        return False
    return "\\u0000" not in re.sub(r"\\\\", "", written)


def staged(bench: Bench, type_text: str, texts: list[str]) -> dict[str, str]:
    """Return the staged values by the texts that are good; all texts are of one file."""
    lines = "".join(f'{n},"{text}"\n' for n, text in enumerate(each.replace('"', '""') for each in texts))
    batch = bench.batch(f"n,v\n{lines}".encode())
    seen, rows = bench.stage(batch, [column("n", "integer"), column("v", type_text)])
    assert seen.rows_staged == len(rows)
    return {texts[row[0]]: row[1] for row in rows}


@settings(max_examples=30, phases=_PHASES, suppress_health_check=list(HealthCheck), deadline=None)
@given(texts=st.lists(_texts(), min_size=1, max_size=60, unique=True))
def test_json_is_staged_unchanged_where_python_loses_nothing_of_it(bench: Bench, texts: list[str]) -> None:
    good = staged(bench, "super", texts)

    assert good == {text: text for text in texts if is_strict_json(text)}
    assert [json.loads(value, parse_float=Decimal) for value in good.values()] == [
        json.loads(text, parse_float=Decimal) for text in good
    ]


_TIMES = st.builds(lambda at, digits: at.isoformat(digits), st.times(), st.sampled_from(["minutes", "seconds", "auto"]))
_LONG_TIMES = st.builds(lambda at, zeros: f"{at.isoformat('microseconds')}{'0' * zeros}", st.times(), st.integers(0, 3))
_LIKE_TIMES = st.from_regex(r"[0-2]?[0-9]:[0-6][0-9](:[0-6][0-9]([.,][0-9]{0,8})?)?[Z ]?", fullmatch=True)
_SHAPE = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6}0*)?)?", re.ASCII)


def python_time(text: str) -> time | None:
    """Return the time of a text of the right shape, by datetime; None for any other."""
    if _SHAPE.fullmatch(text) is None or text.startswith("24"):
        return None
    try:
        return time.fromisoformat(text[: len("12:00:00.123456")])
    except ValueError:
        return None


@settings(max_examples=30, phases=_PHASES, suppress_health_check=list(HealthCheck), deadline=None)
@given(texts=st.lists(_TIMES | _LONG_TIMES | _LIKE_TIMES, min_size=1, max_size=60, unique=True))
def test_times_are_staged_as_datetime_reads_them(bench: Bench, texts: list[str]) -> None:
    good = staged(bench, "time", texts)

    expected = {text: found for text in texts if (found := python_time(text)) is not None}
    assert {text: time.fromisoformat(value) for text, value in good.items()} == expected

"""Charts: bars that are as high as their values, and stand where their time is."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.report.charts import BOTTOM, LEFT, RIGHT, TOP, Bars, charts_of, compact, sparkline
from framework.report.site import Period, Unit

MADE = datetime(2026, 2, 3, 6, 30, tzinfo=UTC)
FIRST = Period("day", datetime(2026, 1, 30, tzinfo=UTC), 1, 100, 30.0, 2048)


def bars(drawn: Bars) -> list[tuple[float, float, float]]:
    """Return left edge, height and width of each bar, from the stroke along its middle."""
    found = re.findall(r"M([0-9.]+) [0-9.]+v-([0-9.]+)", drawn.path)
    return [(float(middle) - drawn.width / 2, float(height), drawn.width) for middle, height in found]


def test_no_period_makes_no_chart() -> None:
    assert charts_of([], MADE) == []
    assert sparkline([], MADE) == (None, "")


def test_bars_are_as_high_as_their_values_and_a_day_without_loads_is_a_gap() -> None:
    periods = [FIRST, replace(FIRST, began=FIRST.began.replace(month=2, day=2), rows=200)]

    rows = charts_of(periods, MADE)[0]

    (first, second) = bars(rows.bars)
    assert [tick.label for tick in rows.ticks] == ["0", "100", "200"]
    assert (first[1], second[1]) == pytest.approx(((BOTTOM - TOP) / 2, BOTTOM - TOP))
    # Of five days the first begins at the left edge, and that of the report would end at the right.
    assert first[0] == pytest.approx(LEFT, abs=0.1)
    assert second[0] + (second[0] - first[0]) / 3 + second[2] == pytest.approx(RIGHT, abs=0.2)
    assert (rows.first, rows.last) == ("2026-01-30", "2026-02-03")
    assert rows.description == (
        "Rows loaded from 2026-01-30 to 2026-02-02: 300 in 2 days with successful loads, the most, 200, in 2026-02-02."
    )


@pytest.mark.parametrize(
    ("unit", "began", "place"),
    [("hour", (2026, 1, 30, 5), 5), ("week", (2026, 2, 13), 2), ("month", (2027, 1, 1), 12), ("year", (2031, 1, 1), 5)],
)
def test_periods_of_every_unit_stand_where_their_time_is(unit: Unit, began: tuple[int, ...], place: int) -> None:
    moment = datetime(*began, tzinfo=UTC)  # type: ignore[arg-type, misc]
    periods = [replace(FIRST, unit=unit), replace(FIRST, unit=unit, began=moment)]

    first, second = bars(charts_of(periods, moment)[0].bars)

    room = (RIGHT - LEFT) / (place + 1)
    assert (first[0], second[0] + second[2]) == pytest.approx((LEFT, RIGHT), abs=0.2)
    assert second[2] == pytest.approx(min(max(room * 0.8, room - 2), 40), abs=0.1)


@pytest.mark.parametrize(
    ("unit", "later", "last"),
    [
        ("hour", timedelta(hours=9, minutes=59), "2026-01-30 09:00"),
        ("week", timedelta(days=15), "week of 2026-02-13"),
        ("month", timedelta(days=70), "2026-04"),
        ("year", timedelta(days=700), "2027"),
        # A clock that is behind the warehouse's.
        ("day", timedelta(days=-3), "2026-01-30"),
    ],
)
def test_the_axis_ends_when_the_report_is_made(unit: Unit, later: timedelta, last: str) -> None:
    (chart, *_) = charts_of([replace(FIRST, unit=unit)], FIRST.began + later)

    assert (chart.last or chart.first) == last
    assert bars(chart.bars)[0][0] < (LEFT + RIGHT) / 2


def test_a_load_without_a_whole_second_and_one_without_rows_have_bars() -> None:
    rows, seconds, _ = charts_of([replace(FIRST, seconds=0.0, rows=0)], MADE)

    assert [len(bars(chart.bars)) for chart in (rows, seconds)] == [1, 1]
    assert "Time of loads from 2026-01-30 to 2026-01-30: < 1 s in 1 day" in seconds.description
    assert [tick.label for tick in seconds.ticks] == ["0 s", "1 s", "2 s"]


@pytest.mark.parametrize(
    ("most", "labels"),
    [
        (600 * 1024, ["0 bytes", "384 KB", "768 KB"]),
        (1010 * 1024, ["0 bytes", "512 KB", "1 MB"]),
        (2500, ["0 bytes", "1.5 KB", "3 KB"]),
        (1, ["0 bytes", "1 byte", "2 bytes"]),
    ],
)
def test_an_axis_of_bytes_has_binary_steps(most: int, labels: list[str]) -> None:
    assert [tick.label for tick in charts_of([replace(FIRST, size_bytes=most)], MADE)[2].ticks] == labels


@given(
    st.lists(st.tuples(st.integers(0, 10**18), st.floats(0, 10**9), st.integers(0, 10**15)), min_size=1, max_size=60)
)
def test_bars_and_labels_stay_in_the_chart(values: list[tuple[int, float, int]]) -> None:
    periods = [
        Period("year", datetime(1970 + number, 1, 1, tzinfo=UTC), 1, rows, seconds, size)
        for number, (rows, seconds, size) in enumerate(values)
    ]
    for chart in charts_of(periods, MADE):
        found = bars(chart.bars)
        assert len(found) == len(values)
        for left, height, width in found:
            assert left >= LEFT - 0.1
            assert left + width <= RIGHT + 0.2
            assert 1 <= height <= BOTTOM - TOP
        assert all(len(tick.label) <= 12 for tick in chart.ticks)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (0.5, "0.5"),
        (950, "950"),
        (1500, "1.5K"),
        (2 * 10**7, "20M"),
        (3 * 10**12, "3T"),
        (999_499, "999K"),
        (999_999, "1M"),
        (999.7, "1K"),
        (999.9e9, "1T"),
        (1.5e15, "1,500T"),
    ],
)
def test_numbers_of_an_axis_are_short(number: float, text: str) -> None:
    assert compact(number) == text

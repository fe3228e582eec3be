"""Charts of what a feed loaded over time: one bar per period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from framework.dataclass import dataclass
from framework.model.words import counted, duration, size
from framework.report.site import Period, Unit

LEFT, RIGHT, TOP, BOTTOM = 62, 318, 10, 104
"""Where the bars of a chart stand, in a view box of 320 by 124."""
_WIDEST = 40
"""A bar is no wider where there are few."""
_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_FORMATS: dict[Unit, str] = {
    "hour": "%Y-%m-%d %H:00",
    "day": "%Y-%m-%d",
    "week": "week of %Y-%m-%d",
    "month": "%Y-%m",
    "year": "%Y",
}
_SECONDS = (2, 6, 10, 20, 30, 60, 120, 240, 600, 1200, 1800, 3600)
"""The heights of axes of time, as far as no hour is passed."""


@dataclass(frozen=True)
class Tick:
    """A line of the grid with its label, in units of the view box."""

    y: float
    label: str


@dataclass(frozen=True)
class Bars:
    """Bars as the path of an SVG: a stroke from the foot of each to its top, as wide as the bar."""

    path: str
    width: float


@dataclass(frozen=True)
class Chart:
    """One chart: its bars, and its axes."""

    title: str
    description: str
    bars: Bars
    ticks: tuple[Tick, ...]
    first: str
    last: str


@dataclass(frozen=True)
class _Area:
    """Where bars stand, the value that fills its height, and the period at its right edge."""

    left: float
    right: float
    upper: float
    lower: float
    top: float
    end: Period


@dataclass(frozen=True)
class _Measure:
    """A number of periods, and how it is written. `top` returns the height of the axis for its greatest value."""

    title: str
    value: Callable[[Period], float]
    text: Callable[[float], str]
    axis_text: Callable[[float], str]
    top: Callable[[float], float]


def charts_of(periods: Sequence[Period], made: datetime) -> list[Chart]:
    """Return the charts of rows, seconds and bytes up to a time; none without a period. Others are gaps."""
    return [_chart(measure, periods, made) for measure in _MEASURES] if periods else []


def sparkline(periods: Sequence[Period], made: datetime) -> tuple[Bars | None, str]:
    """Return the bars of the rows in a box of 120 by 24, and their description; None and empty without periods."""
    if not periods:
        return None, ""
    rows = _MEASURES[0]
    top = max(period.rows for period in periods)
    return _bars(periods, rows.value, _Area(0, 120, 1, 24, top, _end(periods, made))), _description(rows, periods)


def period_text(period: Period) -> str:
    """Return a period as text: `2026-01-31`, `week of 2026-01-26`."""
    return period.began.strftime(_FORMATS[period.unit])


def compact(number: float) -> str:
    """Return a number as an axis has it, with three digits: `950`, `1.5K`, `20M`, `1,500T`."""
    for power, unit in ((12, "T"), (9, "B"), (6, "M"), (3, "K")):
        # What rounds to 1,000 of a unit is 1 of the next.
        if number >= 999.5 * 10 ** (power - 3):
            part = number / 10**power
            return f"{part:,.0f}{unit}" if part >= 999.5 else f"{part:.3g}{unit}"
    return f"{number:.3g}"


def time_text(seconds: float) -> str:
    """Return a duration in seconds without parts that are zero: `30 s`, `2 min`, `3 h 20 min`."""
    return duration(round(seconds)).removesuffix(" 0 s").removesuffix(" 0 min").replace(".0 s", " s")


def load_time_text(seconds: float) -> str:
    """Return how long loads took; the warehouse's time of a merge has no fraction: `< 1 s`, `30 s`."""
    return "< 1 s" if round(seconds) < 1 else time_text(seconds)


def _chart(measure: _Measure, periods: Sequence[Period], made: datetime) -> Chart:
    top = measure.top(max(measure.value(period) for period in periods))
    ticks = (Tick(BOTTOM - (BOTTOM - TOP) * part, measure.axis_text(top * part)) for part in (0, 0.5, 1))
    end = _end(periods, made)
    bars = _bars(periods, measure.value, _Area(LEFT, RIGHT, TOP, BOTTOM, top, end))
    first, last = period_text(periods[0]), period_text(end)
    title = f"{measure.title} by {periods[0].unit}"
    return Chart(title, _description(measure, periods), bars, tuple(ticks), first, last if last != first else "")


def _description(measure: _Measure, periods: Sequence[Period]) -> str:
    values = [measure.value(period) for period in periods]
    unit = periods[0].unit
    most = max(range(len(values)), key=values.__getitem__)
    return (
        f"{measure.title} from {period_text(periods[0])} to {period_text(periods[-1])}: "
        f"{measure.text(sum(values))} in {counted(len(values), unit)} with successful loads, "
        f"the most, {measure.text(values[most])}, in {period_text(periods[most])}."
    )


def _bars(periods: Sequence[Period], value: Callable[[Period], float], area: _Area) -> Bars:
    """Return a bar per period, however small its value: a gap is a period without loads."""
    first = periods[0]
    last = _place(first, area.end.began)
    room = (area.right - area.left) / (last + 1)
    width = round(min(max(room * 0.8, room - 2), _WIDEST), 1)
    # The first bar begins and the last one ends where its label does.
    step = (area.right - area.left - width) / max(last, 1)
    parts = []
    for period in periods:
        middle = area.left + width / 2 + _place(first, period.began) * step
        height = max((area.lower - area.upper) * value(period) / area.top if area.top else 0, 1)
        parts.append(f"M{round(middle, 1):g} {area.lower:g}v-{height:.0f}")
    return Bars("".join(parts), width)


def _end(periods: Sequence[Period], made: datetime) -> Period:
    """Return the period in which a report is made, or the last one with loads if that is later."""
    first = periods[0]
    if made <= periods[-1].began:
        return periods[-1]
    began = first.began + _place(first, made) * _STEPS[first.unit] if first.unit in _STEPS else made
    return replace(periods[-1], began=began)


def _place(first: Period, moment: datetime) -> int:
    """Return how many units after the first period a moment is."""
    if first.unit in _STEPS:
        return (moment - first.began) // _STEPS[first.unit]
    months = _months(moment) - _months(first.began)
    return months if first.unit == "month" else months // 12


def _months(moment: datetime) -> int:
    return moment.year * 12 + moment.month


def _round_top(most: float) -> float:
    """Return the next of 2, 4, 6, 8, 10, 20, 40 and so on: half of it is a whole number."""
    power = 1
    while power * 10 < most:
        power *= 10
    return max(next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= most), 2)


def _seconds_top(most: float) -> float:
    within = (step for step in _SECONDS if step >= most)
    return next(within, _round_top(most / 3600) * 3600)


def _bytes_top(most: float) -> float:
    """Return the next of 2, 4, 6, 8, 12, 16, 24 and so on: it and half of it are short in binary units."""
    top = 2
    while top < most:
        top *= 2
    return top * 3 // 4 if top >= 8 and top * 3 // 4 >= most else top


def _size_text(value: float) -> str:
    return size(int(value)).replace(".0 ", " ")


_MEASURES = (
    _Measure("Rows loaded", lambda period: period.rows, compact, compact, _round_top),
    _Measure("Time of loads", lambda period: period.seconds, load_time_text, time_text, _seconds_top),
    _Measure("Size of files", lambda period: period.size_bytes, _size_text, _size_text, _bytes_top),
)

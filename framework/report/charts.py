"""Charts of what a feed loaded over time: one bar per period, as the path of an SVG."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from framework.model.words import counted, duration, size
from framework.report.site import Period, Unit

LEFT, RIGHT, TOP, BOTTOM = 62, 318, 10, 104
"""Where the bars of a chart stand, in a view box of 320 by 124."""
_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_FORMATS: dict[Unit, str] = {
    "hour": "%Y-%m-%d %H:00",
    "day": "%Y-%m-%d",
    "week": "week of %Y-%m-%d",
    "month": "%Y-%m",
    "year": "%Y",
}
_SECONDS = (1, 2, 6, 10, 20, 30, 60, 120, 240, 600, 1200, 1800, 3600)
"""The heights of axes of time, as far as no hour is passed."""


@dataclass(frozen=True)
class Tick:
    """A line of the grid with its label, in units of the view box."""

    y: float
    label: str


@dataclass(frozen=True)
class Chart:
    """One chart: its bars as a path, and its axes."""

    title: str
    description: str
    path: str
    ticks: tuple[Tick, ...]
    first: str
    last: str


@dataclass(frozen=True)
class _Measure:
    """A number of periods, and how it is written. `top` returns the height of the axis for its greatest value."""

    title: str
    value: Callable[[Period], float]
    text: Callable[[float], str]
    top: Callable[[float], float]


def charts_of(periods: Sequence[Period]) -> list[Chart]:
    """Return the charts of rows, seconds and bytes; none without a period. Periods without loads are gaps."""
    return [_chart(measure, periods) for measure in _MEASURES] if periods else []


def sparkline(periods: Sequence[Period]) -> tuple[str, str]:
    """Return the path of the rows in a box of 120 by 24, and its description; both empty without periods."""
    if not periods:
        return "", ""
    rows = _MEASURES[0]
    top = max(period.rows for period in periods)
    return _bars(periods, rows.value, top, (0, 120, 1, 24)), _description(rows, periods)


def period_text(period: Period) -> str:
    """Return a period as text: `2026-01-31`, `week of 2026-01-26`."""
    return period.began.strftime(_FORMATS[period.unit])


def compact(number: float) -> str:
    """Return a number as an axis has it: `950`, `1.5K`, `20M`."""
    for power, unit in ((12, "T"), (9, "B"), (6, "M"), (3, "K")):
        if number >= 10**power:
            return f"{number / 10**power:.3g}{unit}"
    return f"{number:.3g}"


def time_text(seconds: float) -> str:
    """Return a duration without parts that are zero: `30 s`, `2 min`, `3 h 20 min`."""
    return duration(seconds).removesuffix(" 0 s").removesuffix(" 0 min").replace(".0 s", " s")


def _chart(measure: _Measure, periods: Sequence[Period]) -> Chart:
    top = measure.top(max(measure.value(period) for period in periods))
    ticks = (Tick(BOTTOM - (BOTTOM - TOP) * part, measure.text(top * part)) for part in (0, 0.5, 1))
    path = _bars(periods, measure.value, top, (LEFT, RIGHT, TOP, BOTTOM))
    first, last = period_text(periods[0]), period_text(periods[-1])
    title = f"{measure.title} by {periods[0].unit}"
    return Chart(title, _description(measure, periods), path, tuple(ticks), first, last if last != first else "")


def _description(measure: _Measure, periods: Sequence[Period]) -> str:
    values = [measure.value(period) for period in periods]
    unit = periods[0].unit
    most = max(range(len(values)), key=values.__getitem__)
    return (
        f"{measure.title} from {period_text(periods[0])} to {period_text(periods[-1])}: "
        f"{measure.text(sum(values))} in {counted(len(values), unit)} with loads, "
        f"the most, {measure.text(values[most])}, in {period_text(periods[most])}."
    )


def _bars(
    periods: Sequence[Period], value: Callable[[Period], float], top: float, box: tuple[float, float, float, float]
) -> str:
    """Return the bars as one path; a value that is not zero shows, however small."""
    left, right, upper, lower = box
    places = list(_places(periods))
    step = (right - left) / max(places[-1] + 1, 12)
    width = round(max(step * 0.8, step - 2), 1)
    parts = []
    for place, period in zip(places, periods, strict=True):
        height = (lower - upper) * value(period) / top if top else 0
        if value(period):
            height = max(height, 1)
            parts.append(f"M{left + place * step:.1f} {lower:g}v-{height:.1f}h{width:g}V{lower:g}z")
    return "".join(parts)


def _places(periods: Sequence[Period]) -> Iterator[int]:
    """Yield how many units after the first each period begins."""
    first = periods[0]
    for period in periods:
        if first.unit in _STEPS:
            yield (period.began - first.began) // _STEPS[first.unit]
        else:
            months = _months(period.began) - _months(first.began)
            yield months if first.unit == "month" else months // 12


def _months(moment: datetime) -> int:
    return moment.year * 12 + moment.month


def _round_top(most: float) -> float:
    """Return the next of 1, 2, 5, 10, 20 and so on, at least 2: half of it is a whole number or reads well."""
    power = 1
    while power * 10 < most:
        power *= 10
    return max(next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= most), 2)


def _seconds_top(most: float) -> float:
    within = (step for step in _SECONDS if step >= most)
    return next(within, _round_top(most / 3600) * 3600)


def _bytes_top(most: float) -> float:
    unit = 1
    while unit * 1024 <= most:
        unit *= 1024
    return _round_top(most / unit) * unit


_MEASURES = (
    _Measure("Rows loaded", lambda period: period.rows, compact, _round_top),
    _Measure("Time of loads", lambda period: period.seconds, time_text, _seconds_top),
    _Measure(
        "Size of files",
        lambda period: period.size_bytes,
        lambda value: size(int(value)).replace(".0 ", " "),
        _bytes_top,
    ),
)

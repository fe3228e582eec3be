"""The table of a benchmark, from its measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.data import CSV

PHASES = ("prepare", "fetch", "read", "stage", "upload", "copy", "merge", "settle")
HEADINGS = ("rows", "load", "engine", "seconds", "x floor", "CPU s", "peak MB", "submissions", *PHASES)
FORMAT_HEADINGS = ("rows", "format", "MB", "load", "prepare", "x CSV", "seconds", "peak MB")
FIGURES, FORMAT_FIGURES = "figures", "figures of formats"


@dataclass(frozen=True)
class Sample:
    """One measured load. `floor_seconds` is of the floor run just before it."""

    rows: int
    load: str
    engine: str
    seconds: float
    floor_seconds: float
    cpu_seconds: float
    peak_bytes: int
    submissions: int
    phases: Mapping[str, float]


@dataclass(frozen=True)
class FormatSample:
    """One measured load of a file in a format; `prepare` has the seconds of fetching, checking and staging."""

    rows: int
    written_as: str
    load: str
    size_bytes: int
    seconds: float
    prepare: float
    peak_bytes: int


def format_lines(samples: Sequence[FormatSample]) -> list[tuple[str, ...]]:
    """Return one line of cells per size, format and load: medians, and the ratio of prepare to that of CSV."""
    groups: dict[tuple[int, str, str], list[FormatSample]] = {}
    for sample in samples:
        groups.setdefault((sample.rows, sample.load, sample.written_as), []).append(sample)
    found: list[tuple[str, ...]] = []
    for (rows, load, written_as), group in groups.items():
        prepare = median([sample.prepare for sample in group])
        plain = median([sample.prepare for sample in groups[rows, load, CSV]])
        found.append(
            (
                f"{rows:,}",
                written_as,
                f"{group[0].size_bytes / 1e6:.0f}",
                load,
                f"{prepare:.2f}",
                f"{prepare / plain:.2f}",
                f"{median([sample.seconds for sample in group]):.2f}",
                f"{median([sample.peak_bytes / 1e6 for sample in group]):.0f}",
            )
        )
    return found


def lines(samples: Sequence[Sample]) -> list[tuple[str, ...]]:
    """Return one line of cells per size, load and engine: medians over its samples."""
    groups: dict[tuple[int, str, str], list[Sample]] = {}
    for sample in samples:
        groups.setdefault((sample.rows, sample.load, sample.engine), []).append(sample)
    return [_line(*key, group) for key, group in groups.items()]


def _line(rows: int, load: str, engine: str, group: Sequence[Sample]) -> tuple[str, ...]:
    def middle(values: Sequence[float]) -> float:
        return median(values)

    found = [[sample.phases[phase] for sample in group if phase in sample.phases] for phase in PHASES]
    return (
        f"{rows:,}",
        load,
        engine,
        f"{middle([sample.seconds for sample in group]):.2f}",
        f"{middle([sample.seconds / sample.floor_seconds for sample in group]):.2f}",
        f"{middle([sample.cpu_seconds for sample in group]):.2f}",
        f"{middle([sample.peak_bytes / 1e6 for sample in group]):.0f}",
        f"{middle([sample.submissions for sample in group]):.0f}",
        *(f"{middle(values):.2f}" if values else "" for values in found),
    )


def as_markdown(headings: Sequence[str], table: Sequence[Sequence[str]]) -> str:
    """Return a table as Markdown."""
    rows = [headings, ["---"] * len(headings), *table]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def write_into(path: Path, text: str, name: str = FIGURES) -> None:
    """Put a text between the two marks of a name in a document.

    Raises:
        ValueError: the document has no marks.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    document = path.read_text(encoding="utf-8")
    before, found, rest = document.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"{path} has no place for figures: {begin} … {end}")
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")

"""The table of a benchmark, from its measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PHASES = ("prepare", "fetch", "read", "stage", "upload", "copy", "merge", "settle")
HEADINGS = ("rows", "load", "engine", "seconds", "x floor", "CPU s", "peak MB", "submissions", *PHASES)
_BEGIN, _END = "<!-- figures -->", "<!-- end of figures -->"


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


def write_into(path: Path, text: str) -> None:
    """Put a text between the two marks of a document.

    Raises:
        ValueError: the document has no marks.
    """
    document = path.read_text(encoding="utf-8")
    before, found, rest = document.partition(_BEGIN)
    _, ended, after = rest.partition(_END)
    if not found or not ended:
        raise ValueError(f"{path} has no place for figures: {_BEGIN} … {_END}")
    path.write_text(f"{before}{_BEGIN}\n\n{text}\n\n{_END}{after}", encoding="utf-8")

"""The tables of benchmarks, from their measurements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.data import CSV
from benchmarks.proxy import SUBMISSIONS

PHASES = ("prepare", "fetch", "read", "stage", "upload", "copy", "merge", "settle")
HEADINGS = ("rows", "load", "engine", "seconds", "x floor", "CPU s", "peak MB", "submissions", *PHASES)
FORMAT_HEADINGS = ("rows", "format", "MB", "load", "prepare", "x CSV", "seconds", "peak MB")
PEER_HEADINGS = ("feeds", "rows", "load", "Feedway", "dlt", "x dlt")
FIGURES, FORMAT_FIGURES = "figures", "figures of formats"
LATENCY_FIGURES, PEER_FIGURES = "figures of latency", "figures beside peers"


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


@dataclass(frozen=True)
class LatencySample:
    """One measured invocation at the latencies of a profile: calls by operation, and SQL texts of its submissions."""

    profile: str
    feeds: int
    seconds: float
    s3_calls: Counter[str]
    data_api_calls: Counter[str]
    sub_statements: int

    @property
    def counts(self) -> Counter[str]:
        """All counts by name, sums first."""
        return Counter(
            {
                "S3 calls": self.s3_calls.total(),
                "Data API calls": self.data_api_calls.total(),
                "submissions": sum(self.data_api_calls[name] for name in SUBMISSIONS),
                "sub-statements": self.sub_statements,
                **dict(sorted(self.s3_calls.items())),
                **dict(sorted(self.data_api_calls.items())),
            }
        )


@dataclass(frozen=True)
class PeerSample:
    """Seconds of one invocation of Feedway, and of dlt with the same files right after it. `rows` are of each feed."""

    feeds: int
    rows: int
    load: str
    seconds: float
    dlt_seconds: float


def latency_table(samples: Sequence[LatencySample]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return headings and lines: a column per profile and number of feeds, a line per count; medians.

    Seconds are of the invocation, and counts of one load.
    """
    groups: dict[tuple[str, int], list[LatencySample]] = {}
    for sample in samples:
        groups.setdefault((sample.profile, sample.feeds), []).append(sample)

    found = [("seconds", *(f"{median([sample.seconds for sample in group]):.2f}" for group in groups.values()))]
    for name in dict.fromkeys(name for sample in samples for name in sample.counts):
        counts = [median([each.counts[name] for each in group]) / feeds for (_, feeds), group in groups.items()]
        found.append((name, *(f"{round(count, 3):g}" for count in counts)))
    headings = [f"{profile}, {feeds} feed{'s' if feeds > 1 else ''}" for profile, feeds in groups]
    return ["a load", *headings], found


def peer_lines(samples: Sequence[PeerSample]) -> list[tuple[str, ...]]:
    """Return one line of cells per number of feeds, size and load: medians, of the ratios too."""
    groups: dict[tuple[int, int, str], list[PeerSample]] = {}
    for sample in samples:
        groups.setdefault((sample.feeds, sample.rows, sample.load), []).append(sample)
    return [
        (
            f"{feeds}",
            f"{rows:,}",
            load,
            f"{median([sample.seconds for sample in group]):.2f}",
            f"{median([sample.dlt_seconds for sample in group]):.2f}",
            f"{median([sample.seconds / sample.dlt_seconds for sample in group]):.2f}",
        )
        for (feeds, rows, load), group in groups.items()
    ]


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

"""`python -m benchmarks`: measures loads of generated files against the floor, and prints a table."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.loads import make_project, measure, measure_by_hand, measure_feeds, measure_formats
from benchmarks.report import (
    FIGURES,
    FORMAT_FIGURES,
    FORMAT_HEADINGS,
    HEADINGS,
    FormatSample,
    Sample,
    as_markdown,
    format_lines,
    lines,
    write_into,
)
from framework import sandbox
from framework.cli.output import table
from framework.sandbox import SandboxAddress

BY_HAND = "by-hand"
ENGINES = ("embedded", "spark", BY_HAND)
ROOT = Path(__file__).resolve().parent.parent / ".bench"


def main() -> int:
    """Measure what the command line asks for; 1 where a table does not hold what the floor's does."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[1000, 200_000, 2_000_000], help="sizes of files")
    parser.add_argument("--engine", nargs="*", default=["embedded", "spark"], choices=ENGINES)
    parser.add_argument("--runs", type=int, default=3, help="loads of each kind; the table has medians")
    parser.add_argument("--feeds", type=int, default=40, help="feeds of 1,000 rows in one invocation; 0 for none")
    parser.add_argument("--markdown", type=Path, help="also put the table between the marks of this document")
    parser.add_argument("--formats", action="store_true", help="only the last size, in each format of files")
    arguments = parser.parse_args()
    make_project(ROOT)
    address = sandbox.start(ROOT / ".sandbox")
    os.environ.update(address.aws_environment())
    samples: list[Sample] = []
    of_formats: list[FormatSample] = []
    try:
        if arguments.formats:
            for number in range(arguments.runs):
                for each in measure_formats(ROOT, address, arguments.rows[-1], number):
                    of_formats.append(each)
                    sys.stderr.write(f"{each.written_as}, {each.load}: prepare {each.prepare:.2f} s\n")
            return _print(FORMAT_HEADINGS, format_lines(of_formats), "", arguments.markdown, FORMAT_FIGURES)
        for number in range(arguments.runs):
            for rows in arguments.rows:
                for engine in arguments.engine:
                    for sample in _measured(address, rows, engine, number):
                        samples.append(sample)
                        _say(sample)
        feeds = measure_feeds(ROOT, address, arguments.feeds, arguments.runs) if arguments.feeds else []
    except RuntimeError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    finally:
        sandbox.reset(ROOT / ".sandbox")
    found = sorted(lines(samples), key=lambda line: (int(line[0].replace(",", "")), line[1], line[2]))
    told = f"{arguments.feeds} feeds of 1,000 rows in one invocation: {median(feeds):.2f} s" if feeds else ""
    return _print(HEADINGS, found, told, arguments.markdown, FIGURES)


def _print(
    headings: Sequence[str], found: Sequence[tuple[str, ...]], told: str, markdown: Path | None, name: str
) -> int:
    """Print a table, and put it into a document."""
    sys.stdout.write(f"{table(headings, found)}\n{told}\n")
    if markdown:
        write_into(markdown, f"{as_markdown(headings, found)}\n\n{told}".rstrip(), name)
    return 0


def _measured(address: SandboxAddress, rows: int, engine: str, number: int) -> Iterator[Sample]:
    if engine == BY_HAND:
        return measure_by_hand(ROOT, address, rows, number)
    return measure(ROOT, address, rows, engine, number)


def _say(sample: Sample) -> None:
    ratio = sample.seconds / sample.floor_seconds
    sys.stderr.write(f"{sample.rows:,} {sample.load} {sample.engine}: {sample.seconds:.2f} s, {ratio:.2f} x floor\n")


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks`: measures loads of generated files against the floor, and prints a table."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.latency import measure_latency
from benchmarks.loads import make_project, measure, measure_by_hand, measure_feeds, measure_formats
from benchmarks.peers import measure_peers
from benchmarks.report import (
    FIGURES,
    FORMAT_FIGURES,
    FORMAT_HEADINGS,
    HEADINGS,
    LATENCY_FIGURES,
    PEER_FIGURES,
    PEER_HEADINGS,
    FormatSample,
    LatencySample,
    PeerSample,
    Sample,
    as_markdown,
    format_lines,
    latency_table,
    lines,
    peer_lines,
    write_into,
)
from framework import sandbox
from framework.cli.tables import table
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
    others = parser.add_mutually_exclusive_group()
    others.add_argument("--formats", action="store_true", help="only the last size, in each format of files")
    others.add_argument("--latency", action="store_true", help="only one and many feeds, at the latencies of AWS")
    others.add_argument("--peers", choices=["dlt"], help="only the embedded engine, beside another tool")
    arguments = parser.parse_args()
    make_project(ROOT)
    address = sandbox.start(ROOT / ".sandbox")
    os.environ.update(address.aws_environment())
    try:
        if arguments.formats:
            return _formats(address, arguments)
        if arguments.latency:
            return _latency(address, arguments)
        if arguments.peers:
            return _peers(address, arguments)
        return _engines(address, arguments)
    except RuntimeError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    finally:
        sandbox.reset(ROOT / ".sandbox")


def _engines(address: SandboxAddress, arguments: argparse.Namespace) -> int:
    samples: list[Sample] = []
    for number in range(arguments.runs):
        for rows in arguments.rows:
            for engine in arguments.engine:
                for sample in _measured(address, rows, engine, number):
                    samples.append(sample)
                    _say(sample)
    feeds = measure_feeds(ROOT, address, arguments.feeds, arguments.runs) if arguments.feeds else []
    found = sorted(lines(samples), key=lambda line: (int(line[0].replace(",", "")), line[1], line[2]))
    told = f"{arguments.feeds} feeds of 1,000 rows in one invocation: {median(feeds):.2f} s" if feeds else ""
    return _print(HEADINGS, found, told, arguments.markdown, FIGURES)


def _formats(address: SandboxAddress, arguments: argparse.Namespace) -> int:
    samples: list[FormatSample] = []
    for number in range(arguments.runs):
        for sample in measure_formats(ROOT, address, arguments.rows[-1], number):
            samples.append(sample)
            sys.stderr.write(f"{sample.written_as}, {sample.load}: prepare {sample.prepare:.2f} s\n")
    return _print(FORMAT_HEADINGS, format_lines(samples), "", arguments.markdown, FORMAT_FIGURES)


def _latency(address: SandboxAddress, arguments: argparse.Namespace) -> int:
    samples: list[LatencySample] = []
    for sample in measure_latency(ROOT, address, sorted({1, arguments.feeds} - {0}), arguments.runs):
        samples.append(sample)
        sys.stderr.write(f"{sample.profile}, feeds: {sample.feeds}: {sample.seconds:.2f} s\n")
    headings, found = latency_table(samples)
    return _print(headings, found, "", arguments.markdown, LATENCY_FIGURES)


def _peers(address: SandboxAddress, arguments: argparse.Namespace) -> int:
    samples: list[PeerSample] = []
    for sample in measure_peers(ROOT, address, arguments.rows, arguments.feeds, arguments.runs):
        samples.append(sample)
        what = f"feeds: {sample.feeds}, rows: {sample.rows:,}, {sample.load}"
        sys.stderr.write(f"{what}: {sample.seconds:.2f} s, dlt {sample.dlt_seconds:.2f} s\n")
    return _print(PEER_HEADINGS, peer_lines(samples), "", arguments.markdown, PEER_FIGURES)


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

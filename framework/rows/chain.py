"""The proof of where each split's records begin, from what every split says of its own borders.

Only the splits before it decide whether a split begins inside quotes. Each task therefore works out its borders for
both cases; composed from the first record of the file on, they prove where the records of every split begin and end.
Source: Ge et al., Speculative Distributed CSV Data Parsing for Big Data Analytics, SIGMOD 2019.
"""

from __future__ import annotations

from collections.abc import Sequence

from framework.dataclass import dataclass


@dataclass(frozen=True)
class Borders:
    """Where the first record of a split begins, in bytes of the file, and what the split does to quoting.

    `outside` holds if the split begins outside quotes, `inside` if it begins within; None where no record begins in
    the split. `flips` says that it holds an odd number of quotes: it ends inside quotes if it begins outside.
    """

    outside: int | None
    inside: int | None
    flips: bool


@dataclass(frozen=True)
class Region:
    """The records of a split, in bytes of the file: where the first begins and the last ends."""

    begin: int
    end: int


def prove_regions(borders: Sequence[Borders], file_end: int) -> list[Region | None]:
    """Return the region of each of a file's splits, None where no record begins in it.

    `borders` are those of all splits, in order; the first split begins outside quotes. The regions cover the file from
    the first record to its end.
    """
    is_inside = False
    begins = []
    for split in borders:
        begins.append(split.inside if is_inside else split.outside)
        is_inside ^= split.flips
    regions: list[Region | None] = []
    end = file_end
    for begin in reversed(begins):
        regions.append(None if begin is None else Region(begin, end))
        end = end if begin is None else begin
    return regions[::-1]

"""Pairs what is expected with what was found, so that a difference can be named."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from framework.dataclass import dataclass

MOST_COMPARISONS = 250_000
"""Where more pairs would have to be compared, rows that no key pairs are missing and unexpected."""

ENOUGH = 0.5
"""The fraction of an expected entry's fields that its counterpart shares, at least."""


@dataclass(frozen=True)
class Pairing:
    """Positions: pairs of an expected and a found entry that are not equal, and those that have no counterpart."""

    changed: tuple[tuple[int, int], ...]
    missing: tuple[int, ...]
    unexpected: tuple[int, ...]


def match_all(expected: int, found: int, fits: Callable[[int, int], bool]) -> dict[int, int]:
    """Return as many expected positions as possible, each with a found one of its own that fits it.

    Entries may fit several: one that leaves a field out must not take what only another fits.
    """
    taken: dict[int, int] = {}

    def place(position: int, seen: set[int]) -> bool:
        for candidate in range(found):
            if candidate not in seen and fits(position, candidate):
                seen.add(candidate)
                if candidate not in taken or place(taken[candidate], seen):
                    taken[candidate] = position
                    return True
        return False

    for position in range(expected):
        place(position, set())
    return {position: candidate for candidate, position in taken.items()}


def pair_similar(missing: Sequence[int], unexpected: Sequence[int], agreement: Callable[[int, int], float]) -> Pairing:
    """Pair the entries that agree in at least ENOUGH fields, the most similar first.

    `agreement` is the fraction of an expected entry's fields that a found one shares.
    """
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    if len(missing) * len(unexpected) <= MOST_COMPARISONS:
        scored = [(agreement(one, other), -one, -other) for one in missing for other in unexpected]
        for score, one, other in sorted(scored, reverse=True):
            if score >= ENOUGH and -one not in pairs and -other not in taken:
                pairs[-one] = -other
                taken.add(-other)
    return Pairing(
        tuple(sorted(pairs.items())),
        tuple(one for one in missing if one not in pairs),
        tuple(other for other in unexpected if other not in taken),
    )

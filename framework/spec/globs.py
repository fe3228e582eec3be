"""Compares the globs by which feeds pick their files."""

from __future__ import annotations

import re

_STEP = re.compile(r"\[!?\]?[^\]]*\]|.", re.DOTALL)


def may_overlap(one: str, other: str) -> bool:
    """Return whether a name may match both globs, upper and lower case alike.

    A set such as `[0-9]` counts as any character, so that "no" is certain and "yes" is not. The time it
    takes grows with the product of the lengths.
    """
    first, second = _steps(one), _steps(other)
    # meets[j]: a text may match what is left of the first glob and second[j:].
    meets = [all(step == "*" for step in second[place:]) for place in range(len(second) + 1)]
    for step in reversed(first):
        below, meets = meets, [False] * (len(second) + 1)
        meets[-1] = step == "*" and below[-1]
        for place in reversed(range(len(second))):
            meets[place] = _meet(step, second[place], below, meets, place)
    return meets[0]


def _meet(step: str, other: str, below: list[bool], meets: list[bool], place: int) -> bool:
    if step == "*":
        return below[place] or meets[place + 1]
    if other == "*":
        return meets[place + 1] or below[place]
    return (step == other or "?" in (step, other)) and below[place + 1]


def _steps(glob: str) -> tuple[str, ...]:
    """Return the steps of a glob: a character, `?` for any one, `*` for any number."""
    return tuple("?" if len(step) > 1 else step for step in _STEP.findall(glob.lower()))

"""Compares the globs by which feeds pick their files."""

from __future__ import annotations

import re
from functools import cache

_STEP = re.compile(r"\[!?\]?[^\]]*\]|.", re.DOTALL)


def may_overlap(one: str, other: str) -> bool:
    """Say whether a name may match both globs, upper and lower case alike.

    A set such as `[0-9]` counts as any character, so that "no" is certain and "yes" is not.
    """
    return _overlap(_steps(one), _steps(other))


def _steps(glob: str) -> tuple[str, ...]:
    """Return what each step of a glob takes: a character, `?` any one, `*` any number."""
    return tuple("?" if len(step) > 1 else step for step in _STEP.findall(glob.lower()))


@cache
def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if not one or not other:
        return all(step == "*" for step in one + other)
    if one[0] == "*":
        return _overlap(one[1:], other) or _overlap(one, other[1:])
    if other[0] == "*":
        return _overlap(one, other[1:]) or _overlap(one[1:], other)
    return (one[0] == other[0] or "?" in (one[0], other[0])) and _overlap(one[1:], other[1:])

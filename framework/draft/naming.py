"""The pattern of a feed, from the names of its sample files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

_GLOB = re.compile(r"([*?\[])")
_ENDING = re.compile(r"\.[^\W\d_]\w{0,9}(?:\.[^\W\d_]\w{0,9})*$")
"""One ending or several, `.csv.gz`; parts of dates are none."""
_COUNTED = re.compile(r"(?:(?<=[\W_])\d|\d)[\d\W_]*$")
_COUNTING = re.compile(r"^\d[\d\W_]*?(?=[\W_]*[^\W\d_])")


def pattern_of(names: Sequence[str]) -> str:
    """Return the glob that takes files called like these: numbers at an end of a name, and what differs, are free."""
    divided = [_divided(name) for name in names]
    stem = _common_stem(list(dict.fromkeys(stem for stem, _ in divided)))
    return f"{stem}{_common_ending(list(dict.fromkeys(ending for _, ending in divided)))}"


def _common_stem(stems: Sequence[str]) -> str:
    if len(stems) > 1:
        start = _COUNTED.sub("", _beginning(stems))
        return f"{_escaped(start)}*"
    counted = _COUNTED.sub("", stems[0])
    if counted and counted != stems[0]:
        return f"{_escaped(counted)}*"
    counting = _COUNTING.sub("", stems[0])
    if counting != stems[0]:
        return f"*{_escaped(counting)}*"
    return f"{_escaped(counted)}*"


def _common_ending(endings: Sequence[str]) -> str:
    if len(endings) == 1:
        return _escaped(endings[0])
    firsts = {ending.split(".")[1] if ending else "" for ending in endings}
    first = firsts.pop()
    return f".{_escaped(first)}*" if first and not firsts else ""


def _divided(name: str) -> tuple[str, str]:
    found = _ENDING.search(name, 1)
    return (name, "") if found is None else (name[: found.start()], found[0])


def _escaped(text: str) -> str:
    return _GLOB.sub(r"[\1]", text)


def _beginning(texts: Sequence[str]) -> str:
    alike = takewhile(lambda each: len(set(each)) == 1, zip(*texts, strict=False))
    return "".join(each[0] for each in alike)

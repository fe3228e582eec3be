"""Numbers and names as text for messages and tables."""

from __future__ import annotations

from collections.abc import Sequence

_KILO = 1024
_UNITS = ("KB", "MB", "GB", "TB")


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: `1 file`, `2,000 files`; `plural` where it is not the noun with an s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def share(count: int, total: int | None, noun: str) -> str:
    """Return a part of a total with its noun, `3 of 500 values`; `3 values` where the total is not known."""
    return counted(count, noun) if total is None else f"{count:,} of {counted(total, noun)}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return names for a message, the first few of many: `a, b and 3 more`."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def size(number_of_bytes: int) -> str:
    """Return a number of bytes as text: `1 byte`, `812 bytes`, `3.4 MB`; in powers of 1024."""
    if number_of_bytes < _KILO:
        return counted(number_of_bytes, "byte")
    power = min((number_of_bytes.bit_length() - 1) // 10, len(_UNITS))
    return f"{number_of_bytes / _KILO**power:,.1f} {_UNITS[power - 1]}"


def duration(seconds: float) -> str:
    """Return a duration as text: `0.4 s`, `3 min 20 s`, `2 h 5 min`."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def visible(text: str, most: int | None = None) -> str:
    """Return a text on one line that moves no cursor: what does not print is written as Python's escapes.

    With `most`, a longer one is cut to so many characters, the last of which is `…`.
    """
    start = text if most is None else text[: most + 1]
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in start)
    return shown if most is None or len(shown) <= most else f"{shown[: most - 1]}…"

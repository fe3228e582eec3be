"""Date and timestamp formats as specs write them: `dd/MM/yyyy HH:mm`.

One notation, the same in every engine. Letters outside quotes are fields, everything else
stands for itself; `''` is a quote.
"""

from __future__ import annotations

import re

_FIELDS = {
    "yyyy": "[0-9]{4}",
    "yy": "[0-9]{2}",
    "MM": "(?:0[1-9]|1[0-2])",
    "M": "(?:[1-9]|1[0-2])",
    "dd": "(?:0[1-9]|[12][0-9]|3[01])",
    "d": "(?:[1-9]|[12][0-9]|3[01])",
    "HH": "(?:[01][0-9]|2[0-3])",
    "H": "(?:[0-9]|1[0-9]|2[0-3])",
    "mm": "[0-5][0-9]",
    "ss": "[0-5][0-9]",
    "SSS": "[0-9]{3}",
    "SSSSSS": "[0-9]{6}",
}
_PIECE = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']")


def format_expression(pattern: str) -> str:
    """Return the regular expression of the texts that a format describes.

    Raises:
        ValueError: a field is unknown or comes twice, a quote is not closed, or the format does
            not name year, month and day.
    """
    expression: list[str] = []
    seen: set[str] = set()
    position = 0
    while position < len(pattern):
        piece = _PIECE.match(pattern, position)
        if piece is None:
            raise ValueError(f"{pattern!r}: the quote at position {position + 1} is not closed")
        position = piece.end()
        if piece[2] is None:
            text = piece[0] if piece[1] is None else piece[1].replace("''", "'") or "'"
            expression.append(re.sub(r"([^A-Za-z0-9_ ])", r"\\\1", text))
            continue
        if piece[0] not in _FIELDS:
            raise ValueError(f"{pattern!r}: {piece[0]!r} is not a field; the fields are {', '.join(_FIELDS)}")
        if piece[2] in seen:
            raise ValueError(f"{pattern!r}: the field {piece[2]!r} comes twice")
        seen.add(piece[2])
        expression.append(_FIELDS[piece[0]])
    if not {"y", "M", "d"} <= seen:
        raise ValueError(f"{pattern!r}: a format names year, month and day (yyyy, MM, dd)")
    return "".join(expression)

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
_RUN = re.compile(r"([A-Za-z])\1*")
_REWRITE_PIECE = re.compile(r"'((?:[^']|'')*)'|([A-Za-z]+)|([^A-Za-z']+)")
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
            # Of letters that are not ASCII, DuckDB's expressions take no escape.
            expression.append(re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text))
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


def iso_rewrite(pattern: str, group: str) -> tuple[str, str]:
    """Return a regular expression with groups, and the replacement that makes ISO text of what it matches.

    For texts that `format_expression` accepts, so that one cast reads all formats and no parser's
    own rules come between. `group` precedes a group's number in the engine's replacements.
    `yy` is 2000 to 2099; a time of day that the format does not name is midnight.
    """
    groups: dict[str, str] = {}
    expression = ""
    for quoted_text, run, plain in _REWRITE_PIECE.findall(pattern):
        for field in _RUN.finditer(run):
            number = f"{group}{len(groups) + 1}"
            groups[field[1]] = number if field[0] != "yy" else f"20{number}"
            expression += "([0-9]{1,2})" if len(field[0]) == 1 else f"([0-9]{{{len(field[0])}}})"
        if not run:
            expression += re.escape(plain or quoted_text.replace("''", "'") or "'")
    iso = f"{groups['y']}-{groups['M']}-{groups['d']}"
    if "H" in groups:
        fraction = f".{groups['S']}" if "S" in groups else ""
        iso += f" {groups['H']}:{groups.get('m', '00')}:{groups.get('s', '00')}{fraction}"
    return f"^{expression}$", iso

"""A record's fields, from its raw text, and as the JSON array that quarantine keeps. The same for every engine."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ESCAPED = {chr(code): f"\\u{code:04X}" for code in range(32)} | {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_TO_ESCAPE = re.compile(r'[\x00-\x1f"\\]')


def field_pattern(delimiter: str) -> str:
    """Return the expression of one field of a sound record behind its delimiter; group 1 is the field, quotes included.

    It is read alike by Python and by Java. A delimiter before the record makes every match take at least one character.
    """
    mark = re.escape(delimiter)
    return rf'{mark}((?:"[^"]*+")++|[^"{mark}]*+)'


def split_record(record: str, delimiter: str) -> list[str | None]:
    """Return the fields of a record whose quoting is sound; an unquoted empty field is None, a quoted one `''`."""
    found = (match[1] for match in re.finditer(field_pattern(delimiter), delimiter + record))
    return [_unquoted(field) for field in found]


def _unquoted(field: str) -> str | None:
    if field.startswith('"'):
        return field[1:-1].replace('""', '"')
    return field or None


def json_array(fields: Sequence[str | None]) -> str:
    """Return the fields as compact JSON, in the letters that Spark's `to_json` takes too."""
    return "[" + ",".join("null" if field is None else _json_text(field) for field in fields) + "]"


def _json_text(field: str) -> str:
    return '"' + _TO_ESCAPE.sub(lambda match: _ESCAPED[match[0]], field) + '"'

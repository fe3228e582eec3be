"""A record's fields, from its raw text."""

from __future__ import annotations

import re


def split_record(record: str, delimiter: str) -> list[str | None]:
    """Return the fields of a record whose quoting is sound; an unquoted empty field is None, a quoted one `''`."""
    mark = re.escape(delimiter)
    # With a delimiter before the record, every match takes at least one character.
    field = rf'{mark}((?:"[^"]*+")++|[^"{mark}]*+)'
    return [_unquoted(match[1]) for match in re.finditer(field, delimiter + record)]


def _unquoted(field: str) -> str | None:
    if field.startswith('"'):
        return field[1:-1].replace('""', '"')
    return field or None

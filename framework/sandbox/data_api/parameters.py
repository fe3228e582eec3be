"""Values put in the place of `:name`, as the Data API does before a statement reaches the database.

Source: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling.html
    (values only; `::` is a cast; quoted text and comments are left alone)
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from framework.sandbox.data_api.api_error import validation_error

# Backslash escapes in every literal of Redshift, so a quote after one does not end it.
_TOKENS = re.compile(
    r"""
      '(?:[^'\\]|\\.|'')*'
    | "(?:[^"]|"")*"
    | --[^\n]*
    | /\*.*?\*/
    | ::
    | (?<![0-9a-zA-Z_]):(?P<name>[0-9a-zA-Z_]+)
    """,
    re.VERBOSE | re.DOTALL,
)


def substitute(sql: str, values: Mapping[str, str]) -> str:
    """Return the SQL with every placeholder replaced by its value as a string literal.

    SQL that comes without any parameter is left as it is, colons included.

    Raises:
        ApiError: a placeholder has no value, or a value no placeholder.
    """
    if not values:
        return sql
    used: set[str] = set()

    def replaced(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return match[0]
        if name not in values:
            raise validation_error(f"Cannot find parameter: {name}")
        used.add(name)
        return _literal(values[name])

    result = _TOKENS.sub(replaced, sql)
    unused = [name for name in values if name not in used]
    if unused:
        raise validation_error(f"Parameters list contains unused parameters. Unused parameters: {unused}")
    return result


def _literal(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"

"""What a query's text may not do (end, begin another statement, leave a quote or comment open), and what it names."""

from __future__ import annotations

import re

_PIECE = re.compile(
    r"""
      '(?:[^'\\]|\\.|'')*'              # a literal, in which a backslash escapes
    | "(?:[^"]|"")*"                    # a name
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$   # a dollar-quoted literal
    | --[^\n\r]*                      # a carriage return ends a comment too
    | (?P<comment>/\*)
    | (?P<end>;)
    | (?P<open>['"]|\$\w*\$)
    """,
    re.DOTALL | re.VERBOSE,
)
_COMMENT_MARK = re.compile(r"/\*|\*/")


def query_mistake(text: str) -> str | None:
    """Return what keeps a text from being one statement by itself; None where nothing does."""
    position = 0
    while found := _PIECE.search(text, position):
        position = found.end()
        if found["end"]:
            return "holds `;`, which ends a statement"
        if found["open"]:
            return f"opens a quote ({found['open']}) that is not closed"
        if found["comment"]:
            end = _comment_end(text, position)
            if end is None:
                return "opens a comment (/*) that is not closed"
            position = end
    return None


def _comment_end(text: str, position: int) -> int | None:
    """Return where a comment ends; comments nest."""
    depth = 1
    for mark in _COMMENT_MARK.finditer(text, position):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return None


def names_relation(text: str, schema: str, name: str, *, with_schema: bool = True) -> bool:
    """Say whether a query names a relation, outside of literals and comments; also without its schema if allowed."""
    schema_part, name_part = (
        rf'(?:(?<![\w"]){re.escape(part)}(?![\w"])|"{re.escape(part)}")' for part in (schema, name)
    )
    wanted = rf"{schema_part}\s*\.\s*{name_part}"
    if not with_schema:
        wanted = rf"{wanted}|(?<!\.){name_part}(?!\s*\.)"
    return re.search(wanted, _code(text), re.IGNORECASE) is not None


def has_star(text: str) -> bool:
    """Say whether a query may select what it does not name: a `*` stands in it, if only that of a count or product."""
    return "*" in _code(text)


def _code(text: str) -> str:
    """Return a query without its literals and comments."""
    pieces, position = [], 0
    while found := _PIECE.search(text, position):
        pieces.append(text[position : found.start()])
        position = found.end()
        if found["comment"]:
            position = _comment_end(text, position) or len(text)
        elif found[0].startswith('"'):
            pieces.append(found[0])
    return "".join([*pieces, text[position:]])

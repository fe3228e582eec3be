"""Checks of a query's text: it may not end, begin another statement, or leave a quote open. And the names in it."""

from __future__ import annotations

import re

from framework.dataclass import dataclass

_PIECE = re.compile(
    r"""
      '(?:[^'\\]|\\.|'')*'              # a literal, in which a backslash escapes
    | "(?:[^"]|"")*"                    # a name
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$   # a dollar-quoted literal
    | --[^\n\r]*                      # a carriage return ends a comment too
    | (?P<comment>/\*)
    | (?P<end>;)
    | (?P<open>['"]|\$\w*\$)
    | (?P<bracket>[()])
    """,
    re.DOTALL | re.VERBOSE,
)
_COMMENT_MARK = re.compile(r"/\*|\*/")
_NO_BREAK = re.compile(r"[^\n]")


@dataclass(frozen=True)
class Mistake:
    """A mistake in a query, as the end of a sentence about it, and its character position from 0."""

    words: str
    position: int


def query_mistake(text: str) -> str | None:
    """Return the mistake that keeps a text from being one query; None where there is none."""
    mistake = find_mistake(text)
    return None if mistake is None else mistake.words


def find_mistake(text: str) -> Mistake | None:
    """Return the same as `query_mistake`, with its place."""
    position = 0
    opened: list[int] = []
    while found := _PIECE.search(text, position):
        start, position = found.start(), found.end()
        if found["end"]:
            return Mistake("holds `;`, which ends a statement", start)
        if found["open"]:
            return Mistake(f"opens a quote ({found['open']}) that is not closed", start)
        if found["comment"]:
            end = _comment_end(text, position)
            if end is None:
                return Mistake("opens a comment (/*) that is not closed", start)
            position = end
        if found["bracket"] == "(":
            opened.append(start)
        elif found["bracket"] and not opened:
            return Mistake("closes a parenthesis that is not open", start)
        elif found["bracket"]:
            opened.pop()
    return Mistake("opens a parenthesis that is not closed", opened[-1]) if opened else None


def _comment_end(text: str, position: int) -> int | None:
    """Return where a comment ends; comments nest."""
    depth = 1
    for mark in _COMMENT_MARK.finditer(text, position):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return None


def names_relation(text: str, schema: str, name: str, *, with_schema: bool = True) -> bool:
    """Return whether a query names a relation, outside of literals and comments; also without its schema if allowed."""
    wanted = rf"{_name_pattern(schema)}\s*\.\s*{_name_pattern(name)}"
    if not with_schema:
        wanted = rf"{wanted}|(?<!\.){_name_pattern(name)}(?!\s*\.)"
    return re.search(wanted, code_of(text), re.IGNORECASE) is not None


def replace_relation(text: str, schema: str, name: str, replacement: str) -> str:
    """Return a query with another name in the place of a relation that it names with its schema."""
    wanted = re.compile(rf"{_name_pattern(schema)}\s*\.\s*{_name_pattern(name)}", re.IGNORECASE)
    pieces, position = [], 0
    for found in wanted.finditer(code_of(text)):
        pieces += [text[position : found.start()], replacement]
        position = found.end()
    return "".join([*pieces, text[position:]])


def place_of_name(text: str, name: str) -> int | None:
    """Return the position of a name in a query, outside literals and comments; None where it is not in it."""
    found = re.search(_name_pattern(name), code_of(text), re.IGNORECASE)
    return None if found is None else found.start()


def _name_pattern(name: str) -> str:
    return rf'(?:(?<![\w"]){re.escape(name)}(?![\w"])|"{re.escape(name)}")'


def has_star(text: str) -> bool:
    """Return whether a query may select columns that it does not name: it has a `*`, if only that of a product."""
    return "*" in code_of(text)


def code_of(text: str) -> str:
    """Return a query with blanks in the place of its literals and comments, so that all else stays where it is."""
    pieces, position = [], 0
    while found := _PIECE.search(text, position):
        pieces.append(text[position : found.start()])
        position = found.end()
        if found["comment"]:
            position = _comment_end(text, position) or len(text)
        elif found[0].startswith('"') or found["end"] or found["open"] or found["bracket"]:
            pieces.append(found[0])
            continue
        pieces.append(_NO_BREAK.sub(" ", text[found.start() : position]))
    return "".join([*pieces, text[position:]])

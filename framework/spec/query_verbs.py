"""Finds statements that are no query in the text of a view: at its beginning, behind WITH, or in parentheses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from framework.dataclass import dataclass
from framework.spec.query_text import Mistake, code_of

_TOKEN = re.compile(r'(?P<name>(?:"[^"]*")+)|(?P<word>[^\W\d][\w$]*)|(?P<symbol>\S)')
_QUERIES = frozenset({"select", "values", "table", "with"})
_STATEMENTS = frozenset(
    {"alter", "call", "copy", "create", "delete", "drop", "execute", "grant", "insert", "lock", "merge", "revoke"}
    | {"truncate", "unload", "update", "vacuum"}
)
_AFTER_A_VALUE = frozenset(
    {"and", "as", "asc", "at", "between", "collate", "desc", "else", "end", "escape", "except", "from", "group"}
    | {"having", "ilike", "in", "intersect", "is", "isnull", "like", "limit", "not", "notnull", "or", "order", "over"}
    | {"similar", "then", "union", "when", "where", "within"}
)
"""Words behind a column that is called like a statement, as in `(update is null)`."""
_FIX = "a view is one select, and changes nothing"

_State = Literal["query", "parentheses", "with", "behind with", "body"]
"""The state of a level of parentheses: before a query, at its start, in WITH's list, after it, within a query."""


@dataclass(frozen=True)
class _Token:
    text: str
    is_word: bool
    position: int


def find_statement(text: str) -> Mistake | None:
    """Return the mistake that makes a text more than a query, also one that creates a table; None where there is none.

    Columns and functions may be called like a statement. `text` must be one query by itself (`query_mistake`).
    """
    tokens = list(_tokens(text))
    levels: list[_State] = ["query"]
    for place, token in enumerate(tokens):
        match token.text:
            case "(":
                levels.append(_entered(levels, tokens[place - 1].text if place else ""))
            case ")":
                levels.pop()
                if levels[-1] == "with" and _is_named_query(tokens, place):
                    levels[-1] = "behind with"
            case "," if levels[-1] == "behind with":
                levels[-1] = "with"
            case word if token.is_word:
                if _is_wrong(levels[-1], tokens, place):
                    return Mistake(f"holds `{word}`: {_FIX}", token.position)
                if levels[-1] != "with":
                    levels[-1] = "with" if word == "with" and levels[-1] in ("query", "parentheses") else "body"
            case _ if levels[-1] != "with":
                levels[-1] = "body"
    return None


def _tokens(text: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(code_of(text)):
        yield _Token(found[0].lower(), found["word"] is not None, found.start())


def _entered(levels: list[_State], before: str) -> _State:
    """Return what may follow an opening parenthesis."""
    state = levels[-1]
    if state in ("query", "behind with"):
        levels[-1] = "body"
        return "query"
    if state == "with":
        return "query" if before in ("as", "materialized") else "parentheses"
    return "parentheses"


def _is_named_query(tokens: Sequence[_Token], closing: int) -> bool:
    """Return whether the parentheses that close here hold what WITH has named, and not the names of its columns."""
    following = tokens[closing + 1].text if closing + 1 < len(tokens) else ""
    return following != "as"


def _is_wrong(state: _State, tokens: Sequence[_Token], place: int) -> bool:
    word = tokens[place].text
    if word == "into":
        # As a label it follows a dot or AS.
        return place == 0 or tokens[place - 1].text not in (".", "as")
    match state:
        case "query" | "behind with":
            return word not in _QUERIES
        case "parentheses":
            return word in _STATEMENTS and _has_operand(word, tokens[place + 1 : place + 3])
    return False


def _has_operand(word: str, following: Sequence[_Token]) -> bool:
    """Return whether a word begins a statement, judged by what follows, and is not the name of a column or function."""
    if not following:
        return False
    token = following[0]
    if (word, token.text) == ("delete", "from"):
        return len(following) > 1 and _is_name(following[1])
    return _is_name(token) or (word, token.text) == ("unload", "(")


def _is_name(token: _Token) -> bool:
    return token.text.startswith('"') or (token.is_word and token.text not in _AFTER_A_VALUE)

"""Texts of errors without the values of rows: what is logged or kept must not say what a file holds."""

from __future__ import annotations

import re
import traceback

from framework.errors import PipelineError

HIDDEN = "…"
_NAME = re.compile(
    r"\b(?:relation|column|column name|table|schema|view|function|type|user|role|group|database|constraint|index|"
    r'cursor|parameter|attribute|language|near) "[^"]*"(?:\."[^"]*")*'
)
"""A text in double quotes behind one of these words is the name of something; others may be values."""
_VALUES = (
    (re.compile(r"(Failing row contains \().*(\))", re.DOTALL), rf"\1{HIDDEN}\2"),
    (re.compile(r"(Malformed CSV record: ).*", re.DOTALL), rf"\1{HIDDEN}"),
    (re.compile(r"(Key \([^()]*\)=\().*(\))", re.DOTALL), rf"\1{HIDDEN}\2"),
    # Up to the last quote there is, because a value may hold quotes itself.
    (re.compile(r"(?<!\w)'.*'", re.DOTALL), f"'{HIDDEN}'"),
    (re.compile(r'".*"', re.DOTALL), f'"{HIDDEN}"'),
)


def without_values(message: str) -> str:
    """Return somebody else's error message with what it quotes left out, names of tables and columns excepted."""
    names = _NAME.findall(message)
    hidden = _NAME.sub("\0", message.replace("\0", " "))
    for pattern, replacement in _VALUES:
        hidden = pattern.sub(replacement, hidden)
    if hidden.count('"') % 2:
        # The message was cut off inside a quote.
        hidden = hidden.partition('"')[0] + f'"{HIDDEN}"'
    # What was hidden may have held names; then it is not known which are left.
    if hidden.count("\0") != len(names):
        return hidden.replace("\0", f'"{HIDDEN}"')
    return re.sub("\0", lambda _: names.pop(0), hidden)


def told(error: BaseException) -> str:
    """Return an error's message; Feedway's own says only what it may, any other's is stripped of values."""
    return str(error) if isinstance(error, PipelineError) else without_values(str(error))


def trace(error: BaseException) -> str:
    """Return where an unexpected error came from, and its causes, the first one first."""
    link: BaseException | None = error
    parts = []
    while link is not None:
        frames = "".join(traceback.format_tb(link.__traceback__))
        parts.append(f"{frames}{type(link).__name__}: {told(link)}\n")
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "which led to:\n".join(reversed(parts))

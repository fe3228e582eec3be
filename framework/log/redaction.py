"""Error messages without values of rows: logs and audit rows must not reveal what a file holds."""

from __future__ import annotations

import re
import traceback

from framework.errors import PipelineError

HIDDEN = "…"
_NAME = re.compile(
    r"\b(?:relation|column|column name|table|schema|view|function|type|user|role|group|database|constraint|index|"
    r'cursor|parameter|attribute|language|near) "[^"]*"(?:\."[^"]*")*'
)
"""A quoted text after one of these words is a name; other quoted texts may be values."""
_VALUES = (
    (re.compile(r"(Failing row contains \().*(\))", re.DOTALL), rf"\1{HIDDEN}\2"),
    (re.compile(r"(Malformed CSV record: ).*", re.DOTALL), rf"\1{HIDDEN}"),
    (re.compile(r"(Key \([^()]*\)=\().*(\))", re.DOTALL), rf"\1{HIDDEN}\2"),
    # Up to the last quote, because a value may contain quotes.
    (re.compile(r"(?<!\w)'.*'", re.DOTALL), f"'{HIDDEN}'"),
    (re.compile(r'".*"', re.DOTALL), f'"{HIDDEN}"'),
)


def without_values(message: str) -> str:
    """Return a third-party error message with quoted values hidden; names of tables and columns stay."""
    names = _NAME.findall(message)
    hidden = _NAME.sub("\0", message.replace("\0", " "))
    for pattern, replacement in _VALUES:
        hidden = pattern.sub(replacement, hidden)
    if hidden.count('"') % 2:
        # The message was truncated inside a quote.
        hidden = hidden.partition('"')[0] + f'"{HIDDEN}"'
    # A hidden text may have contained names; then it is unknown which are left.
    if hidden.count("\0") != len(names):
        return hidden.replace("\0", f'"{HIDDEN}"')
    return re.sub("\0", lambda _: names.pop(0), hidden)


def safe_message(error: BaseException) -> str:
    """Return an error's message; a third-party message is redacted."""
    return str(error) if isinstance(error, PipelineError) else without_values(str(error))


def brief(error: BaseException) -> str:
    """Return an error in one line without any content of a file, not even a sample that the log may have."""
    if not isinstance(error, PipelineError):
        return f"an unexpected error ({type(error).__name__}); the log has its traceback"
    return error.brief or next(iter(str(error).splitlines()), type(error).__name__)


def trace(error: BaseException) -> str:
    """Return the traceback of an unexpected error and of its causes, the first cause first."""
    link: BaseException | None = error
    parts = []
    while link is not None:
        frames = "".join(traceback.format_tb(link.__traceback__))
        parts.append(f"{frames}{type(link).__name__}: {safe_message(link)}\n")
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "which led to:\n".join(reversed(parts))

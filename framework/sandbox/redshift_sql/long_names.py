"""Names of up to 127 bytes in a PostgreSQL that takes 63.

A longer name has a short one in PostgreSQL: its beginning and a hash. `fold` gives it, and with it everything that
is made of names. A statement that creates something under such a name stores the pair in `pg_sandbox.long_name`,
from which the system views take the whole name. Result columns and error messages get theirs from `with_long_names`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from sqlglot.tokenizer_core import Token, TokenType

from framework.sandbox.redshift_sql.refusal import not_supported

MAX_NAME_BYTES = 127
"""Source: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html"""
MAX_KEPT_BYTES = 57
"""What PostgreSQL takes, less what a role's name has before it (`group:`)."""
_MAX_BEGINNING_BYTES = 40
_SHORT_NAME = re.compile(r"_([0-9a-f]{16})(?![0-9a-f])")
_TO_LOWER = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}

FIND_LONG_NAMES = "select short, name from pg_sandbox.long_name where right(short, 16) = any(%s)"
"""With a list of hashes as parameter."""


def lowered(name: str) -> str:
    """Return a name as Redshift stores it: ASCII letters are lower case, in quoted names too."""
    return name.translate(_TO_LOWER)


def short_name(name: str) -> str:
    """Return the name that PostgreSQL knows a name of Redshift by; most are their own."""
    encoded = name.encode()
    if len(encoded) <= MAX_KEPT_BYTES:
        return name
    beginning = encoded[:_MAX_BEGINNING_BYTES].decode(errors="ignore")
    return f"{beginning}_{hashlib.sha256(encoded).hexdigest()[:16]}"


def cut_name(name: str) -> str:
    """Return the name that CREATE TABLE and ALTER TABLE make of one that may be too long.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html

    Raises:
        Refused: the end would be inside a character; what Redshift does then is not documented.
    """
    cut = name.encode()[:MAX_NAME_BYTES]
    try:
        return cut.decode()
    except UnicodeDecodeError as error:
        raise not_supported(f'the name "{name}", whose byte {MAX_NAME_BYTES + 1} is inside a character,') from error


def long_names(tokens: Sequence[Token]) -> dict[str, str]:
    """Return the names in a statement that PostgreSQL knows by another one, by that one."""
    names = {}
    for token in tokens:
        if len(token.text.encode()) > MAX_KEPT_BYTES and token.token_type != TokenType.STRING:
            name = lowered(token.text).encode()[:MAX_NAME_BYTES].decode(errors="ignore")
            names[short_name(name)] = name
    return names


def hashes_of(text: str) -> list[str]:
    """Return what may be the hashes of short names in a text."""
    return _SHORT_NAME.findall(text)


def with_long_names(text: str, names: Mapping[str, str]) -> str:
    """Return a text with the whole names in place of the short ones."""
    for short, name in names.items():
        text = text.replace(short, name)
    return text

"""Which grammar a statement is parsed by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot.tokenizer_core import Token, TokenType

from framework.sandbox.redshift_sql.alter import parse_alter_table
from framework.sandbox.redshift_sql.copy_statement import parse_copy
from framework.sandbox.redshift_sql.dialect import tokenize
from framework.sandbox.redshift_sql.long_names import long_names, with_long_names
from framework.sandbox.redshift_sql.other_statements import (
    parse_analyze,
    parse_comment,
    parse_create_schema,
    parse_drop,
    parse_lock,
    parse_set,
    parse_transaction,
    parse_truncate,
    parse_vacuum,
)
from framework.sandbox.redshift_sql.parsed import Parsed
from framework.sandbox.redshift_sql.privileges import (
    parse_alter_group,
    parse_create_identity,
    parse_drop_identity,
    parse_grant,
)
from framework.sandbox.redshift_sql.query import parse_rows_statement
from framework.sandbox.redshift_sql.reader import Reader, is_word
from framework.sandbox.redshift_sql.refusal import Refused, not_supported, syntax_error
from framework.sandbox.redshift_sql.tables import parse_create_table
from framework.sandbox.redshift_sql.views import parse_create_view
from framework.sandbox.redshift_sql.word_set import word_set

_TABLE_WORDS = ("table", "temp", "temporary", "local")
_ROWS = ("select", "with", "insert", "delete", "update", "(")
_NOT_SUPPORTED = word_set(
    """
    call cancel close create alter drop deallocate declare desc describe execute explain fetch merge prepare
    refresh show unload use
    """
)

_GRAMMARS: dict[tuple[str, ...], Callable[[Reader], Parsed]] = {
    ("alter", "table"): parse_alter_table,
    ("alter", "group"): parse_alter_group,
    ("create", "schema"): parse_create_schema,
    ("create", "or", "replace", "view"): lambda reader: parse_create_view(reader, replace=True),
    ("create", "view"): lambda reader: parse_create_view(reader, replace=False),
    ("create", "user"): lambda reader: parse_create_identity(reader, "user"),
    ("create", "group"): lambda reader: parse_create_identity(reader, "group"),
    ("create", "role"): lambda reader: parse_create_identity(reader, "role"),
    ("drop", "table"): lambda reader: parse_drop(reader, "table"),
    ("drop", "view"): lambda reader: parse_drop(reader, "view"),
    ("drop", "schema"): lambda reader: parse_drop(reader, "schema"),
    ("drop", "user"): lambda reader: parse_drop_identity(reader, "user"),
    ("drop", "group"): lambda reader: parse_drop_identity(reader, "group"),
    ("drop", "role"): lambda reader: parse_drop_identity(reader, "role"),
    ("truncate",): parse_truncate,
    ("comment", "on"): parse_comment,
    ("copy",): parse_copy,
    ("lock",): parse_lock,
    ("grant",): lambda reader: parse_grant(reader, "grant"),
    ("revoke",): lambda reader: parse_grant(reader, "revoke"),
    ("set",): lambda reader: parse_set(reader, "set"),
    ("reset",): lambda reader: parse_set(reader, "reset"),
    ("begin",): lambda reader: parse_transaction(reader, "BEGIN"),
    ("start", "transaction"): lambda reader: parse_transaction(reader, "BEGIN"),
    ("commit",): lambda reader: parse_transaction(reader, "COMMIT"),
    ("end",): lambda reader: parse_transaction(reader, "COMMIT"),
    ("rollback",): lambda reader: parse_transaction(reader, "ROLLBACK"),
    ("abort",): lambda reader: parse_transaction(reader, "ROLLBACK"),
    ("analyze",): parse_analyze,
    ("analyse",): parse_analyze,
    ("vacuum",): parse_vacuum,
}


def parse_text(sql: str) -> Parsed:
    """Parse one statement, as `shapes.parse` does for every text of a shape.

    Raises:
        Refused: the syntax is wrong, there is not exactly one statement, Redshift would refuse it
            whatever the database holds, or the sandbox does not know it.
    """
    tokens = _only_statement(tokenize(sql))
    names = long_names(tokens)
    try:
        return replace(_parse(tokens, sql), long_names=names)
    except Refused as refused:
        refused.message = with_long_names(refused.message, names)
        raise


def _parse(tokens: list[Token], sql: str) -> Parsed:
    first = tokens[0].text.lower().split()[0] if is_word(tokens[0]) else tokens[0].text
    if first in _ROWS and tokens[0].token_type not in (TokenType.STRING, TokenType.IDENTIFIER):
        return parse_rows_statement(_with_from(tokens), sql)
    reader = Reader(tokens, sql)
    for words, grammar in _GRAMMARS.items():
        if reader.accept(*words):
            return grammar(reader)
    if first == "create" and any(reader.sees("create", word) for word in _TABLE_WORDS):
        reader.accept("create")
        return parse_create_table(reader)
    if first in _NOT_SUPPORTED:
        raise not_supported(_kind(tokens))
    raise reader.error()


def _only_statement(tokens: list[Token]) -> list[Token]:
    while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        tokens = tokens[:-1]
    if not tokens:
        raise syntax_error("")
    if any(token.token_type == TokenType.SEMICOLON for token in tokens):
        raise Refused("cannot insert multiple commands into a prepared statement", "42601")
    return tokens


def _with_from(tokens: list[Token]) -> list[Token]:
    """Add the FROM that DELETE may go without.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/r_DELETE.html
    """
    if tokens[0].text.lower() != "delete" or (len(tokens) > 1 and tokens[1].token_type == TokenType.FROM):
        return tokens
    return [tokens[0], Token(TokenType.FROM, text="from"), *tokens[1:]]


def _kind(tokens: list[Token]) -> str:
    """Return the words that name a statement's kind: two of CREATE, ALTER and DROP, else one."""
    words = [token.text.upper() for token in tokens[:2] if is_word(token)]
    return " ".join(words if words[0] in ("CREATE", "ALTER", "DROP", "REFRESH") else words[:1])

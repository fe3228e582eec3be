"""sqlglot's Redshift, changed to leave functions as they are written; it reads SELECT, DELETE, INSERT and UPDATE."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from sqlglot import ErrorLevel, exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import ParseError, SqlglotError, TokenError
from sqlglot.parsers.redshift import RedshiftParser
from sqlglot.tokenizer_core import Token, TokenType

from framework.sandbox.redshift_sql.refusal import Refused, not_supported, syntax_error

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_MAY_HOLD_ANYTHING = (
    *(TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING),
    *(TokenType.HEREDOC_STRING, TokenType.BYTE_STRING, TokenType.NATIONAL_STRING),
)
_SPECIAL_FORMS = ("CAST", "EXTRACT", "POSITION", "SUBSTRING", "TRIM", "TRY_CAST")


class _Parser(RedshiftParser):
    """Builds no typed functions: sqlglot's translations of them are not always Redshift's meaning."""

    FUNCTIONS: ClassVar = {}
    FUNCTION_PARSERS: ClassVar = {name: RedshiftParser.FUNCTION_PARSERS[name] for name in _SPECIAL_FORMS}
    NO_PAREN_FUNCTION_PARSERS: ClassVar = {
        name: parser for name, parser in RedshiftParser.NO_PAREN_FUNCTION_PARSERS.items() if name in ("CASE", "SYSDATE")
    }
    SUPPORTS_IMPLICIT_UNNEST = False


class SandboxRedshift(Redshift):
    """Redshift's tokens without those that swallow the rest of a statement unread."""

    Parser = _Parser

    class Tokenizer(Redshift.Tokenizer):
        """Every word is a token."""

        COMMANDS: ClassVar = set()
        COMMAND_PREFIX_TOKENS: ClassVar = set()
        KEYWORDS: ClassVar = {text: kind for text, kind in Redshift.Tokenizer.KEYWORDS.items() if text != "/*+"}


_DIALECT = SandboxRedshift()


def tokenize(sql: str) -> list[Token]:
    """Return the tokens of a text, without comments.

    Raises:
        Refused: a quote or a comment is never closed, or the text holds NUL.
    """
    if "\0" in sql:
        raise not_supported("a NUL character")
    try:
        tokens = _DIALECT.tokenize(sql)
    except TokenError as error:
        raise Refused(f"unterminated quoted text or comment: {_first_line(error)}", "42601") from error
    for token in tokens:
        token.comments = []
        if token.token_type == TokenType.STRING and "\0" in token.text:
            raise Refused('invalid byte sequence for encoding "UNICODE": 0x00', "22021")
    if not sql.isascii():
        _check_beyond_ascii(tokens, sql)
    return tokens


def _check_beyond_ascii(tokens: Sequence[Token], sql: str) -> None:
    """Refuse what is part of a name on Redshift, but to sqlglot is white space or a keyword.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
    """
    ends = [0, *(token.end + 1 for token in tokens)]
    for end, start in zip(ends, [*(token.start for token in tokens), len(sql)], strict=True):
        gap = _COMMENT.sub("", sql[end:start])
        if not gap.isascii():
            first = next(character for character in gap if not character.isascii())
            raise not_supported(f"U+{ord(first):04X} in a name without quotes")
    for token in tokens:
        if token.token_type not in _MAY_HOLD_ANYTHING and not token.text.isascii():
            raise not_supported(f"{token.text} without quotes")


def parse_tree(tokens: Sequence[Token], sql: str) -> exp.Expr:
    """Return the tree of one query, or of one DELETE, INSERT or UPDATE.

    Raises:
        Refused: the syntax is wrong.
    """
    try:
        trees = _DIALECT.parser(error_level=ErrorLevel.IMMEDIATE).parse(list(tokens), sql)
    except ParseError as error:
        found = error.errors[0] if error.errors else {}
        raise syntax_error(str(found.get("highlight") or "")) from error
    except SqlglotError as error:
        raise not_supported(_first_line(error)) from error
    if len(trees) != 1 or trees[0] is None:
        raise syntax_error("")
    return trees[0]


def parse_value(tokens: Sequence[Token], sql: str) -> exp.Expr:
    """Return the tree of one value, such as a column's default."""
    select = Token(TokenType.SELECT, text="select")
    tree = parse_tree([select, *tokens], sql)
    only_value = {name for name, value in tree.args.items() if value} == {"expressions"}
    if not isinstance(tree, exp.Select) or not only_value or len(tree.expressions) != 1:
        raise syntax_error(tokens[0].text if tokens else "")
    value = tree.expressions[0]
    assert isinstance(value, exp.Expr)
    return value


def generate(tree: exp.Expr) -> str:
    """Write a tree as PostgreSQL reads it, all names quoted. The tree may be changed by it.

    Raises:
        Refused: PostgreSQL has no words for a part of it.
    """
    try:
        return tree.sql(
            dialect=Postgres,
            identify=True,
            comments=False,
            normalize_functions=False,
            unsupported_level=ErrorLevel.RAISE,
            copy=False,
        )
    except SqlglotError as error:
        raise not_supported(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]

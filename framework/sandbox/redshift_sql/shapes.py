"""Statements that differ only in literals and in generated names are parsed and translated once.

The shape of a text is the text without comments, with a mark in place of every literal, and of every quoted name that
ends in an underscore and hexadecimal digits, as those of staging tables and ledgers do. Redshift has nothing of its
own under such a name, and different names have different marks: the translation of the shape is that of the text. A
literal whose content matters to the translation, such as a date part, stays in the shape.

Only texts that cannot be read in two ways have a shape: no backslash, no dollar sign, no comment within a line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlglot import exp

from framework.sandbox.redshift_sql.catalogs import SYSTEM_PREFIXES
from framework.sandbox.redshift_sql.parsed import CreateTableAs, Fixed, Parsed, Query, Rendered
from framework.sandbox.redshift_sql.refusal import Refused
from framework.sandbox.redshift_sql.statements import parse_text
from framework.sandbox.redshift_sql.translate import to_postgres

MAX_CHARACTERS = 10_000
"""Longer texts have the values of many files in them, and hardly ever the shape of another."""
_KEPT = 4096

_TOKEN = re.compile(
    rf"""
      (?P<comment> ^--[^\x00-\x08\x0a-\x1f]* )
    | (?<![^\s(,=<>|]) ' (?P<text> (?: [^'\\] | '' )* ) '
    | (?<![^\s(,=.]) " (?P<name> (?!{"|".join(SYSTEM_PREFIXES)}) [a-z][a-z0-9_]{{0,20}} _ [0-9a-f]{{12,32}} ) " (?!")
    | "[^"]*"
    | (?<=\w) \( [0-9]+ (?: ,\s* [0-9]+ )? \)
    | (?<![\w.]) (?P<number> [0-9]{{1,18}} ) (?![\w.])
    | (?P<ambiguous> ['"\\${{] | /\* | -- | [^\x20-\x7e\n\t] )
    """,
    re.VERBOSE | re.MULTILINE,
)
_MARK = re.compile(r"\0([a-z]+)([0-9]+)\0")
_STAND_INS = {"text": "'feedway-text-{}-'", "name": '"feedway_name_{}_000000000000"', "number": "7310586942{:0>8}"}
"""What is parsed in place of a mark."""
_STAND_IN = re.compile(r"(?<=')feedway-text-([0-9]+)-(?=')|feedway_name_([0-9]+)_000000000000|\b7310586942([0-9]{8})\b")
_LIKE_A_MARK = re.compile(r"\0|feedway-text-|feedway_name_|7310586942")

_CONTENT_NEVER_MATTERS = (
    *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Tuple, exp.Alias, exp.If, exp.Case),
)
"""What a literal may be an immediate part of without any rule for what it says."""

_LENGTH = re.compile(r"(?:varchar|bpchar)\(([0-9]+)\)")

_Pieces = tuple[str | int, ...]
"""A text that has been cut where the values go, which are there by their number."""


def parse(sql: str) -> Parsed:
    """Parse one statement; letter case, white space, comments and a last semicolon do not matter.

    Raises:
        Refused: the syntax is wrong, there is not exactly one statement, Redshift would refuse it
            whatever the database holds, or the sandbox does not know it.
    """
    shape = _read_shape(sql)
    template = _template_of(shape) if shape is not None else None
    return parse_text(sql) if shape is None or template is None else template.filled(shape.values, sql)


@dataclass(frozen=True)
class _Shape:
    """A text with marks, and what stands in their places: literals and names as they are written, without quotes."""

    marked: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Template:
    """A shape's translation. `relations` are those of which each may be a late-binding view, schema and name."""

    parsed: Parsed
    postgres: tuple[_Pieces, ...]
    relations: tuple[tuple[_Pieces, _Pieces], ...]

    def filled(self, values: Sequence[str], sql: str) -> Parsed:
        """Return the statement of a text of this shape."""
        postgres = tuple(_joined(pieces, values) for pieces in self.postgres)
        relations = tuple((_joined(schema, values), _joined(name, values)) for schema, name in self.relations)
        return replace(self.parsed, statement=Rendered(postgres, relations, sql))


def _read_shape(sql: str) -> _Shape | None:
    """Return the shape of a text; None where it is not sure to be read the same way by sqlglot."""
    if len(sql) > MAX_CHARACTERS or _LIKE_A_MARK.search(sql):
        return None
    values: list[str] = []
    names: dict[str, int] = {}
    pieces: list[str] = []
    end = 0
    for found in _TOKEN.finditer(sql):
        kind = found.lastgroup
        if kind == "ambiguous":
            return None
        if kind is None:
            continue
        pieces.append(sql[end : found.start()])
        end = found.end()
        if kind != "comment":
            number = len(values)
            if kind == "name":
                number = names.setdefault(found[kind], number)
            if number == len(values):
                values.append(found[kind])
            pieces.append(f"\0{kind}{number}\0")
    marked = "".join((*pieces, sql[end:]))
    folded = marked.lower() if names else ""
    # A name may also be there without its quotes.
    return None if any(name in folded for name in names) else _Shape(marked, tuple(values))


def _template_of(shape: _Shape) -> Template | None:
    """Return the translation for a shape and those of its literals whose content matters; None where there is none."""
    free = _free_marks(shape.marked)
    if free is None:
        return None

    def kept(mark: re.Match[str]) -> str:
        number = int(mark[2])
        value = shape.values[number]
        if len(value.encode()) <= free.get(number, -1):
            return mark[0]
        return f"'{value}'" if mark[1] == "text" else value

    try:
        return translated_shape(_MARK.sub(kept, shape.marked))
    except Refused:
        # To be refused once more, at the place where the text itself is wrong.
        return None


@lru_cache(_KEPT)
def _free_marks(marked: str) -> Mapping[int, int] | None:
    """Return the marks that may stand for anything, each with its most bytes; None for what is parsed each time."""
    try:
        parsed = _parsed(marked)
    except Refused:
        return None
    names = {int(mark[2]): MAX_CHARACTERS for mark in _MARK.finditer(marked) if mark[1] == "name"}
    match parsed.statement:
        case Query(tree) | CreateTableAs(_, tree, _):
            return names | _free_literals(tree)
        case Fixed():
            return names
        case _:
            return None


def _free_literals(tree: exp.Expr) -> dict[int, int]:
    most_bytes: dict[int, int] = {}
    for literal in tree.find_all(exp.Literal):
        found = _STAND_IN.search(f"'{literal.name}'" if literal.is_string else literal.name)
        if found is not None:
            number = _number(found)
            most_bytes[number] = min(_most_bytes(literal), most_bytes.get(number, MAX_CHARACTERS))
    return most_bytes


def _most_bytes(literal: exp.Literal) -> int:
    """Return how long a literal in this place may be without another translation; -1 where its content matters."""
    match literal.parent:
        case exp.Cast(to=exp.DataType() as to):
            # A text that the type has no room for is cut by a function.
            length = _LENGTH.fullmatch(str(to.args.get("kind")))
            return int(length[1]) if length else MAX_CHARACTERS
        case parent:
            return MAX_CHARACTERS if isinstance(parent, _CONTENT_NEVER_MATTERS) else -1


@lru_cache(_KEPT)
def translated_shape(marked: str) -> Template:
    """Return the translation of a shape, before any relation in it is a late-binding view."""
    parsed = _parsed(marked)
    relations: dict[tuple[str, str], None] = {}

    def find_view(schema: str, name: str) -> None:
        relations[schema, name] = None

    # The names of more bytes than PostgreSQL takes are left to whoever translates the filled statement.
    statements = to_postgres(replace(parsed, long_names={}), find_view)
    return Template(
        replace(parsed, statement=Fixed(())),
        tuple(_cut(statement) for statement in statements),
        tuple((_cut(schema), _cut(name)) for schema, name in relations),
    )


@lru_cache(16)
def _parsed(marked: str) -> Parsed:
    """Parse a shape, with names and literals for its marks; cached for who asks for one twice in succession."""
    return parse_text(_MARK.sub(lambda mark: _STAND_INS[mark[1]].format(mark[2]), marked))


def _cut(text: str) -> _Pieces:
    pieces: list[str | int] = []
    end = 0
    for found in _STAND_IN.finditer(text):
        pieces += (text[end : found.start()], _number(found))
        end = found.end()
    return (*pieces, text[end:])


def _number(stand_in: re.Match[str]) -> int:
    return int(stand_in[stand_in.lastindex or 0])


def _joined(pieces: _Pieces, values: Sequence[str]) -> str:
    return "".join(piece if isinstance(piece, str) else values[piece] for piece in pieces)

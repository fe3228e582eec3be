"""CREATE TABLE in its three forms: columns, LIKE, and AS."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from framework.sandbox.redshift_sql.column_types import SqlType, read_type
from framework.sandbox.redshift_sql.comparisons import ignore_trailing_blanks
from framework.sandbox.redshift_sql.dialect import generate, parse_value
from framework.sandbox.redshift_sql.functions import rewrite_functions
from framework.sandbox.redshift_sql.parsed import CreateTableAs, Parsed, fixed
from framework.sandbox.redshift_sql.permitted import check_permitted
from framework.sandbox.redshift_sql.postgres_text import RelationName, fold, quote_name, quote_names
from framework.sandbox.redshift_sql.query import parse_query
from framework.sandbox.redshift_sql.reader import Reader
from framework.sandbox.redshift_sql.refusal import Refused, not_supported
from framework.sandbox.redshift_sql.table_design import Key, TableDesign, read_attributes, read_encoding
from framework.sandbox.redshift_sql.word_set import word_set

_COLUMN_WORDS = (
    *("not", "null", "default", "encode", "distkey", "sortkey", "primary", "unique", "references", "identity"),
    *("generated", "collate", "check", "constraint"),
)
_SYSTEM_COLUMNS = word_set("oid tableoid xmin cmin xmax cmax ctid")


@dataclass
class ColumnDefinition:
    """One column, collected while it is read."""

    name: str
    type: SqlType
    not_null: bool = False
    default: str | None = None
    attributes: list[str] = field(default_factory=list)

    def sql(self, ordinal: int | None) -> str:
        """The column for PostgreSQL; with its ordinal, with the check of its length in bytes."""
        parts = [quote_name(self.name), self.type.sql]
        if self.default is not None:
            parts.append(f"default {self.default}")
        if self.not_null:
            parts.append("not null")
        if self.type.is_text and ordinal is not None:
            name = quote_name(f"bytes_{ordinal}_{self.type.error_name}")
            parts.append(f"constraint {name} check (octet_length({quote_name(self.name)}) <= {self.type.length_bytes})")
        return " ".join(parts)


@dataclass(frozen=True)
class _Head:
    table: RelationName
    temporary: bool
    if_not_exists: bool

    @property
    def sql(self) -> str:
        words = f"create {'temporary ' if self.temporary else ''}table {'if not exists ' if self.if_not_exists else ''}"
        return words + self.table.sql


def parse_create_table(reader: Reader) -> Parsed:
    """Parse what follows CREATE."""
    reader.cuts_names = True
    head = _read_head(reader)
    if reader.accept_mark("("):
        if reader.sees("like"):
            return _read_like(reader, head)
        if not _is_name_list(reader):
            return _read_columns(reader, head)
        reader.place -= 1
        return _read_as(reader, head, reader.names())
    return _read_as(reader, head, ())


def _read_head(reader: Reader) -> _Head:
    temporary = reader.accept("local", "temporary") or reader.accept("local", "temp")
    temporary = temporary or reader.accept("temporary") or reader.accept("temp")
    reader.expect("table")
    if_not_exists = reader.accept("if", "not", "exists")
    table = reader.relation()
    temporary = temporary or table.is_temporary
    if temporary and table.schema is not None:
        raise Refused("cannot create temporary relation in non-temporary schema", "42P16")
    return _Head(table if temporary else table.for_creation(), temporary, if_not_exists)


def _is_name_list(reader: Reader) -> bool:
    start = reader.place
    reader.name()
    found = reader.accept_mark(",") or reader.accept_mark(")")
    reader.place = start
    return found


def _read_columns(reader: Reader, head: _Head) -> Parsed:
    design = TableDesign()
    columns: list[ColumnDefinition] = []
    while True:
        key = _read_table_key(reader)
        if key is not None:
            design.keys.append(key)
        else:
            columns.append(_read_table_column(reader, design))
        if not reader.accept_mark(","):
            break
    reader.expect_mark(")")
    read_attributes(reader, design)
    reader.expect_end()
    design.check(tuple(column.name for column in columns))
    _forbid_null_keys(columns, design)
    elements = ", ".join(column.sql(ordinal) for ordinal, column in enumerate(columns, 1))
    return fixed("CREATE TABLE", f"{head.sql} ({elements})", design.record(head.table))


def _forbid_null_keys(columns: list[ColumnDefinition], design: TableDesign) -> None:
    primary = {name for key in design.keys if key.kind == "PRIMARY KEY" for name in key.columns}
    for column in columns:
        column.not_null = column.not_null or column.name in primary


def _read_table_key(reader: Reader) -> Key | None:
    name = reader.name() if reader.accept("constraint") else None
    if reader.accept("primary", "key"):
        return Key("PRIMARY KEY", reader.names(), name)
    if reader.accept("unique"):
        return Key("UNIQUE", reader.names(), name)
    if reader.accept("foreign", "key"):
        columns = reader.names()
        reader.expect("references")
        return Key("FOREIGN KEY", columns, name, _read_referenced(reader))
    if reader.sees("check"):
        raise not_supported("CHECK")
    if reader.sees("like"):
        raise not_supported("LIKE beside other columns")
    if name is not None:
        raise reader.error()
    return None


def _read_referenced(reader: Reader) -> RelationName:
    table = reader.relation()
    if reader.accept_mark("("):
        reader.place -= 1
        reader.names()
    return table


def _read_table_column(reader: Reader, design: TableDesign) -> ColumnDefinition:
    column = read_column(reader)
    for attribute in column.attributes:
        word, _, rest = attribute.partition(" ")
        match word:
            case "distkey":
                design.distkey = column.name
            case "sortkey":
                design.sortkey = (*design.sortkey, column.name)
            case "encode":
                design.encodings[column.name] = rest
            case "primary":
                design.keys.append(Key("PRIMARY KEY", (column.name,)))
            case _:
                design.keys.append(Key("UNIQUE", (column.name,)))
    if reader.accept("references"):
        design.keys.append(Key("FOREIGN KEY", (column.name,), None, _read_referenced(reader)))
    return column


def read_column(reader: Reader) -> ColumnDefinition:
    """Step over a column's name, type and attributes; REFERENCES is left where it stands."""
    column = ColumnDefinition(read_column_name(reader), read_type(reader))
    while _read_attribute(reader, column):
        pass
    return column


def read_column_name(reader: Reader) -> str:
    """Step over the name of a column that is to be."""
    name = reader.name()
    _check_no_system_column(name)
    return name


def _check_no_system_column(name: str) -> None:
    if name in _SYSTEM_COLUMNS:
        raise Refused(f'column name "{name}" conflicts with a system column name', "42701")


def _read_attribute(reader: Reader, column: ColumnDefinition) -> bool:
    if reader.accept("not", "null"):
        column.not_null = True
    elif reader.accept("default"):
        column.default = read_default(reader)
    elif reader.accept("encode"):
        column.attributes.append(f"encode {read_encoding(reader)}")
    elif reader.accept("distkey") or reader.accept("sortkey") or reader.accept("unique"):
        column.attributes.append(reader.tokens[reader.place - 1].text.lower())
    elif reader.accept("primary", "key"):
        column.attributes.append("primary")
    elif reader.sees("identity") or reader.sees("generated"):
        raise not_supported("IDENTITY")
    elif reader.sees("collate") or reader.sees("check"):
        raise not_supported(reader.word().upper())
    else:
        return reader.accept("null")
    return True


def read_default(reader: Reader) -> str:
    """Step over a column's default and return it for PostgreSQL, which refuses what is not constant."""
    tree = parse_value(reader.value_tokens(*_COLUMN_WORDS), reader.sql)
    check_permitted(tree)
    return generate(ignore_trailing_blanks(rewrite_functions(tree)))


def _read_like(reader: Reader, head: _Head) -> Parsed:
    reader.expect("like")
    parent = reader.relation()
    with_defaults = reader.accept("including", "defaults")
    if not with_defaults:
        reader.accept("excluding", "defaults")
    if reader.sees("including") or reader.sees("excluding"):
        raise reader.error()
    if not reader.accept_mark(")"):
        raise not_supported("LIKE beside other columns")
    reader.accept("backup", "yes")
    reader.accept("backup", "no")
    reader.expect_end()
    like = f"(like {parent.sql}{' including defaults' if with_defaults else ''})"
    return fixed(
        "CREATE TABLE",
        f"{head.sql} {like}",
        f"call pg_internal.record_like({head.table.regclass}, {parent.regclass})",
    )


def _read_as(reader: Reader, head: _Head, columns: tuple[str, ...]) -> Parsed:
    design = TableDesign()
    read_attributes(reader, design)
    if not reader.accept("as"):
        raise reader.error()
    if head.if_not_exists:
        # CREATE TABLE AS has no IF NOT EXISTS; Redshift stops at the AS.
        reader.place -= 1
        raise reader.error()
    query = parse_query(reader.rest(), reader.sql, into_table=True)
    for name in columns or (query.named_selects if isinstance(query, exp.Query) else ()):
        _check_no_system_column(fold(name))
    names = f" ({quote_names(columns)})" if columns else ""
    after = (
        f"call pg_internal.adopt_table({head.table.regclass})",
        design.record(head.table),
        # Source: https://docs.aws.amazon.com/redshift/latest/dg/r_CTAS_usage_notes.html (statistics are gathered)
        f"analyze {head.table.sql}",
    )
    statement = CreateTableAs(f"{head.sql}{names} as ", query, after)
    return Parsed("CREATE TABLE AS", False, None, False, None, None, statement)

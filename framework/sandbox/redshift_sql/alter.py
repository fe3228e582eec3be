"""ALTER TABLE, as far as Redshift goes and the engine needs it.

Source: https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
"""

from __future__ import annotations

from framework.sandbox.redshift_sql.column_types import read_type
from framework.sandbox.redshift_sql.parsed import Parsed, fixed
from framework.sandbox.redshift_sql.postgres_text import RelationName, quote_literal, quote_name
from framework.sandbox.redshift_sql.reader import Reader
from framework.sandbox.redshift_sql.refusal import Refused, not_supported
from framework.sandbox.redshift_sql.table_design import read_encoding
from framework.sandbox.redshift_sql.tables import ColumnDefinition, read_column, read_column_name

_KIND = "ALTER TABLE"
_NOT_SUPPORTED = ("append", "distkey", "diststyle", "sortkey", "compound", "encode", "row", "set")


def parse_alter_table(reader: Reader) -> Parsed:
    """Parse what follows ALTER TABLE."""
    reader.cuts_names = True
    table = reader.relation()
    if reader.accept("add"):
        return _add(reader, table)
    if reader.accept("drop"):
        return _drop(reader, table)
    if reader.accept("rename"):
        return _rename(reader, table)
    if reader.accept("alter"):
        return _alter(reader, table)
    if reader.accept("owner", "to"):
        return _end(reader, f"alter table {table.sql} owner to {quote_name(reader.name())}")
    _refuse_known(reader)
    raise reader.error()


def _refuse_known(reader: Reader) -> None:
    for word in _NOT_SUPPORTED:
        if reader.sees(word):
            raise not_supported(f"{_KIND} {word.upper()}")


def _end(reader: Reader, *postgres: str, barred: str | None = None) -> Parsed:
    reader.expect_end()
    return fixed(_KIND, *postgres, barred=barred)


def _add(reader: Reader, table: RelationName) -> Parsed:
    for word in ("constraint", "primary", "unique", "foreign"):
        if reader.sees(word):
            raise not_supported(f"{_KIND} ADD {word.upper()}")
    reader.accept("column")
    column = read_column(reader)
    encoding = _encoding_of_added(column)
    if column.not_null and column.default in (None, "NULL"):
        raise Refused("ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression")
    return _end(
        reader,
        f"alter table {table.sql} add column {column.sql(None)}",
        f"call pg_internal.column_added({table.regclass}, {quote_literal(column.name)}, {quote_literal(encoding)})",
    )


def _encoding_of_added(column: ColumnDefinition) -> str | None:
    encoding = None
    for attribute in column.attributes:
        word, _, rest = attribute.partition(" ")
        if word in ("primary", "unique"):
            raise Refused(
                "ALTER TABLE ADD COLUMN does not support columns defined with UNIQUE or PRIMARY KEY constraints"
            )
        if word in ("distkey", "sortkey"):
            raise Refused(f"ALTER TABLE ADD COLUMN does not support columns defined as {word.upper()}")
        encoding = rest
    return encoding


def _drop(reader: Reader, table: RelationName) -> Parsed:
    if reader.sees("constraint"):
        raise not_supported(f"{_KIND} DROP CONSTRAINT")
    reader.accept("column")
    name = reader.name()
    cascade = reader.accept("cascade")
    if not cascade:
        reader.accept("restrict")
    return _end(
        reader,
        f"call pg_internal.check_drop_column({table.regclass}, {quote_literal(name)}, {str(cascade).lower()})",
        f"alter table {table.sql} drop column {quote_name(name)}{' cascade' if cascade else ''}",
    )


def _rename(reader: Reader, table: RelationName) -> Parsed:
    if reader.accept("to"):
        return _end(reader, f"alter table {table.sql} rename to {quote_name(reader.name())}")
    reader.accept("column")
    old = reader.name()
    reader.expect("to")
    new = read_column_name(reader)
    return _end(reader, f"alter table {table.sql} rename column {quote_name(old)} to {quote_name(new)}")


def _alter(reader: Reader, table: RelationName) -> Parsed:
    if not reader.accept("column"):
        _refuse_known(reader)
    name = reader.name()
    if reader.accept("type"):
        return _alter_type(reader, table, name)
    if reader.accept("encode"):
        encoding = read_encoding(reader)
        return _end(
            reader,
            f"call pg_internal.alter_encoding({table.regclass}, {quote_literal(name)}, {quote_literal(encoding)})",
        )
    for action in ("set", "drop"):
        if reader.accept(action, "default"):
            raise Refused("ALTER COLUMN SET/DROP DEFAULT is not supported")
        if reader.accept(action, "not", "null"):
            raise Refused("ALTER COLUMN SET/DROP NOT NULL is not supported")
    raise reader.error()


def _alter_type(reader: Reader, table: RelationName, name: str) -> Parsed:
    wanted = read_type(reader)
    if reader.sees("using"):
        raise Refused("ALTER TABLE ALTER COLUMN does not support USING expression")
    length = wanted.length_bytes if wanted.name == "varchar" else None
    return _end(
        reader,
        f"call pg_internal.alter_varchar({table.regclass}, {quote_literal(name)}, {length or 'null'})",
        barred="ALTER TABLE ALTER COLUMN",
    )

"""The table a COPY fills: its columns as PostgreSQL's catalog has them, and which of them are loaded."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from framework.sandbox.data_api.sessions import Connection
from framework.sandbox.redshift_sql import CopyParquet, Refused

_COLUMNS = """
    select a.attname, t.typname, a.atttypmod, a.attnotnull, a.atthasdef, a.attidentity <> ''
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid
    join pg_catalog.pg_type t on t.oid = a.atttypid
    where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p')
    order by a.attnum
"""
# A system column's row in the catalog is written when the table is created, and never again.
_IS_NEW = """
    select exists (
        select 1
        from pg_catalog.pg_attribute
        where attrelid = to_regclass(%s) and attname = 'ctid' and xmin = pg_current_xact_id()::xid
    )
"""
_HEADER_BYTES = 4


@dataclass(frozen=True)
class TargetColumn:
    """One column. `type_name` is PostgreSQL's short name, `modifier` its packed length or precision."""

    name: str
    type_name: str
    modifier: int = -1
    not_null: bool = False
    has_default: bool = False
    is_identity: bool = False

    @property
    def length_bytes(self) -> int:
        """The length of VARCHAR and CHAR."""
        return self.modifier - _HEADER_BYTES

    @property
    def precision(self) -> int:
        """The digits of DECIMAL."""
        return (self.modifier - _HEADER_BYTES) >> 16 & 0xFFFF

    @property
    def scale(self) -> int:
        """The digits of DECIMAL after the point."""
        return (self.modifier - _HEADER_BYTES) & 0x7FF


@dataclass(frozen=True)
class TargetTable:
    """A table and the columns that the file's go to, in the file's order.

    `is_new`: the transaction that is under way has created it.
    """

    name: sql.Identifier
    columns: tuple[TargetColumn, ...]
    is_new: bool


def read_target(connection: Connection, copy: CopyParquet) -> TargetTable:
    """Return the target of a COPY as the statement's own transaction sees it.

    Without a column list all columns are loaded but IDENTITY.

    Raises:
        Refused: there is no such table or column, or a column that must be listed is not.
    """
    names = (copy.table,) if copy.schema is None else (copy.schema, copy.table)
    identifier = sql.Identifier(*names)
    rows = connection.execute(_COLUMNS, (identifier.as_string(connection),)).fetchall()
    if not rows:
        raise Refused(f'relation "{".".join(names)}" does not exist', "42P01")
    columns = [_read_column(row) for row in rows]
    is_new = connection.execute(_IS_NEW, (identifier.as_string(connection),)).fetchone() == (True,)
    return TargetTable(identifier, _listed_columns(copy, columns), is_new)


def _read_column(row: tuple[object, ...]) -> TargetColumn:
    name, type_name, modifier, not_null, has_default, is_identity = row
    return TargetColumn(
        str(name), str(type_name), int(str(modifier)), bool(not_null), bool(has_default), bool(is_identity)
    )


def _listed_columns(copy: CopyParquet, columns: list[TargetColumn]) -> tuple[TargetColumn, ...]:
    if copy.columns is None:
        return tuple(column for column in columns if not column.is_identity)
    by_name = {column.name: column for column in columns}
    for name in copy.columns:
        if name not in by_name:
            raise Refused(f'column "{name}" of relation "{copy.table}" does not exist', "42703")
        if copy.columns.count(name) > 1:
            raise Refused(f'column "{name}" specified more than once', "42701")
        if by_name[name].is_identity:
            raise Refused(f'cannot set an identity column "{name}" without EXPLICIT_IDS', "0A000")
    for column in columns:
        if column.name not in copy.columns and column.not_null and not (column.has_default or column.is_identity):
            raise Refused("NOT NULL column without DEFAULT must be included in column list", "42601")
    return tuple(by_name[name] for name in copy.columns)

"""One session of Redshift on one connection: its statements, and the transaction they are in.

In a batch there is always a transaction: the first statement begins it, COMMIT and TRUNCATE end it and
the next statement begins another. A single statement commits by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from psycopg import Cursor
from psycopg.pq import TransactionStatus

from framework.sandbox import redshift_sql
from framework.sandbox.data_api.results import ColumnOrigin, ResultColumn, columns_of, origin_tables, result_set
from framework.sandbox.data_api.sessions import Connection
from framework.sandbox.data_api.statement import Outcome

FindView = Callable[[str, str], str | None]
LoadParquet = Callable[[Connection, redshift_sql.CopyParquet], int]
Origins = dict[tuple[int, int], ColumnOrigin]
"""By the oid of a relation and the number of a column in it."""

_ORIGINS = """
    select c.oid, a.attnum, n.nspname, c.relname, not a.attnotnull
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    where c.oid = any(%s::oid[])
"""
_SYSTEM_SCHEMAS = ("pg_catalog", "pg_internal", "pg_sandbox")
"""Nobody changes the relations in them while the database is served."""


@dataclass(frozen=True)
class Session:
    """A connection with what its statements need. `is_batch`: they share a transaction.

    `find_long_names` gives names by what PostgreSQL calls them, `long_names` has those of the statements so far, and
    `found_views` the late-binding views that the open transaction has asked for, None where there is none.
    `system_origins` has the columns of catalogs and system views, by relation, as far as a session has asked for them.
    """

    connection: Connection
    is_batch: bool
    find_late_binding_view: FindView
    load_parquet: LoadParquet
    find_long_names: Callable[[list[str]], dict[str, str]]
    long_names: dict[str, str] = field(default_factory=dict)
    found_views: dict[tuple[str, str], str | None] = field(default_factory=dict)
    system_origins: dict[int, Origins] = field(default_factory=dict)

    def execute(self, sql: str) -> Outcome:
        """Run one statement of Redshift and return what it gave.

        Raises:
            Refused: Redshift would not run it, or the sandbox cannot.
            psycopg.Error: PostgreSQL did not run it.
            ResultTooLarge: the API could not hand over its rows.
        """
        parsed = redshift_sql.parse(sql)
        self.long_names.update(parsed.long_names)
        if self.is_batch and parsed.barred_in_transaction is not None:
            text = f"{parsed.barred_in_transaction} cannot run inside a transaction block"
            raise redshift_sql.Refused(text, "25001")
        if parsed.transaction_control is not None:
            return self._control(parsed.transaction_control)
        if self.is_batch:
            self._begin()
        elif parsed.kind == "LOCK":
            raise redshift_sql.Refused("LOCK TABLE can only be used in transaction blocks", "25P01")
        outcome = self._copy(parsed.copy) if parsed.copy is not None else self._run(parsed)
        if parsed.commits:
            self.commit()
        return outcome

    def shown(self, text: str) -> str:
        """Return a text of PostgreSQL's with the names that Redshift would have in it."""
        hashes = redshift_sql.hashes_of(text)
        if not hashes:
            return text
        return redshift_sql.with_long_names(text, self.find_long_names(hashes) | self.long_names)

    def commit(self) -> None:
        """Commit the open transaction, if there is one."""
        self._end("commit")

    def rollback(self) -> None:
        """Roll back the open transaction, if there is one and the connection still stands."""
        if not self.connection.closed:
            self._end("rollback")

    def _control(self, command: str) -> Outcome:
        match command:
            case "BEGIN":
                self._begin()
            case "COMMIT":
                self.commit()
            case "ROLLBACK":
                self.rollback()
            case _:
                raise ValueError(f"unknown transaction command {command!r}")
        return Outcome()

    def _run(self, parsed: redshift_sql.Parsed) -> Outcome:
        statements = redshift_sql.to_postgres(parsed, self._find_view)
        if not statements:
            return Outcome()
        if len(statements) == 1:
            return self._run_all(parsed, statements)
        with self._atomically():
            return self._run_all(parsed, statements)

    def _find_view(self, schema: str, name: str) -> str | None:
        if (schema, name) not in self.found_views:
            self.found_views[schema, name] = self.find_late_binding_view(schema, name)
        return self.found_views[schema, name]

    def _run_all(self, parsed: redshift_sql.Parsed, statements: tuple[str, ...]) -> Outcome:
        for statement in statements[:-1]:
            self.connection.execute(statement.encode())
        cursor = self.connection.execute(statements[-1].encode())
        if not parsed.returns_rows:
            return Outcome(rows=-1 if cursor.description else cursor.rowcount)
        return self._outcome_of(cursor)

    def _outcome_of(self, cursor: Cursor[tuple[object, ...]]) -> Outcome:
        raw = cursor.pgresult
        if raw is None:
            return Outcome()
        columns = columns_of(raw, self._origins(origin_tables(raw)))
        return Outcome(raw.ntuples, result_set(raw, self._shown_columns(columns)))

    def _shown_columns(self, columns: tuple[ResultColumn, ...]) -> tuple[ResultColumn, ...]:
        names = iter(self.shown("\0".join(f"{c.name}\0{c.schema}\0{c.table}" for c in columns)).split("\0"))
        return tuple(replace(c, name=next(names), schema=next(names), table=next(names)) for c in columns)

    def _origins(self, tables: list[int]) -> Origins:
        found = {table: self.system_origins.get(table, {}) for table in tables}
        asked = [table for table, origins in found.items() if not origins]
        for oid, number, schema, table, nullable in self.connection.execute(_ORIGINS, (asked,)) if asked else ():
            place = int(str(oid)), int(str(number))
            found[place[0]][place] = ColumnOrigin(str(schema), str(table), bool(nullable))
        origins = {place: origin for columns in found.values() for place, origin in columns.items()}
        for table in asked:
            if all(origin.schema in _SYSTEM_SCHEMAS for origin in found[table].values()):
                self.system_origins[table] = found[table]
        return origins

    def _copy(self, copy: redshift_sql.CopyParquet) -> Outcome:
        with self._atomically():
            return Outcome(self.load_parquet(self.connection, copy))

    def _atomically(self) -> AbstractContextManager[object]:
        return nullcontext() if self.is_batch else self.connection.transaction()

    def _begin(self) -> None:
        if self.connection.info.transaction_status == TransactionStatus.IDLE:
            self.connection.execute("begin")

    def _end(self, command: str) -> None:
        self.found_views.clear()
        if self.connection.info.transaction_status != TransactionStatus.IDLE:
            self.connection.execute(command.encode())

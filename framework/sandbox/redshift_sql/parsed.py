"""Parsed statements as values: what the Data API must know of one, and what PostgreSQL runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlglot import exp

from framework.sandbox.redshift_sql.postgres_text import RelationName

TransactionControl = Literal["BEGIN", "COMMIT", "ROLLBACK"]


@dataclass(frozen=True)
class CopyParquet:
    """A COPY from Parquet files, which the Data API runs itself.

    `columns` is None where the statement lists none. `iam_role` is an ARN or `default`.
    `options` are the other accepted ones, in capitals, such as FILLRECORD.
    """

    schema: str | None
    table: str
    columns: tuple[str, ...] | None
    url: str
    manifest: bool
    iam_role: str
    options: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Fixed:
    """Statements whose PostgreSQL text depends on nothing but their own text."""

    postgres: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """A SELECT, or a DELETE, INSERT or UPDATE with what it reads."""

    tree: exp.Expr


@dataclass(frozen=True)
class CreateTableAs:
    """CREATE TABLE AS: `head` ends in AS; `after` records the design of `table`."""

    head: str
    query: exp.Expr
    after: tuple[str, ...]


@dataclass(frozen=True)
class CreateView:
    """CREATE VIEW; `text` is the SELECT as it was written, `statement` the whole."""

    view: RelationName
    query: exp.Expr
    columns: tuple[str, ...]
    replace: bool
    late_binding: bool
    text: str
    statement: str


@dataclass(frozen=True)
class Rendered:
    """The translation of `text` as long as none of the relations, by schema and name, is a late-binding view."""

    postgres: tuple[str, ...]
    relations: tuple[tuple[str, str], ...]
    text: str


Statement = Fixed | Query | CreateTableAs | CreateView | CopyParquet | Rendered


@dataclass(frozen=True)
class Parsed:
    """One statement.

    `barred_in_transaction` names what Redshift refuses to run inside a transaction block;
    `commits` is true where the statement commits what precedes it. A statement with
    `transaction_control`, or of kind COPY, has no PostgreSQL text. LOCK, by its kind, runs only
    inside a transaction block. `long_names` are the names in it that PostgreSQL knows by another one,
    by that one.
    """

    kind: str
    returns_rows: bool
    barred_in_transaction: str | None
    commits: bool
    transaction_control: TransactionControl | None
    copy: CopyParquet | None
    statement: Statement
    long_names: Mapping[str, str] = field(default_factory=dict)


def fixed(kind: str, *postgres: str, barred: str | None = None, commits: bool = False) -> Parsed:
    """Return a statement without rows that is the same PostgreSQL text whenever it runs."""
    return Parsed(kind, False, barred, commits, None, None, Fixed(postgres))

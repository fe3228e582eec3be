"""Names and values as SQL text; the only code that quotes identifiers and literals."""

from __future__ import annotations

import hashlib

from framework.dataclass import dataclass

MAX_NAME_BYTES = 127
"""Source: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html"""


@dataclass(frozen=True, order=True)
class TableName:
    """The schema-qualified name of a table or view, as Redshift stores it: lower case."""

    schema: str
    name: str

    @property
    def sql(self) -> str:
        """The name quoted for a statement."""
        return f"{identifier(self.schema)}.{identifier(self.name)}"

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, order=True)
class TemporaryTable:
    """A temp table: it belongs to a session, and no schema may qualify it."""

    name: str

    @property
    def sql(self) -> str:
        """The name quoted for a statement."""
        return identifier(self.name)

    def __str__(self) -> str:
        return self.name


StagingTable = TableName | TemporaryTable
"""The table that COPY fills for one load."""


def identifier(name: str) -> str:
    """Quote a name so that it stays one name whatever characters it holds.

    Raises:
        ValueError: the name is empty, holds NUL, or has more than 127 bytes, which
            Redshift would cut silently.
    """
    if not name or "\0" in name:
        raise ValueError(f"{name!r} cannot be a name in Redshift")
    if len(name.encode("utf-8")) > MAX_NAME_BYTES:
        raise ValueError(f"{name!r} has more than {MAX_NAME_BYTES} bytes, the limit for a name")
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | int | None) -> str:
    """Write a value as a SQL literal; None is `null`.

    Backslash is an escape character in every Redshift literal, so it is doubled like the
    quote.

    Raises:
        ValueError: the text holds NUL, which Redshift cannot store, or a lone surrogate.
    """
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    if "\0" in value:
        raise ValueError("a SQL literal cannot contain a NUL character")
    value.encode("utf-8")
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def ledger_table(control_schema: str, target: TableName) -> TableName:
    """Return the ledger of one target: one row per file identity loaded into it."""
    digest = hashlib.sha256(str(target).encode("utf-8")).hexdigest()[:12]
    return TableName(control_schema, f"ledger_{digest}")


def staging_table(control_schema: str, run_id: str) -> TableName:
    """Return the staging table of a load whose COPY and merge are two submissions."""
    return TableName(control_schema, f"stage_{run_id}")


def temporary_staging_table(run_id: str) -> TemporaryTable:
    """Return the staging table of a load in one submission; the run_id is in it because sessions are pooled."""
    return TemporaryTable(f"feedway_stage_{run_id}")


def statement_name(pipeline: str, run_id: str, step: str) -> str:
    """Return the StatementName that identifies a run's statements."""
    return f"feedway/{pipeline}/{run_id}/{step}"

"""The staging table and its COPY, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from framework.column_type import ColumnType, Kind
from framework.names import TableName
from framework.plan.statements import Statement, Transaction
from framework.schema.staging import StagingPlan
from framework.schema.table import ObservedTable


@dataclass(frozen=True)
class StagingTableColumn:
    """A column of the staging table; always nullable.

    `copied_as` is another name and type for what the staging files hold of a TIMESTAMPTZ: the time
    in UTC. Nothing says that COPY takes such a column from Parquet.
    """

    name: str
    type_sql: str
    copied_as: StagingTableColumn | None = None


def staging_columns(plan: StagingPlan, table: ObservedTable | None) -> tuple[StagingTableColumn, ...]:
    """Return the staging table's columns: each has the type its column in the target then has."""
    types: dict[str, ColumnType] = {column.name: column.type for column in plan.columns}
    types |= {new.name: new.type for new in plan.new_columns}
    if table is not None:
        types |= {column.name: column.type for column in table.columns if column.type and column.name in types}
    types |= {widening.name: widening.wanted for widening in plan.widenings}
    return tuple(_column(column.name, types[column.name], frozenset(types)) for column in plan.columns)


def _column(name: str, column_type: ColumnType, taken: frozenset[str]) -> StagingTableColumn:
    if column_type.kind is not Kind.TIMESTAMPTZ:
        return StagingTableColumn(name, column_type.sql)
    utc = f"feedway_utc_{sorted(taken).index(name)}"
    while utc in taken:
        utc += "_"
    return StagingTableColumn(name, column_type.sql, StagingTableColumn(utc, ColumnType(Kind.TIMESTAMP).sql))


def plan_copy(
    staging: TableName, columns: Sequence[StagingTableColumn], manifest_url: str | None, copy_role: str
) -> Transaction:
    """Return the staging table's creation and, where there are staging files, its COPY."""
    copied = tuple(column.copied_as for column in columns if column.copied_as is not None)
    statements = [
        # There is one only where this very transaction was committed and its end was told as a lost connection.
        Statement("drop_tables", {"tables": (staging.sql,)}),
        Statement("create_staging_table", {"table": staging, "columns": (*columns, *copied)}),
    ]
    if manifest_url is not None:
        names = tuple((column.copied_as or column).name for column in columns)
        values = {"table": staging, "columns": names, "manifest_url": manifest_url, "copy_role": copy_role}
        statements.append(Statement("copy_staging", values))
    if manifest_url is not None and copied:
        zoned = [(column.name, column.copied_as.name) for column in columns if column.copied_as is not None]
        statements.append(Statement("set_time_zone", {"staging": staging, "columns": zoned}))
    return Transaction("copy", tuple(statements))


def manifest(files: Mapping[str, int]) -> str:
    """Return the manifest of staging files, given by address and size in bytes.

    Each entry is mandatory: Redshift's default skips a missing file. `content_length` is required
    for Parquet.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
    """
    entries = [{"url": url, "mandatory": True, "meta": {"content_length": size}} for url, size in sorted(files.items())]
    return json.dumps({"entries": entries})

"""The staging table and its COPY, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from framework.column_type import ColumnType
from framework.names import TableName
from framework.plan.statements import Statement, Transaction
from framework.schema.staging import StagingPlan
from framework.schema.table import ObservedTable


@dataclass(frozen=True)
class StagingTableColumn:
    """A column of the staging table; always nullable."""

    name: str
    type_sql: str


def staging_columns(plan: StagingPlan, table: ObservedTable | None) -> tuple[StagingTableColumn, ...]:
    """Return the staging table's columns: each has the type its column in the target then has."""
    types: dict[str, ColumnType] = {column.name: column.type for column in plan.columns}
    types |= {new.name: new.type for new in plan.new_columns}
    if table is not None:
        types |= {column.name: column.type for column in table.columns if column.type and column.name in types}
    types |= {widening.name: widening.wanted for widening in plan.widenings}
    return tuple(StagingTableColumn(column.name, types[column.name].sql) for column in plan.columns)


def plan_copy(
    staging: TableName, columns: Sequence[StagingTableColumn], manifest_url: str | None, copy_role: str
) -> Transaction:
    """Return the staging table's creation and, where there are staging files, its COPY."""
    statements = [
        # There is one only where this very transaction was committed and its end was told as a lost connection.
        Statement("drop_tables", {"tables": (staging.sql,)}),
        Statement("create_staging_table", {"table": staging, "columns": tuple(columns)}),
    ]
    if manifest_url is not None:
        names = tuple(column.name for column in columns)
        values = {"table": staging, "columns": names, "manifest_url": manifest_url, "copy_role": copy_role}
        statements.append(Statement("copy_staging", values))
    return Transaction("copy", tuple(statements))


def manifest(files: Mapping[str, int]) -> str:
    """Return the manifest of staging files, given by address and size in bytes.

    Each entry is mandatory: Redshift's default skips a missing file. `content_length` is required
    for Parquet.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
    """
    entries = [{"url": url, "mandatory": True, "meta": {"content_length": size}} for url, size in sorted(files.items())]
    return json.dumps({"entries": entries})

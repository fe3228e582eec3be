"""The staging table and its COPY, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from framework.model.column_type import ColumnType, Kind
from framework.model.names import TableName
from framework.plan.columns import PlannedColumn
from framework.plan.steps import Statement, Transaction


def plan_copy(
    staging: TableName, columns: Sequence[PlannedColumn], manifest_url: str | None, copy_role: str
) -> Transaction:
    """Return the staging table's creation and, where there are staging files, its COPY.

    The staging files hold a TIMESTAMPTZ as the time in UTC, which is copied into a column of its own: Redshift's
    documentation does not say that COPY takes such a column from Parquet.
    """
    utc = _utc_columns(columns)
    types = {column.name: column.target_type for column in columns}
    types |= dict.fromkeys(utc.values(), ColumnType(Kind.TIMESTAMP))
    statements = [
        # It exists only where this transaction was committed but reported as a lost connection.
        Statement("drop_tables", {"tables": (staging.sql,)}),
        Statement("create_staging_table", {"table": staging, "columns": tuple(types.items())}),
    ]
    if manifest_url is not None:
        names = tuple(utc.get(column.name, column.name) for column in columns)
        values = {"table": staging, "columns": names, "manifest_url": manifest_url, "copy_role": copy_role}
        statements.append(Statement("copy_staging", values))
    if manifest_url is not None and utc:
        statements.append(Statement("set_time_zone", {"staging": staging, "columns": list(utc.items())}))
    return Transaction("copy", tuple(statements), leaves=staging)


def _utc_columns(columns: Sequence[PlannedColumn]) -> dict[str, str]:
    """Return the name of the column that takes the time in UTC, by the name of each TIMESTAMPTZ column."""
    taken = sorted(column.name for column in columns)
    names = {}
    for column in columns:
        if column.target_type.kind is Kind.TIMESTAMPTZ:
            name = f"feedway_utc_{taken.index(column.name)}"
            while name in taken:
                name += "_"
            names[column.name] = name
    return names


def manifest(files: Mapping[str, int]) -> str:
    """Return the manifest of staging files, given by address and size in bytes.

    Each entry is mandatory: Redshift's default skips a missing file. `content_length` is required
    for Parquet.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
    """
    entries = [{"url": url, "mandatory": True, "meta": {"content_length": size}} for url, size in sorted(files.items())]
    return json.dumps({"entries": entries})

"""The staging table and its COPY, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from framework.model.column_type import ColumnType, Kind, varchar
from framework.model.names import TableName
from framework.plan.columns import PlannedColumn, UnloadableColumn
from framework.plan.steps import Statement, Transaction


def plan_copy(
    staging: TableName,
    columns: Sequence[PlannedColumn],
    kept: Sequence[UnloadableColumn],
    manifest_url: str | None,
    copy_role: str,
) -> Transaction:
    """Return the staging table's creation and, where there are staging files, its COPY.

    The staging files hold a TIMESTAMPTZ as the time in UTC and a TIME as text, which are copied into columns of their
    own: Redshift's documentation does not say that COPY takes such columns from Parquet. `kept` are in no staging file.
    """
    apart = _copied_apart(columns, [*(column.name for column in columns), *(column.name for column in kept)])
    types = {column.name: column.target_type.sql for column in columns}
    types |= {column.name: column.type_text for column in kept}
    types |= {copied.name: copied.type.sql for copied in apart.values()}
    statements = [
        # It exists only where this transaction was committed but reported as a lost connection.
        Statement("drop_tables", {"tables": (staging.sql,)}),
        Statement("create_staging_table", {"table": staging, "columns": tuple(types.items())}),
    ]
    if manifest_url is not None:
        statements.append(
            Statement(
                "copy_staging",
                {
                    "table": staging,
                    "columns": tuple(
                        apart[column.name].name if column.name in apart else column.name for column in columns
                    ),
                    "manifest_url": manifest_url,
                    "copy_role": copy_role,
                    "has_super": any(column.target_type.kind is Kind.SUPER for column in columns),
                },
            )
        )
    if manifest_url is not None and apart:
        statements.append(_convert(staging, columns, apart))
    return Transaction("copy", tuple(statements), leaves=staging)


def staging_width(columns: Sequence[PlannedColumn], kept: Sequence[UnloadableColumn]) -> int:
    """Return how many columns the staging table has for those of the target."""
    return len(columns) + len(kept) + sum(column.target_type.kind in _COPIED_AS for column in columns)


@dataclass(frozen=True)
class _Copied:
    """A column that COPY fills in place of another."""

    name: str
    type: ColumnType


_COPIED_AS = {
    Kind.TIMESTAMPTZ: ("feedway_utc", ColumnType(Kind.TIMESTAMP)),
    Kind.TIME: ("feedway_text", varchar(len("12:00:00.123456"))),
}
"""The name and type of the column that COPY fills, by the kind of those that it does not."""


def _copied_apart(columns: Sequence[PlannedColumn], names: Sequence[str]) -> dict[str, _Copied]:
    """Return the column that COPY fills instead, by the name of each that it cannot fill; none of `names` is taken."""
    taken = sorted(names)
    found = {}
    for column in columns:
        if column.target_type.kind in _COPIED_AS:
            stem, copied_type = _COPIED_AS[column.target_type.kind]
            name = f"{stem}_{taken.index(column.name)}"
            while name in taken:
                name += "_"
            found[column.name] = _Copied(name, copied_type)
    return found


def _convert(staging: TableName, columns: Sequence[PlannedColumn], apart: Mapping[str, _Copied]) -> Statement:
    pairs = [(column, apart[column.name].name) for column in columns if column.name in apart]
    utc = [(column.name, copied) for column, copied in pairs if column.target_type.kind is Kind.TIMESTAMPTZ]
    texts = [
        (column.name, copied, column.target_type)
        for column, copied in pairs
        if column.target_type.kind is not Kind.TIMESTAMPTZ
    ]
    return Statement("convert_copied", {"staging": staging, "utc": utc, "texts": texts})


def manifest(files: Mapping[str, int]) -> str:
    """Return the manifest of staging files, given by address and size in bytes.

    Each entry is mandatory: Redshift's default skips a missing file. `content_length` is required
    for Parquet.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html
    """
    entries = [{"url": url, "mandatory": True, "meta": {"content_length": size}} for url, size in sorted(files.items())]
    return json.dumps({"entries": entries})

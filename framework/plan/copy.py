"""The staging table and its COPY."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from framework.dataclass import dataclass
from framework.errors import OnRefusal
from framework.model.column_type import ColumnType, Kind, varchar
from framework.model.names import StagingTable, TemporaryTable
from framework.plan.columns import PlannedColumn, UnloadableColumn
from framework.plan.steps import Statement


@dataclass(frozen=True)
class CopyInput:
    """The staging files of a load and the columns that they fill.

    `kept` are in no staging file. `distkey` is the target's distribution key where it is a key of the load, else None.
    `manifest_url` is None where there is no staging file.
    """

    columns: Sequence[PlannedColumn]
    kept: Sequence[UnloadableColumn]
    distkey: str | None
    manifest_url: str | None
    copy_role: str


def plan_copy(copy: CopyInput, staging: StagingTable, max_seconds: int | None = None) -> tuple[Statement, ...]:
    """Return the staging table's creation and, where there are staging files, its COPY, which may run `max_seconds`.

    The staging files hold a TIMESTAMPTZ as the time in UTC and a TIME as text, which are copied into columns of their
    own: Redshift's documentation does not say that COPY takes such columns from Parquet.
    """
    columns, kept = copy.columns, copy.kept
    apart = _copied_apart(columns, [*(column.name for column in columns), *(column.name for column in kept)])
    types = {column.name: column.target_type.sql for column in columns}
    types |= {column.name: column.type_text for column in kept}
    types |= {copied.name: copied.type.sql for copied in apart.values()}
    created = {
        "table": staging,
        "is_temporary": isinstance(staging, TemporaryTable),
        "columns": tuple(types.items()),
        "distkey": copy.distkey,
    }
    statements = [Statement("create_staging_table", created)]
    if copy.manifest_url is not None:
        statements.append(
            Statement(
                "copy_staging",
                {
                    "table": staging,
                    "columns": tuple(
                        apart[column.name].name if column.name in apart else column.name for column in columns
                    ),
                    "manifest_url": copy.manifest_url,
                    "copy_role": copy.copy_role,
                    "has_super": any(column.target_type.kind is Kind.SUPER for column in columns),
                },
                OnRefusal.NOT_COPIED,
                max_seconds=max_seconds,
            )
        )
    if copy.manifest_url is not None and apart:
        statements.append(_convert(staging, columns, apart))
    return tuple(statements)


def staging_width(columns: Sequence[PlannedColumn], kept: Sequence[UnloadableColumn]) -> int:
    """Return how many columns the staging table has for those of the target."""
    return len(columns) + len(kept) + sum(column.target_type.kind in _COPIED_AS for column in columns)


def filled_by(copied: str, columns: Sequence[PlannedColumn], kept: Sequence[UnloadableColumn]) -> str:
    """Return the column that is filled from a column of the staging table, which is the same but for those apart."""
    apart = _copied_apart(columns, [*(column.name for column in columns), *(column.name for column in kept)])
    return next((name for name, each in apart.items() if each.name == copied), copied)


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


def _convert(staging: StagingTable, columns: Sequence[PlannedColumn], apart: Mapping[str, _Copied]) -> Statement:
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

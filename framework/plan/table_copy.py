"""The copy of a table into a wider one that replaces it, because some of its columns cannot be replaced in place.

The copy has the table's design, rows, keys, privileges, comments and owner. One transaction fills it, counts its
rows, drops the table and renames the copy. If their statements do not fit it, the empty copy gets its privileges
and comments beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from framework.dataclass import dataclass
from framework.errors import OnRefusal, SchemaChangeError, Section
from framework.model.column_type import ColumnType, Kind
from framework.model.names import MAX_NAME_BYTES, TableName
from framework.model.observation import Observation, ObservedTable, TableColumn, TableDesign
from framework.plan.schema_changes import AddColumn, GrowVarchar, RewriteColumn, SchemaChange, kept_encoding
from framework.plan.steps import Statement, locks_readers
from framework.plan.views import hidden_privileges

_KEPT_TYPE = re.compile(r"geometry|geography|hllsketch|time with time zone|(?:binary varying|varbyte)\([0-9]+\)")
"""The types that no load writes, as the catalog spells them where it leaves nothing of them out."""


@dataclass(frozen=True)
class _CopiedColumn:
    """A column of the copy; `wider` is its type where it differs from the table's."""

    name: str
    type_text: str
    default: str | None
    nullable: bool
    encoding: str | None
    wider: ColumnType | None
    is_from_boolean: bool = False


def becomes_text(current: ColumnType | None, wanted: ColumnType | None) -> bool:
    """Return whether a change of type turns other values into text."""
    return current is not None and wanted is not None and wanted.is_text and not current.is_text


def successor_name(name: str, run_id: str) -> str:
    """Return the unique name of a wider copy until the transaction ends, cut to a legal length."""
    suffix = f"__feedway_{run_id[:8]}"
    cut = name.encode("utf-8")[: MAX_NAME_BYTES - len(suffix)].decode("utf-8", errors="ignore")
    return cut + suffix


def copy_table(target: TableName, run_id: str) -> TableName:
    """Return the table by which a run replaces its target; while it exists, the run has not done so."""
    return TableName(target.schema, successor_name(target.name, run_id))


def copy_statements(
    observed: Observation, changes: Sequence[SchemaChange], run_id: str
) -> tuple[list[Statement], list[Statement]]:
    """Return the statements that create an empty copy of the target, and those that replace the target by it.

    Raises:
        SchemaChangeError: the copy would lose a property of the table; the message names it.
    """
    table, design = observed.table, observed.design
    assert table is not None
    assert design is not None
    _refuse_what_would_be_lost(table, design)
    copy = copy_table(table.name, run_id)
    columns = [_copied(column, changes) for column in table.columns]
    added = [change.column for change in changes if isinstance(change, AddColumn)]
    both = {"table": table.name, "copy": copy}
    create = Statement(
        "create_wider_copy",
        {
            "table": copy,
            "columns": [
                *columns,
                *(_CopiedColumn(column.name, column.type.sql, None, True, None, None) for column in added),
            ],
            "keys": design.keys,
            "diststyle": design.diststyle,
            "distkey": next((column.name for column in table.columns if column.is_distkey), None),
            "sortkey": [column.name for column in sorted(table.columns, key=_sortkey) if column.sortkey],
        },
    )
    copied = [(column.name, column.wider, column.is_from_boolean) for column in columns]
    replacing = [
        Statement("copy_rows", {**both, "columns": copied}),
        Statement("check_copied_rows", {**both, "columns": [column.name for column in columns if column.wider]}),
        Statement("drop_copied_table", {"table": table.name}, OnRefusal.TABLE_IN_USE, locks_readers(table.name)),
        Statement("rename_table", {"table": copy, "new_name": table.name.name}),
    ]
    if not design.is_own:
        replacing.append(Statement("set_owner", {"relation": table.name, "owner": design.owner}))
    return [create, *_restore_design(observed, design, table.name, copy)], replacing


def _sortkey(column: TableColumn) -> int:
    return column.sortkey


def _copied(column: TableColumn, changes: Sequence[SchemaChange]) -> _CopiedColumn:
    type_text, wider, encoding, default = column.type_text, None, kept_encoding(column), column.default
    for change in changes:
        match change:
            case RewriteColumn(name=name) if name == column.name:
                type_text, wider, encoding = change.wanted.sql, change.wanted, change.encoding
                default = change.default
            case GrowVarchar(name=name) if name == column.name:
                # The column has grown before the copy is created.
                type_text = change.wanted.sql
            case _:
                continue
    is_from_boolean = becomes_text(column.type, wider) and column.type == ColumnType(Kind.BOOLEAN)
    return _CopiedColumn(column.name, type_text, default, column.nullable, encoding, wider, is_from_boolean)


def _restore_design(
    observed: Observation, design: TableDesign, table: TableName, copy: TableName
) -> Iterator[Statement]:
    for grant in design.grants:
        yield Statement("grant_on_relation", {"relation": copy, "grant": grant})
    for comment in observed.comments:
        if comment.relation != table:
            continue
        if comment.column is None:
            yield Statement("comment_on_table", {"table": copy, "comment": comment.text})
        else:
            values = {"relation": copy, "name": comment.column, "comment": comment.text}
            yield Statement("comment_on_column", values)


def _refuse_what_would_be_lost(table: ObservedTable, design: TableDesign) -> None:
    obstacles = []
    for column in table.columns:
        if column.type is None and not _KEPT_TYPE.fullmatch(column.type_text):
            obstacles.append(f"the column {column.name!r} is {column.type_text}, whose values Feedway cannot keep")
        elif column.is_identity:
            obstacles.append(f"the column {column.name!r} is numbered by the warehouse (IDENTITY)")
        elif column.has_column_grants:
            obstacles.append(f"privileges are granted on the column {column.name!r}")
        elif column.sortkey < 0:
            obstacles.append("its sort key is interleaved")
    if any(key.kind == "FOREIGN KEY" for key in design.keys):
        obstacles.append("it has a foreign key")
    if design.hidden_grantees:
        obstacles.append(hidden_privileges(table.name, design.hidden_grantees).rstrip(";."))
    if not design.is_own and not design.may_set_owner:
        obstacles.append(f"it belongs to {design.owner}, and Feedway may not restore its owner")
    if obstacles:
        raise SchemaChangeError(
            f"{table.name} would have to be copied into a table with wider columns, but {' and '.join(obstacles)}, so "
            "the copy would not be what the table is. Have its owner make such a table, copy the rows and rename it "
            "(https://docs.aws.amazon.com/redshift/latest/dg/performing-a-deep-copy.html), or have the values resent."
        ).about(Section.TABLE_COPY)

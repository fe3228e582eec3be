"""Schema changes as rows of the table that logs them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from framework.model.words import counted
from framework.plan.schema_changes import (
    AddColumn,
    CreateTable,
    GrowVarchar,
    NewColumn,
    RewriteColumn,
    SchemaChange,
    describe_change,
)
from framework.plan.steps import in_portions
from framework.plan.type_reason import TypeReason

CREATED_COLUMNS, INFERRED, SOURCE_FORMAT = "create_columns", "infer_column", "source_format"
"""Kinds of rows beside those of changes: the columns of a created table, a column whose inferred type rounds, and the
format that a pipeline's first load has decided."""
_MOST_CHARACTERS = 500
"""Of a logged reason, and of its evidence."""
_PACKED_BYTES = 15_000
"""Of the columns in one row, of which the table takes 16,384. One column alone has fewer."""


def logged_rows(change: SchemaChange) -> list[dict[str, str | None]]:
    """Return a change as rows of the schema changes table, with INFERRED rows for the columns that must not round.

    The columns of a created table are packed into few rows, as there may be 1,600 of them.
    """
    created = change.columns if isinstance(change, CreateTable) else ()
    new = (change.column,) if isinstance(change, AddColumn) else created
    inferred = [column for column in new if column.is_inferred and column.type.kind.is_float]
    return [
        logged_row(describe_change(change, with_columns=False), _reason_of(change)),
        *_packed(created),
        *(logged_row(_row(INFERRED, column.name, column.type.sql, column.reason.text)) for column in inferred),
    ]


def logged_row(change: dict[str, str | None], reason: TypeReason | None = None) -> dict[str, str | None]:
    """Return one row of the schema changes table; `reason` is why a column has its type.

    Texts are cut to what the table takes: a rule may name any glob, and an archive's member may have any name.
    """
    decided_by, evidence = (None, None) if reason is None else (reason.decided_by, reason.evidence)
    return {**change, "reason": _cut(change["reason"]), "decided_by": decided_by, "evidence": _cut(evidence)}


def _packed(created: Sequence[NewColumn]) -> Iterator[dict[str, str | None]]:
    """Yield the columns of a created table as few rows, whose evidence is JSON: a list of lists, see `unpacked`."""
    texts = [
        json.dumps(
            [
                column.name,
                column.type.sql,
                column.reason.decided_by,
                _cut(column.reason.text),
                _cut(column.reason.evidence),
            ],
            ensure_ascii=False,
        )
        for column in created
    ]
    for portion in in_portions(texts, lambda text: len(text.encode("utf-8")) + 1, _PACKED_BYTES):
        row = _row(CREATED_COLUMNS, None, "", counted(len(portion), "column"))
        yield {**row, "decided_by": None, "evidence": f"[{','.join(portion)}]"}


def unpacked(evidence: str) -> dict[str, tuple[str, TypeReason]]:
    """Return by name the type of each column of a CREATED_COLUMNS row, and why it has it."""
    return {name: (type_text, TypeReason(*reason)) for name, type_text, *reason in json.loads(evidence)}


def _cut(text: str | None) -> str | None:
    return None if text is None else text[:_MOST_CHARACTERS]


def _reason_of(change: SchemaChange) -> TypeReason | None:
    """Return why the column of a change has its type; None of a table."""
    match change:
        case CreateTable():
            return None
        case AddColumn(column=column):
            return column.reason
        case GrowVarchar(reason=reason) | RewriteColumn(reason=reason):
            return reason


def _row(kind: str, column: str | None, after: str, reason: str) -> dict[str, str | None]:
    return {"kind": kind, "column": column, "from": None, "to": after, "reason": reason}

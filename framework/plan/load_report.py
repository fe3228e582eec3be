"""What `plan` reports of a load: its columns, and how many rows it rewrites."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from framework.dataclass import dataclass
from framework.model.files import SourceBatch
from framework.plan.load_input import Staged
from framework.plan.schema_changes import NewColumn, RewriteColumn, SchemaChange, Widening, needs_new_table
from framework.plan.type_reason import TypeReason


@dataclass(frozen=True)
class ColumnReport:
    """A column of a load.

    `header` is its name in the first file that has it, None where none has. `type_before` is None where the type stays,
    and for a new column. `sample` is the start of a cell, None where there is none, or none may be shown.
    """

    header: str | None
    column: str
    type: str
    change: Literal["new", "wider"] | None
    type_before: str | None
    reason: TypeReason
    sample: str | None

    def as_dict(self) -> dict[str, object]:
        """Return the column as `plan --output json` prints it."""
        return {**vars(self), "reason": self.reason.as_dict()}


def report_columns(staged: Staged, with_samples: bool) -> tuple[ColumnReport, ...]:
    """Return the columns of a load: those of the files in their order, then others; none where it has no rows."""
    if not staged.has_rows:
        return ()
    headers = _headers(staged.batch)
    samples = staged.seen.samples if with_samples else {}
    return tuple(
        ColumnReport(
            header=headers.get(column.name),
            column=column.name,
            type=column.target_type.sql,
            change=_change(column.change),
            type_before=column.current_type.sql if isinstance(column.change, Widening) else None,
            reason=column.reason,
            sample=samples.get(column.name),
        )
        for column in staged.columns.columns
    )


def _headers(batch: SourceBatch) -> dict[str, str]:
    found: dict[str, str] = {}
    for layout in batch.files:
        for name, text in zip(layout.columns, layout.header, strict=False):
            found.setdefault(name, text)
    return found


def _change(change: NewColumn | Widening | None) -> Literal["new", "wider"] | None:
    match change:
        case NewColumn():
            return "new"
        case Widening():
            return "wider"
        case None:
            return None


def rows_rewritten(changes: Iterable[SchemaChange]) -> int | None:
    """Return how many stored rows the changes rewrite; one copy of the table does so once, each other change by itself.

    None where the table's rows were not counted.
    """
    rewrites = [change for change in changes if isinstance(change, RewriteColumn)]
    counts = [change.rows for change in rewrites if change.rows is not None]
    if len(counts) < len(rewrites):
        return None
    return max(counts) if needs_new_table(rewrites) else sum(counts)

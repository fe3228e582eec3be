"""What loads recorded about a column of the target: its creation, and the changes of its type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from framework.dataclass import dataclass
from framework.plan.change_log import CREATED_COLUMNS, unpacked
from framework.plan.schema_changes import CREATED

HIDDEN = "values called for it, which bad_rows.log_samples: false hides"
"""In place of a reason that quotes values, once the spec wants none shown."""


@dataclass(frozen=True)
class ColumnChange:
    """The creation of a column, or a later change of its type, as the load that made it recorded it; time in UTC.

    `type_before` is None where the column was new. `decided_by` is as in TypeReason, and None in rows of an earlier
    release. `place` is where the spec says so now: `pipelines/orders.yml:12:5`.
    """

    changed_ts: str
    run_id: str
    pipeline: str
    change: str
    type_before: str | None
    type_after: str
    decided_by: str | None
    reason: str
    evidence: str | None
    source_filename: str
    place: str | None = None


@dataclass(frozen=True)
class History:
    """What is recorded of a column since the table was created. `is_created`: by a load."""

    changes: tuple[ColumnChange, ...] = ()
    is_created: bool = False


def history_of(rows: Sequence[Mapping[str, object]], name: str, *, with_values: bool) -> History:
    """Return the recorded changes of a column, oldest first, since the target was last created.

    `rows` have COLUMN_CHANGE_COLUMNS. Unless `with_values`, what may quote values of rows is left out.
    """
    since = max((number for number, row in enumerate(rows) if row["change"] == CREATED), default=None)
    created = None if since is None else rows[since]
    recent = [row for row in rows if created is None or str(row["changed_ts"]) >= str(created["changed_ts"])]
    changes = [_change(row, with_values) for row in _of_column(recent, name)]
    return History(tuple(changes), created is not None)


def _of_column(rows: Sequence[Mapping[str, object]], name: str) -> Iterator[Mapping[str, object]]:
    """Yield the rows that are about a column; of a created table what it has about the column."""
    for row in rows:
        if row["change"] == CREATED_COLUMNS:
            found = unpacked(str(row["evidence"])).get(name)
            if found is not None:
                type_text, reason = found
                as_one = {"change": CREATED, "type_after": type_text, "reason": reason.text}
                yield {**row, **as_one, "decided_by": reason.decided_by, "evidence": reason.evidence}
        elif row["change"] != CREATED:
            yield row


def _change(row: Mapping[str, object], with_values: bool) -> ColumnChange:
    texts = {field: None if value is None else str(value) for field, value in row.items() if field != "shows_values"}
    # Rows of an earlier release do not say whether they quote values.
    if not with_values and row["shows_values"] is not False:
        texts["evidence"] = None
        if texts["type_before"] is not None and texts["decided_by"] in (None, "values"):
            texts["reason"] = HIDDEN
    return ColumnChange(**texts)  # type: ignore[arg-type]

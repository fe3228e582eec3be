"""The load errors of a COPY that was refused, as far as this warehouse offers them to this user.

Sources: https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html
https://docs.aws.amazon.com/redshift/latest/dg/r_STL_LOAD_ERRORS.html (of provisioned clusters; has the raw value)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from framework.dataclass import dataclass
from framework.errors import Cause, WarehouseError
from framework.plan.steps import Statement, Transaction, select
from framework.warehouse.client import Row, Value
from framework.warehouse.session import WarehouseSession

MOST_ERRORS = 3
"""A message has room for so many."""
LOOKUP_SECONDS = 10
"""After so long a look-up is given up: the load has failed, and its report waits."""


@dataclass(frozen=True)
class LoadError:
    """Why COPY has not loaded a file, in the warehouse's words; a text is empty where the warehouse gives none.

    `type_text` and `length` are the column's in the table. `line` is None where no line is named. `value` is the text
    that was to be loaded, None where it is not known.
    """

    file: str
    line: int | None
    column: str
    type_text: str
    length: str
    code: int | None
    reason: str
    value: str | None = None


@dataclass(frozen=True)
class LoadErrors:
    """The first load errors of a query, and why there are no more facts. `query_id` is None where it has none."""

    query_id: int | None
    errors: tuple[LoadError, ...] = ()
    notes: tuple[str, ...] = ()


def read_load_errors(warehouse: WarehouseSession, query_id: int | None) -> LoadErrors:
    """Return the load errors of a query; never raises a WarehouseError: what cannot be read is a note."""
    if query_id is None:
        note = "The refused statement has no query id, by which load errors could be looked up"
        return LoadErrors(None, notes=(note,))
    values = {"query_id": query_id, "limit": MOST_ERRORS}
    logged, why = _read(warehouse, select("select_load_errors", values), "sys_load_error_detail")
    raw, why_no_values = _read_raw(warehouse, select("select_raw_load_errors", values))
    errors = [_with_value(error, raw) for error in logged] or raw
    notes = [note for note in (why, why_no_values) if note is not None]
    if not errors and len(notes) < 2:
        nothing = f"The warehouse has logged no load error for query {query_id}: of Parquet it logs only some errors"
        notes.insert(0, nothing)
    return LoadErrors(query_id, tuple(errors), tuple(notes))


def _read_raw(warehouse: WarehouseSession, statement: Statement) -> tuple[list[LoadError], str | None]:
    """Return the load errors with their values, and why there are none of them, None where they could be read."""
    if warehouse.client.settings.cluster is None:
        return [], "A Serverless workgroup shows its users no stl_load_errors, which has the values"
    return _read(warehouse, statement, "stl_load_errors")


def _read(warehouse: WarehouseSession, statement: Statement, view: str) -> tuple[list[LoadError], str | None]:
    """Return what a view has of a query, and why it could not be read, None where it could."""
    try:
        (rows,) = warehouse.run(Transaction("load_errors", (statement,), max_seconds=LOOKUP_SECONDS), attempts=1)
    except WarehouseError as error:
        return [], _why_unread(view, error)
    return [_load_error(row) for row in rows], None


def _why_unread(view: str, error: WarehouseError) -> str:
    match error.cause:
        case Cause.NOT_PERMITTED:
            return f"The user Feedway connects as may not read {view}"
        case Cause.MISSING_RELATION | Cause.MISSING_COLUMN:
            return f"The warehouse has no {view} of the known form"
        case _:
            return f"{view} could not be read: {error.first_line}"


def _load_error(row: Row) -> LoadError:
    file, line, column, type_text, length, code, reason, *value = row
    return LoadError(
        file=_text(file),
        line=_number(line) or None,
        column=_text(column),
        type_text=_text(type_text),
        length=_text(length),
        code=_number(code),
        reason=" ".join(_text(reason).split()),
        value=str(value[0]) if value and value[0] is not None else None,
    )


def _with_value(error: LoadError, raw: Sequence[LoadError]) -> LoadError:
    """Return the error with the value that the other table has of the same field, if it has one."""
    place = (error.file, error.line, error.column)
    return replace(
        error, value=next((each.value for each in raw if (each.file, each.line, each.column) == place), None)
    )


def _text(value: Value) -> str:
    return "" if value is None else str(value).strip()


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) else None

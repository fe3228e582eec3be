"""The explanation of a COPY or merge that the warehouse refused.

It has the load errors of the query, the column with its type and its line of the spec, and the source rows that the
staging file was made of. A line number is shown as the warehouse has logged it, of the staging file: no source says
that a line of a Parquet file is a row, so it is not translated into a source row.
"""

from __future__ import annotations

from collections.abc import Iterator

from framework.errors import WarehouseError
from framework.load.failures.complaints import quoted
from framework.log.redaction import without_values
from framework.model.measurements import StagingFile
from framework.model.words import counted
from framework.plan.columns import PlannedColumn
from framework.plan.copy import filled_by
from framework.plan.load_input import LoadInput
from framework.warehouse.load_errors import LoadError, LoadErrors

_MOST_RANGES = 3


def explain_copy(load: LoadInput, error: WarehouseError, found: LoadErrors) -> WarehouseError:
    """Return the error of a refused COPY with what its load errors and its text say of columns, files and rows."""
    lines = [f"Load errors of query {found.query_id}:"] if found.errors else []
    for each in found.errors:
        lines += _of_load_error(load, each)
    named = error.refused.at_fault
    for column in dict.fromkeys([*(each.column for each in found.errors), named.column or ""]):
        lines += _of_column(load, column)
    files = [_staging_file(load, name) for name in (*(each.file for each in found.errors), named.file or "")]
    for file in dict.fromkeys(file for file in files if file is not None):
        lines += _of_file(file)
    return error.explained([*lines, *(f"{note}." for note in found.notes)])


def explain_merge(load: LoadInput, error: WarehouseError) -> WarehouseError:
    """Return the error of a merge whose rows the target does not accept, with what is known of the column."""
    lines = list(_of_column(load, error.refused.at_fault.column or ""))
    return error.explained(lines or ["The message names no column, and the warehouse logs load errors of COPY alone."])


def _of_load_error(load: LoadInput, error: LoadError) -> Iterator[str]:
    with_values = load.spec.bad_rows.log_samples
    column = f"column {error.column!r}" if error.column else "no column named"
    length = f"({error.length})" if error.length not in ("", "0") else ""
    of_type = f", {error.type_text}{length}" if error.type_text else ""
    reason = error.reason if with_values else without_values(error.reason)
    code = "" if error.code is None else f" (code {error.code})"
    file = _staging_file(load, error.file)
    place = "" if file is None else f", in {_name(file)}"
    line = "" if file is None or error.line is None else f", line {error.line}"
    yield f"  {column}{of_type}: {reason}{code}{place}{line}"
    if with_values and error.value is not None:
        yield f"    value: {quoted(error.value)}"


def _of_column(load: LoadInput, name: str) -> Iterator[str]:
    """Yield the type of a column of the load, why it has that type, and its line of the spec."""
    columns = load.staged.columns
    name = filled_by(name, columns.columns, columns.kept)
    column = next((each for each in columns.columns if each.name == name), None)
    if column is not None:
        yield f"Column {name!r} is {column.target_type.sql}: {column.reason.text}{_place(load, column)}."


def _place(load: LoadInput, column: PlannedColumn) -> str:
    path, of_rule = load.spec.path, column.reason.place
    if of_rule is not None:
        return f" ({path}:{of_rule[0]}:{of_rule[1]})"
    of_entry = load.spec.place_of(("types", "columns", column.name))
    if of_entry is not None:
        return f" (types.columns.{column.name}, {of_entry})"
    return f" ({path} has no types.columns.{column.name})"


def _of_file(file: StagingFile) -> Iterator[str]:
    """Yield the source rows that a staging file was made of."""
    shown = [f"rows {each.first} to {each.last} of {each.url}" for each in file.rows[:_MOST_RANGES]]
    others = len(file.rows) - len(shown)
    more = f", and {counted(others, 'more range')}" if others > 0 else ""
    if shown:
        yield f"{_name(file)} was made of {', '.join(shown)}{more}."


def _name(file: StagingFile) -> str:
    return file.url.rpartition("/")[2]


def _staging_file(load: LoadInput, name: str) -> StagingFile | None:
    """Return the staging file of the load with an address, by s3 or https, whose end may be cut off; else None."""
    files = load.staged.seen.staging_files
    found = [file for file in files if name and (_name(file) in name or file.url.startswith(name))]
    return found[0] if len(found) == 1 else None

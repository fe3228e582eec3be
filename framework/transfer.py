"""Staging files to rows in the target: COPY, merge, what a refused merge means and what a merge counted."""

from __future__ import annotations

from collections.abc import Sequence

from framework.bookkeeping import Books
from framework.errors import Cause, OnRefusal, SourceFileError, WarehouseError
from framework.plan.merge import LoadedFile
from framework.plan.staging import manifest
from framework.prepare import Preparation, copy_transaction, merge_transaction
from framework.rejection import refused_duplicates
from framework.results import LoadRequest, RecordCounts
from framework.schema.missing import Fill
from framework.schema.shrinkage import too_small
from framework.schema.table import Observation
from framework.schema.values import SourceFile
from framework.warehouse.client import Row
from framework.warehouse.control import read_duplicates, read_run_counts, read_staging_count
from framework.warehouse.observe_change import count_rows
from framework.words import counted


def write_manifest(books: Books, prepared: Preparation) -> str | None:
    """List the staging files for COPY; return the manifest's address, None where there are no rows."""
    lake = books.services.lake
    if prepared.staged_below is None:
        return None
    below = prepared.staged_below.removeprefix(lake.url(""))
    found = [file for file in lake.list_objects(f"{below}/") if file.key.endswith(".parquet")]
    lake.put(books.manifest_key, manifest({lake.url(file.key): file.size_bytes for file in found}))
    return lake.url(books.manifest_key)


def copy(books: Books, prepared: Preparation, manifest_url: str | None) -> None:
    """Make the staging table and, where there are rows, fill it from the staging files."""
    books.warehouse.run(copy_transaction(books, prepared, manifest_url))
    books.log.info("copied", step="copy", rows=prepared.seen.rows_staged)


def merge(
    books: Books, files: Sequence[SourceFile], observed: Observation, prepared: Preparation, request: LoadRequest
) -> dict[str, RecordCounts]:
    """Run the merge and return what it counted, by object key; where it was committed and its reply lost, too.

    Raises:
        PipelineError: the bad rows were cleared away meanwhile.
        SourceFileError: several rows have one key, and the spec refuses that.
        WarehouseError: the rows do not add up, with both numbers; or whatever else it was, as `refused` says.
    """
    books.require_quarantine()
    transaction, loaded = merge_transaction(books, files, observed, prepared, request)
    try:
        results = books.warehouse.run(transaction)
    except WarehouseError as error:
        _refuse_rows(error, books, files, observed, prepared)
        return _explain(error, books, files, prepared)
    (rows,) = (rows for statement, rows in zip(transaction.statements, results, strict=True) if statement.fetches)
    return {files[file.ordinal].key: _merge_counts(rows, file) for file in loaded}


def _refuse_rows(
    error: WarehouseError,
    books: Books,
    files: Sequence[SourceFile],
    observed: Observation,
    prepared: Preparation,
) -> None:
    """Raise a SourceFileError where the merge was refused for what the files hold, or lack.

    They bring rows that the table has not and lack a column that new rows need, or too few rows to replace the table.
    """
    target = books.spec.target.table
    if error.refused is OnRefusal.BRINGS_NEW_KEYS:
        fills = [fill for fill in prepared.staging.fills if fill.rejects_new]
        why = "evolution.missing_columns lets such a file only replace rows (new_rows: reject)"
        raise _lacks(files, fills, f"which new rows need, and brings keys that are not in {target}; {why}") from error
    if error.cause is Cause.NULL_NOT_ALLOWED and observed.table is not None:
        required = {column.name for column in observed.table.columns if not column.nullable}
        fills = [fill for fill in prepared.staging.fills if fill.value is None and fill.column in required]
        if fills and error.refused is OnRefusal.ROWS_DO_NOT_FIT:
            raise _lacks(files, fills, f"NOT NULL in {target}, and brings keys that are not in the table") from error
    if error.refused is OnRefusal.SHRINKS_TABLE:
        stored = count_rows(books.warehouse, observed)
        raise too_small(books.spec, files[0], _rows_to_load(books, prepared), stored) from error


def _rows_to_load(books: Books, prepared: Preparation) -> str:
    """Return how many of the staged rows a replacement leaves: with keys, one of each."""
    staged, keys = prepared.seen.rows_staged, books.spec.load.keys
    if not keys or not staged:
        return counted(staged, "row")
    found = read_duplicates(books.warehouse, books.staging, keys)
    repeated = sum(found.rows_by_file.values()) - found.keys
    of_how_many = f", one per key of {staged}," if repeated else ""
    return f"{counted(staged - repeated, 'row')}{of_how_many}"


def _lacks(files: Sequence[SourceFile], fills: Sequence[Fill], why: str) -> SourceFileError:
    at_fault = sorted({ordinal for fill in fills for ordinal in fill.files})
    names = ", ".join(repr(fill.column) for fill in fills)
    return SourceFileError(
        f"{files[at_fault[0]].url}: the file lacks {names}, {why}. Resend it with the column, or without new keys.",
        [files[ordinal].key for ordinal in at_fault],
    )


def _explain(
    error: WarehouseError, books: Books, files: Sequence[SourceFile], prepared: Preparation
) -> dict[str, RecordCounts]:
    """Say what a refused merge means; return the counts where it was committed after all."""
    warehouse = books.warehouse
    if error.refused is OnRefusal.ALREADY_LOADED:
        committed = read_run_counts(warehouse, books.run_id)
        if committed:
            books.log.warning("the merge was committed although its reply was lost")
            return {file.key: RecordCounts(*committed[file.identity.key]) for file in files}
        raise error
    if error.refused is OnRefusal.DUPLICATE_KEYS:
        keys = books.spec.load.keys
        duplicates = read_duplicates(warehouse, books.staging, keys)
        raise refused_duplicates(books, files, duplicates) from error
    if error.refused is OnRefusal.ROW_COUNT_MISMATCH:
        found = read_staging_count(warehouse, books.staging)
        raise WarehouseError(
            f"the rows do not add up: {prepared.seen.rows_staged} were written to the staging files and "
            f"{found} arrived in {books.staging}. Nothing was changed.",
            statement_id=error.statement_id,
            sql=error.sql,
        ) from error
    raise error


def _merge_counts(rows: Sequence[Row], file: LoadedFile) -> RecordCounts:
    """Read one file's counts from select_merge_counts; a file without rows has no row there."""
    replaced = int(rows[0][4] or 0) if rows and file.ordinal == 0 else 0
    for ordinal, staged, winners, updated, _ in rows:
        if ordinal == file.ordinal:
            kept, replacing = int(winners or 0), int(updated or 0)
            return RecordCounts(
                read=int(staged or 0) + file.rejected,
                inserted=kept - replacing,
                updated=replacing,
                deleted=replaced,
                deduplicated=int(staged or 0) - kept,
                rejected=file.rejected,
            )
    return RecordCounts(read=file.rejected, deleted=replaced, rejected=file.rejected)

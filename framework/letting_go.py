"""Letting a file go for good: it is recorded as SKIPPED and archived, and never loaded."""

from __future__ import annotations

import time

from framework.bookkeeping import Books
from framework.errors import SourceFileError, SpecError
from framework.lake.alive import living_runs
from framework.results import LoadResult, Services
from framework.schema.values import SourceFile
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.control import ensure_control_tables
from framework.warehouse.observe import observe


def let_go(spec: PipelineSpec, services: Services, file: SourceFile, reason: str) -> LoadResult:
    """Write the SKIPPED row of a pending or unprocessed file, then move the file to the archive.

    In this order, so that no file leaves without a word; repeating it after a failure is safe.

    Raises:
        SpecError: the file is loaded, or a load of the pipeline is under way that may be loading it.
        SourceFileError: the file was replaced meanwhile; what has replaced it stays.
        WarehouseError: the row cannot be written or the file not be moved.
    """
    began = time.monotonic()
    books = Books(spec, services, services.new_run_id())
    try:
        _let_go(books, file, reason)
    finally:
        books.export_log()
    seconds = time.monotonic() - began
    return LoadResult(spec.pipeline, file.key, books.run_id, "SKIPPED", None, seconds, reason=reason)


def _let_go(books: Books, file: SourceFile, reason: str) -> None:
    spec, services = books.spec, books.services
    living = living_runs(services.lake, spec.pipeline, services.environment.dead_after_seconds)
    if living:
        raise SpecError(
            f"a load of {spec.pipeline} is under way ({', '.join(sorted(living))}), and may be loading {file.url}. "
            f"Wait until it has ended: history {spec.pipeline} --status RUNNING"
        )
    observed = observe(books.warehouse, spec, [file.identity.etag])
    if observed.history_of(file.identity).generation:
        raise SpecError(
            f"{file.url} is loaded into {spec.target.table} already, so there is nothing to skip. "
            f"The next run of {spec.pipeline} archives it: history {spec.pipeline} --file {file.key}"
        )
    ensure_control_tables(books.warehouse, spec.target.table, observed)
    books.write("SKIPPED", [file], reason)
    if books.move(file, "archive") is None:
        raise SourceFileError(f"{file.url} has gone or was replaced meanwhile; what lies there now was not skipped")
    books.log.warning("file skipped", file=file.url, reason=reason)

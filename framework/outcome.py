"""What becomes of a load's files: their results, the audit rows of those not loaded, where each file goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Literal, TypeGuard

from framework.bookkeeping import Books
from framework.discover import Work
from framework.errors import PipelineError, SchemaChangeError, SourceFileError, SpecError
from framework.lake.at_once import at_once
from framework.names import TableName
from framework.next_step import FailedLoad, next_step, out_of_order
from framework.redaction import told, trace
from framework.results import NO_RECORDS, LoadFailure, LoadRequest, LoadResult, RecordCounts
from framework.schema.changes import SchemaChange, describe_change
from framework.schema.table import OUTAGE_MARK
from framework.schema.values import LoadWarning, SourceFile
from framework.warehouse.late_views import broken_late_views

_TIMES_DIFFER = timedelta(seconds=2)
"""So much may the times differ that a listing and a head tell of one object: a head cuts off what is not a second."""
_BEFORE_COPY = ("discover", "observe", "recover", "start", "prepare")
"""The steps in which a file may be read."""


def is_outage(error: BaseException) -> bool:
    """Return whether the warehouse, S3 or this machine can serve no file now, so that the next would fare no better."""
    return isinstance(error, PipelineError) and error.is_outage


class Outcome:
    """The outcome of one load, as it comes about."""

    def __init__(self, books: Books, request: LoadRequest, work: Work) -> None:
        self.engine_name: str | None = None
        self.changes: tuple[SchemaChange, ...] = ()
        self.planned_warnings: tuple[LoadWarning, ...] = ()
        self.failed_before: dict[str, int] = {}
        self._books = books
        self._log = books.log
        self._lake = books.services.lake
        self._request = request
        self._work = work
        self._before: list[LoadResult] = []
        self._passed_over: list[LoadResult] = []
        self._after_load: list[str] = []
        self._late_views_of: tuple[TableName, ...] = ()
        self._broken_before: dict[TableName, str] = {}
        self._clock_start = time.monotonic()

    def all_results(self, results: Sequence[LoadResult]) -> list[LoadResult]:
        """Return the results of the files that were loaded, or failed, among those that were left out.

        What else is not as it should be fails the run, though the files are loaded.
        """
        together = [*self._before, *results, *self._passed_over]
        if self._after_load and not any(result.status == "FAILED" for result in together):
            message = " ".join(self._after_load)
            failure = LoadFailure("SchemaChangeError", "settle", message, SchemaChangeError(message))
            together = together or [self._result(None, "FAILED")]
            place = next((n for n, result in enumerate(together) if result.failure is None), 0)
            together[place] = replace(together[place], failure=failure)
        return together

    def loaded(self, files: Sequence[SourceFile], counts: Mapping[str, RecordCounts]) -> list[LoadResult]:
        """Archive what was loaded. The rows are in: a file that cannot be moved now is moved by the next run."""
        results = []
        self._put_away(files)
        for file in files:
            self._log.info("loaded", step="settle", file=file.url, **vars(counts[file.key]))
            results.append(self._result(file, "SUCCESS", counts=counts[file.key]))
        return results

    def look_at_late_views(self, changing: Sequence[TableName]) -> None:
        """Look which late-binding views above what is about to change cannot be read, to blame no load for them."""
        self._late_views_of = tuple(changing)
        self._broken_before = self._broken_late_views()

    def tell_broken_late_views(self) -> None:
        """Tell which late-binding views no longer work with the table as it is now; the rows are in."""
        if not self._late_views_of:
            return
        broken = {view: words for view, words in self._broken_late_views().items() if view not in self._broken_before}
        if not broken:
            return
        told_of = "; ".join(f"{view}: {words}" for view, words in broken.items())
        message = (
            "The file is loaded, and late-binding views cannot be read any more, since columns of "
            f"{self._books.spec.target.table} have changed their types: {told_of}. Have their owners create them anew."
        )
        self._log.error("late-binding views are broken", step="settle", views=[str(view) for view in broken])
        self._after_load.append(message)

    def tell_views_not_back(self, not_back: Mapping[tuple[str, TableName], str]) -> None:
        """Tell which views could not be put back; no load fails for it, but the run does, once it has loaded."""
        if not_back:
            reasons = "; ".join(f"{view}: {reason}" for (_, view), reason in not_back.items())
            self._after_load.append(
                f"Views on {self._books.spec.target.table} were taken down and cannot be put back: {reasons}. They "
                "stand in the view journal with all they had. Correct what they stand on, and run restore-views; it "
                "shows the statements too."
            )

    def _broken_late_views(self) -> dict[TableName, str]:
        broken: dict[TableName, str] = {}
        warehouse = self._books.warehouse
        self._try(
            "look at the late-binding views",
            lambda: broken.update(broken_late_views(warehouse, self._late_views_of)),
        )
        return broken

    def warn(self, warning: LoadWarning) -> None:
        """Add a warning to the results of the files it concerns, to their JOB_STS rows and to the log."""
        self._books.warn(warning)

    def leave_out(self, reasons: Mapping[SourceFile, str]) -> None:
        """Skip some of the load's files before it begins: record each with its reason, and archive it."""
        if not reasons:
            return
        self._books.write_each("SKIPPED", reasons)
        for file, reason in reasons.items():
            self._log.warning("file skipped", file=file.url, reason=reason)
        self._put_away(list(reasons))
        self._before += [self._result(file, "SKIPPED", reason=reason) for file, reason in reasons.items()]

    def refuse(self, step: str, file: SourceFile, reason: str) -> None:
        """Leave a file where it is, before the load begins, and end the command in an error."""
        self._log.warning("file refused", file=file.url, reason=reason)
        error = SpecError(f"{file.url} is not loaded: {reason}.")
        way_in = out_of_order(self._books.spec.pipeline, self._books.services.environment, file.key)
        failure = LoadFailure("SpecError", step, str(error), error, way_in)
        self._before.append(self._result(file, "REFUSED", reason=reason, failure=failure))

    def unsure(self, files: Sequence[tuple[SourceFile, str]]) -> list[LoadResult]:
        """Say of unprocessed files that may be the pipeline's why they are left alone."""
        for file, reason in files:
            self._log.warning("file refused", file=file.url, reason=reason)
        return [self._result(file, "REFUSED", reason=reason) for file, reason in files]

    def lost_to_another(self, step: str, files: Sequence[SourceFile]) -> list[LoadResult]:
        """Skip a load whose file was taken or replaced while it was being read; empty where none was.

        An overlapping run has loaded it, or the next one loads what has replaced it: no failure.
        """
        if step not in _BEFORE_COPY:
            return []
        gone: list[SourceFile] = []
        self._try("look for the files", lambda: gone.extend(self.gone(files)))
        if not gone:
            return []
        names = ", ".join(file.url for file in gone)
        reason = f"another run has taken, or another file replaced, {names}"
        self._try("write the SKIPPED row", partial(self._books.write, "SKIPPED", files, reason))
        self._log.warning("load given up", reason=reason)
        return [self._result(file, "SKIPPED", reason=reason) for file in files]

    def gone(self, files: Sequence[SourceFile]) -> list[SourceFile]:
        """Return the files that are no longer what was described."""
        unchanged = at_once(self._lake.is_unchanged, files)
        return [file for file, is_same in zip(files, unchanged, strict=True) if not is_same]

    def failed(self, step: str, files: Sequence[SourceFile], error: BaseException) -> list[LoadResult]:
        """Record the failure where that is possible, and put the files where they belong."""
        details = {} if isinstance(error, PipelineError) else {"traceback": trace(error)}
        self._books.tell_failure(step, error, details)
        message = f"{OUTAGE_MARK}{told(error)}" if is_outage(error) else told(error)
        recorded = self._try("write the FAILED row", partial(self._books.write, "FAILED", files, message), error)
        moved: dict[str, str] = {}
        for file in files:
            if recorded and self._is_to_be_set_aside(file, error):
                self._try("move the file", partial(self._set_aside, file, moved))
        failure = LoadFailure(type(error).__name__, step, message, error, self._next_step(files, moved, error))
        if not files:
            return [self._result(None, "FAILED", failure=failure)]
        return [self._result(file, "FAILED", failure=failure) for file in files]

    def _set_aside(self, file: SourceFile, moved: dict[str, str]) -> None:
        key = self._books.move(file, "unprocessed")
        if key is not None:
            moved[file.key] = key

    def _next_step(self, files: Sequence[SourceFile], moved: Mapping[str, str], error: BaseException) -> str | None:
        if self._request.keeps_stored or not isinstance(error, Exception):
            return None
        spec, environment = self._books.spec, self._books.services.environment
        keys = [moved.get(file.key, file.key) for file in files]
        return next_step(FailedLoad(spec.pipeline, environment, self._request, error, keys), self._lake)

    def _is_to_be_set_aside(self, file: SourceFile, error: BaseException) -> bool:
        """The file's or the table's own fault, or too many failed attempts; an outage or interruption is nobody's.

        A file of the archive was loaded before, and stays there whatever comes of loading it again.
        """
        is_archived = file.key.startswith(self._lake.key("data/archive/"))
        if is_archived or self._request.keeps_stored or not isinstance(error, Exception):
            return False
        if isinstance(error, SourceFileError) and error.keys:
            return file.key in error.keys
        if isinstance(error, SourceFileError | SchemaChangeError):
            return True
        if is_outage(error) or isinstance(error, SpecError):
            return False
        return self.failed_before.get(file.key, 0) + 1 >= self._books.services.environment.max_attempts

    def _pass_over(self) -> bool:
        """Skip and archive files that the loaded one has replaced as a whole; False where one of them stays.

        Before the loaded file is archived: of the files that are pending then, a run that finds them would
        take an older one for the newest.
        """
        keys = list(self._work.older) if not self._passed_over else []
        older: list[SourceFile] = []
        reason = "a newer file replaces the table"
        described = self._try(
            "look for older files", lambda: older.extend(filter(self._is_older, at_once(self._lake.describe, keys)))
        )
        if not described or not self._try("write SKIPPED rows", partial(self._books.write, "SKIPPED", older, reason)):
            return False
        for file in older:
            self._log.warning("file skipped", file=file.url, reason=reason)
        archived = at_once(self._archive, older)
        self._passed_over = [self._result(file, "SKIPPED", reason=reason) for file in older]
        return all(archived)

    def _is_older(self, file: SourceFile | None) -> TypeGuard[SourceFile]:
        """Say whether an older file is still the one that was listed; one that is not stays for the next run."""
        if file is None:
            return False
        etag, modified_at = self._work.older[file.key]
        return file.etag == etag and abs(file.modified_at - modified_at) <= _TIMES_DIFFER

    def _put_away(self, files: Sequence[SourceFile]) -> None:
        """Archive files that need not be loaded any more, behind those that they replace."""
        if files and self._pass_over():
            at_once(self._archive, files)
        elif files:
            for file in files:
                self._warn_not_archived(file, "an older file, which must go first, could not be archived")

    def _archive(self, file: SourceFile) -> bool:
        try:
            self._books.move(file, "archive")
        except PipelineError as error:
            self._warn_not_archived(file, str(error))
            return False
        return True

    def _warn_not_archived(self, file: SourceFile, reason: str) -> None:
        message = f"{file.url} was not archived: {reason}. The next run archives it."
        self.warn(LoadWarning("not-archived", None, message, (file.key,)))

    def _try(self, doing: str, action: Callable[[], object], known: BaseException | None = None) -> bool:
        """Do something on the way out; a failure is told, unless it is the known one, and hides nothing."""
        try:
            action()
        except PipelineError as error:
            if known is None or str(error) != str(known):
                self._log.error(f"could not {doing}", error=str(error))
            return False
        return True

    def _result(
        self,
        file: SourceFile | None,
        status: Literal["SUCCESS", "FAILED", "SKIPPED", "REFUSED"],
        counts: RecordCounts = NO_RECORDS,
        reason: str | None = None,
        failure: LoadFailure | None = None,
    ) -> LoadResult:
        return LoadResult(
            pipeline=self._books.spec.pipeline,
            source_file=None if file is None else file.key,
            run_id=self._books.run_id,
            status=status,
            engine=self.engine_name,
            seconds=time.monotonic() - self._clock_start,
            counts=counts,
            schema_changes=tuple(describe_change(change) for change in self.changes),
            quarantine=self._books.quarantine_url if status == "SUCCESS" and counts.rejected else None,
            reason=reason,
            failure=failure,
            warnings=tuple(
                warning
                for warning in (*self._books.warnings, *self.planned_warnings)
                if file is None or warning.concerns(file.key)
            ),
        )

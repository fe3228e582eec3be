"""A load, from the files that are pending to the rows in the target and the file in the archive.

observe   spec, pending files, target, audit      as they are
plan      prepare.py and plan/                    what to do
execute   the plan's transactions, then files and logs
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from framework.bookkeeping import Books
from framework.discover import Work, discover, is_out_of_order, why_overtaken
from framework.errors import (
    AlreadyLoaded,
    PipelineError,
    SchemaChangeError,
    SourceFileError,
    SpecError,
    TargetChanged,
    TransientWarehouseError,
    WarehouseError,
)
from framework.frames.protocol import FrameEngine
from framework.lake.alive import SignOfLife, staging_prefix
from framework.plan.merge import LoadedFile
from framework.plan.staging import manifest
from framework.plan.statements import Transaction
from framework.prepare import Preparation, PrepareContext, copy_transaction, merge_transaction, prepare
from framework.redaction import told, trace
from framework.rejection import refused_duplicates
from framework.results import NO_RECORDS, LoadFailure, LoadRequest, LoadResult, RecordCounts, Services
from framework.retries import telling
from framework.schema.changes import describe_change
from framework.schema.table import OUTAGE_MARK, Observation
from framework.schema.values import SourceBatch, SourceFile
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.client import Row
from framework.warehouse.control import ensure_control_tables, read_duplicates, read_run_counts, read_staging_count
from framework.warehouse.observe import observe

MAX_PLANS = 3
"""So often is a load planned when somebody else changes the target meanwhile."""


def run_pipeline(spec: PipelineSpec, services: Services, request: LoadRequest) -> list[LoadResult]:
    """Load a pipeline's pending files, or the one that is asked for; one result per source file.

    Nothing pending gives no result. A failure is a result too, and ends the pipeline's run where
    the spec says `on_failure: stop`, or where the warehouse is out of reach for every file.

    Raises:
        SpecError: the file that is asked for is not in the lake, or not surely the pipeline's.
        WarehouseError: the lake cannot be listed.
    """
    results: list[LoadResult] = []
    observed: Observation | None = None
    # Before the first load there is no run; what has to be told of that has a log of its own, in the stream only.
    with telling(services.open_log(services.new_run_id(), spec.pipeline)):
        work = discover(spec, services, request)
    if work.unsure:
        results += _Load(spec, services, request, work).tell_unsure(work.unsure)
    for keys in work.loads:
        load = _Load(spec, services, request, work)
        loaded = load.run(keys, observed)
        results += loaded
        observed = load.observed_for_next
        failures = [result.failure.error for result in loaded if result.failure and result.status == "FAILED"]
        is_outage = any(_is_outage(error) for error in failures)
        if is_outage or (failures and spec.source.on_failure == "stop"):
            return results
    if not work.loads and any(services.lake.list_objects(staging_prefix(services.lake, spec.pipeline))):
        _Load(spec, services, request, work).recover()
    return results


class _Load:
    """One load under way: what it holds, and at which step it is."""

    def __init__(self, spec: PipelineSpec, services: Services, request: LoadRequest, work: Work) -> None:
        self.spec = spec
        self.work = work
        self.services = services
        self.request = request
        self.books = Books(spec, services, services.new_run_id())
        self.log = self.books.log
        self.step = "discover"
        self.files: list[SourceFile] = []
        self.skipped: list[LoadResult] = []
        self.passed_over: list[LoadResult] = []
        self.failed_before: dict[str, int] = {}
        self.prepared: Preparation | None = None
        self.engine_name: str | None = None
        self.frames: FrameEngine | None = None
        self.plans = 0
        self.has_staging_table = False
        self.observed_for_next: Observation | None = None
        self.counts: dict[str, RecordCounts] = {}
        self._clock_start = time.monotonic()

    def run(self, keys: Sequence[str], observed: Observation | None) -> list[LoadResult]:
        """Load the files together and say what came of each. However it ends, the log is exported."""
        with telling(self.log):
            return self._run_to_the_end(keys, observed)

    def _run_to_the_end(self, keys: Sequence[str], observed: Observation | None) -> list[LoadResult]:
        try:
            with SignOfLife(self.services.lake, self.spec.pipeline, self.log):
                results = self._load_and_settle(keys, observed)
        except Exception as error:
            results = self._lost_to_another() or self._fail(error)
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            self.books.clean_up(self.has_staging_table, bool(self.counts))
            self.books.export_log()
        return [*self.skipped, *results, *self.passed_over]

    def _load_and_settle(self, keys: Sequence[str], observed: Observation | None) -> list[LoadResult]:
        try:
            self._load(keys, observed)
        except AlreadyLoaded:
            return self._skip(self.files, "another run has loaded the file")
        return self._settle()

    def _load(self, keys: Sequence[str], observed: Observation | None) -> None:
        self._enter("discover")
        self.files = [file for file in map(self.services.lake.describe, keys) if file is not None]
        if not self.files:
            self.log.info("the files have gone; another run has taken them", keys=list(keys))
            return
        self._enter("observe")
        observed = observed or self._observe()
        self._leave_out_loaded(observed)
        if is_out_of_order(self.request, self.spec):
            self._refuse_overtaken()
        self._enter("recover")
        if self.books.recover(self.services.environment.dead_after_seconds):
            # What a dead run had still running may have changed what was observed, and loaded the files.
            observed = self._observe()
            self._leave_out_loaded(observed)
        if not self.files:
            return
        self._enter("start")
        self.log.info("load started", files=[file.url for file in self.files])
        ensure_control_tables(self.services.warehouse, self.spec.target.table, observed, self.books.caller, self.log)
        self.books.write("STARTED", self.files)
        for attempt in range(1, MAX_PLANS + 1):
            try:
                self._bring_in(observed)
                return
            except TargetChanged as error:
                if attempt == MAX_PLANS:
                    raise
                self.log.warning("the target changed meanwhile; the load is planned again", error=str(error))
                self.observed_for_next = None
                observed = self._observe()

    def _bring_in(self, observed: Observation) -> None:
        """Stage the rows, bring the table to them, and merge them."""
        observed = self._prepare_and_evolve(observed)
        self._enter("copy")
        self._copy(observed)
        self._enter("merge")
        self.counts = self._merge(observed)

    def _observe(self) -> Observation:
        # Of all that is pending, because one look serves every load of the run.
        arrivals = [*self.work.arrivals, *(file.arrived_at for file in self.files)]
        return observe(self.services.warehouse, self.spec, arrivals, self.books.caller, self.log)

    def _leave_out_loaded(self, observed: Observation) -> None:
        """Skip the files that the audit knows as loaded, unless they are to be loaded again."""
        for file in self.files:
            history = observed.history_of(file.identity)
            self.books.generations[file.key] = history.generation + 1 if self.request.again else 1
            self.failed_before[file.key] = history.failures
        if not self.request.again:
            loaded = [file for file in self.files if observed.history_of(file.identity).generation]
            self.files = [file for file in self.files if file not in loaded]
            self.skipped += self._skip(loaded, "the file is loaded already")

    def _refuse_overtaken(self) -> None:
        """Leave out the files that come after newer ones, and say so."""
        reasons = why_overtaken(self.spec, self.services, self.files, self.books.caller, self.log)
        refused = [file for file in self.files if file.key in reasons]
        self.files = [file for file in self.files if file.key not in reasons]
        for file in refused:
            self.log.warning("file refused", file=file.url, reason=reasons[file.key])
            error = SpecError(f"{file.url} is not loaded: {reasons[file.key]}.")
            failure = LoadFailure("SpecError", self.step, str(error), error)
            self.skipped.append(self._result(file, "REFUSED", reason=reasons[file.key], failure=failure))

    def tell_unsure(self, files: Sequence[tuple[SourceFile, str]]) -> list[LoadResult]:
        """Say of unprocessed files that may be the pipeline's why they are left alone."""
        for file, reason in files:
            self.log.warning("file refused", file=file.url, reason=reason)
        return [self._result(file, "REFUSED", reason=reason) for file, reason in files]

    def _prepare_and_evolve(self, observed: Observation) -> Observation:
        """Prepare the rows and bring the table to them; again when it is not as it was observed.

        Returns the observation that the plan rests on.
        """
        for plan_number in range(1, MAX_PLANS + 1):
            self._enter("prepare")
            self.prepared = prepared = self._prepare(observed)
            self._enter("evolve")
            try:
                for transaction in prepared.evolution:
                    self._run(transaction)
            except WarehouseError as error:
                seen_again = self._observe()
                unchanged = replace(seen_again, history=observed.history) == observed
                if isinstance(error, TransientWarehouseError) or unchanged or plan_number == MAX_PLANS:
                    self._blame_view(error, transaction)
                    raise
                self.log.warning("the target changed meanwhile; the load is planned again", error=str(error))
                observed = seen_again
            else:
                break
        if not prepared.evolution:
            self.observed_for_next = observed
        return observed

    def _blame_view(self, error: WarehouseError, transaction: Transaction) -> None:
        """Raise a SpecError where what was refused is the definition of one of the spec's views."""
        refused = transaction.statements[error.failed_index or 0]
        if error.failed_index is not None and refused.template == "create_view":
            raise SpecError(
                f"{self.spec.path}: the view {refused.values['view']} cannot be created: {error.warehouse_message}. "
                f"Nothing was changed and the file stays where it is. Correct the view's definition."
            ) from error

    def _prepare(self, observed: Observation) -> Preparation:
        self.plans += 1
        destination = self.services.lake.url(f"{self.books.prefix}plan-{self.plans}/")
        context = PrepareContext(self.books, self._choose_frames, destination)
        prepared = prepare(context, self.files, observed)
        if self.frames is not None and not self.frames.notices_replacement and self._gone():
            raise SourceFileError("a file was replaced while it was read; the next run loads it")
        return prepared

    def _choose_frames(self, batch: SourceBatch) -> FrameEngine:
        self.frames = self.services.frames(batch)
        self.engine_name = self.frames.name
        return self.frames

    def _copy(self, observed: Observation) -> None:
        """Make the staging table and, where there are rows, fill it from the staging files by manifest."""
        assert self.prepared is not None
        lake, manifest_url = self.services.lake, None
        if self.prepared.staged_below is not None:
            below = self.prepared.staged_below.removeprefix(lake.url(""))
            found = [file for file in lake.list_objects(f"{below}/") if file.key.endswith(".parquet")]
            key = f"{self.books.prefix}manifest.json"
            lake.put(key, manifest({lake.url(file.key): file.size_bytes for file in found}))
            manifest_url = lake.url(key)
        self.has_staging_table = True
        self._run(copy_transaction(self.books, observed, self.prepared, manifest_url))
        self.log.info("copied", step="copy", rows=self.prepared.seen.rows_staged)

    def _merge(self, observed: Observation) -> dict[str, RecordCounts]:
        """Run the merge and return what it counted, by object key."""
        assert self.prepared is not None
        self.books.require_quarantine()
        keeps_stored = self.request.keeps_stored
        merge, files = merge_transaction(self.books, self.files, observed, self.prepared, keeps_stored)
        try:
            results = self._run(merge)
        except WarehouseError as error:
            return self._explain(error, merge)
        self.has_staging_table = False
        rows = results[merge.index_of("select_merge_counts")]
        return {self.files[file.ordinal].key: _merge_counts(rows, file) for file in files}

    def _explain(self, error: WarehouseError, merge: Transaction) -> dict[str, RecordCounts]:
        """Say what a refused merge means; return the counts where it was committed after all.

        Raises:
            AlreadyLoaded: the guard found the file in the ledger, entered by another run.
            SourceFileError: several rows have one key, and the spec refuses that.
            TargetChanged: the target has columns that the plan does not know.
            WarehouseError: the rows do not add up, with both numbers; or whatever else it was.
        """
        warehouse = self.services.warehouse
        if error.failed_index == merge.index_of("guard_ledger"):
            committed = read_run_counts(warehouse, self.books.run_id, self.books.caller, self.log)
            if committed:
                self.log.warning("the merge was committed although its reply was lost")
                return {file.key: RecordCounts(*committed[file.identity.key]) for file in self.files}
            raise AlreadyLoaded(str(error)) from error
        if error.failed_index == merge.index_of("check_no_duplicates"):
            keys = self.spec.load.keys
            duplicates = read_duplicates(warehouse, self.books.staging, keys, self.books.caller, self.log)
            raise refused_duplicates(self.books, self.files, duplicates) from error
        if error.failed_index == merge.index_of("guard_column_count"):
            raise TargetChanged(str(error)) from error
        if error.failed_index == merge.index_of("check_conservation") and self.prepared is not None:
            found = read_staging_count(warehouse, self.books.staging, self.books.caller, self.log)
            raise WarehouseError(
                f"the rows do not add up: {self.prepared.seen.rows_staged} were written to the staging files and "
                f"{found} arrived in {self.books.staging}. Nothing was changed; the file stays where it is.",
                statement_id=error.statement_id,
                sql=error.sql,
            ) from error
        raise error

    def _settle(self) -> list[LoadResult]:
        """Archive what was loaded. The rows are in: a file that cannot be moved now is moved by the next run."""
        self._enter("settle")
        results = []
        settled = not self.files or self._pass_over()
        for file in self.files:
            if settled:
                self._archive(file)
            counts = self.counts[file.key]
            self.log.info("loaded", step="settle", file=file.url, **vars(counts))
            results.append(self._result(file, "SUCCESS", counts=counts))
        return results

    def recover(self) -> None:
        """Clear away what dead runs left, where nothing is pending that would do it."""
        try:
            with telling(self.log), SignOfLife(self.services.lake, self.spec.pipeline, self.log):
                self.books.recover(self.services.environment.dead_after_seconds)
        finally:
            self.books.clean_up(self.has_staging_table, bool(self.counts))
            self.books.export_log()

    def _pass_over(self) -> bool:
        """Skip and archive files that the loaded one has replaced as a whole; False where one of them stays.

        Before the loaded file is archived: of the files that are pending then, a run that finds them would
        take an older one for the newest.
        """
        keys = self.work.older if not self.passed_over else []
        older: list[SourceFile] = []
        reason = "a newer file replaces the table"
        described = self._try(
            "look for older files", lambda: older.extend(filter(None, map(self.services.lake.describe, keys)))
        )
        if not described or not self._try("write SKIPPED rows", partial(self.books.write, "SKIPPED", older, reason)):
            return False
        self.passed_over = [self._result(file, "SKIPPED", reason=reason) for file in older]
        is_done = True
        for file in older:
            self.log.warning("file skipped", file=file.url, reason=reason)
            is_done &= self._archive(file)
        return is_done

    def _archive(self, file: SourceFile) -> bool:
        return self._try("archive the file; the next run does it", partial(self.books.move, file, "archive"))

    def _skip(self, files: Sequence[SourceFile], reason: str) -> list[LoadResult]:
        if files:
            self.books.write("SKIPPED", files, reason)
        settled = not files or self._pass_over()
        for file in files:
            self.log.warning("file skipped", file=file.url, reason=reason)
            if settled:
                self._archive(file)
        return [self._result(file, "SKIPPED", reason=reason) for file in files]

    def _lost_to_another(self) -> list[LoadResult]:
        """Skip a load whose file was taken or replaced while it was being read; empty where none was.

        An overlapping run has loaded it, or the next one loads what has replaced it: no failure.
        """
        if self.step not in ("discover", "observe", "recover", "start", "prepare"):
            return []
        gone: list[SourceFile] = []
        self._try("look for the files", lambda: gone.extend(self._gone()))
        if not gone:
            return []
        names = ", ".join(file.url for file in gone)
        reason = f"another run has taken, or another file replaced, {names}"
        self._try("write the SKIPPED row", partial(self.books.write, "SKIPPED", self.files, reason))
        self.log.warning("load given up", reason=reason)
        return [self._result(file, "SKIPPED", reason=reason) for file in self.files]

    def _gone(self) -> list[SourceFile]:
        return [file for file in self.files if not self.services.lake.is_unchanged(file)]

    def _fail(self, error: BaseException) -> list[LoadResult]:
        """Record the failure where that is possible, and put the files where they belong."""
        details = {} if isinstance(error, PipelineError) else {"traceback": trace(error)}
        self.books.tell_failure(self.step, error, details)
        message = f"{OUTAGE_MARK}{told(error)}" if _is_outage(error) else told(error)
        recorded = self._try("write the FAILED row", partial(self.books.write, "FAILED", self.files, message))
        for file in self.files:
            if recorded and self._is_to_be_set_aside(file, error):
                self._try("move the file", partial(self.books.move, file, "unprocessed"))
        failure = LoadFailure(type(error).__name__, self.step, message, error)
        if not self.files:
            return [self._result(None, "FAILED", failure=failure)]
        return [self._result(file, "FAILED", failure=failure) for file in self.files]

    def _is_to_be_set_aside(self, file: SourceFile, error: BaseException) -> bool:
        """The file's or the table's own fault, or too many failed attempts; an outage or interruption is nobody's."""
        if self.request.keeps_stored or not isinstance(error, Exception):
            return False
        if isinstance(error, SourceFileError) and error.keys:
            return file.key in error.keys
        if isinstance(error, SourceFileError | SchemaChangeError):
            return True
        if _is_outage(error):
            return False
        return self.failed_before.get(file.key, 0) + 1 >= self.services.environment.max_attempts

    def _try(self, doing: str, action: Callable[[], object]) -> bool:
        """Do something on the way out; a failure is told and hides nothing."""
        try:
            action()
        except PipelineError as error:
            self.log.error(f"could not {doing}", error=str(error))
            return False
        return True

    def _enter(self, step: str) -> None:
        self.step = step
        self.log.info("step", step=step)

    def _run(self, transaction: Transaction) -> list[list[Row]]:
        return self.services.warehouse.run(transaction, self.books.caller, self.log)

    def _result(
        self,
        file: SourceFile | None,
        status: Literal["SUCCESS", "FAILED", "SKIPPED", "REFUSED"],
        counts: RecordCounts = NO_RECORDS,
        reason: str | None = None,
        failure: LoadFailure | None = None,
    ) -> LoadResult:
        changes = self.prepared.changes if self.prepared is not None else ()
        return LoadResult(
            pipeline=self.spec.pipeline,
            source_file="" if file is None else file.key,
            run_id=self.books.run_id,
            status=status,
            engine=self.engine_name,
            seconds=time.monotonic() - self._clock_start,
            counts=counts,
            schema_changes=tuple(describe_change(change) for change in changes),
            quarantine=self.books.quarantine_url if status == "SUCCESS" and counts.rejected else None,
            reason=reason,
            failure=failure,
        )


def _is_outage(error: BaseException) -> bool:
    """Say whether the warehouse or S3 serves nobody now, so that the next file would fare no better."""
    return isinstance(error, WarehouseError) and error.is_outage


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

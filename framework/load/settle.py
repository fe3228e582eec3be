"""The end of a load: moving its files, the audit rows of those not loaded, and the results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from framework.errors import PipelineError, SchemaChangeError, Section, SourceFileError, SpecError
from framework.load.audit_trail import write_each, write_failed, write_rows
from framework.load.discover import Worklist
from framework.load.eligibility import Reasons
from framework.load.failures.next_step import FailedLoad, kind_of, next_step, out_of_order
from framework.load.request import Corrections
from framework.load.result import NO_RECORDS, LoadFailure, LoadResult, NextStep, RecordCounts
from framework.load.run import Run, Step, log_warning
from framework.log.redaction import safe_message, trace, without_values
from framework.log.run_log import Event
from framework.model.files import SourceFile
from framework.model.load_warning import LoadWarning
from framework.model.measurements import BadRow
from framework.model.observation import OUTAGE_MARK, Observation
from framework.parallel import map_parallel
from framework.plan.audit import LoadFile
from framework.plan.load_plan import LoadPlan
from framework.plan.schema_changes import describe_change


def is_outage(error: BaseException) -> bool:
    """Return whether the warehouse, S3 or this machine is unavailable, so that the next file would fail too."""
    return isinstance(error, PipelineError) and error.is_outage


def report_loaded(run: Run, plan: LoadPlan, counts: Mapping[LoadFile, RecordCounts]) -> list[LoadResult]:
    """Report files whose rows are in the target."""
    run.leftovers.loaded()
    for file in counts:
        run.log.info("loaded", step="settle", file=file.source.url, **vars(counts[file]))
    return [result_of(run, file, "SUCCESS", plan, counts=counts[file]) for file in counts]


def archive_loaded(
    run: Run, work: Worklist, files: Sequence[LoadFile], results: Sequence[LoadResult]
) -> list[LoadResult]:
    """Archive the loaded files; return the results with warnings for files that the next run must archive."""
    run.progress.enter(Step.SETTLE)
    older, warnings = _put_away(run, work, files)
    return [*(_with_warnings(result, warnings) for result in results), *older]


def skip_files(run: Run, work: Worklist, reasons: Reasons) -> list[LoadResult]:
    """Record files as SKIPPED, each with its reason, and archive them."""
    if not reasons:
        return []
    write_each(run, "SKIPPED", reasons)
    for file, reason in reasons.items():
        run.log.warning(Event.FILE_SKIPPED, file=file.source.url, reason=reason)
    older, warnings = _put_away(run, work, list(reasons))
    skipped = (result_of(run, file, "SKIPPED", reason=reason) for file, reason in reasons.items())
    return [*(_with_warnings(result, warnings) for result in skipped), *older]


def refuse_files(run: Run, reasons: Reasons) -> list[LoadResult]:
    """Report files as REFUSED: they stay where they are, nothing is recorded, and the command fails."""
    results = []
    for file, reason in reasons.items():
        source = file.source
        run.log.warning(Event.FILE_REFUSED, file=source.url, reason=reason)
        error = SpecError(f"{source.url} is not loaded: {reason}.").about(Section.ORDER)
        way_in = out_of_order(run.request, run.spec.pipeline, run.services.program, source.key)
        failure = LoadFailure("SpecError", run.progress.step.value, str(error), error, way_in)
        results.append(result_of(run, file, "REFUSED", reason=reason, failure=failure))
    return results


def report_doubtful(run: Run, files: Sequence[tuple[SourceFile, str]]) -> list[LoadResult]:
    """Report unprocessed files of unknown owner as REFUSED."""
    for file, reason in files:
        run.log.warning(Event.FILE_REFUSED, file=file.url, reason=reason)
    return [result_of(run, LoadFile(file), "REFUSED", reason=reason) for file, reason in files]


def settle_failed(
    run: Run, files: Sequence[LoadFile], error: BaseException, observed: Observation | None
) -> list[LoadResult]:
    """Record a failure where that is possible, and set the files aside where they are at fault."""
    lost = _lost_to_another(run, files) if isinstance(error, Exception) else []
    if lost:
        return lost
    step = run.progress.step.value
    details = {} if isinstance(error, PipelineError) else {"traceback": trace(error)}
    run.log.error(Event.LOAD_FAILED, step=step, error_type=type(error).__name__, error=safe_message(error), **details)
    message = f"{OUTAGE_MARK}{safe_message(error)}" if is_outage(error) else safe_message(error)
    kind = kind_of(error, step)
    kinds = {file: replace(kind, is_of_another_file=not _may_be_at_fault(file.source, error)) for file in files}
    recorded = _try(run, "write the FAILED row", partial(write_failed, run, kinds, message), error)
    moved: dict[LoadFile, str] = {}
    for file in files:
        failures = 0 if observed is None else observed.history_of(file.source.identity).failures
        if recorded and _is_to_be_set_aside(run, file.source, error, failures):
            _try(run, "move the file", partial(_set_aside, run, file, moved))
    failure = LoadFailure(type(error).__name__, step, message, error, _next_step(run, files, moved, error))
    return [result_of(run, file, "FAILED", run.progress.plan, failure=failure) for file in files or (None,)]


def with_problems(run: Run, results: list[LoadResult], problems: Sequence[str]) -> list[LoadResult]:
    """Return the results with problems that fail the run although the files are loaded."""
    if not problems or any(result.status == "FAILED" for result in results):
        return results
    message = " ".join(problems)
    failure = LoadFailure(
        "SchemaChangeError", "settle", message, SchemaChangeError(message).about(Section.MISSING_VIEW)
    )
    together = results or [result_of(run, None, "FAILED")]
    place = next((n for n, result in enumerate(together) if result.failure is None), 0)
    return [replace(result, failure=failure) if n == place else result for n, result in enumerate(together)]


def result_of(
    run: Run,
    file: LoadFile | None,
    status: Literal["SUCCESS", "FAILED", "SKIPPED", "REFUSED"],
    plan: LoadPlan | None = None,
    *,
    counts: RecordCounts = NO_RECORDS,
    reason: str | None = None,
    failure: LoadFailure | None = None,
) -> LoadResult:
    """Return a file's result; `file` is None for a load that has found no file."""
    warnings = (*run.warnings, *(plan.warnings if plan is not None else ()))
    return LoadResult(
        pipeline=run.spec.pipeline,
        source_file=None if file is None else file.source.key,
        run_id=run.run_id,
        status=status,
        engine=run.progress.engine,
        seconds=run.progress.seconds,
        counts=counts,
        schema_changes=tuple(describe_change(change) for change in (plan.changes if plan is not None else ())),
        quarantine=run.quarantine_url if status == "SUCCESS" and counts.rejected else None,
        bad_rows=_bad_rows(run, file) if counts.rejected or _is_at_fault(file, failure) else (),
        reason=reason,
        failure=failure,
        warnings=tuple(warning for warning in warnings if file is None or warning.concerns(file.source.key)),
        views=tuple(map(str, plan.views.touched)) if plan is not None else (),
    )


def _bad_rows(run: Run, file: LoadFile | None) -> tuple[BadRow, ...]:
    """Return the first bad rows of a file, without values where the spec keeps them out of messages."""
    first = () if file is None else run.progress.bad_rows.get(file.source.key, ())
    if run.spec.bad_rows.log_samples:
        return first
    # A reason may quote a key of an object, which is often a value.
    return tuple(replace(bad, text=None, reason=without_values(bad.reason)) for bad in first)


def _is_at_fault(file: LoadFile | None, failure: LoadFailure | None) -> bool:
    """Return whether a load has failed because of a file, and not by what came after its rows were staged."""
    error = None if failure is None else failure.error
    return isinstance(error, SourceFileError) and file is not None and _may_be_at_fault(file.source, error)


def _may_be_at_fault(file: SourceFile, error: BaseException) -> bool:
    """Return whether an error does not name other files of the load alone."""
    return not isinstance(error, SourceFileError) or not error.keys or file.key in error.keys


def gone(run: Run, files: Sequence[LoadFile]) -> list[LoadFile]:
    """Return the files that are gone or were replaced."""
    unchanged = map_parallel(run.lake.is_unchanged, [file.source for file in files])
    return [file for file, is_same in zip(files, unchanged, strict=True) if not is_same]


def move(run: Run, file: SourceFile, folder: Literal["archive", "unprocessed"]) -> str | None:
    """Move a file to `data/{folder}/{year}/{month}/`; return its new key, None if it stays.

    A file that is below this folder already stays, and so does a file that was replaced.
    """
    lake = run.lake
    home = f"data/{folder}/"
    if file.key.startswith(lake.key(home)):
        return None
    moved = lake.move(file, f"{home}{run.month}", run.run_id, run.spec.pipeline)
    if moved is None:
        run.log.warning("the file is gone or was replaced; nothing was moved", file=file.url)
    else:
        run.log.info(Event.FILE_MOVED, file=file.url, to=lake.url(moved))
    return moved


def _lost_to_another(run: Run, files: Sequence[LoadFile]) -> list[LoadResult]:
    """Skip a load whose file was moved or replaced while it was read; return nothing where none was.

    A concurrent run has loaded it, or the next run loads its replacement: no failure.
    """
    if not run.progress.step.may_read_files:
        return []
    lost: list[LoadFile] = []
    _try(run, "check the files", lambda: lost.extend(gone(run, files)))
    if not lost:
        return []
    names = ", ".join(file.source.url for file in lost)
    reason = f"another run has taken, or another file replaced, {names}"
    _try(run, "write the SKIPPED row", partial(write_rows, run, "SKIPPED", files, reason))
    run.log.warning("load abandoned", reason=reason)
    return [result_of(run, file, "SKIPPED", reason=reason) for file in files]


def _set_aside(run: Run, file: LoadFile, moved: dict[LoadFile, str]) -> None:
    key = move(run, file.source, "unprocessed")
    if key is not None:
        moved[file] = key


def _next_step(
    run: Run, files: Sequence[LoadFile], moved: Mapping[LoadFile, str], error: BaseException
) -> NextStep | None:
    if isinstance(run.request, Corrections) or not isinstance(error, Exception):
        return None
    keys = [moved.get(file, file.source.key) for file in files]
    kind = kind_of(error, run.progress.step.value)
    return next_step(FailedLoad(run.spec.pipeline, run.services.program, run.request, kind, keys), run.lake)


def _is_to_be_set_aside(run: Run, file: SourceFile, error: BaseException, failures_before: int) -> bool:
    """Return whether the file or the table is at fault, or too many attempts failed; an outage or interruption is not.

    A file in the archive was loaded before, and stays there in any case.
    """
    is_archived = file.key.startswith(run.lake.key("data/archive/"))
    if is_archived or isinstance(run.request, Corrections) or not isinstance(error, Exception):
        return False
    if isinstance(error, SourceFileError | SchemaChangeError):
        return _may_be_at_fault(file, error)
    if is_outage(error) or isinstance(error, SpecError):
        return False
    return failures_before + 1 >= run.services.environment.max_attempts


def _put_away(run: Run, work: Worklist, files: Sequence[LoadFile]) -> tuple[list[LoadResult], list[LoadWarning]]:
    """Archive loaded or skipped files, after the older files that they supersede.

    Returns the results of the older files, and warnings for files that could not be archived.
    """
    are_archived, older = _skip_older(run, work)
    if are_archived:
        return older, [warning for warning in map_parallel(partial(_archive, run), files) if warning is not None]
    why = "an older file, which must go first, could not be archived"
    return older, [_not_archived(run, file, why) for file in files]


def _skip_older(run: Run, work: Worklist) -> tuple[bool, list[LoadResult]]:
    """Skip and archive the files that the loaded one supersedes; return False first where one of them stays.

    Before the loaded file is archived: otherwise a run that lists the pending files in between would take
    an older one for the newest.
    """
    found: list[SourceFile] = []
    reason = "a newer file replaces the table"

    def describe() -> None:
        described = map_parallel(run.lake.describe, [file.key for file in work.older])
        # What was written there since is another file, and stays for the next run.
        found.extend(listed for listed, now in zip(work.older, described, strict=True) if now == listed)

    if not _try(run, "look for older files", describe):
        return False, []
    older = [LoadFile(file) for file in found]
    if not _try(run, "write SKIPPED rows", partial(write_rows, run, "SKIPPED", older, reason)):
        return False, []
    for file in older:
        run.log.warning(Event.FILE_SKIPPED, file=file.source.url, reason=reason)
    warnings = [warning for warning in map_parallel(partial(_archive, run), older) if warning is not None]
    skipped = (result_of(run, file, "SKIPPED", reason=reason) for file in older)
    return not warnings, [_with_warnings(result, warnings) for result in skipped]


def _archive(run: Run, file: LoadFile) -> LoadWarning | None:
    """Archive a file; return a warning where that fails."""
    try:
        move(run, file.source, "archive")
    except PipelineError as error:
        return _not_archived(run, file, str(error))
    return None


def _not_archived(run: Run, file: LoadFile, reason: str) -> LoadWarning:
    message = f"{file.source.url} was not archived: {reason}. The next run archives it."
    warning = LoadWarning("not-archived", None, message, (file.source.key,))
    log_warning(run.log, warning)
    return warning


def _with_warnings(result: LoadResult, warnings: Sequence[LoadWarning]) -> LoadResult:
    own = (warning for warning in warnings if result.source_file is None or warning.concerns(result.source_file))
    return replace(result, warnings=(*result.warnings, *own))


def _try(run: Run, doing: str, action: Callable[[], object], known: BaseException | None = None) -> bool:
    """Run a cleanup action; its failure is logged, unless it is the known one, and never masks an error."""
    try:
        action()
    except PipelineError as error:
        if known is None or str(error) != str(known):
            run.log.error(f"could not {doing}", error=str(error))
        return False
    return True

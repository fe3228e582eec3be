"""The meaning of a refused transaction for its load: the one place where a refusal becomes an outcome.

The decision is pure. Where it needs to read first it returns a question, and the next call brings the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto
from typing import cast

from framework.dataclass import dataclass
from framework.errors import (
    Cause,
    OnRefusal,
    PipelineError,
    SchemaChangeError,
    Section,
    SourceFileError,
    SpecError,
    TransientWarehouseError,
    WarehouseError,
)
from framework.load.execute import Committed, Refusal
from framework.load.failures.load_errors import explain_copy, explain_merge
from framework.load.failures.refused_rows import refused_duplicates
from framework.load.result import RecordCounts
from framework.load.run import Run
from framework.model.names import TableName
from framework.model.observation import Observation
from framework.model.words import counted
from framework.plan.audit import LoadFile
from framework.plan.load_input import LoadInput
from framework.plan.load_plan import PlanHints
from framework.plan.missing import Fill
from framework.plan.shrinkage import too_small
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.audit import read_run_counts
from framework.warehouse.load_errors import LoadErrors, read_load_errors
from framework.warehouse.lookups import count_rows
from framework.warehouse.staging_tables import Duplicates, read_duplicates, read_staging_count


@dataclass(frozen=True)
class Attempt:
    """One attempt to load files: the input and the observation of its plan.

    `observed` is without lookups; `is_own` if this load has made it, not the invocation or an earlier load.
    """

    load: LoadInput
    observed: Observation
    hints: PlanHints
    is_own: bool = True


class Question(Enum):
    """A question that must be answered before an outcome is known."""

    RUN_COUNTS = auto()
    """The counts of the run's own merge, if it was committed although its reply was lost."""
    DUPLICATES = auto()
    """The keys that occur in several rows of the staging table."""
    STAGED_ROWS = auto()
    TARGET_ROWS = auto()
    LOAD_ERRORS = auto()
    """What the warehouse has logged of the refused COPY."""
    TARGET = auto()
    """The target as it is now."""


@dataclass(frozen=True)
class Facts:
    """The answers so far; None where the question was not asked. `run_counts` are by object key."""

    run_counts: Mapping[str, tuple[int, ...]] | None = None
    duplicates: Duplicates | None = None
    staged_rows: int | None = None
    target_rows: int | None = None
    load_errors: LoadErrors | None = None
    target: Observation | None = None


@dataclass(frozen=True)
class Stale:
    """The target is not what the load was planned for: replan, or fail with `error` after the last attempt.

    `observed` is the target as it is now, where it was observed already.
    """

    error: PipelineError
    hints: PlanHints
    observed: Observation | None = None


@dataclass(frozen=True)
class LoadedByOthers:
    """Another run has loaded some of the files."""

    error: WarehouseError


@dataclass(frozen=True)
class Superseded:
    """Another run has loaded a file that comes after one of these."""

    error: WarehouseError


@dataclass(frozen=True)
class Refused:
    """The load fails."""

    error: PipelineError


Outcome = Committed | Stale | LoadedByOthers | Superseded | Refused


def outcome_of(attempt: Attempt, refusal: Refusal, facts: Facts) -> Outcome | Question:
    """Return the outcome of a refusal, or the question that must be answered first."""
    error = refusal.error
    if isinstance(error, TransientWarehouseError):
        # All retries failed transiently, so the target is not at fault.
        return Refused(error)
    match error.refused.meaning:
        case OnRefusal.FAIL | OnRefusal.VIEW_NAME_TAKEN:
            return Refused(error)
        case OnRefusal.REPLAN:
            return Stale(error, attempt.hints)
        case OnRefusal.ALREADY_LOADED:
            return _already_loaded(attempt, error, facts)
        case OnRefusal.SUPERSEDED:
            return Superseded(error)
        case OnRefusal.DUPLICATE_KEYS:
            if facts.duplicates is None:
                return Question.DUPLICATES
            return Refused(refused_duplicates(attempt.load.spec, attempt.load.files, facts.duplicates))
        case OnRefusal.ROW_COUNT_MISMATCH:
            return Question.STAGED_ROWS if facts.staged_rows is None else _mismatch(attempt, facts.staged_rows)
        case OnRefusal.BRINGS_NEW_KEYS:
            return Refused(_brings_new_keys(attempt))
        case OnRefusal.SHRINKS_TABLE:
            return _shrinks(attempt, facts)
        case OnRefusal.NOT_COPIED:
            if facts.load_errors is None:
                return Question.LOAD_ERRORS
            return Refused(explain_copy(attempt.load, error, facts.load_errors))
        case OnRefusal.ROWS_DO_NOT_FIT:
            return _do_not_fit(attempt, error)
        case OnRefusal.VIEW_NOT_REPLACED if (view := _view(refusal)) not in attempt.hints.views_to_drop:
            hints = replace(attempt.hints, views_to_drop=attempt.hints.views_to_drop | {view})
            return Stale(_blamed(attempt, refusal), hints)
        case _:
            return _changed(attempt, refusal, facts)


def meaning_of(run: Run, refusal: Refusal, attempt: Attempt, look: Callable[[], Observation]) -> Outcome:
    """Return the outcome of a refusal, after reading what it depends on; `look` observes the target as it is now."""
    facts = Facts()
    while isinstance(found := outcome_of(attempt, refusal, facts), Question):
        facts = _answer(run, refusal, found, facts, look)
    return found


def _answer(run: Run, refusal: Refusal, question: Question, facts: Facts, look: Callable[[], Observation]) -> Facts:
    staging = run.names.staging
    match question:
        case Question.RUN_COUNTS:
            return replace(facts, run_counts=read_run_counts(run.warehouse, run.run_id))
        case Question.DUPLICATES:
            return replace(facts, duplicates=read_duplicates(run.warehouse, staging, run.spec.load.keys))
        case Question.STAGED_ROWS:
            return replace(facts, staged_rows=read_staging_count(run.warehouse, staging))
        case Question.TARGET_ROWS:
            return replace(facts, target_rows=count_rows(run.warehouse, run.target))
        case Question.LOAD_ERRORS:
            return replace(facts, load_errors=read_load_errors(run.warehouse, refusal.error.refused.query_id))
        case Question.TARGET:
            return replace(facts, target=look())


def _already_loaded(attempt: Attempt, error: WarehouseError, facts: Facts) -> Outcome | Question:
    if facts.run_counts is None:
        return Question.RUN_COUNTS
    if not facts.run_counts:
        return LoadedByOthers(error)
    return Committed({file: RecordCounts(*facts.run_counts[file.source.identity.key]) for file in attempt.load.files})


def _mismatch(attempt: Attempt, found: int) -> Refused:
    staged, staging = attempt.load.staged.seen.rows_staged, attempt.load.names.staging
    return Refused(
        WarehouseError(f"row count mismatch: {staged} rows staged, {found} in {staging}. Nothing was changed.")
    )


def _brings_new_keys(attempt: Attempt) -> SourceFileError:
    fills = [fill for fill in attempt.load.staged.columns.fills if fill.rejects_new]
    why = "evolution.missing_columns lets such a file only replace rows (new_rows: reject)"
    target = attempt.load.spec.target.table
    return _lacks(attempt.load.files, fills, f"which new rows need, and brings keys that are not in {target}; {why}")


def _shrinks(attempt: Attempt, facts: Facts) -> Refused | Question:
    """Return the refusal of a replacement that leaves too few rows, counting one row per key."""
    spec, staged = attempt.load.spec, attempt.load.staged.seen.rows_staged
    if facts.target_rows is None:
        return Question.TARGET_ROWS
    left, of_how_many = staged, ""
    if spec.load.keys and staged:
        if facts.duplicates is None:
            return Question.DUPLICATES
        repeated = sum(facts.duplicates.rows_by_file.values()) - facts.duplicates.keys
        left, of_how_many = staged - repeated, f", one per key of {staged}," if repeated else ""
    rows = f"{counted(left, 'row')}{of_how_many}"
    return Refused(too_small(spec, attempt.load.files[0].source, rows, facts.target_rows))


def _do_not_fit(attempt: Attempt, error: WarehouseError) -> Outcome:
    if error.cause is Cause.VALUE_TOO_LONG:
        # The plan ensures that the values fit, so a column has become narrower since.
        return Stale(error, attempt.hints)
    table = attempt.observed.table
    if error.cause is Cause.NULL_NOT_ALLOWED and table is not None:
        required = {column.name for column in table.columns if not column.nullable}
        fills = [fill for fill in attempt.load.staged.columns.fills if fill.value is None and fill.column in required]
        if fills:
            target = attempt.load.spec.target.table
            why = f"NOT NULL in {target}, and brings keys that are not in the table"
            return Refused(_lacks(attempt.load.files, fills, why))
    return Refused(explain_merge(attempt.load, error))


def _changed(attempt: Attempt, refusal: Refusal, facts: Facts) -> Outcome | Question:
    """Return that the plan is stale if the target is not as observed; else the refusal has another reason."""
    if facts.target is None:
        return Question.TARGET
    blamed = _blamed(attempt, refusal)
    if _without_own(facts.target) == _without_own(attempt.observed):
        return Refused(blamed)
    return Stale(blamed, attempt.hints, facts.target)


def _without_own(observed: Observation) -> Observation:
    """Return the observation without Feedway's own part: a run creates control tables, and every run adds history."""
    return replace(observed, history={}, control_tables=frozenset(), control_columns=frozenset())


def _view(refusal: Refusal) -> TableName:
    statement = refusal.transaction.refused_by(refusal.error)
    assert statement is not None
    return cast(TableName, statement.values["view"])


def _blamed(attempt: Attempt, refusal: Refusal) -> PipelineError:
    """Return the error whose class names who must act: the spec's author, the table's owner, or nobody."""
    spec, error = attempt.load.spec, refusal.error
    match error.refused.meaning:
        case OnRefusal.BAD_GRANT:
            return SpecError(
                f"{spec.path}: a privilege that grants names cannot be granted or revoked: "
                f"{error.reason}. Create who is missing, or correct grants."
            )
        case OnRefusal.TABLE_IN_USE:
            return SchemaChangeError(
                f"{spec.target.table} must be copied into a table with wider columns, and something that cannot be "
                f"dropped depends on it, such as another table's foreign key: {error.first_line}. Nothing was "
                "changed. Have an administrator drop that foreign key (alter table … drop constraint …), and create it "
                "again after the load."
            )
        case OnRefusal.BAD_VIEW | OnRefusal.VIEW_NOT_REPLACED:
            return _bad_view(spec, _view(refusal), error)
        case _:
            return error


def _bad_view(spec: PipelineSpec, view: TableName, error: WarehouseError) -> SpecError:
    what_to_do = "Correct the view's definition."
    if view not in {named.view for named in spec.views}:
        what_to_do = "The spec does not name it: have its owner change or drop it, or correct what is below it."
    reason = error.reason.rstrip(".")
    return SpecError(
        f"{spec.path}: the view {view} cannot be created: {reason}. The change was rolled back. {what_to_do}"
    ).about(Section.VIEWS)


def _lacks(files: Sequence[LoadFile], fills: Sequence[Fill], why: str) -> SourceFileError:
    at_fault = sorted({ordinal for fill in fills for ordinal in fill.files})
    names = ", ".join(repr(fill.column) for fill in fills)
    return SourceFileError(
        f"{files[at_fault[0]].source.url}: the file lacks {names}, {why}. Resend it with the column, or without new "
        "keys.",
        [files[ordinal].source.key for ordinal in at_fault],
    ).about(Section.COLUMNS)

"""From the files of a load to a plan: read headers, profile, stage or measure, plan the changes.

`run` and `plan` both come through here; `plan` measures without writing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from framework.bookkeeping import MAX_WARNINGS_BYTES, Books, warnings_text
from framework.errors import SourceFileError
from framework.first_look import look_at, read_layouts, require_known_column, require_shape
from framework.frames.protocol import FrameEngine, SourceRows
from framework.lake.at_once import at_once
from framework.plan.columns import ColumnPlan, columns_to_profile, plan_columns
from framework.plan.evolve import plan_evolution
from framework.plan.grants import granted, plan_grants
from framework.plan.growth import EvolvingRun
from framework.plan.measured import apply_measurements, with_samples
from framework.plan.merge import LoadedFile, MergeInput, plan_merge
from framework.plan.staging import plan_copy
from framework.plan.steps import Transaction
from framework.plan.views import ViewWork, plan_views, views_to_compare, views_to_look_at
from framework.precedence import precedence_of
from framework.rejection import StagedRows, put_bad_rows_aside
from framework.results import LoadRequest
from framework.run_log import RunLog
from framework.schema.changes import (
    SchemaChange,
    describe_change,
    grown_under_views,
    needs_new_table,
    plan_changes,
    rewritten_columns,
    rewritten_under_views,
    table_after,
    with_rows,
)
from framework.schema.fit import file_columns, refuse_too_many
from framework.schema.missing import emptied_columns
from framework.schema.same_content import same_content
from framework.schema.spellings import new_spellings
from framework.schema.table import Observation, TableDesign
from framework.schema.values import LoadWarning, Measurements, SourceBatch, SourceFile
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.observe_change import (
    count_rows,
    filled_columns,
    observe_dependents,
    observe_design,
    with_same_columns,
)
from framework.words import counted

MAX_STAGING_PASSES = 3
FILES_WITH_WARNINGS = 12
"""So many files' warnings fit into one statement that records loads. Of more files, JOB_STS only counts them."""
COUNTED_WARNINGS_BYTES = 100
MAX_SAMPLED_ROWS = 100
"""So many bad rows are looked at for a value that says why a column becomes text."""


@dataclass(frozen=True)
class Preparation:
    """All that is decided about a load before the warehouse is changed.

    `staged_below` is the address the staging files were written to, `quarantine` that of the bad
    rows; None where there are none. `spellings` holds the header's text, by column, where the warehouse does not know
    for which one the column was created.
    """

    batch: SourceBatch
    staging: ColumnPlan
    seen: Measurements
    changes: tuple[SchemaChange, ...]
    views: ViewWork
    evolution: tuple[Transaction, ...]
    staged_below: str | None
    quarantine: str | None
    warnings: tuple[LoadWarning, ...] = ()
    spellings: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_rows(self) -> bool:
        """Whether there is anything to load."""
        return self.seen.rows_staged > 0


@dataclass(frozen=True)
class PrepareContext:
    """What preparing a load needs beside its files.

    `frames` chooses the engine for a batch; `destination` is None to measure only. `sample_rows`: see SourceBatch.
    """

    books: Books
    frames: Callable[[SourceBatch], FrameEngine]
    destination: str | None
    request: LoadRequest
    sample_rows: int | None = None

    @property
    def spec(self) -> PipelineSpec:
        """The pipeline's spec."""
        return self.books.spec

    @property
    def log(self) -> RunLog:
        """The log of the run."""
        return self.books.log


def prepare(context: PrepareContext, files: Sequence[SourceFile], observed: Observation) -> Preparation:
    """Return what the load will do, with its rows staged or measured, and what its owner should look at.

    Raises:
        SourceFileError: a file cannot be loaded as it is, or holds bad rows.
        SchemaChangeError: the table cannot or may not be changed as the rows need it.
    """
    prepared = _prepare(context, files, observed)
    found = tuple(same_content(files, prepared.seen, observed))
    for warning in found:
        context.books.log_warning(warning)
    return replace(prepared, warnings=(*prepared.warnings, *found))


def _prepare(context: PrepareContext, files: Sequence[SourceFile], observed: Observation) -> Preparation:
    spec = context.spec
    lake = context.books.services.lake
    looks = at_once(partial(look_at, spec, lake), files)
    require_shape(spec, observed.table, looks)
    batch = read_layouts(spec, lake, looks, observed, context.log)
    if not context.request.allow_new_columns:
        require_known_column(spec, observed.table, looks, batch)
    batch = replace(batch, sample_rows=context.sample_rows)
    names = file_columns(spec, batch)
    refuse_too_many(spec, observed.table, files[0].url, names)
    unknown = columns_to_profile(spec, observed.table, names)
    scratch = f"{context.destination}copies" if context.destination else None
    with context.frames(batch).open(batch, context.log.progress, scratch) as rows:
        profiles = rows.profile(unknown) if unknown else {}
        if unknown:
            context.log.info("profiled the columns without a type", step="profile", columns=list(unknown))
        staging = plan_columns(spec, observed.table, batch, profiles, context.books.started_at)
        _refuse_emptied_columns(context, batch, observed, staging)
        staging, seen, staged_below = _stage(context, batch, rows, staging)
        writes = context.destination is not None
        checked = StagedRows(batch, rows, staging, seen)
        quarantine = put_bad_rows_aside(context.books, checked, writes)
    _refuse_too_few_rows(context, batch, seen)
    if seen.rows_staged == 0:
        return Preparation(batch, staging, seen, (), ViewWork(), (), None, quarantine, staging.warnings)
    changes = _decide_changes(context, staging, observed)
    warehouse = context.books.warehouse
    if needs_new_table(changes) and observed.is_to_come:
        observed = replace(observed, design=_design_to_come(spec))
    elif needs_new_table(changes):
        observed = observe_design(warehouse, observed)
    observed = _with_dependents(context.books, observed, changes)
    views = plan_views(spec, observed, changes)
    staged = {column.name for column in staging.columns}
    spellings = new_spellings(observed, spec.columns.rename, batch, staged)
    evolution = plan_evolution(spec, observed, changes, views, _evolving_run(context.books, files, spellings))
    evolution += plan_grants(spec, observed)
    _log_plan(context.books, staging, changes)
    return Preparation(
        batch, staging, seen, changes, views, evolution, staged_below, quarantine, staging.warnings, spellings
    )


def _decide_changes(context: PrepareContext, staging: ColumnPlan, observed: Observation) -> tuple[SchemaChange, ...]:
    """Return the changes of the target; what rewriting costs, and how texts grow under views, its rows decide."""
    spec, books = context.spec, context.books
    design = (spec.target.distkey, spec.target.sortkey)
    changes = plan_changes(staging.column_changes, observed, spec.target.table, design)
    under_views = grown_under_views(changes, spec.target.table, observed)
    if observed.table is None or not (under_views or rewritten_columns(changes)):
        return changes
    most = spec.evolution.rewrite_up_to_rows
    if observed.is_to_come:
        # A load planned before this one creates the table, which has few rows then.
        return rewritten_under_views(changes, observed.table, observed) if under_views and most else changes
    count = count_rows(books.warehouse, observed)
    if under_views and count <= most:
        changes = rewritten_under_views(changes, observed.table, observed)
    return with_rows(changes, count)


def _stage(
    context: PrepareContext, batch: SourceBatch, rows: SourceRows, staging: ColumnPlan
) -> tuple[ColumnPlan, Measurements, str | None]:
    """Stage until the types hold what was seen: one pass, a second where a number outgrew its type."""
    for attempt in range(MAX_STAGING_PASSES):
        below = f"{context.destination}rows-{attempt}" if context.destination else None
        seen = rows.stage(staging.staged, below)
        context.log.info(
            "staged" if below else "measured",
            step="stage",
            staging_pass=attempt + 1,
            rows=seen.rows_staged,
            rows_not_fitting=seen.rows_bad,
            phase_seconds=dict(rows.phase_seconds),
        )
        decided = apply_measurements(context.spec, staging, seen)
        if decided.staged == staging.staged:
            return decided, seen, below
        staging = _with_samples(context.spec, rows, staging, decided, seen)
    raise SourceFileError(f"{batch.files[0].file.url}: the types did not settle in {MAX_STAGING_PASSES} passes")


def _with_samples(
    spec: PipelineSpec, rows: SourceRows, measured: ColumnPlan, decided: ColumnPlan, seen: Measurements
) -> ColumnPlan:
    """Return the plan with a value for each column that becomes text, of those that no wider type holds."""
    names = {column.name for column in decided.columns if column.becomes_text}
    if not names or not spec.bad_rows.log_samples:
        return decided
    files = [file.ordinal for file in seen.files if file.rows_bad]
    found = rows.read_bad_rows(measured.staged, files, MAX_SAMPLED_ROWS)
    samples = {
        bad.column: bad.text for bad in reversed(found) if bad.column in names and bad.column and bad.text is not None
    }
    return with_samples(decided, samples)


def _refuse_too_few_rows(context: PrepareContext, batch: SourceBatch, seen: Measurements) -> None:
    expect, spec = context.spec.expect, context.spec
    is_sample = context.sample_rows is not None and seen.rows_staged > 0
    if context.request.allow_shrink or is_sample or seen.rows_staged >= expect.min_rows:
        return
    found = f"the load has {counted(seen.rows_staged, 'good row')}"
    default = ", by default for load.mode replace" if spec.load.mode == "replace" and expect.min_rows == 1 else ""
    raise SourceFileError(
        f"{batch.files[0].file.url}: {found}, and expect.min_rows is {expect.min_rows}{default}. "
        "Send the file with its rows.",
        accept_with="--allow-shrink",
    )


def _refuse_emptied_columns(
    context: PrepareContext, batch: SourceBatch, observed: Observation, staging: ColumnPlan
) -> None:
    """Reject a replacement that lacks columns in which the table holds values, where the spec says nothing of that."""
    names = [fill.column for fill in staging.fills if fill.unless_filled]
    if not names or observed.is_to_come:
        return
    spec, books = context.spec, context.books
    filled = filled_columns(books.warehouse, spec.target.table, names)
    if not filled:
        return
    raise emptied_columns(spec, filled, batch.files[0].file, staging.warnings)


def _design_to_come(spec: PipelineSpec) -> TableDesign:
    """Return the design that a table has which Feedway itself creates."""
    grants = granted(spec.grants, (), is_exclusive=False)
    return TableDesign("", True, False, "key" if spec.target.distkey else "auto", (), grants)


def _evolving_run(books: Books, files: Sequence[SourceFile], spellings: Mapping[str, str]) -> EvolvingRun:
    others = f" and {len(files) - 1} more" if len(files) > 1 else ""
    source = f"{files[0].identity.key}{others}"
    control_schema = books.services.warehouse.settings.control_schema
    return EvolvingRun(books.run_id, books.started_at, source, control_schema, spellings)


def _with_dependents(books: Books, observed: Observation, changes: Sequence[SchemaChange]) -> Observation:
    """Return the observation with which views may be replaced, and what it takes to put back those in the way."""
    candidates = views_to_compare(books.spec, observed, changes)
    compared = [view for view in candidates if view.view not in books.views_to_drop]
    if compared and not observed.is_to_come:
        shown = {view.view: view.definition for view in compared}
        replaceable = with_same_columns(books.warehouse, shown)
        observed = replace(observed, replaceable=replaceable)
    names = views_to_look_at(books.spec, observed, changes)
    if not names:
        return observed
    books.log.info("views are put back as they are", step="plan", views=[str(name) for name in names])
    return observe_dependents(books.warehouse, observed, names)


def _log_plan(books: Books, staging: ColumnPlan, changes: Sequence[SchemaChange]) -> None:
    for warning in staging.warnings:
        books.log_warning(warning)
    for name in staging.ignored:
        books.log.info("new column is ignored", step="plan", column=name)
    for change in changes:
        books.log.info("schema change", step="plan", **_log_fields(describe_change(change)))


def _log_fields(described: Mapping[str, str | None]) -> dict[str, object]:
    return {("change" if name == "kind" else name): value for name, value in described.items()}


def copy_transaction(books: Books, prepared: Preparation, manifest_url: str | None) -> Transaction:
    """Return the staging table's creation and COPY; without rows the table stays empty."""
    columns = prepared.staging.columns if prepared.has_rows else ()
    return plan_copy(books.staging, columns, manifest_url, books.services.warehouse.settings.copy_role)


def _columns_to_keep(spec: PipelineSpec, observed: Observation, prepared: Preparation) -> int | None:
    """Return how many columns the target has then, if the load must not lose what they hold."""
    policies = [policy.missing_columns for policy in (spec.evolution, *spec.evolution.columns.values())]
    match spec.load.mode:
        case "upsert":
            keeps = any(policy.stored_rows == "keep" for policy in policies)
        case "replace":
            keeps = any(policy.written_for is None for policy in policies)
        case "append":
            keeps = False
    if not keeps or not prepared.has_rows:
        return None
    table = table_after(observed, spec.target.table, prepared.changes)
    return None if table is None else len(table.columns)


def _spellings_of(observed: Observation, prepared: Preparation) -> dict[str, str]:
    """Return the new spellings of columns that were there before the load; others are remembered with the change."""
    known = {column.name for column in observed.table.columns} if observed.table else set()
    return {column: text for column, text in prepared.spellings.items() if column in known}


def merge_transaction(
    books: Books,
    files: Sequence[SourceFile],
    observed: Observation,
    prepared: Preparation,
    request: LoadRequest,
) -> tuple[Transaction, tuple[LoadedFile, ...]]:
    """Return the merge of a prepared load, and its files as the audit will tell them."""
    precedence = precedence_of(books.spec, books.services.lake, request)
    harmless = {"harmless": sorted(books.harmless)}
    bad = {file.ordinal: file.rows_bad for file in prepared.seen.files}
    warnings = (*books.warnings, *prepared.warnings)
    most = MAX_WARNINGS_BYTES if len(files) <= FILES_WITH_WARNINGS else COUNTED_WARNINGS_BYTES
    loaded = tuple(
        _loaded(books, ordinal, file, bad[ordinal], warnings_text([w for w in warnings if w.concerns(file.key)], most))
        for ordinal, file in enumerate(files)
    )
    columns = tuple(column.name for column in prepared.staging.columns) if prepared.has_rows else ()
    merge = plan_merge(
        MergeInput(
            target=books.spec.target.table,
            target_exists=prepared.has_rows or observed.table is not None,
            control_schema=books.services.warehouse.settings.control_schema,
            load=books.spec.load,
            columns=columns,
            fills=prepared.staging.fills,
            files=loaded,
            observed_rows=prepared.seen.rows_staged,
            column_count=_columns_to_keep(books.spec, observed, prepared),
            keeps_stored=request.keeps_stored,
            max_shrink=None if request.allow_shrink else books.spec.expect.max_shrink,
            spellings=_spellings_of(observed, prepared),
            order_bounds=None if precedence is None else precedence.bounds(files) | harmless,
        )
    )
    return merge, loaded


def _loaded(books: Books, ordinal: int, file: SourceFile, rejected: int, warnings: str | None) -> LoadedFile:
    message = f"bad rows: {rejected}, in {books.quarantine_url}" if rejected else None
    return LoadedFile(ordinal, rejected, books.audit_row(file, "SUCCESS", message, warnings))

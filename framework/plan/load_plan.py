"""A load as a value: what it changes, and the transactions that do it.

`run` executes the plan, `plan` prints it. Planning is pure: where it needs to know more of the warehouse it returns
lookups, which the caller answers before it asks again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from framework.dataclass import dataclass
from framework.errors import SchemaChangeError
from framework.model.csv_options import Format
from framework.model.load_warning import LoadWarning
from framework.model.names import TableName, temporary_staging_table
from framework.model.observation import Observation, ObservedTable
from framework.plan.audit import LoadFile, warnings_of
from framework.plan.copy import CopyInput, plan_copy, staging_width
from framework.plan.evolution import plan_evolution
from framework.plan.fit import MAX_COLUMNS, too_many
from framework.plan.grants import plan_grants
from framework.plan.load_input import LoadInput, Staged
from framework.plan.lookups import CompareViews, CountRows, Lookup, ReadDesign, ReadViews
from framework.plan.merge import plan_merge
from framework.plan.merge_input import LoadedFile, MergeInput
from framework.plan.modes import merge_mode
from framework.plan.render import render
from framework.plan.same_content import same_content
from framework.plan.schema_changes import (
    SchemaChange,
    grown_under_views,
    needs_new_table,
    plan_changes,
    rewritten_columns,
    rewritten_under_views,
    table_after,
    with_rows,
)
from framework.plan.spellings import new_spellings
from framework.plan.steps import MAX_BATCH_STATEMENTS, MAX_STATEMENT_BYTES, Statement, Transaction
from framework.plan.view_journal import EvolvingRun
from framework.plan.views import ViewWork, plan_views, views_to_compare, views_to_read
from framework.spec.pipeline import PipelineSpec


@dataclass(frozen=True)
class PlanHints:
    """Findings of earlier plans of the load.

    `views_to_drop` cannot be replaced. `earlier_files` are loaded files, by the sha256 of their identity, that come
    after none of these.
    """

    views_to_drop: frozenset[TableName] = frozenset()
    earlier_files: frozenset[str] = frozenset()


@dataclass(frozen=True)
class LoadPlan:
    """All that a load does to the warehouse, in order: `evolution`, and `single`, or `copy` and `merge`.

    `single` copies and merges in one transaction; None where the load is too large for that.
    `table` is the target as the load leaves it. `spellings` holds the header's text, by column, where the warehouse
    does not know for which one the column was created.
    """

    changes: tuple[SchemaChange, ...]
    views: ViewWork
    evolution: tuple[Transaction, ...]
    single: Transaction | None
    copy: Transaction
    merge: Transaction
    files: tuple[LoadedFile, ...]
    table: ObservedTable | None
    warnings: tuple[LoadWarning, ...]
    spellings: Mapping[str, str]

    @property
    def transactions(self) -> tuple[Transaction, ...]:
        """The transactions that are run, in order, unless the single one must be divided."""
        return (*self.evolution, *([self.copy, self.merge] if self.single is None else [self.single]))


def plan_load(load: LoadInput, observed: Observation, hints: PlanHints) -> LoadPlan | tuple[Lookup, ...]:
    """Return the plan of a load, or the lookups that it needs first.

    Raises:
        SchemaChangeError: the table cannot or may not be changed as the rows need it, or the plan exceeds what the
            warehouse takes.
        SpecError: views of the spec cannot be built.
    """
    if not load.staged.has_rows:
        return _checked(load, observed, _planned(load, observed, hints, (), ViewWork()))
    spec = load.spec
    changes = _changes(load, observed)
    if changes is None:
        return (CountRows(),)
    lookups = tuple(_lookups(spec, observed, changes, hints))
    if lookups:
        return lookups
    if to_restore := views_to_read(spec, observed, changes):
        return (ReadViews(to_restore),)
    return _checked(load, observed, _planned(load, observed, hints, changes, plan_views(spec, observed, changes)))


def _changes(load: LoadInput, observed: Observation) -> tuple[SchemaChange, ...] | None:
    """Return the changes of the target; None where its rows, which decide how texts grow under views, are not known."""
    spec = load.spec
    target = spec.target
    changes = plan_changes(load.staged.columns.column_changes, observed, target.table, (target.distkey, target.sortkey))
    under_views = grown_under_views(changes, target.table, observed)
    if observed.table is None or not (under_views or rewritten_columns(changes)):
        return changes
    if observed.row_count is None:
        return None
    if under_views and observed.row_count <= spec.evolution.rewrite_up_to_rows:
        changes = rewritten_under_views(changes, observed.table, observed)
    return with_rows(changes, observed.row_count)


def _lookups(
    spec: PipelineSpec, observed: Observation, changes: Sequence[SchemaChange], hints: PlanHints
) -> Iterator[Lookup]:
    if needs_new_table(changes) and observed.design is None:
        yield ReadDesign()
    known = hints.views_to_drop | observed.compared
    compared = tuple(
        (view.view, view.definition) for view in views_to_compare(spec, observed, changes) if view.view not in known
    )
    if compared:
        yield CompareViews(compared)


def _planned(
    load: LoadInput, observed: Observation, hints: PlanHints, changes: tuple[SchemaChange, ...], views: ViewWork
) -> LoadPlan:
    staged, table = load.staged, table_after(observed, load.spec.target.table, changes)
    warnings = (*staged.columns.warnings, *same_content(load.sources, staged.seen, observed))
    files = _loaded_files(load, (*load.warnings, *warnings))
    merge = _merge_input(load, observed, hints, table, files)
    manifest_url = load.manifest_url if staged.has_rows else None
    copy = CopyInput(staged.filled_columns, staged.kept_columns, merge.distkey, manifest_url, load.copy_role)
    merged = plan_merge(merge)
    # The table exists only where this transaction was committed but reported as a lost connection.
    drop = Statement("drop_tables", {"tables": (load.names.staging.sql,)})
    return LoadPlan(
        changes=changes,
        views=views,
        evolution=_evolution(load, observed, changes, views) if staged.has_rows else (),
        single=_single(load, merge, copy, MAX_BATCH_STATEMENTS - len(merged.statements)),
        copy=Transaction("copy", (drop, *plan_copy(copy, load.names.staging)), leaves=load.names.staging),
        merge=merged,
        files=files,
        table=table,
        warnings=warnings,
        spellings=_spellings(load, observed),
    )


def _evolution(
    load: LoadInput, observed: Observation, changes: tuple[SchemaChange, ...], views: ViewWork
) -> tuple[Transaction, ...]:
    names, spellings = load.names, _spellings(load, observed)
    source = _named(load.files)
    run = EvolvingRun(names.run_id, names.invocation_id, names.started_at, source, names.control_schema, spellings)
    return (*plan_evolution(load.spec, observed, changes, views, run), *plan_grants(load.spec, observed))


def _merge_input(
    load: LoadInput,
    observed: Observation,
    hints: PlanHints,
    table: ObservedTable | None,
    files: tuple[LoadedFile, ...],
) -> MergeInput:
    """Return what the merge needs to know; `table` is the target as the load's changes leave it."""
    spec, staged = load.spec, load.staged
    columns = staged.filled_columns
    return MergeInput(
        target=spec.target.table,
        target_exists=staged.has_rows or observed.table is not None,
        control_schema=load.names.control_schema,
        staging=load.names.staging,
        load=spec.load,
        columns=(*(column.name for column in columns), *(column.name for column in staged.kept_columns)),
        types={column.name: column.target_type for column in columns},
        fills=staged.columns.fills,
        files=files,
        observed_rows=staged.seen.rows_staged,
        has_distinct_keys=staged.seen.has_distinct_keys,
        column_count=len(table.columns) if table is not None and _keeps_columns(spec, staged) else None,
        keeps_stored=load.terms.keeps_stored,
        max_shrink=None if load.terms.allow_shrink else spec.expect.max_shrink,
        spellings=_of_known_columns(_spellings(load, observed), observed),
        source_format=_decided_format(load, observed),
        order_bounds=_order_bounds(load, hints),
        distkey=_shared_distkey(spec, table),
    )


def _single(load: LoadInput, merge: MergeInput, copy: CopyInput, most_statements: int) -> Transaction | None:
    """Return the transaction that copies and merges; None where the load has too many bytes or statements for it.

    `most_statements` is how many a batch has room for beside those of the merge.
    """
    limits = load.single_submission
    # `plan` writes no staging files: the source files' size stands for theirs.
    size_bytes = load.staged.seen.staged_bytes or sum(file.source.size_bytes for file in load.files)
    if size_bytes > limits.max_bytes:
        return None
    staging = temporary_staging_table(load.names.run_id)
    filled = plan_copy(copy, staging, limits.copy_seconds)
    if len(filled) > most_statements:
        return None
    single = plan_merge(replace(merge, staging=staging, copy=filled))
    texts = (render(each, load.spec.pipeline, load.names.run_id) for each in single.statements)
    return single if sum(len(text.encode("utf-8")) for text in texts) <= MAX_STATEMENT_BYTES else None


def _shared_distkey(spec: PipelineSpec, table: ObservedTable | None) -> str | None:
    """Return the target's distribution key where it is a key of the load: rows that are joined are in one place."""
    columns = () if table is None else table.columns
    return next((column.name for column in columns if column.is_distkey and column.name in spec.load.keys), None)


def _spellings(load: LoadInput, observed: Observation) -> dict[str, str]:
    if not load.staged.has_rows:
        return {}
    staged = {column.name for column in load.staged.filled_columns}
    return new_spellings(observed, load.spec.columns.rename, load.staged.batch, staged)


def _of_known_columns(spellings: Mapping[str, str], observed: Observation) -> dict[str, str]:
    """Return the spellings of columns that exist before the load; others are remembered with the change."""
    known = {column.name for column in observed.table.columns} if observed.table else {}
    return {column: text for column, text in spellings.items() if column in known}


def _named(files: Sequence[LoadFile]) -> str:
    others = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{files[0].source.identity.key}{others}"


def _loaded_files(load: LoadInput, warnings: Sequence[LoadWarning]) -> tuple[LoadedFile, ...]:
    """Return the files with the JOB_STS rows that the merge writes."""
    loaded = []
    for ordinal, (file, measured) in enumerate(zip(load.files, load.staged.seen.files, strict=True)):
        bad = measured.rows_bad
        message = f"bad rows: {bad}, in {load.staged.quarantine}" if bad else None
        of_file = warnings_of(file.source, warnings, len(load.files))
        audit = load.names.audit_row(file, "SUCCESS", message=message, warnings=of_file)
        loaded.append(LoadedFile(ordinal, bad, audit))
    return tuple(loaded)


def _decided_format(load: LoadInput, observed: Observation) -> Format | None:
    """Return the format of the files, where this load decides it for later ones."""
    if load.spec.source.format != "auto" or observed.source_format is not None or not load.staged.has_rows:
        return None
    return load.staged.batch.files[0].options.format


def _keeps_columns(spec: PipelineSpec, staged: Staged) -> bool:
    """Return whether the load must not lose what the target's columns hold, those that it does not know included."""
    policies = [policy.missing_columns for policy in (spec.evolution, *spec.evolution.columns.values())]
    return staged.has_rows and merge_mode(spec.load.mode).keeps_columns(policies)


def _order_bounds(load: LoadInput, hints: PlanHints) -> Mapping[str, object] | None:
    if load.terms.precedence is None:
        return None
    return {**load.terms.precedence.bounds(load.sources), "earlier": sorted(hints.earlier_files)}


def _checked(load: LoadInput, observed: Observation, plan: LoadPlan) -> LoadPlan:
    """Return the plan if the warehouse takes all of it: a table that has grown cannot shrink again.

    Raises:
        SchemaChangeError: the target or the staging table would have too many columns, or a statement too many bytes.
    """
    spec = load.spec
    width = staging_width(load.staged.filled_columns, load.staged.columns.kept)
    most = max(width, 0 if plan.table is None else len(plan.table.columns))
    if most > MAX_COLUMNS:
        raise SchemaChangeError(too_many(spec, observed.table, load.files[0].source.url, most))
    # The statements of the single transaction are known to fit: all of them together do.
    for transaction in plan.transactions if plan.single is None else plan.evolution:
        for statement in transaction.statements:
            render(statement, spec.pipeline, load.names.run_id)
    return plan

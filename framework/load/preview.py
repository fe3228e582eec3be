"""The loads that a run would make now: `plan`. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from framework.dataclass import dataclass
from framework.load.discover import discover
from framework.load.eligibility import Reasons, known_as_loaded, superseded_before
from framework.load.invocation import Invocation
from framework.load.order import precedence_of
from framework.load.planning import from_warehouse, load_input, log_plan, plan_with_lookups
from framework.load.request import Arriving, LoadRequest, accepted_by, names_files
from framework.load.run import begin_run
from framework.load.services import Services
from framework.load.stage import StagingPlace, decided_options, stage
from framework.load.views.trials import check_views
from framework.model.files import SourceFile
from framework.model.observation import Observation, ObservedView, TableDesign, ViewDependency
from framework.model.words import counted, listed
from framework.parallel import map_parallel
from framework.plan.audit import LoadFile
from framework.plan.grants import granted
from framework.plan.load_input import Staged
from framework.plan.load_plan import LoadPlan, PlanHints
from framework.plan.load_report import ColumnReport, report_columns, rows_rewritten
from framework.plan.lookups import CompareViews, CountRows, FindFilledColumns, Lookup, ReadDesign, ReadViews
from framework.plan.render import render
from framework.plan.schema_changes import describe_change, rewritten_columns
from framework.plan.shrinkage import is_too_small, too_small
from framework.plan.spellings import with_spellings
from framework.plan.steps import Transaction
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.catalog import observe
from framework.warehouse.lookups import count_rows


@dataclass(frozen=True)
class PlannedLoad:
    """One load that a run would make; without an engine, files that it would not load.

    `source_bytes` is the size of the files, `rows_rewritten` counts the stored rows that schema changes rewrite.
    """

    pipeline: str
    source_files: tuple[str, ...]
    engine: str | None = None
    rows: int | None = None
    source_bytes: int | None = None
    rows_rewritten: int | None = None
    columns: tuple[ColumnReport, ...] = ()
    schema_changes: tuple[dict[str, str | None], ...] = ()
    fills: tuple[dict[str, str | None], ...] = ()
    warnings: tuple[dict[str, str | None], ...] = ()
    views: tuple[str, ...] = ()
    transactions: tuple[dict[str, object], ...] = ()
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return the load as `plan --output json` prints it (schemas/output/plan.schema.json)."""
        shown = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}
        return {**shown, "columns": [column.as_dict() for column in self.columns]}


def plan_pipeline(
    spec: PipelineSpec, services: Services, request: LoadRequest, sample_rows: int | None = None
) -> list[PlannedLoad]:
    """Return the loads a run would make, in order; each is planned on the state that the previous ones leave.

    Reads the pending files in full, or about `sample_rows` of their first rows; writes nothing.

    Raises:
        SourceFileError, SchemaChangeError: a load would be refused.
        WarehouseError: the warehouse or the lake cannot be read.
    """
    preview = _Preview(spec, services, request, sample_rows)
    work = discover(spec, services, request)
    planned = [load for files in work.loads if (load := preview.plan(files)) is not None]
    preview.check_views()
    if work.older:
        planned.append(preview.not_loaded(work.older, "would be skipped: a newer file replaces the table"))
    return planned


class _Preview:
    """Plans load after load, each on the state that the previous ones would leave."""

    def __init__(self, spec: PipelineSpec, services: Services, request: LoadRequest, sample_rows: int | None) -> None:
        self.spec = spec
        self.place = StagingPlace(sample_rows=sample_rows)
        invocation = Invocation(services)
        self.run = begin_run(invocation, invocation.new_names(spec), request)
        self.observed: Observation | None = None
        self.is_retyped = False
        self.created_with: int | None = None
        """Row count of the table that the loads so far would create; None where the table exists."""

    def plan(self, listed: Sequence[LoadFile]) -> PlannedLoad | None:
        """Plan one load; None where its files are gone."""
        run = self.run
        files = tuple(listed)
        if not isinstance(run.request, Arriving):
            described = map_parallel(run.lake.describe, [file.source.key for file in listed])
            files = tuple(LoadFile(file) for file in described if file is not None)
        if not files:
            return None
        observed = self._observe(files)
        loaded, wanted = known_as_loaded(run, files, observed)
        if not wanted:
            reasons = "; ".join(dict.fromkeys(loaded.values()))
            return self.not_loaded([file.source for file in loaded], f"would be skipped: {reasons}")
        if names_files(run.request) and precedence_of(self.spec, run.lake, run.request) is not None:
            late = superseded_before(run, wanted)
            if late:
                reasons = "; ".join(late.values())
                return self.not_loaded([file.source for file in wanted], f"would be refused: {reasons}")
        staged = stage(run, wanted, observed, self.place, self._ask)
        plan = plan_with_lookups(load_input(run, wanted, staged), observed, PlanHints(), self._ask)
        log_plan(run, staged, plan)
        if not accepted_by(run.request).shrink:
            self._require_size(wanted, observed, staged)
        self._carry_on(observed, staged, plan)
        return self._describe(wanted, (observed, staged, plan), loaded)

    def check_views(self) -> None:
        """Check the views of the spec on the table as the loads would leave it, where there is or will be one.

        Raises:
            SpecError: a view cannot be created.
        """
        if not self.spec.views:
            return
        observed = self.observed or self._observe([])
        if observed.table is not None:
            check_views(self.run, observed.table, self.created_with is not None or self.is_retyped)

    def _require_size(self, files: Sequence[LoadFile], observed: Observation, staged: Staged) -> None:
        """Check that a replacement leaves enough rows, as its merge does, which also knows repeated keys.

        Raises:
            SourceFileError: it does not.
        """
        is_known = observed.table is not None and self.created_with is None and self.place.sample_rows is None
        if not self.spec.load.mode.replaces_table or not is_known:
            return
        stored = count_rows(self.run.warehouse, self.run.target)
        rows = staged.seen.rows_staged
        if is_too_small(self.spec, rows, stored):
            raise too_small(self.spec, files[0].source, counted(rows, "row"), stored)

    def not_loaded(self, files: Sequence[SourceFile], why: str) -> PlannedLoad:
        """Return the plan of files that a run would not load."""
        return PlannedLoad(self.spec.pipeline, tuple(file.url for file in files), notes=(why,))

    def _observe(self, files: Sequence[LoadFile]) -> Observation:
        seen = observe(self.run.warehouse, self.spec, [file.source.identity.etag for file in files])
        if self.observed is None:
            return seen
        return replace(self.observed, history=seen.history)

    def _ask(self, observed: Observation, lookup: Lookup) -> Observation:
        """Answer the planner; without the warehouse for a table that an earlier load would create."""
        if self.created_with is None:
            return from_warehouse(self.run)(observed, lookup)
        match lookup:
            case CountRows():
                return replace(observed, row_count=self.created_with)
            case ReadDesign():
                return replace(observed, design=_design_to_come(self.spec))
            case CompareViews(definitions):
                return replace(observed, compared=observed.compared.union(dict(definitions)))
            case FindFilledColumns():
                return replace(observed, filled=frozenset())
            case ReadViews():
                return from_warehouse(self.run)(observed, lookup)

    def _carry_on(self, observed: Observation, staged: Staged, plan: LoadPlan) -> None:
        if observed.table is None or self.created_with is not None:
            self.created_with = (self.created_with or 0) + staged.seen.rows_staged
        self.observed = with_spellings(self._after(observed, plan), plan.spellings)
        self.is_retyped = self.is_retyped or bool(rewritten_columns(plan.changes))

    def _after(self, observed: Observation, plan: LoadPlan) -> Observation:
        """Return the observation that the load would leave: the table changed, the views built."""
        builds = {view.view: view.build for view in plan.views.creates if view.build is not None}
        is_exclusive = self.spec.grants_exclusive
        known = {view.view: view for view in observed.views}
        # It is unknown which columns new views will use; only that they use the table is certain.
        target = self.spec.target.table
        bound = [view.view for view in plan.views.creates if view.build is not None and not view.late_binding]
        dependencies = [ViewDependency(view, target, None) for view in bound]
        new = [each for each in dependencies if not any(known.view == each.view for known in observed.dependencies)]
        own = {view.view for view in self.spec.views}
        texts = {view.view: view.definition for view in plan.views.creates}
        views = [
            replace(
                seen,
                grants=granted(view.grants, seen.grants, is_exclusive),
                definition=texts.get(view.view, seen.definition),
            )
            for view in self.spec.views
            for seen in (known.get(view.view, ObservedView(view.view, "", True, ())),)
            if view.view in builds or view.view in known
        ]
        return replace(
            observed,
            table_grants=granted(self.spec.grants, observed.table_grants, is_exclusive),
            table=plan.table,
            dependencies=(*observed.dependencies, *new),
            views=(*views, *(view for view in observed.views if view.view not in own)),
            journal=(),
            view_builds={**observed.view_builds, **builds},
        )

    def _describe(
        self, files: Sequence[LoadFile], planned: tuple[Observation, Staged, LoadPlan], loaded: Reasons
    ) -> PlannedLoad:
        observed, staged, plan = planned
        return PlannedLoad(
            pipeline=self.spec.pipeline,
            source_files=tuple(file.source.url for file in files),
            engine=self.run.progress.engine,
            rows=staged.seen.rows_staged,
            source_bytes=sum(file.source.size_bytes for file in files),
            rows_rewritten=rows_rewritten(plan.changes),
            columns=report_columns(staged, self.spec.bad_rows.log_samples),
            schema_changes=tuple(describe_change(change, with_columns=False) for change in plan.changes),
            fills=tuple(fill.as_dict() for fill in staged.columns.fills),
            warnings=tuple(warning.as_dict() for warning in plan.warnings),
            views=tuple(map(str, plan.views.touched)),
            transactions=tuple(self._rendered(transaction) for transaction in plan.transactions),
            notes=tuple(self._notes(observed, staged, loaded)),
        )

    def _notes(self, observed: Observation, staged: Staged, loaded: Reasons) -> Iterator[str]:
        if isinstance(self.run.request, Arriving) and self.run.services.environment.engine == "spark":
            yield "files of this machine are read by the embedded engine; once they are in the lake, spark reads them"
        for file, reason in loaded.items():
            yield f"{file.source.url} would be skipped: {reason}"
        for url, options in decided_options(self.spec, staged.batch).items():
            described = ", ".join(f"{name} {value!r}" for name, value in options.items())
            yield f"{url} is read with {described}"
        if staged.seen.footer_lines:
            yield f"lines left out as footers: {staged.seen.footer_lines}"
        if staged.quarantine is not None:
            folder = f"data/quarantine/{self.spec.pipeline}/"
            yield f"bad rows that would go to {folder}: {staged.seen.rows_bad}"
        named = dict.fromkeys(name for layout in staged.batch.files for name in layout.columns)
        if left_out := [name for name in named if name in self.spec.columns.exclude]:
            yield f"left out by columns.exclude: {listed(left_out)}"
        for name in staged.columns.ignored:
            yield f"new column {name} is ignored"
        for entry in observed.journal:
            yield f"{entry.view.view} is dropped, and a run restores it before the load"
        if self.place.sample_rows is not None:
            rows = sum(file.rows_read for file in staged.seen.files)
            were_read = counted(rows, "row was read", "rows were read")
            yield f"{were_read} as a sample; further rows, if there are any, may need further changes"

    def _rendered(self, transaction: Transaction) -> dict[str, object]:
        pipeline, run_id = self.spec.pipeline, self.run.run_id
        texts = [(statement.template, render(statement, pipeline, run_id)) for statement in transaction.statements]
        return {
            "name": transaction.name,
            "locks": list(transaction.locks),
            "statements": [{"step": step, "sql": sql, "bytes": len(sql.encode("utf-8"))} for step, sql in texts],
        }


def _design_to_come(spec: PipelineSpec) -> TableDesign:
    """Return the design of a table that Feedway creates."""
    grants = granted(spec.grants, (), is_exclusive=False)
    return TableDesign("", True, False, "key" if spec.target.distkey else "auto", (), grants)

"""What a run would do now, without doing any of it: `plan`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from framework.bookkeeping import Books
from framework.discover import discover
from framework.frames.protocol import FrameEngine
from framework.lake.at_once import at_once
from framework.limits import check_limits
from framework.plan.grants import granted
from framework.plan.render import render
from framework.plan.steps import Transaction
from framework.precedence import is_picked, loaded_already, precedence_of, why_overtaken
from framework.prepare import Preparation, PrepareContext, copy_transaction, merge_transaction, prepare
from framework.results import LoadRequest, Services
from framework.schema.changes import describe_change, rewritten_columns, table_after
from framework.schema.shrinkage import is_too_small, too_small
from framework.schema.spellings import with_spellings
from framework.schema.table import Observation, ObservedView, ViewDependency
from framework.schema.values import SourceBatch, SourceFile
from framework.spec.pipeline import PipelineSpec
from framework.view_check import check_views
from framework.warehouse.observe import observe
from framework.warehouse.observe_change import count_rows
from framework.words import counted


@dataclass(frozen=True)
class PlannedLoad:
    """One load as a run would do it."""

    pipeline: str
    source_files: tuple[str, ...]
    engine: str | None
    rows: int | None
    schema_changes: tuple[dict[str, str | None], ...]
    fills: tuple[dict[str, str | None], ...]
    warnings: tuple[dict[str, str | None], ...]
    views: tuple[str, ...]
    transactions: tuple[dict[str, object], ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Return the load as `plan --output json` prints it (schemas/output/plan.schema.json)."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}


def plan_pipeline(
    spec: PipelineSpec, services: Services, request: LoadRequest, sample_rows: int | None = None
) -> list[PlannedLoad]:
    """Return the loads a run would make, in order; each is planned on what those before it leave.

    Reads the pending files in full, or about so many of their first rows; writes nothing anywhere.

    Raises:
        SourceFileError, SchemaChangeError: a load would be refused.
        WarehouseError: the warehouse or the lake cannot be read.
    """
    preview = _Preview(spec, services, sample_rows)
    work = discover(spec, services, request)
    planned = [load for keys in work.loads if (load := preview.plan(keys, request)) is not None]
    preview.check_views()
    if work.older:
        planned.append(
            _not_loaded(
                spec,
                [services.lake.url(key) for key in work.older],
                "would be skipped: a newer file replaces the table",
            )
        )
    return planned


def _not_loaded(spec: PipelineSpec, urls: Sequence[str], why: str) -> PlannedLoad:
    return PlannedLoad(spec.pipeline, tuple(urls), None, 0, (), (), (), (), (), (why,))


class _Preview:
    """Plans load after load, and carries on what each would leave behind."""

    def __init__(self, spec: PipelineSpec, services: Services, sample_rows: int | None) -> None:
        self.sample_rows = sample_rows
        self.spec = spec
        self.services = services
        self.books = Books(spec, services, services.new_run_id())
        self.observed: Observation | None = None
        self.engine_name: str | None = None
        self.is_retyped = False

    def plan(self, keys: Sequence[str], request: LoadRequest) -> PlannedLoad | None:
        """Plan one load; None where its files have gone meanwhile."""
        files = [file for file in at_once(self.services.lake.describe, keys) if file is not None]
        if not files:
            return None
        self.books.warnings.clear()
        observed = self._observe(files)
        known = [file for file in files if observed.history_of(file.identity).generation]
        loaded = loaded_already(self.books, known) if known and not request.again else {}
        wanted = [file for file in files if file not in loaded]
        if not wanted:
            told = "; ".join(dict.fromkeys(loaded.values()))
            return _not_loaded(self.spec, [file.url for file in loaded], f"would be skipped: {told}")
        if is_picked(request) and precedence_of(self.spec, self.services.lake, request) is not None:
            overtaken = why_overtaken(self.books, wanted)
            if overtaken:
                why = "; ".join(overtaken.values())
                return _not_loaded(self.spec, [file.url for file in wanted], f"would be refused: {why}")
        prepared = self._prepare(wanted, observed, request)
        check_limits(self.books, wanted, observed, prepared, request)
        if not request.allow_shrink:
            self._require_size(wanted, observed, prepared)
        self.observed = with_spellings(self._after(observed, prepared), prepared.spellings)
        self.is_retyped = self.is_retyped or bool(rewritten_columns(prepared.changes))
        return self._describe(wanted, observed, prepared, loaded, request)

    def check_views(self) -> None:
        """Check the views of the spec on the table as the loads would leave it, where there is or will be one.

        Raises:
            SpecError: a view cannot be created.
        """
        if not self.spec.views:
            return
        observed = self.observed or self._observe([])
        if observed.table is not None:
            check_views(self.books, observed.table, observed.is_to_come or self.is_retyped)

    def _require_size(self, files: Sequence[SourceFile], observed: Observation, prepared: Preparation) -> None:
        """Check that a replacement leaves enough rows, as its merge does, which also knows repeated keys.

        Raises:
            SourceFileError: it does not.
        """
        is_known = observed.table is not None and not observed.is_to_come and self.sample_rows is None
        if self.spec.load.mode != "replace" or not is_known:
            return
        stored = count_rows(self.books.warehouse, observed)
        rows = prepared.seen.rows_staged
        if is_too_small(self.spec, rows, stored):
            raise too_small(self.spec, files[0], counted(rows, "row"), stored)

    def _observe(self, files: Sequence[SourceFile]) -> Observation:
        etags = [file.identity.etag for file in files]
        seen = observe(self.books.warehouse, self.spec, etags)
        if self.observed is None:
            return seen
        return replace(self.observed, history=seen.history)

    def _prepare(self, files: Sequence[SourceFile], observed: Observation, request: LoadRequest) -> Preparation:
        context = PrepareContext(self.books, self._choose_frames, None, request, self.sample_rows)
        return prepare(context, files, observed)

    def _choose_frames(self, batch: SourceBatch) -> FrameEngine:
        frames = self.services.frames(batch)
        self.engine_name = frames.name
        return frames

    def _after(self, observed: Observation, prepared: Preparation) -> Observation:
        """Return the observation that the load would leave: the table changed, the views built."""
        builds = {view.view: view.build for view in prepared.views.creates if view.build is not None}
        is_exclusive = self.spec.grants_exclusive
        known = {view.view: view for view in observed.views}
        # What the views to be built will stand on is not known; that they stand on the table is.
        target = self.spec.target.table
        bound = [view.view for view in prepared.views.creates if view.build is not None and not view.late_binding]
        stands = [ViewDependency(view, target, None) for view in bound]
        new = [each for each in stands if not any(known.view == each.view for known in observed.dependencies)]
        own = {view.view for view in self.spec.views}
        texts = {view.view: view.definition for view in prepared.views.creates}
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
            is_to_come=observed.table is None or observed.is_to_come,
            table_grants=granted(self.spec.grants, observed.table_grants, is_exclusive),
            table=table_after(observed, self.spec.target.table, prepared.changes),
            dependencies=(*observed.dependencies, *new),
            views=(*views, *(view for view in observed.views if view.view not in own)),
            journal=(),
            view_builds={**observed.view_builds, **builds},
        )

    def _describe(
        self,
        files: Sequence[SourceFile],
        observed: Observation,
        prepared: Preparation,
        loaded: Mapping[SourceFile, str],
        request: LoadRequest,
    ) -> PlannedLoad:
        manifest_url = self.services.lake.url(self.books.manifest_key)
        copy = copy_transaction(self.books, prepared, manifest_url if prepared.has_rows else None)
        merge, _ = merge_transaction(self.books, files, observed, prepared, request)
        transactions = [*prepared.evolution, copy, merge]
        notes = [f"{file.url} would be skipped: {reason}" for file, reason in loaded.items()]
        if prepared.quarantine is not None:
            notes.append(f"bad rows that would go to data/quarantine/{self.spec.pipeline}/: {prepared.seen.rows_bad}")
        notes += [f"new column {name} is ignored" for name in prepared.staging.ignored]
        notes += [f"{entry.view.view} is down, and a run puts it back before all this" for entry in observed.journal]
        if self.sample_rows is not None:
            rows = sum(file.rows_read for file in prepared.seen.files)
            looked_at = counted(rows, "row was looked at", "rows were looked at")
            notes.append(f"the first {looked_at}; where the files have more, those may ask for more")
        return PlannedLoad(
            pipeline=self.spec.pipeline,
            source_files=tuple(file.url for file in files),
            engine=self.engine_name,
            rows=prepared.seen.rows_staged,
            schema_changes=tuple(describe_change(change) for change in prepared.changes),
            fills=tuple(fill.as_dict() for fill in prepared.staging.fills),
            warnings=tuple(warning.as_dict() for warning in (*self.books.warnings, *prepared.warnings)),
            views=tuple(map(str, prepared.views.touched)),
            transactions=tuple(self._rendered(transaction) for transaction in transactions),
            notes=tuple(notes),
        )

    def _rendered(self, transaction: Transaction) -> dict[str, object]:
        pipeline, run_id = self.spec.pipeline, self.books.run_id
        texts = [(statement.template, render(statement, pipeline, run_id)) for statement in transaction.statements]
        return {
            "name": transaction.name,
            "locks": list(transaction.locks),
            "statements": [{"step": step, "sql": sql, "bytes": len(sql.encode("utf-8"))} for step, sql in texts],
        }

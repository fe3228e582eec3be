"""The views that a load drops and restores, and the statements that do it.

A view of the spec is created from the spec, any other view on the target from its own definition;
both get their privileges and comments back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from framework.dataclass import dataclass
from framework.errors import OnRefusal, SchemaChangeError, Section, SpecError
from framework.model.names import TableName
from framework.model.observation import Comment, Observation, ObservedView, ViewBuild, ViewDependency
from framework.plan.schema_changes import (
    AddColumn,
    SchemaChange,
    columns_after,
    grown_columns,
    needs_new_table,
    rewritten_columns,
    views_above,
    views_on,
)
from framework.plan.steps import MAX_STATEMENT_BYTES, Statement, locks_view
from framework.spec.pipeline import PipelineSpec, ViewSpec
from framework.spec.query_text import has_star, names_relation, query_mistake
from framework.spec.views import render_view

_FRAME_BYTES = 1_000
"""Bytes of a CREATE VIEW besides the definition: the view's name, and the line that names the run."""


@dataclass(frozen=True)
class NewView:
    """A view to create. `build` is set for a view of the spec only.

    A view that `replaces` the existing one has the same columns, so that the views above it stay.
    """

    view: TableName
    definition: str
    late_binding: bool
    build: ViewBuild | None
    replaces: bool = False


@dataclass(frozen=True)
class ViewWork:
    """The views to drop, highest first, and to create, lowest first.

    Views `in_the_way` of native growth, lowest first, are dropped for it and restored before the others.
    """

    drops: tuple[ObservedView, ...] = ()
    creates: tuple[NewView, ...] = ()
    in_the_way: tuple[ObservedView, ...] = ()

    @property
    def touched(self) -> tuple[TableName, ...]:
        """All views that are restored or created."""
        restored = [view.view for view in self.in_the_way]
        return tuple(dict.fromkeys([*restored, *(view.view for view in self.creates)]))


def plan_views(spec: PipelineSpec, observed: Observation, changes: Sequence[SchemaChange]) -> ViewWork:
    """Return the views that must be rebuilt: outdated ones, those that block a change, and all above them.

    `observed` must have the definitions of the views to restore (`views_to_read`).

    Raises:
        SchemaChangeError: a blocking view cannot be restored as it is.
    """
    views = _views(spec, observed, changes)
    existing = {view.view: view for view in observed.views}
    for name in dict.fromkeys((*views.in_the_way, *views.affected)):
        try:
            _refuse_what_cannot_return(spec, existing[name])
        except SchemaChangeError as error:
            if views.is_for_the_table:
                raise
            # The file is not at fault: it stays pending until the spec is corrected.
            raise SpecError(f"{spec.path}: views of the spec must be rebuilt. {error}").about(Section.VIEWS) from error
    rebuilt = {*views.affected, *views.outdated}
    created = [
        replace(view, replaces=view.view in existing and view.view not in views.affected)
        for view in views.named
        if view.view in rebuilt
    ]
    created += [_foreign(existing[name]) for name in views.affected if name not in {view.view for view in created}]
    drops = tuple(existing[name] for name in reversed(views.affected))
    in_the_way = tuple(existing[name] for name in views.in_the_way)
    return ViewWork(drops, _lowest_first(created, observed.dependencies), in_the_way)


def views_to_read(spec: PipelineSpec, observed: Observation, changes: Sequence[SchemaChange]) -> tuple[TableName, ...]:
    """Return the views to restore as they are whose definition, owner and privileges are not observed yet."""
    views = _views(spec, observed, changes)
    named = {view.view for view in views.named}
    known = {view.view for view in observed.views if view.definition is not None}
    rebuilt = (name for name in views.affected if name not in named)
    return tuple(name for name in dict.fromkeys((*views.in_the_way, *rebuilt)) if name not in known)


def views_to_compare(spec: PipelineSpec, observed: Observation, changes: Sequence[SchemaChange]) -> tuple[NewView, ...]:
    """Return the outdated views that may be replaced if their new definition keeps their columns.

    A view with a `*` gets another column once one is added. Views of another owner and late-binding views
    cannot be replaced.
    """
    views = _views(spec, observed, changes)
    bound = {dependency.view for dependency in observed.dependencies}
    own = {view.view for view in observed.views if view.is_own}
    # The type that a new definition gives a changing column is not known beforehand.
    retypes = bool(rewritten_columns(changes) or grown_columns(changes))
    in_a_changes_way = views_above(_blocking_views(spec.target.table, observed, changes), observed.dependencies)
    adds = any(isinstance(change, AddColumn) for change in changes)
    return tuple(
        view
        for view in views.named
        if view.view in views.outdated
        and view.view in own & bound
        and view.view not in in_a_changes_way
        and not view.late_binding
        and not (adds and has_star(view.definition))
        and not (retypes and _is_redefined(view, observed))
    )


def _is_redefined(view: NewView, observed: Observation) -> bool:
    built = observed.view_builds.get(view.view)
    return built is None or view.build is None or built.definition_sha256 != view.build.definition_sha256


@dataclass(frozen=True)
class _Views:
    """`named` are all views of the spec as they would be created, `affected` all views to drop, lowest first.

    `in_the_way` are the views that block native growth, lowest first. `is_for_the_table`: a change of the
    table needs it, not only the spec.
    """

    named: tuple[NewView, ...]
    outdated: tuple[TableName, ...]
    affected: tuple[TableName, ...]
    in_the_way: tuple[TableName, ...]
    is_for_the_table: bool


def _views(spec: PipelineSpec, observed: Observation, changes: Sequence[SchemaChange]) -> _Views:
    columns = columns_after(observed, spec.target.table, changes)
    named = _in_dependency_order([_of_spec(view, spec, columns) for view in spec.views])
    existing = {view.view for view in observed.views}
    outdated = tuple(
        view.view for view in named if observed.view_builds.get(view.view) != view.build or view.view not in existing
    )
    blocking = _blocking_views(spec.target.table, observed, changes)
    roots = (*blocking, *(name for name in outdated if name in existing and name not in observed.replaceable))
    below_growth = views_on(spec.target.table, grown_columns(changes), observed)
    return _Views(
        named,
        outdated,
        views_above(roots, observed.dependencies),
        views_above(below_growth, observed.dependencies),
        bool(changes),
    )


def definitions_in_order(spec: PipelineSpec) -> tuple[NewView, ...]:
    """Return the spec's views as they would be created, each after those that its definition names."""
    return _in_dependency_order([_of_spec(view, spec, ()) for view in spec.views])


def _in_dependency_order(views: Sequence[NewView]) -> tuple[NewView, ...]:
    """Return the spec's views so that each comes after those that its definition names; else in the spec's order.

    A name without a schema may be a column's: it orders views, but does not count as a cycle.
    """
    ordered: list[NewView] = []
    pending = list(views)
    while pending:
        ready = next((view for view in pending if not _names_any(view, pending, with_schema=False)), None)
        ready = ready or next((view for view in pending if not _names_any(view, pending, with_schema=True)), None)
        if ready is None:
            circle = ", ".join(str(view.view) for view in pending)
            raise SchemaChangeError(
                f"{circle}: views of the spec depend on each other in a cycle. Correct one of them."
            ).about(Section.VIEWS)
        pending.remove(ready)
        ordered.append(ready)
    return tuple(ordered)


def _names_any(view: NewView, others: Sequence[NewView], *, with_schema: bool) -> bool:
    names = [other.view for other in others if other is not view]
    return any(
        names_relation(view.definition, name.schema, name.name, with_schema=with_schema or name.schema != "public")
        for name in names
    )


def _of_spec(view: ViewSpec, spec: PipelineSpec, columns: tuple[tuple[str, str], ...]) -> NewView:
    definition = render_view(view.definition, view.view, spec.target.table)
    # A late-binding view does not depend on its table's columns.
    build = ViewBuild(
        _sha256(f"{view.late_binding} {definition}"), _sha256(json.dumps(() if view.late_binding else columns))
    )
    return NewView(view.view, definition, view.late_binding, build)


def _foreign(view: ObservedView) -> NewView:
    assert view.definition is not None
    return NewView(view.view, query_of(view.definition), late_binding=False, build=None)


def query_of(definition: str) -> str:
    """Return a view's query from its definition in the catalog, which ends it with a semicolon."""
    return definition.strip().rstrip(";").rstrip()


def _lowest_first(views: Sequence[NewView], dependencies: Sequence[ViewDependency]) -> tuple[NewView, ...]:
    """Return the views, each after those it depends on; views of the spec keep the spec's order."""
    below: dict[TableName, set[TableName]] = {view.view: set() for view in views}
    for dependency in dependencies:
        if dependency.view in below and dependency.source in below:
            below[dependency.view].add(dependency.source)
    in_spec = [view.view for view in views if view.build is not None]
    for place, name in enumerate(in_spec):
        # The spec's definition may depend on other views than the warehouse's.
        below[name] = (below[name] - set(in_spec)) | set(in_spec[:place])
    ordered: list[NewView] = []
    pending = list(views)
    while pending:
        done = {view.view for view in ordered}
        ready = next((view for view in pending if below[view.view] <= done), None)
        if ready is None:
            names = ", ".join(sorted(str(view.view) for view in pending))
            raise SchemaChangeError(
                f"{names}: in the spec's order a view would be created before one that it depends on, through "
                "a view that the spec does not name. List the views in the order of their dependencies."
            ).about(Section.VIEWS)
        pending.remove(ready)
        ordered.append(ready)
    return tuple(ordered)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _blocking_views(target: TableName, observed: Observation, changes: Sequence[SchemaChange]) -> tuple[TableName, ...]:
    """Return the bound views that use a column to replace, or the table where that is replaced."""
    if not needs_new_table(changes):
        return views_on(target, rewritten_columns(changes), observed)
    found = (dependency.view for dependency in observed.dependencies if dependency.source == target)
    return tuple(dict.fromkeys(found))


def _refuse_what_cannot_return(spec: PipelineSpec, view: ObservedView) -> None:
    """Refuse to drop a view that cannot be restored as it is; the message says what an administrator can do."""
    name, definition = view.view, view.definition
    blocked = f"{name}: the view blocks a change of {spec.target.table} or of a view below it"
    if view.is_materialized:
        raise SchemaChangeError(
            f"{blocked}, and a materialized view cannot be restored: the catalog does not show its design. Have "
            f"its owner {view.owner} save the definition and run: drop materialized view {name.sql}; then run the "
            "load again, and recreate the view."
        ).about(Section.VIEWS)
    if view.hidden_grantees:
        raise SchemaChangeError(f"{blocked}, and {hidden_privileges(name, view.hidden_grantees)}").about(Section.VIEWS)
    if view.has_column_grants:
        raise SchemaChangeError(
            f"{blocked}, and column-level grants on it cannot be restored. Grant on the whole view, or drop the "
            f"view before the load and recreate it afterwards: drop view {name.sql};"
        ).about(Section.VIEWS)
    if not view.is_own and not (view.may_set_owner and view.definition is not None):
        raise SchemaChangeError(
            f"{blocked}, must be rebuilt but belongs to {view.owner}, and Feedway may not restore its owner. "
            f"Have an administrator run: alter table {name.sql} owner to <the user Feedway connects as>;"
        ).about(Section.VIEWS)
    if definition is not None and len(definition.encode("utf-8")) > MAX_STATEMENT_BYTES - _FRAME_BYTES:
        raise SchemaChangeError(
            f"{blocked}, and its definition has more bytes than a statement of the Data API may have "
            f"({MAX_STATEMENT_BYTES}), so it cannot be restored. Drop it before the load and recreate it "
            f"afterwards through another connection: drop view {name.sql};"
        ).about(Section.VIEWS)
    if definition is not None and (mistake := query_mistake(query_of(definition))) is not None:
        raise SchemaChangeError(
            f"{blocked}, and its definition in the catalog {mistake}, so it cannot be restored safely. "
            f"Drop it before the load and recreate it afterwards: drop view {name.sql};"
        ).about(Section.VIEWS)


def hidden_privileges(name: TableName, grantees: Sequence[str]) -> str:
    """Return the message on privileges that cannot be seen and would be lost, with what an administrator can do."""
    return (
        f"{', '.join(grantees)} hold privileges on {name} that svv_relation_privileges does not show to the user "
        "Feedway connects as, so they cannot be restored. Have an administrator run: "
        "alter user <that user> syslog access unrestricted;"
    )


def drop_statements(work: ViewWork) -> Iterator[Statement]:
    """Yield the statements that drop the views, highest first, with guards on views that no spec names."""
    of_spec = {view.view for view in work.creates if view.build is not None}
    for view in work.drops:
        if view.definition is not None and view.view not in of_spec:
            yield guard_view(view)
    for view in work.drops:
        yield drop_view(view.view)


def guard_view(view: ObservedView) -> Statement:
    """Return a guard that fails where a view is not as observed."""
    values = {"view": view.view, "owner": view.owner, "definition": view.definition}
    return Statement("guard_view", values, OnRefusal.REPLAN)


def drop_view(view: TableName) -> Statement:
    """Return the statement that drops a view without dependents."""
    return Statement("drop_view", {"view": view}, locks=locks_view(view))


def create_statements(
    work: ViewWork, observed: Observation, control_schema: str, run_id: str, built_at: datetime
) -> Iterator[Statement]:
    """Yield the statements that create the views with their privileges, comments and owners, and store builds."""
    builds = TableName(control_schema, "view_builds")
    before = {view.view: view for view in observed.views}
    for view in work.creates:
        values = {"view": view.view, "definition": view.definition, "late_binding": view.late_binding}
        if view.replaces:
            yield Statement("replace_view", values, OnRefusal.VIEW_NOT_REPLACED, locks_view(view.view))
        else:
            yield Statement("create_view", values, OnRefusal.BAD_VIEW)
        if (seen := before.get(view.view)) is not None and not view.replaces:
            # Redshift allows no comments on columns of late-binding views.
            comments = (each for each in observed.comments if not (view.late_binding and each.column))
            yield from restore_surroundings(seen, comments)
        if view.build is None:
            continue
        yield Statement("delete_view_build", {"table": builds, "view": view.view})
        yield Statement(
            "insert_view_build",
            {
                "table": builds,
                "view": view.view,
                "definition_sha256": view.build.definition_sha256,
                "columns_sha256": view.build.columns_sha256,
                "run_id": run_id,
                "built_at": built_at,
            },
        )


def restore_surroundings(view: ObservedView, comments: Iterable[Comment]) -> Iterator[Statement]:
    """Yield the statements that restore the privileges, comments and owner of a recreated view."""
    for grant in view.grants:
        yield Statement("grant_on_relation", {"relation": view.view, "grant": grant})
    for comment in comments:
        if comment.relation == view.view and comment.column is None:
            yield Statement("comment_on_view", {"view": view.view, "comment": comment.text})
        elif comment.relation == view.view:
            values = {"relation": view.view, "name": comment.column, "comment": comment.text}
            yield Statement("comment_on_column", values)
    if not view.is_own:
        yield Statement("set_owner", {"relation": view.view, "owner": view.owner})

"""Which views a load takes down and puts back, and the statements that do it.

A view of the spec is created from the spec, one that somebody else put on the target from its own
definition; both get back the privileges and comments they had.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from framework.errors import OnRefusal, SchemaChangeError, SpecError
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
"""Of a CREATE VIEW beside the definition: the view's name, and the line that says whose the statement is."""


@dataclass(frozen=True)
class NewView:
    """A view as it is to be created. `build` is that of a view of the spec; others have none.

    One that `replaces` the view of its name has the same columns, so that nothing above it is touched.
    """

    view: TableName
    definition: str
    late_binding: bool
    build: ViewBuild | None
    replaces: bool = False


@dataclass(frozen=True)
class ViewWork:
    """The views to drop, highest first, and to create, lowest first.

    Those that are `in_the_way` of native growth, lowest first, are put back before, as they were.
    """

    drops: tuple[ObservedView, ...] = ()
    creates: tuple[NewView, ...] = ()
    in_the_way: tuple[ObservedView, ...] = ()

    @property
    def touched(self) -> tuple[TableName, ...]:
        """All views that are created, as they were or anew."""
        down = [view.view for view in self.in_the_way]
        return tuple(dict.fromkeys([*down, *(view.view for view in self.creates)]))


def plan_views(spec: PipelineSpec, observed: Observation, changes: Sequence[SchemaChange]) -> ViewWork:
    """Return the views that must be rebuilt: outdated ones, those in a change's way, and all above them.

    Those that must be put back as they are (`views_to_look_at`) must have been looked at.

    Raises:
        SchemaChangeError: a view that is in the way could not be put back as it is.
    """
    views = _views(spec, observed, changes)
    existing = {view.view: view for view in observed.views}
    for name in dict.fromkeys((*views.in_the_way, *views.affected)):
        try:
            _refuse_what_cannot_return(spec, existing[name])
        except SchemaChangeError as error:
            if views.is_for_the_table:
                raise
            # Nothing is wrong with the file: it waits for the spec to be put right.
            raise SpecError(f"{spec.path}: views of the spec must be built anew. {error}") from error
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


def views_to_look_at(
    spec: PipelineSpec, observed: Observation, changes: Sequence[SchemaChange]
) -> tuple[TableName, ...]:
    """Return the views that are put back as they are, and of which that is not known yet: `observe_dependents`."""
    views = _views(spec, observed, changes)
    named = {view.view for view in views.named}
    known = {view.view for view in observed.views if view.definition is not None}
    rebuilt = (name for name in views.affected if name not in named)
    return tuple(name for name in dict.fromkeys((*views.in_the_way, *rebuilt)) if name not in known)


def views_to_compare(spec: PipelineSpec, observed: Observation, changes: Sequence[SchemaChange]) -> tuple[NewView, ...]:
    """Return the outdated views that may be replaced, if what they will show has the columns they have now.

    A view with a `*` has others once a column is added. Of a view that belongs to somebody else, or is
    late-binding, the warehouse decides otherwise.
    """
    views = _views(spec, observed, changes)
    bound = {dependency.view for dependency in observed.dependencies}
    own = {view.view for view in observed.views if view.is_own}
    # What a new definition shows of a column whose type changes is not known beforehand.
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
    """`named` are all of the spec as they would be created, `affected` all to be dropped, lowest first.

    `in_the_way` are those that native growth cannot do with, lowest first. `is_for_the_table` says that
    a change of the table asks for it, not only the spec.
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

    A name without a schema may be another thing's, a column's say: it orders views, but makes no circle.
    """
    ordered: list[NewView] = []
    pending = list(views)
    while pending:
        ready = next((view for view in pending if not _names_any(view, pending, with_schema=False)), None)
        ready = ready or next((view for view in pending if not _names_any(view, pending, with_schema=True)), None)
        if ready is None:
            circle = ", ".join(str(view.view) for view in pending)
            raise SchemaChangeError(
                f"{circle}: views of the spec stand on each other in a circle. Correct one of them."
            )
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
    # A late-binding view follows its table, whatever becomes of that.
    build = ViewBuild(
        _sha256(f"{view.late_binding} {definition}"), _sha256(json.dumps(() if view.late_binding else columns))
    )
    return NewView(view.view, definition, view.late_binding, build)


def _foreign(view: ObservedView) -> NewView:
    assert view.definition is not None
    return NewView(view.view, query_of(view.definition), late_binding=False, build=None)


def query_of(definition: str) -> str:
    """Return a view's query from what the catalog shows, which ends it like a statement."""
    return definition.strip().rstrip(";").rstrip()


def _lowest_first(views: Sequence[NewView], dependencies: Sequence[ViewDependency]) -> tuple[NewView, ...]:
    """Return the views so that each comes after what it stands on; those of the spec keep the spec's order."""
    below: dict[TableName, set[TableName]] = {view.view: set() for view in views}
    for dependency in dependencies:
        if dependency.view in below and dependency.source in below:
            below[dependency.view].add(dependency.source)
    in_spec = [view.view for view in views if view.build is not None]
    for place, name in enumerate(in_spec):
        # What the spec says now may stand on other views than what the warehouse has.
        below[name] = (below[name] - set(in_spec)) | set(in_spec[:place])
    ordered: list[NewView] = []
    pending = list(views)
    while pending:
        done = {view.view for view in ordered}
        ready = next((view for view in pending if below[view.view] <= done), None)
        if ready is None:
            names = ", ".join(sorted(str(view.view) for view in pending))
            raise SchemaChangeError(
                f"{names}: in the spec's order a view would be created before one that it stands on now, by way of "
                "a view that the spec does not name. Name the views in the order in which they stand on each other."
            )
        pending.remove(ready)
        ordered.append(ready)
    return tuple(ordered)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _blocking_views(target: TableName, observed: Observation, changes: Sequence[SchemaChange]) -> tuple[TableName, ...]:
    """Return the bound views that use a column which is about to be replaced, or the table."""
    if not needs_new_table(changes):
        return views_on(target, rewritten_columns(changes), observed)
    found = (dependency.view for dependency in observed.dependencies if dependency.source == target)
    return tuple(dict.fromkeys(found))


def _refuse_what_cannot_return(spec: PipelineSpec, view: ObservedView) -> None:
    """Refuse to take a view down that would not come back as it is; say what an administrator can do."""
    name, definition = view.view, view.definition
    way = f"{name}: the view is in the way of a change of {spec.target.table} or of a view below it"
    if view.is_materialized:
        raise SchemaChangeError(
            f"{way}, and a materialized view cannot be put back as it is: the catalog does not show its design. Have "
            f"its owner {view.owner} run, with the definition at hand: drop materialized view {name.sql}; then run the "
            "load again, and create the view anew."
        )
    if view.hidden_grantees:
        raise SchemaChangeError(f"{way}, and {hidden_privileges(name, view.hidden_grantees)}")
    if view.has_column_grants:
        raise SchemaChangeError(
            f"{way}, and privileges on columns of it are granted, which cannot be put back. Have them granted on the "
            f"whole view, or drop the view before the load and create it again afterwards: drop view {name.sql};"
        )
    if not view.is_own and not (view.may_set_owner and view.definition is not None):
        raise SchemaChangeError(
            f"{way}, must be rebuilt but belongs to {view.owner}, and its owner could not be put back. "
            f"Have an administrator run: alter table {name.sql} owner to <the user Feedway connects as>;"
        )
    if definition is not None and len(definition.encode("utf-8")) > MAX_STATEMENT_BYTES - _FRAME_BYTES:
        raise SchemaChangeError(
            f"{way}, and its definition has more bytes than a statement of the Data API may have "
            f"({MAX_STATEMENT_BYTES}), so that it cannot be put back. Drop it before the load and create it again "
            f"afterwards through another connection: drop view {name.sql};"
        )
    if definition is not None and (mistake := query_mistake(query_of(definition))) is not None:
        raise SchemaChangeError(
            f"{way}, and its definition in the catalog {mistake}, so that it cannot be put back safely. "
            f"Drop it before the load and create it again afterwards: drop view {name.sql};"
        )


def hidden_privileges(name: TableName, grantees: Sequence[str]) -> str:
    """Say whose privileges would be lost because they cannot be seen, and what an administrator can do."""
    return (
        f"{', '.join(grantees)} hold privileges on {name} that svv_relation_privileges does not show to the user "
        "Feedway connects as, so that they could not be put back. Have an administrator run: "
        "alter user <that user> syslog access unrestricted;"
    )


def drop_statements(work: ViewWork) -> Iterator[Statement]:
    """Return what takes the views down, highest first; a view of others that has changed meanwhile stops it."""
    of_spec = {view.view for view in work.creates if view.build is not None}
    for view in work.drops:
        if view.definition is not None and view.view not in of_spec:
            yield guard_view(view)
    for view in work.drops:
        yield drop_view(view.view)


def guard_view(view: ObservedView) -> Statement:
    """Return what fails where a view is no longer what was observed."""
    values = {"view": view.view, "owner": view.owner, "definition": view.definition}
    return Statement("guard_view", values, OnRefusal.REPLAN)


def drop_view(view: TableName) -> Statement:
    """Return what drops a view on which nothing depends."""
    return Statement("drop_view", {"view": view}, locks=locks_view(view))


def create_statements(
    work: ViewWork, observed: Observation, control_schema: str, run_id: str, built_at: datetime
) -> Iterator[Statement]:
    """Return what creates the views with the privileges, comments and owners they had, and remembers builds."""
    builds = TableName(control_schema, "view_builds")
    before = {view.view: view for view in observed.views}
    for view in work.creates:
        values = {"view": view.view, "definition": view.definition, "late_binding": view.late_binding}
        if view.replaces:
            yield Statement("replace_view", values, OnRefusal.VIEW_NOT_REPLACED, locks_view(view.view))
        else:
            yield Statement("create_view", values, OnRefusal.BAD_VIEW)
        if (seen := before.get(view.view)) is not None and not view.replaces:
            # Columns of late-binding views take no comments.
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
    """Return what gives a view that is created anew its privileges, comments and owner."""
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

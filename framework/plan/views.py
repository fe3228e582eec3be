"""Which views of the spec a load rebuilds, and the statements that take them down and put them back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from framework.errors import SchemaChangeError
from framework.names import TableName
from framework.plan.statements import Statement
from framework.schema.changes import SchemaChange, columns_after, rewritten_columns, views_above
from framework.schema.table import Observation, ObservedView, ViewBuild
from framework.spec.pipeline import PipelineSpec, ViewSpec
from framework.spec.views import render_view


@dataclass(frozen=True)
class ViewWork:
    """The views to drop, highest first, and to create, lowest first, with the build each then has."""

    drops: tuple[ObservedView, ...]
    creates: tuple[tuple[ViewSpec, ViewBuild], ...]


def plan_views(spec: PipelineSpec, observed: Observation, changes: Sequence[SchemaChange]) -> ViewWork:
    """Return the views that must be rebuilt: outdated ones, those in a change's way, and all above them.

    Raises:
        SchemaChangeError: a view the spec does not name is in the way, or one that it names
            belongs to somebody else.
    """
    columns = columns_after(observed.table, changes)
    builds = {view.view: _build_of(view, spec, columns) for view in spec.views}
    existing = {view.view: view for view in observed.views}
    outdated = [
        name for name, build in builds.items() if observed.view_builds.get(name) != build or name not in existing
    ]
    blocking = _blocking_views(spec.target.table, observed, changes)
    affected = views_above((*blocking, *(name for name in outdated if name in existing)), observed.dependencies)
    _refuse_foreign_views(spec, affected, existing, changes)
    rebuilt = {*affected, *outdated}
    order = [view for view in spec.views if view.view in rebuilt]
    drops = [existing[name] for name in reversed(affected)]
    return ViewWork(tuple(drops), tuple((view, builds[view.view]) for view in order))


def _build_of(view: ViewSpec, spec: PipelineSpec, columns: tuple[tuple[str, str], ...]) -> ViewBuild:
    text = f"{view.late_binding} {render_view(view.definition, spec.target.table.sql)}"
    return ViewBuild(_sha256(text), _sha256(json.dumps(columns)))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _blocking_views(target: TableName, observed: Observation, changes: Sequence[SchemaChange]) -> tuple[TableName, ...]:
    """Bound views that use a column which is about to be replaced; without a column named, any use counts."""
    rewritten = rewritten_columns(changes)
    if not rewritten:
        return ()
    found = [
        dependency.view
        for dependency in observed.dependencies
        if dependency.source == target and (dependency.column is None or dependency.column in rewritten)
    ]
    return tuple(dict.fromkeys(found))


def _refuse_foreign_views(
    spec: PipelineSpec,
    affected: Sequence[TableName],
    existing: dict[TableName, ObservedView],
    changes: Sequence[SchemaChange],
) -> None:
    named = {view.view for view in spec.views}
    foreign = sorted(str(name) for name in affected if name not in named)
    if foreign:
        columns = ", ".join(sorted(rewritten_columns(changes))) or "its own views"
        raise SchemaChangeError(
            f"{spec.target.table}: the change of {columns} is blocked by {', '.join(foreign)}, which the "
            "spec does not name. "
            f"Add the view to the spec's views, so that it is rebuilt with the table, or drop it before the load and "
            f"create it again afterwards: drop view {'; drop view '.join(foreign)};"
        )
    for name in affected:
        if not existing[name].is_own:
            raise SchemaChangeError(
                f"{name}: the view must be rebuilt but belongs to {existing[name].owner}, and its owner "
                "could not be put back. "
                f"Have an administrator run: alter table {name.sql} owner to <the user Feedway connects as>;"
            )


def drop_statements(work: ViewWork, control_schema: str) -> Iterator[Statement]:
    """Return what takes the views down, highest first."""
    for view in work.drops:
        yield Statement("drop_view", {"view": view.view})


def create_statements(
    work: ViewWork, spec: PipelineSpec, observed: Observation, control_schema: str, run_id: str, built_at: datetime
) -> Iterator[Statement]:
    """Return what creates the views with the privileges and comments they had, and remembers their builds."""
    builds = TableName(control_schema, "view_builds")
    grants = {view.view: view.grants for view in observed.views}
    for view, build in work.creates:
        definition = render_view(view.definition, spec.target.table.sql)
        yield Statement("create_view", {"view": view.view, "definition": definition, "late_binding": view.late_binding})
        for grant in grants.get(view.view, ()):
            yield Statement("grant_on_view", {"view": view.view, "grant": grant})
        for comment in observed.comments:
            if comment.relation == view.view and comment.column is None:
                yield Statement("comment_on_view", {"view": view.view, "comment": comment.text})
            elif comment.relation == view.view and not view.late_binding:
                values = {"relation": view.view, "name": comment.column, "comment": comment.text}
                yield Statement("comment_on_column", values)
        yield Statement("delete_view_build", {"table": builds, "view": view.view})
        yield Statement(
            "insert_view_build",
            {
                "table": builds,
                "view": view.view,
                "definition_sha256": build.definition_sha256,
                "columns_sha256": build.columns_sha256,
                "run_id": run_id,
                "built_at": built_at,
            },
        )

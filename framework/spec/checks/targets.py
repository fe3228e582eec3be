"""Checks between specs that write to one table, or build one view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from framework.errors import Problem
from framework.model.names import TableName
from framework.spec.pipeline import PipelineSpec
from framework.spec.views import render_view


def shared_targets(specs: Sequence[PipelineSpec]) -> Iterator[tuple[Problem, PipelineSpec]]:
    """Yield a problem for each spec that cannot write to a table, or build a view, beside another, which comes with it.

    Feeds with the same keys may share a table.
    """
    tables: dict[TableName, list[PipelineSpec]] = {}
    for spec in specs:
        others = tables.setdefault(spec.target.table, [])
        for other in others:
            if (problem := _target_problem(spec, other)) is not None:
                yield problem, other
                break
        others.append(spec)
    yield from _shared_views(specs)


def _target_problem(spec: PipelineSpec, other: PipelineSpec) -> Problem | None:
    table, keys, other_keys = spec.target.table, spec.load.keys, other.load.keys
    if keys and other_keys and set(keys) != set(other_keys):
        message = (
            f"{table} has the load.keys {', '.join(keys)} here and {', '.join(other_keys)} in {other.path}: "
            "rows that are one row for the one feed are several for the other"
        )
        fix = "Use the same keys, or another target."
        return spec.problem(("load", "keys"), "spec/shared-target", message, fix)
    replacing = next((each for each in (spec, other) if each.load.mode.replaces_table), None)
    if replacing is not None:
        message = f"{table} is the target of {other.path} too, and each load of {replacing.path} replaces all its rows"
        fix = "Use another target, unless the files of that feed hold the rows of both."
        return spec.problem(("target", "table"), "spec/shared-target", message, fix, "warning")
    return None


def _shared_views(specs: Sequence[PipelineSpec]) -> Iterator[tuple[Problem, PipelineSpec]]:
    owners: dict[TableName, tuple[PipelineSpec, str]] = {}
    targets = {spec.target.table: spec for spec in specs}
    for spec in specs:
        for number, view in enumerate(spec.views):
            query = render_view(view.definition, view.view, spec.target.table)
            first, first_query = owners.setdefault(view.view, (spec, query))
            fix = "Give the view another name."
            if first is not spec and query != first_query:
                message = f"the view {view.view} has another definition in {first.path}: each load would undo the other"
                yield spec.problem(("views", number, "name"), "spec/shared-view", message, fix), first
            if (target := targets.get(view.view, spec)) is not spec:
                message = f"the view {view.view} is called like the table of {target.path}"
                yield spec.problem(("views", number, "name"), "spec/shared-view", message, fix), target

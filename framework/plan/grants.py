"""The privileges that a spec grants, and the statements that bring the warehouse to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from framework.errors import OnRefusal
from framework.model.names import TableName
from framework.model.observation import Grant, Observation
from framework.plan.steps import Statement, Transaction, in_parts
from framework.spec.pipeline import GrantSpec, PipelineSpec


def plan_grants(spec: PipelineSpec, observed: Observation) -> tuple[Transaction, ...]:
    """Return the statements that grant missing privileges, and revoke others where the spec says so.

    To run when the table and the views are there. Each statement is safe to repeat, so a run that
    crashes in between leaves the rest to the next one.
    """
    statements = list(_statements(spec.target.table, spec.grants, observed.table_grants, spec.grants_exclusive))
    before = {view.view: view.grants for view in observed.views}
    for view in spec.views:
        statements += _statements(view.view, view.grants, before.get(view.view, ()), spec.grants_exclusive)
    return tuple(in_parts("grants", statements, OnRefusal.BAD_GRANT))


def granted(wanted: Sequence[GrantSpec], present: Sequence[Grant], is_exclusive: bool) -> tuple[Grant, ...]:
    """Return the privileges that are there once the plan is carried out."""
    kept = [grant for grant in present if not is_exclusive or _spec(grant) in wanted]
    return (*kept, *_missing(wanted, present))


def _statements(
    relation: TableName, wanted: Sequence[GrantSpec], present: Sequence[Grant], is_exclusive: bool
) -> Iterator[Statement]:
    for grant in _missing(wanted, present):
        yield Statement("grant_on_relation", {"relation": relation, "grant": grant})
    for grant in present:
        if is_exclusive and _spec(grant) not in wanted:
            yield Statement("revoke_on_relation", {"relation": relation, "grant": grant})


def _missing(wanted: Sequence[GrantSpec], present: Sequence[Grant]) -> Iterator[Grant]:
    there = {_spec(grant) for grant in present}
    for grant in wanted:
        if grant not in there:
            yield Grant(grant.privilege, grant.grantee, grant.grantee_kind, with_grant_option=False)


def _spec(grant: Grant) -> GrantSpec:
    return GrantSpec(grant.privilege.lower(), grant.grantee, grant.grantee_kind)

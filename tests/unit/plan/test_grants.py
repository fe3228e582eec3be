"""Privileges of the spec: what is planned leads to what is wanted, and to nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from framework.model.names import TableName
from framework.model.observation import Grant, Observation, ObservedView
from framework.plan.grants import granted, plan_grants
from framework.spec.load import load_pipeline_text
from framework.spec.pipeline import GrantSpec, PipelineSpec

WANTED = st.builds(GrantSpec, st.sampled_from(["select", "insert"]), st.sampled_from("ab"), st.just("group"))
PRESENT = st.builds(
    Grant, st.sampled_from(["SELECT", "INSERT"]), st.sampled_from("ab"), st.just("group"), st.booleans()
)


def spec_with(grants: list[GrantSpec], is_exclusive: bool) -> PipelineSpec:
    names = {
        privilege: [f"group {g.grantee}" for g in grants if g.privilege == privilege]
        for privilege in ("select", "insert")
    }
    return load_pipeline_text(
        "pipeline: p\nsource: {prefix: data/in/p/}\ntarget: {table: t}\nload: {mode: append}\n"
        f"grants: {names}\ngrants_exclusive: {str(is_exclusive).lower()}\n"
        f"views: [{{name: v, definition: select 1, grants: {{select: {names['select']}}}}}]\n",
        "p.yml",
        "p",
    )


@given(st.lists(WANTED, max_size=4), st.lists(PRESENT, max_size=4), st.booleans())
def test_what_is_planned_leaves_nothing_to_do(
    wanted: list[GrantSpec], present: list[Grant], is_exclusive: bool
) -> None:
    spec = spec_with(wanted, is_exclusive)
    on_view = spec.views[0].grants
    after = Observation(
        None,
        frozenset(),
        frozenset(),
        views=(ObservedView(TableName("public", "v"), "o", True, granted(on_view, present, is_exclusive)),),
        table_grants=granted(spec.grants, present, is_exclusive),
    )

    assert plan_grants(spec, after) == ()
    there = {(grant.privilege.lower(), grant.grantee) for grant in after.table_grants}
    asked = {(grant.privilege, grant.grantee) for grant in wanted}
    kept = set() if is_exclusive else {(grant.privilege.lower(), grant.grantee) for grant in present}
    assert there == asked | kept


def test_a_grantee_is_read_as_people_write_it() -> None:
    spec = load_pipeline_text(
        "pipeline: p\nsource: {prefix: data/in/p/}\ntarget: {table: t}\nload: {mode: append}\n"
        "grants: {select: [PUBLIC, group  a b, ROLE r, user u, x, x, group]}\n",
        "p.yml",
        "p",
    )

    assert [(grant.grantee_kind, grant.grantee) for grant in spec.grants] == [
        ("public", "public"),
        ("group", "a b"),
        ("role", "r"),
        ("user", "u"),
        ("user", "x"),
        ("user", "group"),
    ]

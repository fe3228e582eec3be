"""Views in a change's way: in which order they are recreated, and which ones are not dropped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from framework.errors import SchemaChangeError
from framework.model.column_type import parse_type
from framework.model.names import TableName
from framework.model.observation import Observation, ObservedTable, ObservedView, TableColumn, ViewBuild, ViewDependency
from framework.plan.schema_changes import RewriteColumn
from framework.plan.type_reason import OF_FILE
from framework.plan.views import plan_views, views_to_read
from framework.spec.load import load_pipeline_text
from framework.spec.pipeline import PipelineSpec

TARGET = TableName("public", "t")
INTEGER, BIGINT = parse_type("integer"), parse_type("bigint")
CHANGES = (RewriteColumn("a", INTEGER, BIGINT, OF_FILE, None, None),)
THEIRS = ObservedView(TableName("x", "theirs"), "ann", True, (), "SELECT a FROM t;")


def spec_of(*views: str) -> PipelineSpec:
    named = "".join(f"\n  - {{schema: x, name: {name}, definition: select 1}}" for name in views) or " []"
    text = f"pipeline: p\nsource: {{prefix: data/in/p/}}\ntarget: {{table: t}}\nload: {{mode: append}}\nviews:{named}\n"
    return load_pipeline_text(text, "p.yml", "p")


def observed(views: list[ObservedView], *stands_on: tuple[str, str]) -> Observation:
    def name(text: str) -> TableName:
        return TARGET if text == "t" else TableName("x", text)

    column = TableColumn("a", INTEGER, "integer", nullable=True)
    return Observation(
        ObservedTable(TARGET, (column,)),
        frozenset({"x"}),
        frozenset(),
        dependencies=tuple(ViewDependency(name(view), name(source), "a") for view, source in stands_on),
        views=tuple(views),
        view_builds={view.view: ViewBuild("?", "?") for view in views},
    )


def named(name: str, definition: str | None = None) -> ObservedView:
    return replace(THEIRS, view=TableName("x", name), definition=definition)


def test_each_view_comes_after_what_it_stands_on_whoever_named_it() -> None:
    spec = spec_of("low", "high")
    stands_on = [
        ("low", "t"),
        ("between", "low"),
        ("high", "between"),
        ("beside", "t"),
        ("top", "high"),
        ("top", "beside"),
    ]
    views = [named("low"), named("high"), *(named(name, "select 1") for name in ("between", "beside", "top"))]
    seen = observed(views, *stands_on)

    work = plan_views(spec, seen, CHANGES)

    unseen = replace(seen, views=tuple(replace(view, definition=None) for view in seen.views))
    assert set(views_to_read(spec, unseen, CHANGES)) == {TableName("x", name) for name in ("between", "beside", "top")}
    created = [view.view.name for view in work.creates]
    assert sorted(created) == sorted(view.view.name for view in work.drops)
    dropped = [view.view.name for view in work.drops]
    for view, source in stands_on:
        if source != "t":
            assert created.index(source) < created.index(view)
            assert dropped.index(view) < dropped.index(source)


def test_an_order_of_the_spec_that_a_view_of_others_contradicts_is_refused() -> None:
    spec = spec_of("high", "low")
    seen = observed(
        [named("low"), named("high"), named("between", "select 1")],
        ("low", "t"),
        ("between", "low"),
        ("high", "between"),
    )

    with pytest.raises(SchemaChangeError, match="order"):
        plan_views(spec, seen, CHANGES)


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (replace(THEIRS, is_materialized=True), "drop materialized view"),
        (replace(THEIRS, has_column_grants=True), 'drop view "x"."theirs"'),
        (replace(THEIRS, is_own=False), "owner to"),
        (replace(THEIRS, hidden_grantees=("ann", "board")), "ann, board hold .* syslog access unrestricted"),
        (replace(THEIRS, definition="select 1; drop table t"), "definition"),
    ],
)
def test_a_view_that_would_not_come_back_as_it_is_stays(view: ObservedView, words: str) -> None:
    with pytest.raises(SchemaChangeError, match=words):
        plan_views(spec_of(), observed([view], ("theirs", "t")), CHANGES)


def test_a_superuser_gives_a_view_back_to_its_owner() -> None:
    view = replace(THEIRS, is_own=False, may_set_owner=True)

    assert [made.definition for made in plan_views(spec_of(), observed([view], ("theirs", "t")), CHANGES).creates] == [
        "SELECT a FROM t"
    ]

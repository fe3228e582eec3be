"""Plans as SQL. A folder of tests/golden is a case: spec.yml, observed.yml, expected.sql.

`pytest --update-golden` writes expected.sql anew; read the difference before you commit it.
observed.yml says what the table is, what the file's header is, what was seen of its rows, and what is `looked_up` when
the planner asks. `upsert`, `append` and `replace_with_keys` show the whole merge of a mode. The other cases are
upserts: of a statement that is the same in `upsert`, they have the name alone, in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import yaml

from framework.load.planning import plan_with_lookups
from framework.model.column_type import parse_type
from framework.model.files import FileIdentity, FileLayout, RowsStart, SourceBatch, SourceFile
from framework.model.measurements import ColumnMeasurement, ColumnProfile, FileMeasurement, Measurements
from framework.model.names import TableName
from framework.model.observation import (
    Comment,
    Grant,
    Observation,
    ObservedTable,
    ObservedView,
    TableColumn,
    TableDesign,
    TableKey,
    ViewBuild,
    ViewDependency,
)
from framework.plan.audit import LoadFile, RunNames
from framework.plan.column_names import target_names
from framework.plan.columns import plan_columns
from framework.plan.load_input import LoadInput, LoadTerms, Staged
from framework.plan.load_plan import PlanHints
from framework.plan.lookups import CompareViews, CountRows, Lookup, ReadDesign, ReadViews
from framework.plan.measured import apply_measurements
from framework.plan.precedence import deciding_order
from framework.plan.render import render
from framework.plan.spellings import known_spellings
from framework.plan.steps import Statement, Transaction
from framework.spec.environment import SingleSubmissionSettings
from framework.spec.load import load_pipeline_text
from framework.spec.pipeline import PipelineSpec

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
CASES = sorted(path for path in GOLDEN.iterdir() if path.is_dir())
WHOLE = {"upsert", "append", "replace_with_keys"}
"""The cases that show the whole merge of a mode."""
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
RUN_ID = "0123456789abcdef0123456789abcdef"
ROWS = 2
SIZE = 20
SPEC_SHA256 = 16 * "5bec"


def read_column(name: str, text: str) -> TableColumn:
    """Read `bigint not null distkey sortkey default 0`."""
    words = text.split(" default ")
    flags = words[0].split()
    type_text = flags[0]
    return TableColumn(
        name,
        None if type_text == "geometry" else parse_type(type_text),
        type_text,
        "not" not in flags,
        default=words[1] if len(words) > 1 else None,
        is_distkey="distkey" in flags,
        sortkey=1 if "sortkey" in flags else 0,
    )


def table_name(text: str) -> TableName:
    return TableName(*text.split("."))


def read_view(name: str, view: Mapping[str, Any]) -> ObservedView:
    grants = tuple(Grant(*grant) for grant in view.get("grants", []))
    may_set_owner = not view["is_own"]
    return ObservedView(
        table_name(name), view["owner"], view["is_own"], grants, view["definition"], may_set_owner=may_set_owner
    )


def observation(spec: PipelineSpec, case: Mapping[str, Any]) -> Observation:
    columns = tuple(read_column(name, text) for name, text in case.get("table", {}).items())
    return Observation(
        table=ObservedTable(spec.target.table, columns) if columns else None,
        schemas=frozenset(case.get("schemas", ["public"])),
        control_tables=frozenset(),
        source_format="csv" if columns else None,
        dependencies=tuple(
            ViewDependency(table_name(view), table_name(source), column)
            for view, source, column in case.get("dependencies", [])
        ),
        views=tuple(
            ObservedView(table_name(name), "etl", True, tuple(Grant(*grant) for grant in grants))
            for name, grants in case.get("views", {}).items()
        ),
        comments=tuple(Comment(table_name(name), column, text) for name, column, text in case.get("comments", [])),
        view_builds={table_name(name): ViewBuild("?", "?") for name in case.get("views", {})},
        spellings=dict.fromkeys(case.get("table", {}), "?"),
    )


def looked_up(case: Mapping[str, Any], observed: Observation, lookup: Lookup) -> Observation:
    answers = case["looked_up"]
    match lookup:
        case CountRows():
            return replace(observed, row_count=answers["row_count"])
        case ReadDesign():
            design = answers["design"]
            keys = tuple(TableKey(kind, tuple(columns)) for kind, columns in design["keys"])
            grants = tuple(Grant(*grant) for grant in design["grants"])
            return replace(observed, design=TableDesign(**design | {"keys": keys, "grants": grants}))
        case CompareViews(definitions):
            return replace(observed, compared=frozenset(dict(definitions)))
        case ReadViews(names):
            found = [read_view(str(name), answers["views"][str(name)]) for name in names]
            comments = [Comment(table_name(name), *rest) for name, *rest in answers.get("comments", [])]
            return replace(
                observed,
                views=(*(view for view in observed.views if view.view not in names), *found),
                comments=(*(each for each in observed.comments if each.relation not in names), *comments),
            )
        case _:
            raise AssertionError(lookup)


def stage(spec: PipelineSpec, case: Mapping[str, Any], file: SourceFile, observed: Observation) -> Staged:
    """Return what staging would have made of a file with the case's header and rows."""
    header = tuple(case["header"].split(","))
    columns, _ = target_names(header, spec.columns, known_spellings(observed, spec.columns.rename))
    start = RowsStart(0, 1, "\n", True)
    batch = SourceBatch((FileLayout(file, 0, "one.csv", columns, spec.source.csv, start, header=header),))
    empty: dict[str, Any] = dict.fromkeys(ColumnProfile.__dataclass_fields__, 0)
    empty |= {"smallest": None, "largest": None, "null_markers": {}}
    profiles = {name: ColumnProfile(**(empty | profile)) for name, profile in case.get("profiles", {}).items()}
    plan = plan_columns(spec, observed.table, batch, profiles, NOON)
    values = case.get("seen", {})
    measured = {column.name: ColumnMeasurement(**values.get(column.name, {})) for column in plan.columns}
    seen = Measurements((FileMeasurement(0, ROWS, ROWS, 0),), measured, 0)
    return Staged(batch, apply_measurements(spec, plan, seen), seen)


def planned(folder: Path) -> Sequence[Transaction]:
    case = yaml.safe_load((folder / "observed.yml").read_text(encoding="utf-8"))
    text = (folder / "spec.yml").read_text(encoding="utf-8")
    spec = replace(load_pipeline_text(text, "spec.yml", "golden"), sha256=SPEC_SHA256)
    key = "data/in/golden/one.csv"
    identity = FileIdentity("lake", key, "e1", SIZE)
    file = SourceFile("lake", key, "e1", identity.size_bytes, NOON, identity, NOON)
    observed = observation(spec, case)
    keeps_stored = case.get("keeps_stored", False)
    order = None if keeps_stored else deciding_order(spec, spec.source.prefix, is_picked=False)
    load = LoadInput(
        RunNames(spec, RUN_ID, "job", "c" * 32, NOON, "feedway"),
        (LoadFile(file),),
        stage(spec, case, file, observed),
        LoadTerms(keeps_stored=keeps_stored, precedence=order),
        "arn:aws:iam::1:role/copy",
        "s3://lake/staging/manifest.json",
        SingleSubmissionSettings(case.get("single_submission", 1024), 60),
    )
    plan = plan_with_lookups(load, observed, PlanHints(), lambda seen, lookup: looked_up(case, seen, lookup))
    return plan.transactions


def as_statement(statement: Statement) -> str:
    return render(statement, "golden", RUN_ID) + ";\n"


def as_text(transaction: Transaction, shared: Set[str]) -> str:
    """Return a transaction's statements; of those that are `shared`, the names."""
    texts = [f"-- === {transaction.name}\n"]
    statements = [(each.template, as_statement(each)) for each in transaction.statements]
    for is_shared, group in groupby(statements, lambda statement: statement[1] in shared):
        if is_shared:
            texts.append(f"-- as in upsert: {', '.join(name for name, _ in group)}\n")
        else:
            texts.extend(text for _, text in group)
    return "\n".join(texts)


def planned_sql(folder: Path) -> str:
    upsert = [] if folder.name in WHOLE else planned(GOLDEN / "upsert")
    shared = {each.name: {as_statement(statement) for statement in each.statements} for each in upsert}
    return "\n".join(as_text(each, shared.get(each.name, set())) for each in planned(folder))


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_a_plan_is_the_sql_it_was(folder: Path, request: pytest.FixtureRequest) -> None:
    expected = folder / "expected.sql"
    actual = planned_sql(folder)
    if request.config.getoption("--update-golden"):
        expected.write_text(actual, encoding="utf-8")

    assert actual == expected.read_text(encoding="utf-8")

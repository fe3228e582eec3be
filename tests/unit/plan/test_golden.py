"""Plans as SQL. A folder of tests/golden is a case: spec.yml, observed.yml, expected.sql.

`pytest --update-golden` writes expected.sql anew; read the difference before you commit it.
observed.yml says what the table is, what the file's header is, and what the frame engine saw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, cast

import pytest
import yaml

from framework.bookkeeping import Books
from framework.column_type import parse_type
from framework.frames.protocol import Watch
from framework.names import TableName
from framework.plan.render import render
from framework.plan.steps import Transaction
from framework.prepare import PrepareContext, copy_transaction, merge_transaction, prepare
from framework.results import LoadRequest, Services
from framework.run_log import RunLog
from framework.schema.table import (
    Comment,
    Grant,
    Observation,
    ObservedTable,
    ObservedView,
    TableColumn,
    ViewBuild,
    ViewDependency,
)
from framework.schema.values import (
    BadRow,
    ColumnMeasurement,
    ColumnProfile,
    FileIdentity,
    FileMeasurement,
    Measurements,
    SourceBatch,
    SourceFile,
    StagingColumn,
)
from framework.spec.load import load_pipeline_text
from framework.spec.pipeline import PipelineSpec

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
CASES = sorted(path for path in GOLDEN.iterdir() if path.is_dir())
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
RUN_ID = "0123456789abcdef0123456789abcdef"
ROWS = 2


class Seen:
    """A frame engine that has seen what observed.yml says."""

    name = "golden"
    notices_replacement = True
    phase_seconds: Mapping[str, float] = {}

    def __init__(self, case: Mapping[str, Any]) -> None:
        self.case = case

    @contextmanager
    def open(self, batch: SourceBatch, watch: Watch, scratch: str | None) -> Iterator[Self]:
        self.batch = batch
        yield self

    def profile(self, columns: Sequence[str]) -> dict[str, ColumnProfile]:
        empty = dict.fromkeys(ColumnProfile.__dataclass_fields__, 0) | {"smallest": None, "largest": None}
        return {name: ColumnProfile(**(empty | self.case["profiles"][name])) for name in columns}

    def stage(self, columns: Sequence[StagingColumn], destination: str | None) -> Measurements:
        seen = self.case.get("seen", {})
        files = tuple(FileMeasurement(layout.ordinal, ROWS, ROWS, 0) for layout in self.batch.files)
        measured = {column.name: ColumnMeasurement(**seen.get(column.name, {})) for column in columns}
        return Measurements(files, measured, 0)

    def read_bad_rows(self, columns: Sequence[StagingColumn], files: Sequence[int], limit: int) -> tuple[BadRow, ...]:
        raise AssertionError("a golden case has no bad rows")

    def quarantine(self, columns: Sequence[StagingColumn], files: Sequence[int], destination: str) -> int:
        raise AssertionError("a golden case has no bad rows")


def read_column(name: str, text: str) -> TableColumn:
    """Read `bigint not null distkey sortkey default 0`."""
    words = text.split(" default ")
    flags = words[0].split()
    type_text = flags[0]
    return TableColumn(
        name,
        parse_type(type_text),
        type_text,
        "not" not in flags,
        default=words[1] if len(words) > 1 else None,
        is_distkey="distkey" in flags,
        sortkey=1 if "sortkey" in flags else 0,
    )


def observation(spec: PipelineSpec, case: Mapping[str, Any]) -> Observation:
    columns = tuple(read_column(name, text) for name, text in case.get("table", {}).items())
    return Observation(
        table=ObservedTable(spec.target.table, columns) if columns else None,
        schemas=frozenset(case.get("schemas", ["public"])),
        control_tables=frozenset(),
        dependencies=tuple(
            ViewDependency(TableName(*view.split(".")), TableName(*source.split(".")), column)
            for view, source, column in case.get("dependencies", [])
        ),
        views=tuple(
            ObservedView(TableName(*name.split(".")), "etl", True, tuple(Grant(*grant) for grant in grants))
            for name, grants in case.get("views", {}).items()
        ),
        comments=tuple(
            Comment(TableName(*name.split(".")), column, text) for name, column, text in case.get("comments", [])
        ),
        view_builds={TableName(*name.split(".")): ViewBuild("?", "?") for name in case.get("views", {})},
        spellings=dict.fromkeys(case.get("table", {}), "?"),
    )


def books(spec: PipelineSpec, case: Mapping[str, Any]) -> Books:
    header, looked_up = case["header"], case.get("dependents", {})

    def run(transaction: Transaction, *_: object) -> list[object]:
        return [looked_up.get(statement.template, []) for statement in transaction.statements]

    lake = SimpleNamespace(
        prefix="", key=str, url=lambda key: f"s3://lake/{key}", read_head=lambda file, size: f"{header}\n".encode()
    )
    settings = SimpleNamespace(control_schema="feedway", copy_role="arn:aws:iam::1:role/copy")
    services = SimpleNamespace(
        lake=lake,
        warehouse=SimpleNamespace(settings=settings, run=run),
        now=lambda: NOON,
        open_log=lambda run_id, pipeline: RunLog(run_id, pipeline, None),
        job_id="job",
    )
    return Books(spec, cast(Services, services), RUN_ID)


def planned_sql(folder: Path) -> str:
    case = yaml.safe_load((folder / "observed.yml").read_text(encoding="utf-8"))
    spec = load_pipeline_text((folder / "spec.yml").read_text(encoding="utf-8"), "spec.yml", "golden")
    kept = books(spec, case)
    key = "data/in/golden/one.csv"
    identity = FileIdentity("lake", key, "e1", len(case["header"]) + 1)
    file = SourceFile("lake", key, "e1", identity.size_bytes, NOON, identity, NOON)
    observed = observation(spec, case)
    request = LoadRequest(keeps_stored=case.get("keeps_stored", False))
    prepared = prepare(PrepareContext(kept, lambda batch: Seen(case), "s3://lake/staging/", request), [file], observed)
    manifest_url = "s3://lake/staging/manifest.json"
    merge, _ = merge_transaction(kept, [file], observed, prepared, request)
    transactions = [*prepared.evolution, copy_transaction(kept, prepared, manifest_url), merge]
    return "\n".join(as_text(transaction) for transaction in transactions)


def as_text(transaction: Transaction) -> str:
    statements = [render(statement, "golden", RUN_ID) + ";\n" for statement in transaction.statements]
    return "\n".join([f"-- === {transaction.name}\n", *statements])


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_a_plan_is_the_sql_it_was(folder: Path, request: pytest.FixtureRequest) -> None:
    expected = folder / "expected.sql"
    actual = planned_sql(folder)
    if request.config.getoption("--update-golden"):
        expected.write_text(actual, encoding="utf-8")

    assert actual == expected.read_text(encoding="utf-8")

"""Loads on a fake lake and a fake warehouse: the spec, the target, what arrives, and what is seen of the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import cast

from framework.load.pipeline import run_pipeline
from framework.load.request import LoadRequest, Pending
from framework.load.result import LoadResult
from framework.load.services import Services, never_interrupted
from framework.log.run_log import RunLog
from framework.model.measurements import ColumnMeasurement
from framework.model.names import TableName, ledger_table
from framework.model.observation import JournalEntry, ObservedView
from framework.plan.journal_rows import as_rows
from framework.rows.protocol import RowEngine
from framework.spec.environment import (
    EmbeddedSettings,
    Environment,
    LakeSettings,
    NotifySettings,
    RetrySettings,
    SingleSubmissionSettings,
    WarehouseSettings,
)
from framework.spec.load import load_pipeline_text
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.client import Row, Warehouse
from framework.warehouse.control_tables import ADDED_COLUMNS, SHARED_TABLES
from tests.unit.load.calls import Calls
from tests.unit.load.fake_lake import FakeLake
from tests.unit.load.fake_rows import TEXTS, WHOLE_NUMBERS, Canned, FakeEngine
from tests.unit.load.fake_warehouse import Answer, FakeWarehouse

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
ONE = "data/in/golden/one.csv"
TWO = "data/in/golden/two.csv"
EXPIRED_RUN = "d" * 32
EXPIRED_INVOCATION = "e" * 32
FIRST_INVOCATION = "a001" * 8
"""The id of a bench's first invocation."""
ENVIRONMENT = Environment(
    "test",
    "aws",
    LakeSettings("lake", "", None),
    WarehouseSettings("workgroup", None, "dev", None, None, "default", "feedway", None),
    "auto",
    EmbeddedSettings(1, 1, None),
    RetrySettings(3, 0.0, 1.0),
    SingleSubmissionSettings(1024**2, 60),
    1,
    900,
    3,
    NotifySettings(),
)


@dataclass(frozen=True)
class Scenario:
    """A load. `table` has the target's columns, and is empty where there is none; `views` stand on it.

    `header` is that of each file; they arrive a minute apart, first the `older` ones, which `files` replace.
    """

    spec: str
    header: str
    table: Mapping[str, str] = field(default_factory=dict)
    views: Mapping[str, str] = field(default_factory=dict)
    canned: Canned = field(default_factory=Canned)
    files: tuple[str, ...] = (ONE,)
    older: tuple[str, ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    before: Callable[[Bench], None] = lambda _: None
    """What else there is before the run."""


class Bench:
    """A scenario, ready to run. A test changes the fakes, runs it and reads them.

    A load copies and merges in one submission; in two if it is `divided`.
    """

    def __init__(self, scenario: Scenario, max_attempts: int = 3, *, divided: bool = False) -> None:
        self.scenario = scenario
        self.spec = read_spec(scenario.spec)
        self.calls = Calls()
        self.now = NOON
        self.lake = FakeLake(self.calls, lambda: self.now)
        self.engine = FakeEngine(scenario.canned, self.lake)
        single = SingleSubmissionSettings(0 if divided else 1024**2, 60)
        self.environment = replace(ENVIRONMENT, max_attempts=max_attempts, single_submission=single)
        answers = {**merge_counts(scenario), **catalog(self.spec, scenario), **scenario.answers}
        self.warehouse = FakeWarehouse(self.environment.warehouse, self.calls, answers)
        self.logs: list[RunLog] = []
        self.check_interrupted: Callable[[], None] = never_interrupted
        self._run_ids = (f"{number:08x}" * 4 for number in count(1))
        self._invocation_ids = (f"{number:04x}" * 8 for number in count(0xA001))
        for minutes, key in enumerate((*scenario.older, *scenario.files)):
            self.lake.arrive(key, f"{scenario.header}\n1,2\n3,4\n{key}\n", NOON + timedelta(minutes=minutes - 60))
        scenario.before(self)

    @property
    def services(self) -> Services:
        return Services(
            environment=self.environment,
            lake=self.lake,
            warehouse=cast(Warehouse, self.warehouse),
            frames=lambda _: cast(RowEngine, self.engine),
            now=lambda: self.now,
            new_run_id=lambda: next(self._run_ids),
            open_log=self._open_log,
            job_id="job",
            invocation_id=next(self._invocation_ids),
            check_interrupted=lambda: self.check_interrupted(),
        )

    @property
    def run_id(self) -> str:
        """The id of the last run that began."""
        return self.logs[-1].run_id

    @property
    def log_key(self) -> str:
        """Where that run exports its log."""
        return f"logs/golden/2026/01/{self.run_id}.jsonl"

    def run(self, request: LoadRequest | None = None) -> list[LoadResult]:
        """Run the pipeline and return all results."""
        return [each for load in run_pipeline(self.spec, self.services, request or Pending()) for each in load]

    def statuses(self) -> list[str]:
        """Return the statuses of the audit rows in their order."""
        return [row.status for row in self.warehouse.audit]

    def place_of(self, key: str) -> str:
        """Return the folder of data/ in which a file is."""
        if key in self.lake.objects:
            return key.split("/")[1]
        name = key.rpartition("/")[2]
        (found,) = (place for place in self.lake.keys("data/") if place.endswith(f"/{name}"))
        return found.split("/")[1]

    def templates(self, transaction: str) -> list[list[str]]:
        """Return the templates of each submission of a transaction."""
        return [each.templates for each in self.warehouse.of(transaction)]

    def _open_log(self, run_id: str, pipeline: str) -> RunLog:
        self.logs.append(RunLog(run_id, pipeline, None, lambda: self.now, self.calls.listen))
        return self.logs[-1]


@cache
def read_spec(text: str) -> PipelineSpec:
    return load_pipeline_text(text, "golden.yml", "golden")


def merge_counts(scenario: Scenario) -> dict[str, Answer]:
    rows = scenario.canned.rows
    return {"select_merge_counts": [(ordinal, rows, rows, 0, 0) for ordinal in range(len(scenario.files))]}


def catalog(spec: PipelineSpec, scenario: Scenario) -> dict[str, Answer]:
    """Return what the catalog shows of the target, the views on it and Feedway's own tables."""
    target = spec.target.table
    views = [(*name.split("."), definition) for name, definition in scenario.views.items()]
    columns = [(target.schema, target.name, *_column_row(name, text)) for name, text in scenario.table.items()]
    own = [*SHARED_TABLES, ledger_table("feedway", target).name] if columns else []
    return {
        "select_control_tables": [*((name, None) for name in own), *ADDED_COLUMNS],
        "select_schemas": [("public",), ("reporting",)],
        "select_relation": [(target.schema, target.name, "BASE TABLE")] if columns else [],
        "select_columns": columns,
        "select_view_dependencies": [
            (schema, name, target.schema, target.name, column) for schema, name, _ in views for column in scenario.table
        ],
        "select_dependents": lambda asked: [
            (schema, name, "etl", "etl", False, definition)
            for schema, name, definition in views
            if TableName(schema, name) in cast(list[TableName], asked.values["views"])
        ],
        "select_views": [(schema, name, "etl", "etl", definition) for schema, name, definition in views],
        "select_table_owner": [(target.schema, target.name, "etl")],
        "select_table_design": [("etl", "etl", False, 1)],
        "select_row_count": [(1_200_000,)],
        "select_staging_count": [(1,)],
        "select_duplicate_keys": [("1", 2, 1)],
        "select_duplicate_rows": [(0, 2)],
    }


def _column_row(name: str, text: str) -> Row:
    """Read `varchar(20) not null` as svv_columns shows it."""
    type_text = text.removesuffix(" not null")
    is_nullable = "NO" if text.endswith(" not null") else "YES"
    if type_text.startswith("varchar("):
        return (name, "character varying", int(type_text[8:-1]), None, None, is_nullable, None)
    return (name, type_text, None, None, None, is_nullable, None)


def left_by_an_expired_run(bench: Bench) -> None:
    """Leave what a run had made whose heartbeat is an hour old: staging files, bad rows, a view that it has dropped."""
    target, view = bench.spec.target.table, TableName("reporting", "theirs")
    dropped = ObservedView(view, "etl", True, (), "SELECT customers.name FROM customers;")
    entry = JournalEntry(EXPIRED_RUN, EXPIRED_INVOCATION, "golden", target, 0, dropped, (), False)
    bench.warehouse.journal += as_rows(entry)
    bench.warehouse.dropped_views.add(str(view))
    ledger = ledger_table("feedway", target).name
    for key in (
        f"staging/_alive/{EXPIRED_INVOCATION}",
        f"staging/golden/{EXPIRED_INVOCATION}/{EXPIRED_RUN}/plan-1/rows-0/0.parquet",
        f"data/quarantine/golden/2026/01/{EXPIRED_RUN}/0.parquet",
        f"staging/.views-down/{ledger}/golden/{EXPIRED_INVOCATION}/{EXPIRED_RUN}",
    ):
        bench.lake.arrive(key, "left", NOON - timedelta(hours=1))


def _spec(more: str, load: str = "{keys: [id]}") -> str:
    return f"""\
pipeline: golden
source: {{prefix: data/in/golden/{", batch: all" if "batch" in more else ""}}}
target: {{table: customers}}
load: {load}
metadata_columns: {{run_date: null, file_name: null}}
{more.removeprefix("batch")}"""


_TABLE = {"id": "bigint not null", "name": "varchar(20)"}
_V_NAMES = "views: [{schema: reporting, name: v_names, definition: 'select name from {{ target }}'}]"
_LONGER = Canned(passes=({"name": ColumnMeasurement(longest_bytes=300)},))
_WIDER = ColumnMeasurement(misfits=1, wider=1, integer_digits=10, smallest=1, largest=3_000_000_000)

SCENARIOS = {
    "no drift": Scenario(_spec("", "{keys: [id], duplicates: reject}"), "id,name", _TABLE),
    "first load": Scenario(
        _spec(f"{_V_NAMES}\ngrants: {{select: [group analysts]}}"),
        "id,name",
        canned=Canned(profiles={"id": WHOLE_NUMBERS, "name": TEXTS}),
    ),
    "a column that lacks": Scenario(_spec("evolution: {missing_columns: {new_rows: reject}}"), "id", _TABLE),
    "a required column that lacks": Scenario(
        _spec("evolution: {missing_columns: {new_rows: null}}"),
        "id",
        {"id": "bigint not null", "name": "varchar(20) not null"},
    ),
    "a replacement that lacks a column": Scenario(
        _spec("", "{mode: replace}"),
        "id",
        _TABLE,
        answers={"select_filled_columns": [(0,)], "select_row_count": [(3,)]},
    ),
    "a new column": Scenario(_spec(""), "id,name,added", _TABLE, canned=Canned(profiles={"added": TEXTS})),
    "rewrite": Scenario(
        _spec(_V_NAMES),
        "id,amount,name",
        {"id": "bigint not null", "amount": "integer", "name": "varchar(20)"},
        {"reporting.v_names": "select 1", "reporting.theirs": "SELECT customers.amount FROM customers;"},
        Canned(passes=({"amount": _WIDER}, {})),
    ),
    "growth under a view": Scenario(
        _spec(""), "id,name", _TABLE, {"reporting.theirs": "SELECT customers.name FROM customers;"}, _LONGER
    ),
    "copy": Scenario(
        _spec(""),
        "id,name",
        {"id": "integer not null", "name": "varchar(20)"},
        canned=Canned(passes=({"id": _WIDER}, {})),
        answers={"select_column_design": [("id", None, True, 0, None)]},
    ),
    "outdated view": Scenario(
        _spec(_V_NAMES),
        "id,name",
        _TABLE,
        {"reporting.v_names": "select 1"},
        answers={"select_view_columns": [("name",)], "select_query_columns": [("name",)]},
    ),
    "replace": Scenario(
        _spec("", "{mode: replace, keys: [id]}"),
        "id,name",
        _TABLE,
        files=(TWO,),
        older=(ONE,),
        answers={"select_row_count": [(3,)]},
    ),
    "append": Scenario(_spec("", "{mode: append}"), "id,name", _TABLE),
    "batch": Scenario(_spec("batch"), "id,name", _TABLE, files=(ONE, TWO)),
    "bad rows": Scenario(_spec("bad_rows: {action: quarantine, max_rows: 5}"), "id,name", _TABLE, canned=Canned(bad=1)),
    "a batch with bad rows": Scenario(
        _spec("batch\nbad_rows: {action: quarantine, max_rows: 5}"),
        "id,name",
        _TABLE,
        canned=Canned(bad=1),
        files=(ONE, TWO),
    ),
    "after an expired run": Scenario(_spec(""), "id,name", _TABLE, before=left_by_an_expired_run),
}

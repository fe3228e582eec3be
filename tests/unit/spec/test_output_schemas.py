"""The schemas of the JSON outputs have the fields that the commands print."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from jsonschema import Draft202012Validator

from framework.cli.commands.land import Landed
from framework.cli.commands.prune import Pruning
from framework.cli.commands.report import Reported
from framework.cli.commands.restore_views import RestoredView
from framework.cli.feed_status import FeedStatus
from framework.cli.freshness import StaleFeed
from framework.cli.outcome import Outcome, outcome_of
from framework.cli.quarantine_list import Fault, ListedFile
from framework.cli.set_aside import SetAside
from framework.errors import Problem
from framework.load.check.checks import CHECKS, SPARK
from framework.load.check.outcome import Outcome as CheckOutcome
from framework.load.preview import PlannedLoad
from framework.load.result import LoadFailure, LoadResult
from framework.load.status.attention import Attention
from framework.model.measurements import BadRow
from framework.plan.column_history import ColumnChange
from framework.plan.explanation import Explanation, SpecEntry
from framework.plan.load_report import ColumnReport
from framework.plan.type_reason import OF_TABLE
from framework.resources import read_text
from framework.warehouse.audit import CHANGE_COLUMNS, HISTORY_COLUMNS


def output_schema(name: str) -> dict[str, Any]:
    """Return the schema of a command's output."""
    schema: dict[str, Any] = json.loads(read_text(f"schemas/output/{name}.schema.json"))
    return schema


def fields_of(name: str, listed: str = "loads") -> list[str]:
    """Return the fields of the entries that a command prints."""
    return list(output_schema(name)["properties"][listed]["items"]["properties"])


def test_the_result_of_a_run_is_valid() -> None:
    failure = LoadFailure("SourceFileError", "stage", "a key is NULL", ValueError())
    change = {
        "kind": "add_column",
        "column": "c",
        "from": None,
        "to": "bigint",
        "reason": "r",
        "cost": "none",
    }
    failed = LoadResult("p", "s3://b/k", "0" * 32, "FAILED", "spark", 1.5, failure=failure)
    bad = BadRow("k", 3, None, "a,b", "the record has 2 fields, the header names 3", 4)
    loaded = LoadResult("p", "s3://b/k", "0" * 32, "SUCCESS", "spark", 1.5, schema_changes=(change,), bad_rows=(bad,))
    waiting = SetAside("p", 1, False, "s3://b/data/unprocessed/", "replay p")
    outcome = Outcome(outcome_of([failed, loaded]).feeds, [waiting], ["feedway run p"])
    Draft202012Validator(output_schema("run")).validate(outcome.as_dict())


def test_a_plan_has_the_fields_of_its_schema() -> None:
    assert fields_of("plan") == [field.name for field in dataclasses.fields(PlannedLoad)]


def test_a_column_of_a_plan_has_the_fields_of_its_schema() -> None:
    properties = output_schema("plan")["properties"]["loads"]["items"]["properties"]["columns"]["items"]["properties"]
    reason = list(properties["reason"]["properties"])
    assert list(properties) == [field.name for field in dataclasses.fields(ColumnReport)]
    assert reason == list(OF_TABLE.as_dict())


def test_a_landed_file_has_the_fields_of_its_schema() -> None:
    assert fields_of("land", "landed") == [field.name for field in dataclasses.fields(Landed)]


def test_files_that_are_set_aside_have_the_fields_of_the_schemas() -> None:
    fields = [field.name for field in dataclasses.fields(SetAside)]
    assert [fields_of(command, "set_aside") for command in ("run", "plan")] == [fields, fields]


def test_a_problem_has_the_fields_of_its_schema() -> None:
    assert fields_of("validate", "problems") == [field.name for field in dataclasses.fields(Problem)]


def test_the_history_has_the_columns_of_the_audit() -> None:
    assert fields_of("history") == list(HISTORY_COLUMNS)


def test_changes_have_the_columns_of_the_log() -> None:
    assert fields_of("changes", "changes") == list(CHANGE_COLUMNS)


def test_an_explanation_has_the_fields_of_its_schema() -> None:
    parts = {"history": ColumnChange, "spec": SpecEntry}

    assert list(output_schema("explain")["properties"]) == [field.name for field in dataclasses.fields(Explanation)]
    for listed, kind in parts.items():
        assert fields_of("explain", listed) == [field.name for field in dataclasses.fields(kind)]


def test_a_file_with_bad_rows_has_the_fields_of_its_schema() -> None:
    fault = output_schema("quarantine_list")["properties"]["quarantine"]["items"]["properties"]["faults"]["items"]

    assert fields_of("quarantine_list", "quarantine") == [field.name for field in dataclasses.fields(ListedFile)]
    assert list(fault["properties"]) == [field.name for field in dataclasses.fields(Fault)]


def test_the_status_of_a_feed_is_valid() -> None:
    attention = Attention("late", "it was never loaded", "Ask for the file.", "feedway run a")
    late = StaleFeed("a", "", "1d", None, None, None)
    unknown = FeedStatus(
        "a", "", ("t",), "attention", None, None, False, None, (), None, None, late, None, (attention,), "c", None
    )
    document = {"feeds": [unknown.as_dict()], "notes": [], "unknown": ["S3 refused"]}
    Draft202012Validator(output_schema("status")).validate(document)


def test_a_stale_feed_has_the_fields_of_its_schema() -> None:
    assert fields_of("stale", "stale") == [field.name for field in dataclasses.fields(StaleFeed)]


def test_a_report_has_the_fields_of_its_schema() -> None:
    properties = output_schema("report")["properties"]["report"]["properties"]
    assert list(properties) == [field.name for field in dataclasses.fields(Reported)]


def test_a_restored_view_has_the_fields_of_its_schema() -> None:
    assert fields_of("restore_views", "views") == [field.name for field in dataclasses.fields(RestoredView)]


def test_a_check_has_the_fields_of_its_schema() -> None:
    items = output_schema("check")["properties"]["checks"]["items"]["properties"]["item"]["enum"]

    assert fields_of("check", "checks") == [field.name for field in dataclasses.fields(CheckOutcome)]
    assert items == [check.item for check in (*CHECKS, SPARK)]


def test_a_pruning_has_the_fields_of_its_schema() -> None:
    properties = output_schema("prune")["properties"]["pruned"]["properties"]
    assert list(properties) == [field.name for field in dataclasses.fields(Pruning)]

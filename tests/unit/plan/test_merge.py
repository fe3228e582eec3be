"""The merge of as many files as one load takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from framework.model.column_type import parse_type
from framework.model.files import FileIdentity
from framework.model.modes import APPEND, REPLACE, UPSERT
from framework.model.names import TableName, staging_table
from framework.model.observation import AuditRow
from framework.plan.merge import MAX_FILES_PER_LOAD, plan_merge
from framework.plan.merge_input import LoadedFile, MergeInput
from framework.plan.render import render
from framework.plan.steps import MAX_BATCH_STATEMENTS
from framework.spec.pipeline import LoadSpec, OrderBy

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
TARGET = TableName("public", "t" * 127)
MOST = MergeInput(
    target=TARGET,
    target_exists=True,
    control_schema="feedway",
    staging=staging_table("feedway", "f" * 32),
    load=LoadSpec(UPSERT, ("id",), (OrderBy("at", descending=True),), "deduplicate"),
    columns=("id", "at"),
    types={"id": parse_type("bigint"), "at": parse_type("timestamp")},
    fills=(),
    files=tuple(
        LoadedFile(
            ordinal,
            0,
            AuditRow(
                run_id="f" * 32,
                job_id="j" * 255,
                invocation_id="c" * 32,
                pipeline="p" * 100,
                started_at=MOMENT,
                ended_at=MOMENT,
                source=FileIdentity("b" * 63, f"{'k' * 1000}{ordinal:024}", f"{ordinal:032x}-10000", 5 * 10**12),
                source_modified_at=MOMENT,
                generation=1,
                target=TARGET,
                status="SUCCESS",
                error_message=None,
                spec_sha256="0" * 64,
            ),
        )
        for ordinal in range(MAX_FILES_PER_LOAD)
    ),
    has_distinct_keys=False,
    observed_rows=10**12,
    column_count=2,
    order_bounds={"arrived_at": MOMENT, "key": "m" * 1024, "folder": "m" * 1000, "earlier": []},
)


@pytest.mark.parametrize("duplicates", ["deduplicate", "reject"])
@pytest.mark.parametrize("keeps_stored", [False, True])
def test_a_load_of_as_many_files_as_there_may_be_fits_one_transaction(duplicates: Any, keeps_stored: bool) -> None:
    merge = plan_merge(replace(MOST, load=replace(MOST.load, duplicates=duplicates), keeps_stored=keeps_stored))

    assert len(merge.statements) <= MAX_BATCH_STATEMENTS
    # Rendering refuses what has more bytes than the Data API takes.
    entered = [render(statement, "p" * 100, "f" * 32) for statement in merge.statements]
    # Once for the ledger, once for JOB_STS.
    assert sum(sql.count("k" * 1000) for sql in entered) == 2 * MAX_FILES_PER_LOAD


def searches(**changes: Any) -> list[str]:
    """Return the templates of the search for rows that lose, of a load whose keys are proven to differ."""
    load = replace(MOST.load, **{name: value for name, value in changes.items() if name != "keeps_stored"})
    keeps_stored = changes.get("keeps_stored", False)
    merge = plan_merge(replace(MOST, load=load, keeps_stored=keeps_stored, has_distinct_keys=True))
    # Rendering fails where a statement needs the table that the search creates.
    assert [render(statement, "p", "f" * 32) for statement in merge.statements]
    searching = ("find_losers", "find_stale_rows", "find_stored_rows", "delete_losers", "check_no_duplicates")
    return [statement.template for statement in merge.statements if statement.template in searching]


def test_keys_that_differ_are_not_searched_for_duplicates() -> None:
    assert searches(order_by=()) == []
    assert searches(order_by=(), duplicates="reject") == []
    assert searches(mode=APPEND) == []
    assert searches(mode=REPLACE) == []


def test_keys_that_differ_may_still_lose_against_stored_rows() -> None:
    assert searches() == ["find_losers", "delete_losers", "find_stale_rows", "delete_losers"]
    assert searches(order_by=(), keeps_stored=True) == [
        *("find_losers", "delete_losers"),
        *("find_stored_rows", "delete_losers"),
    ]

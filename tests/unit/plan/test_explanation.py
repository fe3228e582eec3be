"""How a column came to its type: what loads recorded, what others changed, and what the spec says now."""

from __future__ import annotations

from typing import Any

import pytest

from framework.model.column_type import parse_type
from framework.model.names import TableName
from framework.model.observation import TableColumn
from framework.plan.change_log import CREATED_COLUMNS, logged_rows
from framework.plan.column_history import HIDDEN, history_of
from framework.plan.explanation import Explanation, KnownColumn, explain
from framework.plan.schema_changes import CreateTable, NewColumn
from framework.plan.type_reason import TypeReason
from framework.spec.load import load_pipeline_text

SPEC = "pipeline: p\nsource: {prefix: data/in/p/}\ntarget: {table: t}\nload: {keys: [id]}\n"
WHOLE = TypeReason("values", "all values are whole numbers", "from 1 to 7")
BY_NAME = TypeReason("rule", "rule for the name *_no", "whole numbers, from 1 to 7")
RULE = "types:\n  rules:\n    - {name: '*_no', type: bigint}\n"


def row(minute: int, change: str, **more: Any) -> dict[str, Any]:
    """Return a row of the log; times are minutes of one hour."""
    texts = {"type_before": None, "type_after": "", "decided_by": "values", "reason": "r", "evidence": None}
    of_load = {"run_id": "0" * 32, "pipeline": "p", "source_filename": f"data/in/p/{minute}.csv"}
    return (
        {"changed_ts": f"2026-01-01 10:{minute:02d}:00", "change": change, "shows_values": True}
        | texts
        | of_load
        | more
    )


def table(minute: int, type_text: str = "integer", reason: TypeReason = WHOLE) -> list[dict[str, Any]]:
    """Return the rows of a table that was created with the column."""
    column = NewColumn("a_no", parse_type(type_text), True, reason)
    _, packed = logged_rows(CreateTable(TableName("public", "t"), (column,), None, ()))
    return [row(minute, "create_table"), row(minute, CREATED_COLUMNS, evidence=packed["evidence"], decided_by=None)]


def wider(minute: int, before: str, after: str, **more: Any) -> dict[str, Any]:
    return row(minute, "rewrite_column", type_before=before, type_after=after, **more)


def explained(rows: list[dict[str, Any]], type_text: str, spec: str = "", *, with_values: bool = True) -> Explanation:
    known = parse_type(type_text)
    column = TableColumn("a_no", known, known.sql, nullable=True)
    history = history_of(rows, "a_no", with_values=with_values)
    read = load_pipeline_text(SPEC + spec, "p.yml", "p")
    return explain(read, KnownColumn(column, None, history), "feedway plan p")


def test_the_history_begins_with_the_table_as_it_was_last_created() -> None:
    rows = [*table(1, "date"), wider(2, "date", "timestamp"), *table(3), wider(4, "integer", "bigint")]

    found = explained(rows, "bigint")

    assert [(change.change, change.type_after) for change in found.history] == [
        ("create_table", "integer"),
        ("rewrite_column", "bigint"),
    ]
    assert found.notes == ()


def test_a_type_is_the_same_however_it_is_written() -> None:
    assert (
        explained([*table(1, "decimal(9,2)"), wider(2, "numeric(9,2)", "decimal(10,2)")], "numeric(10,2)").notes == ()
    )


def test_what_somebody_else_changed_is_named_between_loads_and_since() -> None:
    between, since = explained([*table(1), wider(3, "bigint", "decimal(38,0)")], "varchar(50)").notes

    assert between == ("Somebody else changed it from integer to bigint between 2026-01-01 10:01 and 2026-01-01 10:03.")
    assert since == "Somebody else changed it from decimal(38,0) to varchar(50) after 2026-01-01 10:03: no load did."


def test_a_growth_that_was_logged_and_not_made_may_be_that_of_a_killed_load() -> None:
    grown = row(2, "grow_varchar", type_before="varchar(256)", type_after="varchar(410)")

    (note,) = explained([*table(1, "varchar(256)"), grown], "varchar(256)").notes

    assert "or the load was killed before the column grew" in note


@pytest.mark.parametrize(
    ("shows_values", "reason", "evidence"),
    [(True, HIDDEN, None), (None, HIDDEN, None), (False, "1 value out of range", "e")],
)
def test_without_samples_no_reason_that_quotes_a_value_is_shown(
    shows_values: bool | None, reason: str, evidence: str | None
) -> None:
    recorded = wider(2, "integer", "bigint", reason="1 value out of range", evidence="e", shows_values=shows_values)

    created, changed = explained([*table(1), recorded], "bigint", with_values=False).history

    assert (changed.reason, changed.evidence) == (reason, evidence)
    assert (created.reason, created.evidence) == (WHOLE.text, None)


def test_a_rule_that_decided_has_its_place_as_long_as_the_spec_has_it() -> None:
    rows = table(1, "bigint", BY_NAME)
    there, other_type, gone = (explained(rows, "bigint", spec) for spec in (RULE, RULE.replace("bigint", "text"), ""))

    assert [found.history[0].place for found in (there, other_type, gone)] == ["p.yml:7:7", "p.yml:7:7", None]
    assert there.notes == ()
    assert [note.partition(":")[0] for note in other_type.notes] == [
        "A rule decides the type of a new column only. To give this one another type, declare it"
    ]
    assert gone.notes == ("The spec no longer has the rule for the name *_no.",)


def test_a_rule_that_came_later_changes_no_column_and_is_shown() -> None:
    found = explained(table(1), "integer", RULE)

    assert [(entry.field, entry.place) for entry in found.spec] == [("types.rules", "p.yml:7:7")]
    assert found.notes[0].startswith("A rule decides the type of a new column only.")


def test_an_excluded_and_a_metadata_column_say_what_fills_them() -> None:
    spec = "columns: {exclude: [x, a_no]}\n"
    excluded, metadata = (
        explained(table(1), "integer", spec),
        explained([], "integer", "metadata_columns: {run_date: a_no}\n"),
    )

    assert [(entry.field, entry.says, entry.place) for entry in excluded.spec] == [
        ("columns.exclude", "no load writes it", "p.yml:5:24")
    ]
    assert [(entry.field, entry.place) for entry in metadata.spec] == [("metadata_columns.run_date", "p.yml:5:20")]

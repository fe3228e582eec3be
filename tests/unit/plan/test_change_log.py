"""Changes as rows of the table that logs them: what explains a type is kept, and fits."""

from __future__ import annotations

import pytest

from framework.model.column_type import parse_type
from framework.model.names import TableName, literal
from framework.plan.change_log import CREATED_COLUMNS, logged_rows, unpacked
from framework.plan.schema_changes import AddColumn, CreateTable, GrowVarchar, NewColumn
from framework.plan.type_reason import DECLARED, TypeReason

TABLE = TableName("public", "t")
DOUBLE = parse_type("double precision")
MOST_BYTES_OF_EVIDENCE, MOST_BYTES_OF_REASON = 16_384, 4_096


def new(name: str, reason: TypeReason, type_text: str = "bigint") -> NewColumn:
    return NewColumn(name, parse_type(type_text), True, reason)


def created(*columns: NewColumn) -> list[dict[str, str | None]]:
    return logged_rows(CreateTable(TABLE, columns, None, ()))


@pytest.mark.parametrize("text", ['it\'s \\ "so"', "\U0001f600", "\x01\n", "x"])
def test_the_columns_of_a_wide_table_come_back_from_few_rows_that_fit(text: str) -> None:
    reason = TypeReason("rule", f"rule for the name {text * 900}", text * 900)
    columns = [new(f"{text}{number}", reason) for number in range(1_600)]

    first, *packed = created(*columns)

    assert first["kind"] == "create_table"
    assert {row["kind"] for row in packed} == {CREATED_COLUMNS}
    assert max(len(str(row["evidence"]).encode()) for row in packed) <= MOST_BYTES_OF_EVIDENCE
    found = {name: value for row in packed for name, value in unpacked(str(row["evidence"])).items()}
    cut = TypeReason("rule", reason.text[:500], str(reason.evidence)[:500])
    assert found == {column.name: ("bigint", cut) for column in columns}


def test_a_thousand_usual_columns_take_few_rows() -> None:
    reason = TypeReason("values", "all values are whole numbers", "from 1 to 1000")

    rows = created(*(new(f"column_{number}", reason, "integer") for number in range(1_000)))

    assert len(rows) <= 10
    assert sum(len(literal(row["evidence"]).encode()) for row in rows) < 100_000


def test_an_added_and_a_grown_column_keep_what_decided_and_its_evidence() -> None:
    reason = TypeReason("values", "x" * 5_000, "\U0001f600" * 5_000)
    (grown,) = logged_rows(GrowVarchar("a", parse_type("varchar(9)"), parse_type("varchar(99)"), reason))
    added, inferred = logged_rows(AddColumn(new("b", TypeReason("values", "all values are numbers", "e"), DOUBLE.sql)))
    (declared,) = logged_rows(AddColumn(new("c", DECLARED)))

    assert (added["decided_by"], added["evidence"], inferred["kind"]) == ("values", "e", "infer_column")
    assert (declared["decided_by"], declared["evidence"]) == ("spec", None)
    assert max(len(str(grown[name]).encode()) for name in ("reason", "evidence")) <= MOST_BYTES_OF_REASON

"""Bad rows as `quarantine show` prints them: in the width of the terminal, with nothing that moves its cursor."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from framework.cli.quarantine_load import QuarantinedLoad
from framework.cli.quarantine_text import ShownRow, ShownRows
from framework.load.quarantine.contents import QuarantinedRow, StoredRows
from framework.load.quarantine.marks import CorrectedRows
from framework.model.program import Program
from framework.warehouse.unsettled import QuarantinedFile

LOADED_AT = datetime.fromisoformat("2026-01-30 02:10:00+00:00")
FILE = QuarantinedFile("p", "0" * 32, LOADED_AT, LOADED_AT, "data/in/p/1.csv", "e", "public.p", 9)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def shown(record: tuple[str | None, ...], header: tuple[str, ...], *, with_values: bool = True) -> ShownRows:
    """Return a load of nine bad rows, of which this one is shown."""
    load = QuarantinedLoad([FILE], None, "s3://lake/q/", CorrectedRows({}, {}), StoredRows([FILE], []))
    row = QuarantinedRow("1.csv", "e", 3, "n", 'has the key "secret" twice in one object', record, header)
    return ShownRows(load, [ShownRow(row, is_corrected=False, with_values=with_values)])


@given(
    record=st.lists(st.none() | TEXTS, min_size=1, max_size=5),
    header=st.lists(TEXTS.filter(bool), min_size=1, max_size=5),
    width=st.integers(20, 100),
)
def test_rows_fit_the_terminal(record: list[str | None], header: list[str], width: int) -> None:
    lines = shown(tuple(record), tuple(header)).text(width, Program()).splitlines()

    rows = [line for line in lines if line.startswith(("row", " "))]
    assert rows
    assert all(len(line) <= width and line.isprintable() for line in rows)


def test_a_field_without_a_name_has_a_number_and_values_are_quoted() -> None:
    lines = shown(("1", None, "", "a\n"), ("id", "n")).text(None, Program()).splitlines()

    assert lines[2] == "  id='1'  n=NULL  field 3=''  field 4='a\\n'"
    assert lines[3] == "and 8 more: see them with --rows 9"


def test_rows_of_a_table_that_is_replaced_are_not_to_be_exported() -> None:
    rows = shown(("1",), ("id",))

    assert "correct them with: feedway quarantine export p" in rows.text(None, Program())
    assert replace(rows, replaces_table=True).text(None, Program()).endswith("send the corrected file whole")


def test_without_values_a_reason_quotes_none() -> None:
    hidden = shown(("secret",), ("id",), with_values=False)

    assert "secret" not in f"{hidden.text(None, Program())}{hidden.as_dict()}"

"""A plan as text: what is on which line, and that the lines fit a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from framework.cli.plan_report import MOST_COLUMNS, PlannedFeed, PlanReport
from framework.cli.plan_text import Detail, plan_text
from framework.errors import SourceFileError
from framework.load.preview import PlannedLoad
from framework.plan.load_report import ColumnReport
from framework.plan.type_reason import METADATA, OF_TABLE, TypeReason

NUMBERS = TypeReason("values", "all values are whole numbers", "from 1 to 90")
SCORE = ColumnReport("Score", "score", "integer", "new", None, NUMBERS, "42")
TOTAL = ColumnReport("total", "total", "bigint", "wider", "integer", TypeReason("values", "the value 3000000000"), "7")
NAME = ColumnReport(
    "Full Name", "full_name", "varchar(256)", None, None, OF_TABLE, "Zoë\t\x1b[31mred\x1b[0m and more of it"
)
FILE = ColumnReport(None, "file_name", "varchar(1024)", "new", None, METADATA, None)
LOAD = PlannedLoad(
    pipeline="orders",
    source_files=("s3://lake/data/in/orders/1.csv",),
    engine="embedded",
    rows=2,
    source_bytes=1300,
    rows_rewritten=1_500,
    columns=(NAME, TOTAL, SCORE, FILE),
    schema_changes=(
        {"kind": "add_column", "column": "score", "from": None, "to": "integer", "reason": "r", "cost": "none"},
    ),
    fills=({"column": "status", "value": "", "stored_rows": "keep"},),
    warnings=(
        {"rule": "missing-column", "column": "status", "message": "no status"},
        {"rule": "same-content", "column": None, "message": "the same bytes as\n1.csv"},
    ),
    views=("reporting.v",),
    transactions=(
        {
            "name": "single",
            "locks": ["public.orders: writers wait"],
            "statements": [{"step": "a", "sql": "select 1\nfrom t", "bytes": 15}],
        },
    ),
    notes=("new column x is ignored",),
)


BRIEF = Detail()


def text_of(load: PlannedLoad, shown: Detail = BRIEF) -> str:
    return plan_text(PlanReport([PlannedFeed("orders", (load,))], []), shown)


def test_a_load_is_printed_with_columns_first_and_its_cost_last() -> None:
    assert text_of(LOAD) == (
        "orders: s3://lake/data/in/orders/1.csv\n"
        "     in the file  column     type                 why                                         sample\n"
        "     Full Name    full_name  varchar(256)         as the table has it                         "
        "Zoë\\t\\x1b[31mred\\x1b[0m and m…\n"
        "  ~  total        total      bigint, was integer  the value 3000000000                        7\n"
        "  +  Score        score      integer              all values are whole numbers: from 1 to 90  42\n"
        "  +               file_name  varchar(1024)        metadata column\n"
        "  change  add_column: column score integer (r; cost: none)\n"
        "  fill    column status is not in the file: stored rows keep their values, new rows get ''\n"
        "  warning the same bytes as\\n1.csv\n"
        "  views   built: reporting.v\n"
        "  note    new column x is ignored\n"
        "  cost    2 rows of 1.3 KB, read by the embedded engine; 1,500 rewrites of stored rows"
    )


def test_statements_come_last_and_on_request() -> None:
    assert text_of(LOAD, Detail(with_sql=True)).removeprefix(text_of(LOAD)).splitlines() == [
        "",
        "  1. single: one statement by itself, 15 bytes",
        "     locks public.orders: writers wait",
        "     select 1",
        "     from t;",
    ]


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_columns_fit_the_terminal(width: int) -> None:
    long = replace(NAME, header="x" * 200, column="y" * 127, sample="漢" * 60)

    table = text_of(replace(LOAD, columns=(long, *LOAD.columns)), Detail(width=width)).splitlines()[1:7]

    assert max(map(len, table)) <= width
    assert [line[:4].strip() for line in table[2:]] == ["", "~", "+", "+"]
    assert all("…" in line for line in table[1:2])


def test_of_many_columns_those_that_change_are_printed() -> None:
    kept = [replace(NAME, column=f"kept_{number}", sample=None) for number in range(300)]

    few = text_of(replace(LOAD, columns=(*kept, TOTAL, SCORE))).splitlines()
    many = text_of(replace(LOAD, columns=tuple(replace(each, change="new") for each in kept))).splitlines()
    everything = text_of(replace(LOAD, columns=tuple(kept)), Detail(all_columns=True)).splitlines()

    assert [line.split()[1] for line in few[2:4]] == ["total", "Score"]
    assert few[4] == "  300 more columns; --columns shows all"
    assert many[2 + MOST_COLUMNS] == "  260 more columns, 260 of them new or wider; --columns shows all"
    assert len([line for line in everything if "kept_" in line]) == 300


def test_feeds_without_a_load_have_a_line_each() -> None:
    failed = PlannedFeed("b", failure=SourceFileError("1.csv: the key id is NULL\nin 2 rows"))

    lines = plan_text(PlanReport([PlannedFeed("a", idle="no file"), failed], []), Detail())

    assert lines == "a: nothing to do: no file\nb: would fail: 1.csv: the key id is NULL"


def test_files_that_would_not_be_loaded_have_no_cost() -> None:
    skipped = PlannedLoad("orders", ("s3://lake/1.csv",), notes=("would be skipped: it is loaded",))

    assert text_of(skipped) == "orders: s3://lake/1.csv\n  note    would be skipped: it is loaded"


def test_names_of_others_move_no_cursor() -> None:
    hostile = "x\x1b[2J\ny\u202e"
    load = replace(
        LOAD,
        source_files=(hostile,),
        schema_changes=({**dict.fromkeys(("kind", "column", "from", "to", "reason", "cost"), hostile)},),
        fills=({"column": hostile, "value": hostile, "stored_rows": "keep"},),
        views=(hostile,),
        transactions=({"name": "single", "locks": [hostile], "statements": [{"sql": hostile, "bytes": 1}]},),
    )

    text = text_of(load, Detail(with_sql=True))

    assert len(text.splitlines()) == len(text_of(LOAD, Detail(with_sql=True)).splitlines())
    assert all(line.isprintable() for line in text.splitlines())

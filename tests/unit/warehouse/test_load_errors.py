"""What is read of load errors: on a cluster, on Serverless, without rights, and where nothing is logged."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from framework.errors import Cause, TransientWarehouseError, WarehouseError
from framework.plan.steps import Transaction
from framework.warehouse.client import Row
from framework.warehouse.load_errors import LoadError, LoadErrors, read_load_errors

FILE = "s3://lake/rows.parquet"
DETAIL = (f"{FILE}   ", 4, "a  ", "varchar   ", "3  ", 1204, "String length\nexceeds DDL length  ")
RAW = (*DETAIL[:6], "String length", " too long")
DENIED = WarehouseError(
    "denied", cause=Cause.NOT_PERMITTED, warehouse_message="ERROR: permission denied for relation x"
)
ABSENT = WarehouseError("absent", cause=Cause.MISSING_RELATION, warehouse_message='ERROR: relation "x" does not exist')
LATE = TransientWarehouseError("no answer within 10 s")
LOGGED = LoadError(FILE, 4, "a", "varchar", "3", 1204, "String length exceeds DDL length")

Answer = list[Row] | WarehouseError


class Recorder:
    """A warehouse whose look-ups are answered by template; they are recorded with their attempts."""

    def __init__(self, detail: Answer, raw: Answer | None) -> None:
        cluster = None if raw is None else "cluster"
        self.client = SimpleNamespace(settings=SimpleNamespace(cluster=cluster))
        self.asked: list[tuple[Transaction, int | None]] = []
        self._answers = {"select_load_errors": detail, "select_raw_load_errors": raw}

    def run(self, transaction: Transaction, attempts: int | None = None) -> list[list[Row]]:
        self.asked.append((transaction, attempts))
        (statement,) = transaction.statements
        assert statement.values["query_id"] == 7
        answer = self._answers[statement.template]
        assert answer is not None, "Serverless is not asked for values"
        if isinstance(answer, WarehouseError):
            raise answer
        return [answer]


def read(detail: Answer, raw: Answer | None) -> LoadErrors:
    warehouse: Any = Recorder(detail, raw)
    found = read_load_errors(warehouse, 7)
    # A look-up delays the report of the failure: it is made once, and for a limited time.
    assert [(attempts, each.max_seconds) for each, attempts in warehouse.asked] == [(1, 10)] * (1 if raw is None else 2)
    return found


NOTHING = "The warehouse has logged no load error for query 7: of Parquet it logs only some errors"
SERVERLESS = "A Serverless workgroup shows its users no stl_load_errors, which has the values"


@pytest.mark.parametrize(
    ("detail", "raw", "values", "notes"),
    [
        pytest.param([DETAIL], None, [None], [SERVERLESS], id="serverless"),
        pytest.param([], None, [], [NOTHING, SERVERLESS], id="serverless-nothing"),
        pytest.param([DETAIL], [RAW], [" too long"], [], id="cluster"),
        pytest.param([DETAIL], [], [None], [], id="cluster-without-value"),
        pytest.param([], [RAW], [" too long"], [], id="only-raw"),
        pytest.param([], [], [], [NOTHING], id="cluster-nothing"),
        pytest.param(
            [DETAIL], DENIED, [None], ["The user Feedway connects as may not read stl_load_errors"], id="raw-denied"
        ),
        pytest.param(
            [], DENIED, [], [NOTHING, "The user Feedway connects as may not read stl_load_errors"], id="nothing-denied"
        ),
        pytest.param(
            DENIED,
            ABSENT,
            [],
            [
                "The user Feedway connects as may not read sys_load_error_detail",
                "The warehouse has no stl_load_errors of the known form",
            ],
            id="denied-absent",
        ),
        pytest.param(
            LATE,
            None,
            [],
            ["sys_load_error_detail could not be read: no answer within 10 s", SERVERLESS],
            id="late",
        ),
    ],
)
def test_load_errors_are_read_as_far_as_the_warehouse_offers_them(
    detail: Answer, raw: Answer | None, values: list[str | None], notes: list[str]
) -> None:
    found = read(detail, raw)

    assert [error.value for error in found.errors] == values
    assert list(found.notes) == notes


def test_texts_come_without_their_padding() -> None:
    assert read([DETAIL], None).errors == (LOGGED,)


def test_a_row_of_nulls_is_an_error_without_facts() -> None:
    assert read([(None,) * 7], None).errors == (LoadError("", None, "", "", "", None, ""),)


def test_a_statement_without_a_query_id_is_not_looked_up() -> None:
    warehouse: Any = Recorder([DETAIL], [RAW])

    found = read_load_errors(warehouse, None)

    assert (found.errors, len(found.notes), warehouse.asked) == ((), 1, [])

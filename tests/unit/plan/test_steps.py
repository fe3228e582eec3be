"""Statements and transactions as values: what a refusal means, what is locked, what is fetched."""

from framework.errors import OnRefusal, RefusedStatement, WarehouseError
from framework.model.names import TableName
from framework.plan.steps import Statement, Transaction, locks_ledger, locks_readers, locks_writers, select

TARGET = TableName("public", "orders")
LEDGER = TableName("feedway", "ledger_1")


def test_a_statement_means_what_it_says_itself_or_what_its_transaction_says() -> None:
    guard = Statement("guard_columns", if_refused=OnRefusal.REPLAN)
    evolve = Transaction("evolve", (guard, Statement("add_column")), OnRefusal.REPLAN_IF_CHANGED)

    assert [evolve.refusal_of(0), evolve.refusal_of(1)] == [OnRefusal.REPLAN, OnRefusal.REPLAN_IF_CHANGED]
    assert Transaction("copy", (Statement("copy_staging"),)).refusal_of(0) is OnRefusal.FAIL


def test_a_refused_submission_blames_no_statement() -> None:
    merge = Transaction("merge", (Statement("lock_ledger"), Statement("guard_ledger")))

    assert merge.refused_by(WarehouseError("AccessDeniedException")) is None
    assert merge.refused_by(WarehouseError("refused", refused=RefusedStatement(1))) is merge.statements[1]


def test_a_transaction_names_each_lock_once_in_the_order_in_which_they_are_taken() -> None:
    altered = locks_readers(TARGET)
    statements = (
        Statement("lock_ledger", locks=locks_ledger(LEDGER, TARGET)),
        Statement("add_column", locks=altered),
        Statement("insert_schema_changes"),
        Statement("drop_column", locks=altered),
        Statement("insert_rows", locks=locks_writers(TARGET)),
    )

    assert Transaction("evolve", statements).locks == (
        "feedway.ledger_1: other merges into public.orders wait",
        "public.orders: readers and writers wait",
        "public.orders: other writers wait, readers see the rows as they were",
    )


def test_only_a_select_fetches() -> None:
    assert select("select_schemas", {"schemas": ["public"]}).fetches
    assert not Statement("lock_target").fetches

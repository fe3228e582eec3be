"""What a transaction locks until it ends, for people who ask who will have to wait."""

from __future__ import annotations

from collections.abc import Iterator

from framework.names import TableName
from framework.plan.statements import Transaction

_LOCKING_THE_TARGET = frozenset(
    {"lock_target", "add_column", "drop_column", "rename_column", "grow_varchar", "drop_copied_table"}
)
"""ALTER TABLE and DROP TABLE lock a table for readers and writers until the transaction ends. Source:
https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html"""
_WRITING_THE_TARGET = frozenset({"delete_all_rows", "delete_matching_rows", "insert_rows"})


def locks_of(transaction: Transaction, target: TableName) -> Iterator[str]:
    """Yield in words what other sessions wait for while a transaction runs, in the order of its statements."""
    told: set[str] = set()
    for statement in transaction.statements:
        text = None
        if statement.template == "lock_ledger":
            text = f"{statement.values['table']}: other merges into {target} wait"
        elif statement.template in _LOCKING_THE_TARGET:
            text = f"{target}: readers and writers wait"
        elif statement.template in _WRITING_THE_TARGET:
            text = f"{target}: other writers wait, readers see the rows as they were"
        elif statement.template in ("drop_view", "replace_view"):
            text = f"{statement.values['view']}: readers wait"
        if text is not None and text not in told:
            told.add(text)
            yield text

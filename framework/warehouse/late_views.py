"""Late-binding views: they block no change, and only a query shows whether they can still be read."""

from __future__ import annotations

from collections.abc import Iterable

from framework.errors import TransientWarehouseError, WarehouseError
from framework.model.names import TableName
from framework.plan.steps import MAX_BATCH_STATEMENTS, Statement, Transaction, select
from framework.spec.query_text import names_relation
from framework.warehouse.catalog_rows import DEFINITION_PARTS, definitions_of
from framework.warehouse.session import WarehouseSession


def broken_late_views(warehouse: WarehouseSession, roots: Iterable[TableName]) -> dict[TableName, str]:
    """Return the late-binding views above some relations that cannot be read, with the warehouse's message.

    A view is above a relation if it names it, or names a late-binding view above it. One submission, and those of
    `unreadable_views`.

    Raises:
        TransientWarehouseError: the warehouse did not answer.
    """
    statement = select("select_late_binding_views", DEFINITION_PARTS)
    (rows,) = warehouse.run(Transaction("late_views", (statement,)))
    broken = unreadable_views(warehouse, _above(set(roots), definitions_of(rows)))
    return {view: error.reason for view, error in broken.items()}


def unreadable_views(warehouse: WarehouseSession, views: Iterable[TableName]) -> dict[TableName, WarehouseError]:
    """Return the warehouse's refusal of each view that cannot be read; no row is read.

    One submission per batch of views, and one more per refused view.

    Raises:
        TransientWarehouseError: the warehouse did not answer.
    """
    broken: dict[TableName, WarehouseError] = {}
    left = list(views)
    while left:
        batch = left[:MAX_BATCH_STATEMENTS]
        read = len(batch)
        try:
            warehouse.run(
                Transaction("late_view", tuple(Statement("select_nothing", {"view": view}) for view in batch))
            )
        except WarehouseError as error:
            index = error.refused.index
            if isinstance(error, TransientWarehouseError) or index is None:
                raise
            broken[batch[index]] = error
            # The statements before it have passed.
            read = index + 1
        left = left[read:]
    return broken


def _above(roots: set[TableName], definitions: dict[TableName, str]) -> list[TableName]:
    """Return the views that name one of the roots, or one that does, by name."""
    found: set[TableName] = set()
    pending = set(roots)
    while pending:
        names, pending = pending, set()
        for view, text in definitions.items():
            if view not in found and any(names_relation(text, name.schema, name.name) for name in names):
                found.add(view)
                pending.add(view)
    return sorted(found)

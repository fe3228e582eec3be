"""Views without schema binding: nothing stands in their way, and only reading them tells whether they still work."""

from __future__ import annotations

from framework.errors import TransientWarehouseError, WarehouseError
from framework.names import TableName
from framework.plan.statements import Statement, Transaction
from framework.run_log import RunLog
from framework.spec.query_text import names_relation
from framework.warehouse.client import Caller, Warehouse


def broken_late_views(warehouse: Warehouse, target: TableName, caller: Caller, log: RunLog) -> dict[TableName, str]:
    """Return the late-binding views that name a table and cannot be read, with the warehouse's words.

    One submission, and one for each view; no row is read.

    Raises:
        TransientWarehouseError: whether a view can be read could not be found out.
    """
    statement = Statement("select_late_binding_views", {"table": target})
    (rows,) = warehouse.run(Transaction("late_views", (statement,)), caller, log)
    broken = {}
    for schema, name, definition in rows:
        if not names_relation(str(definition), target.schema, target.name):
            continue
        view = TableName(str(schema), str(name))
        try:
            warehouse.run(Transaction("late_view", (Statement("select_nothing", {"view": view}),)), caller, log)
        except TransientWarehouseError:
            raise
        except WarehouseError as error:
            broken[view] = error.warehouse_message or str(error)
    return broken

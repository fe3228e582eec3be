"""The columns of tables as the catalog shows them now."""

from __future__ import annotations

from collections.abc import Sequence

from framework.model.names import TableName
from framework.plan.steps import MAX_STATEMENT_BYTES, Transaction, in_portions, select
from framework.warehouse.catalog_rows import column_type_of
from framework.warehouse.session import WarehouseSession

_BYTES_OF_CONDITION = 60
"""An estimate, rather too high, of what names a table in a statement, without its name."""


def read_table_columns(
    warehouse: WarehouseSession, tables: Sequence[TableName]
) -> dict[TableName, list[tuple[str, str]]]:
    """Return names and types of the columns of each table, in order; without tables of which none can be seen."""
    found: dict[TableName, list[tuple[str, str]]] = {}
    for portion in in_portions(tables, _bytes_of, MAX_STATEMENT_BYTES // 2):
        statement = select("select_columns", {"targets": portion})
        (rows,) = warehouse.run(Transaction("table_columns", (statement,)))
        for schema, table, name, data_type, length, precision, scale, *_ in rows:
            _, type_text = column_type_of(str(data_type), length, precision, scale)
            found.setdefault(TableName(str(schema), str(table)), []).append((str(name), type_text))
    return found


def _bytes_of(table: TableName) -> int:
    return _BYTES_OF_CONDITION + len(str(table).encode("utf-8"))

"""The rows of sys_load_error_detail, which a COPY leaves that was refused for a column of a staging file.

Which errors of Parquet Redshift logs is not documented: those of a column have a row here, and all others none.
"""

from __future__ import annotations

from framework.sandbox.data_api.sessions import Connection
from framework.sandbox.data_api.spectrum_error import LoadError
from framework.sandbox.data_api.target_table import TargetColumn

_INSERT = """
    insert into pg_sandbox.load_error
        (query_id, file_name, column_name, column_type, column_length, error_code, error_message)
    values (%s, %s, %s, %s, %s, %s, %s)
"""


def log_load_error(connection: Connection, query_id: int, error: LoadError) -> None:
    """Keep an error of a query whose transaction is rolled back."""
    column = error.column
    values = (query_id, error.file, column.name, column.type_name, _length(column), error.code, error.message)
    connection.execute(_INSERT, values)


def _length(column: TargetColumn) -> str:
    match column.type_name:
        case "varchar" | "bpchar":
            return str(column.length_bytes)
        case "numeric":
            return f"{column.precision},{column.scale}"
        case _:
            return "0"

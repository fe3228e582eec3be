"""Deterministic source files: 14 columns that hold what makes CSV hard, any number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Column:
    """A column: its type in the target, and the SQL of its value in row `i` of edition `e`."""

    name: str
    type: str
    sql: str


COLUMNS = (
    Column("id", "bigint", "i"),
    Column("region", "varchar(256)", "'R' || lpad((i % 97)::varchar, 3, '0')"),
    Column(
        "name",
        "varchar(256)",
        "case i % 7 when 0 then 'O''Brien, \"Zoë\"' when 1 then 'Müller, Jürgen' when 2 then '山田 太郎' "
        "else 'Customer ' || i end",
    ),
    Column("zip", "varchar(16)", "lpad((i * 7919 % 100000)::varchar, 5, '0')"),
    Column(
        "notes",
        "varchar(512)",
        "case when i % 5 = 0 then repeat('first, \"quoted\" line' || chr(10) || 'second line; ', 1 + (i % 8)::int) "
        "else repeat('plain words ', 2 + (i * 31 % 14)::int) end",
    ),
    Column("amount", "decimal(18,2)", "((i * 7907 + e * 13) % 100000000)::decimal(18,2) / 100"),
    Column("score", "double precision", "(i % 1000003)::double / 8 + e"),
    Column("quantity", "integer", "(i * 31 % 2000)::integer - 1000"),
    Column("active", "boolean", "(i + e) % 2 = 0"),
    Column("born", "date", "date '1950-01-01' + (i * 17 % 25000)::integer"),
    Column("changed_at", "timestamp", "timestamp '2024-01-01 00:00:00' + to_seconds((i * 61 + e) % 40000000)"),
    Column("country", "varchar(256)", "['DE', 'FR', 'US', 'JP', 'BR'][1 + i % 5]"),
    Column("remark", "varchar(256)", "case i % 3 when 0 then null when 1 then '' else 'remark ' || (i + e) end"),
    Column("status", "varchar(256)", "['open', 'paid', 'void'][1 + (i + e) % 3]"),
)
KEYS = ("id", "region")


CSV = "csv"
_OPTIONS = {
    CSV: "format csv, header, delimiter ',', quote '\"', escape '\"', nullstr ''",
    "csv, zstd": "format csv, header, delimiter ',', quote '\"', escape '\"', nullstr '', compression zstd",
    "JSON lines": "format json",
    "Parquet": "format parquet, compression snappy",
}
FORMATS = tuple(_OPTIONS)


def write_file(path: Path, rows: int, edition: int, written_as: str = CSV) -> None:
    """Write a file of so many rows; of edition 1 half of the keys are new, and edition 0 has the others.

    CSV is by RFC 4180, UTF-8, line feeds; NULL is an unquoted empty field. Memory does not grow with the rows.
    """
    # Here, because programs that are measured import the columns.
    import duckdb

    first = edition * rows // 2
    # By its type: a quotient of decimals is a DOUBLE in DuckDB.
    values = ", ".join(f"cast({column.sql} as {column.type}) as {column.name}" for column in COLUMNS)
    numbers = f"select range as i, {edition} as e from range({first}, {first + rows})"
    with duckdb.connect(":memory:", config={"threads": 1}) as database:
        database.execute("set enable_progress_bar = false")
        target = str(path).replace("'", "''")
        database.execute(f"copy (select {values} from ({numbers})) to '{target}' ({_OPTIONS[written_as]})")

"""The same files loaded by dlt, for comparison: `python -m benchmarks.by_dlt DATASET TABLE=FILE …`, in one run.

The columns have their types, rows are merged by key, and Parquet goes into PostgreSQL by ADBC, as dlt recommends for
Arrow. Environment variables, which are dlt's own, have the database and the folder of its pipelines.

Source: https://dlthub.com/docs/dlt-ecosystem/destinations/postgres#fast-loading-with-arrow-tables-and-parquet
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from pyarrow import csv

from benchmarks.data import COLUMNS, KEYS

_TYPES = {
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "decimal(18,2)": pa.decimal128(18, 2),
    "double precision": pa.float64(),
    "integer": pa.int32(),
    "timestamp": pa.timestamp("us"),
}
_WITHOUT_ZONE: dict[str, Any] = {
    column.name: {"name": column.name, "data_type": "timestamp", "timezone": False}
    for column in COLUMNS
    if column.type == "timestamp"
}
"""dlt takes all timestamps for UTC that have no such hint."""
_BLOCK_BYTES = 16 * 1024**2


def main(dataset: str, *loads: str) -> None:
    """Load a file into each table of a dataset, which is a schema of the database."""
    pipeline = dlt.pipeline(dataset, destination="postgres", dataset_name=dataset)
    resources = [
        dlt.resource(
            batches(Path(file)), name=table, primary_key=KEYS, write_disposition="merge", columns=_WITHOUT_ZONE
        )
        for table, _, file in (load.partition("=") for load in loads)
    ]
    pipeline.run(resources, loader_file_format="parquet")


def batches(file: Path) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a generated file: an empty field is NULL, and a quoted one is not."""
    types = {column.name: _TYPES.get(column.type, pa.string()) for column in COLUMNS}
    yield from csv.open_csv(
        file,
        read_options=csv.ReadOptions(block_size=_BLOCK_BYTES),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

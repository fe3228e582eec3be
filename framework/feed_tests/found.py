"""Reads what a test's loads have left: the table, its rows, and the rows in quarantine."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from typing import Any

from framework.feed_tests.outcome import FoundColumn, FoundEntry, Outcome
from framework.lake.lake import Lake
from framework.load.result import LoadResult
from framework.load.services import Services
from framework.plan.steps import Transaction, select
from framework.spec.feed_tests import Cell, Part
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.catalog import observe
from framework.warehouse.client import Value
from framework.warehouse.session import WarehouseSession


def read_outcome(
    spec: PipelineSpec, services: Services, warehouse: WarehouseSession, results: Sequence[LoadResult]
) -> Outcome:
    """Return the table as it is now, and what the loads with these results did.

    Raises:
        WarehouseError: the table or the quarantine cannot be read.
    """
    table = observe(warehouse, spec, ()).table
    columns = [FoundColumn(each.name, each.type, each.type_text) for each in table.columns] if table else []
    names = [column.name for column in columns]
    rows: list[dict[str, Cell]] = []
    if names:
        # Rows that are shown are easier to read in the order of their keys.
        order_by = [name for name in spec.load.keys if name in names]
        query = select("select_all_rows", {"table": spec.target.table, "columns": names, "order_by": order_by})
        (found,) = warehouse.run(Transaction("read", (query,)))
        rows = [dict(zip(names, map(_text, row), strict=True)) for row in found]
    prefix = services.lake.key(spec.source.prefix)
    lists: dict[Part, tuple[FoundEntry, ...]] = {
        "rejects": tuple(_rejects(services.lake, results)),
        "errors": tuple(_errors(results, prefix)),
        "changes": tuple(_changes(results, prefix)),
        "loads": tuple(_load(result, prefix) for result in results),
        "warnings": tuple(_warnings(results, prefix)),
    }
    return Outcome(tuple(columns), tuple(rows), lists)


def _text(value: Value) -> Cell:
    """Return a value of the Data API as Redshift writes it."""
    match value:
        case bool():
            return str(value).lower()
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
        case int() | float():
            return repr(value)
    return value


def _name(result: LoadResult, prefix: str) -> Cell:
    return None if result.source_file is None else result.source_file.removeprefix(prefix)


def _load(result: LoadResult, prefix: str) -> FoundEntry:
    counts = {name: str(count) for name, count in vars(result.counts).items()}
    return {"file": _name(result, prefix), "status": result.status, "reason": result.reason, **counts}


def _errors(results: Sequence[LoadResult], prefix: str) -> Iterator[FoundEntry]:
    for result in results:
        if result.failure is not None:
            failure = result.failure
            yield {"file": _name(result, prefix), "type": failure.type, "message": failure.message}


def _changes(results: Sequence[LoadResult], prefix: str) -> Iterator[FoundEntry]:
    """Yield the changes of each load once, with its first file."""
    seen: set[str | None] = set()
    for result in results:
        if result.status != "SUCCESS" or result.run_id in seen:
            continue
        seen.add(result.run_id)
        file = _name(result, prefix)
        for change in result.schema_changes:
            yield {**{name: change[name] for name in ("kind", "column", "from", "to")}, "file": file}
        for view in result.views:
            yield {"kind": "build_view", "column": None, "from": None, "to": view, "file": file}


def _warnings(results: Sequence[LoadResult], prefix: str) -> Iterator[FoundEntry]:
    """Yield the warnings of each load once, with the first file that has them."""
    seen: set[tuple[object, ...]] = set()
    for result in results:
        for warning in result.warnings:
            known = result.run_id, warning
            if known not in seen:
                seen.add(known)
                yield {**warning.as_dict(), "file": _name(result, prefix)}


def _rejects(lake: Lake, results: Sequence[LoadResult]) -> Iterator[FoundEntry]:
    places = dict.fromkeys(result.quarantine for result in results if result.quarantine is not None)
    for place in places:
        for found in lake.list_objects(place.removeprefix(lake.url(""))):
            for row in _parquet_rows(lake.get(found.key) or b""):
                yield {
                    name: None if row[name] is None else str(row[name]) for name in ("file", "row", "column", "reason")
                }


def _parquet_rows(content: bytes) -> list[dict[str, Any]]:
    # imported where it is used: only tests with rows in quarantine need it
    import pyarrow.parquet

    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
    return rows

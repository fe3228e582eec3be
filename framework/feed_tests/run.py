"""Runs a test of a feed: gives it a table and files, loads them, and compares what came of it.

It needs an empty warehouse and an empty lake, in which it leaves everything.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from framework.dataclass import dataclass
from framework.errors import PipelineError
from framework.feed_tests.compare import compare
from framework.feed_tests.found import read_outcome
from framework.feed_tests.outcome import Difference, Outcome
from framework.lake.pending import is_file_of
from framework.load.pipeline import run_pipeline
from framework.load.request import Pending
from framework.load.result import LoadResult, failed_early
from framework.load.services import Services
from framework.plan.schema_changes import NewColumn
from framework.plan.steps import MAX_STATEMENT_BYTES, Statement, Transaction, in_portions
from framework.plan.type_reason import DECLARED
from framework.spec.feed_tests import FeedTest, GivenFile, GivenTable, Place
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.session import WarehouseSession

Deliver = Callable[[str, bytes, datetime], None]
"""Puts a file into the lake, by its key, as one that arrived at a time."""
_FILES_BEFORE_NOW = 100_000
"""So many files can be given before one would come from the future."""
_MOST_BYTES_OF_ROWS = MAX_STATEMENT_BYTES // 2


@dataclass(frozen=True)
class Verdict:
    """The differences of a test, none where it passed, and what it has found; None where it could not run."""

    differences: tuple[Difference, ...]
    found: Outcome | None


def run_feed_test(spec: PipelineSpec, test: FeedTest, services: Services, deliver: Deliver) -> Verdict:
    """Run a test and return what is not as it expects.

    Each file is delivered a second after the one before, so that S3, which counts seconds, has them in this order.
    """
    if strangers := list(_strangers(spec, test, services)):
        return Verdict(tuple(strangers), None)
    warehouse = WarehouseSession(services.warehouse, spec.pipeline, services.open_log(services.new_run_id(), "test"))
    for statement, place in _given_statements(spec, test):
        try:
            warehouse.run(Transaction("given", (statement,)))
        except PipelineError as error:
            return Verdict((Difference("given", place, str(error)),), None)
    results: list[LoadResult] = []
    began = services.now() - timedelta(seconds=_FILES_BEFORE_NOW)
    arrivals = (began + timedelta(seconds=number) for number in itertools.count())
    for files in test.loads:
        results += _load(spec, services, [(file, next(arrivals)) for file in files], deliver)
    found = read_outcome(spec, services, warehouse, results)
    return Verdict(tuple(compare(test.expected, found, spec.load.keys)), found)


def _strangers(spec: PipelineSpec, test: FeedTest, services: Services) -> Iterator[Difference]:
    """Yield a difference for each given file that the feed does not take."""
    for file in (file for files in test.loads for file in files):
        if not is_file_of(services.lake, spec.source, _key(spec, services, file)):
            message = f"the feed does not take the file {file.name!r}: source.pattern is {spec.source.pattern!r}"
            yield Difference("given", file.place, message)


def _load(
    spec: PipelineSpec, services: Services, files: Sequence[tuple[GivenFile, datetime]], deliver: Deliver
) -> list[LoadResult]:
    """Deliver files and load what is pending, as a command would."""
    command = replace(services, invocation_id=uuid.uuid4().hex)
    results: list[LoadResult] = []
    try:
        for file, arrives_at in files:
            deliver(_key(spec, services, file), file.read(), arrives_at)
        for of_load in run_pipeline(spec, command, Pending()):
            results += of_load
    except PipelineError as error:
        results.append(failed_early(spec.pipeline, error))
    return results


def _key(spec: PipelineSpec, services: Services, file: GivenFile) -> str:
    return services.lake.key(spec.source.prefix + file.name)


def _given_statements(spec: PipelineSpec, test: FeedTest) -> Iterator[tuple[Statement, Place]]:
    """Yield the statements that make the given table, and those that the test has itself, each with its place."""
    if test.table is not None:
        for statement in _table_statements(spec, test.table):
            yield statement, test.table.place
    for given in test.statements:
        yield Statement("run_given_statement", {"statement": given.sql}), given.place


def _table_statements(spec: PipelineSpec, table: GivenTable) -> Iterator[Statement]:
    target = spec.target
    yield Statement("create_schema", {"schema": target.table.schema})
    columns = [
        NewColumn(name, column_type, nullable=name not in spec.load.keys, reason=DECLARED)
        for name, column_type in table.columns.items()
    ]
    design = {
        "distkey": target.distkey if target.distkey in table.columns else None,
        "sortkey": [name for name in target.sortkey if name in table.columns],
    }
    yield Statement("create_target_table", {"table": target.table, "columns": columns, **design})
    if table.rows:
        names = list(table.rows[0].cells)
        typed = [(name, table.columns[name]) for name in names]
        rows = [[row.cells[name] for name in names] for row in table.rows]
        for portion in in_portions(rows, lambda row: len(str(row).encode("utf-8")), _MOST_BYTES_OF_ROWS):
            yield Statement("insert_given_rows", {"table": target.table, "columns": typed, "rows": portion})

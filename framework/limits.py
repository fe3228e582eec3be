"""What the warehouse does not take of a load, found while nothing is changed yet."""

from __future__ import annotations

from collections.abc import Sequence

from framework.bookkeeping import Books
from framework.column_type import Kind
from framework.errors import SchemaChangeError
from framework.plan.render import render
from framework.prepare import Preparation, copy_transaction, merge_transaction
from framework.results import LoadRequest
from framework.schema.changes import table_after
from framework.schema.fit import MAX_COLUMNS, too_many
from framework.schema.table import Observation
from framework.schema.values import SourceFile


def check_limits(
    books: Books, files: Sequence[SourceFile], observed: Observation, prepared: Preparation, request: LoadRequest
) -> None:
    """Check all that a load will run, before the first of it: a table that has grown cannot shrink again.

    Raises:
        SchemaChangeError: the target or the staging table would have too many columns, or a statement too many bytes.
    """
    target = books.spec.target.table
    after = table_after(observed, target, prepared.changes)
    manifest_url = books.services.lake.url(books.manifest_key) if prepared.has_rows else None
    copy = copy_transaction(books, prepared, manifest_url)
    merge, _ = merge_transaction(books, files, observed, prepared, request)
    staged = prepared.staging.columns if prepared.has_rows else ()
    # A TIMESTAMPTZ is copied into a column of its own.
    width = sum(2 if column.target_type.kind is Kind.TIMESTAMPTZ else 1 for column in staged)
    most = max(width, 0 if after is None else len(after.columns))
    if most > MAX_COLUMNS:
        raise SchemaChangeError(too_many(books.spec, observed.table, files[0].url, most))
    for transaction in (*prepared.evolution, copy, merge):
        for statement in transaction.statements:
            render(statement, books.spec.pipeline, books.run_id)

"""The bad rows of a load, with what is wrong in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyspark.sql import Row

from framework.model.measurements import BadRow
from framework.model.staging import FILE_COLUMN, ROW_COLUMN, StagingColumn
from framework.rows.formats.csv.fields import split_record
from framework.rows.reasons import field_count_reason, misfit_reason, null_key_reason
from framework.rows.spark.failures import spark_failures
from framework.rows.spark.faults import OPEN_QUOTE
from framework.rows.spark.files import OpenedFile
from framework.rows.spark.observe import observe, read_observation, union
from framework.rows.spark.ordinals import true_ordinals
from framework.rows.spark.rows import CheckedColumn, check_rows, name_columns, read_texts
from framework.rows.spark.source import SparkSource


def read_bad_rows(
    source: SparkSource, columns: Sequence[StagingColumn], files: Sequence[int], limit: int
) -> tuple[BadRow, ...]:
    """Return the first `limit` bad rows of the files with these ordinals, by file and row.

    One entry per offending column. Reads the files once for the rows, and those that have some
    once more for their ordinals.
    """
    checked = name_columns(columns)
    result: list[BadRow] = []
    with spark_failures(source):
        found, open_quotes = _collect(source, checked, files, limit)
        if source.mark_multiline(open_quotes):
            found, _ = _collect(source, checked, files, limit)
        for file in source.open():
            bad = [row for row in found if row[FILE_COLUMN] == file.layout.ordinal]
            ordinals = true_ordinals(source, file, [row[ROW_COLUMN] for row in bad])
            for row in bad:
                result += _reasons(file, checked, row, ordinals[row[ROW_COLUMN]], source.options.delimiter)
    return tuple(result)


def _collect(
    source: SparkSource, columns: Sequence[CheckedColumn], files: Sequence[int], limit: int
) -> tuple[list[Row], set[int]]:
    """Return the first bad rows, and the ordinals of the files with a quote open at a record's end."""
    texts, observations = [], {}
    for file in source.open():
        if file.layout.ordinal in files:
            # It also stands between the parsing and the filter, which would otherwise parse on its own.
            numbers = {"open": f"count(case when fault = {OPEN_QUOTE} then 1 end)"}
            observed, observations[file.layout.ordinal] = observe(read_texts(source, file, columns), numbers)
            texts.append(observed)
    wrong = [f"{column.misfit} or {column.null_key} as w{index}" for index, column in enumerate(columns)]
    values = [column.text or f"cast(null as string) as t{index}" for index, column in enumerate(columns)]
    rows = check_rows(union(texts), columns).where("is_bad")
    asked = rows.selectExpr(FILE_COLUMN, ROW_COLUMN, "record", "has_wrong_count", *wrong, *values)
    found = asked.orderBy(FILE_COLUMN, ROW_COLUMN).limit(limit).collect()
    return found, {ordinal for ordinal, seen in observations.items() if read_observation(seen)["open"]}


def _reasons(
    opened: OpenedFile, columns: Sequence[CheckedColumn], row: Row, ordinal: int, delimiter: str
) -> Iterator[BadRow]:
    file = opened.layout.name
    if row["has_wrong_count"]:
        reason = field_count_reason(len(split_record(row["record"], delimiter)), len(opened.layout.columns))
        yield BadRow(file, ordinal, None, row["record"], reason)
        return
    for index, checked in enumerate(columns):
        if row[f"w{index}"]:
            text = row[f"t{index}"]
            reason = null_key_reason() if text is None else misfit_reason(checked.column, len(text.encode("utf-8")))
            yield BadRow(file, ordinal, checked.column.name, text, reason)

"""The first bad rows of a load, with what is wrong in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyspark.sql import Row, SparkSession

from framework.frames.reasons import field_count_reason, misfit_reason, null_key_reason
from framework.frames.spark.failures import spark_failures
from framework.frames.spark.files import open_files
from framework.frames.spark.observe import union
from framework.frames.spark.ordinals import true_ordinals
from framework.frames.spark.read import OPEN_QUOTE, can_split, read_records
from framework.frames.spark.rows import CheckedRows, check_rows
from framework.schema.values import FILE_COLUMN, ROW_COLUMN, BadRow, SourceBatch, StagingColumn


def read_bad_rows(
    spark: SparkSession, batch: SourceBatch, columns: Sequence[StagingColumn], limit: int
) -> tuple[BadRow, ...]:
    """Return the first `limit` bad rows, by file and row; one entry per offending column."""
    with spark_failures(spark, batch):
        files = {}
        by_lines = {}
        for opened in open_files(spark, batch):
            ordinal = opened.layout.ordinal
            by_lines[ordinal] = can_split(opened, batch.options)
            if by_lines[ordinal] and batch.options.multiline:
                lines = read_records(spark, opened, batch.options, by_lines=True)
                by_lines[ordinal] = lines.where(f"fault = {OPEN_QUOTE}").isEmpty()
            files[ordinal] = check_rows(spark, opened, columns, batch.options, by_lines[ordinal])
        found = _collect(files, limit)
        result: list[BadRow] = []
        for ordinal, rows in files.items():
            bad = [row for row in found if row[FILE_COLUMN] == ordinal]
            if bad:
                places = [row[ROW_COLUMN] for row in bad]
                true = true_ordinals(spark, rows.opened, batch.options, by_lines[ordinal], places)
                for row in bad:
                    result += _reasons(rows, row, true[row[ROW_COLUMN]], batch.options.delimiter)
    return tuple(result)


def _collect(files: dict[int, CheckedRows], limit: int) -> list[Row]:
    frames = []
    for ordinal, rows in files.items():
        wrong = [
            f"{column.misfit} or {column.null_key} as w{index}" for index, column in enumerate(rows.columns)
        ]
        texts = [column.text or f"cast(null as string) as t{i}" for i, column in enumerate(rows.columns)]
        place = [f"{ordinal} as {FILE_COLUMN}", ROW_COLUMN, "record", "has_wrong_count"]
        frames.append(rows.frame.where("is_bad").selectExpr(*place, *wrong, *texts))
    return union(frames).orderBy(FILE_COLUMN, ROW_COLUMN).limit(limit).collect()


def _reasons(rows: CheckedRows, row: Row, ordinal: int, delimiter: str) -> Iterator[BadRow]:
    file = rows.opened.layout.name
    if row["has_wrong_count"]:
        reason = field_count_reason(row["record"], delimiter, len(rows.opened.layout.columns))
        yield BadRow(file, ordinal, None, row["record"], reason)
        return
    for index, checked in enumerate(rows.columns):
        if row[f"w{index}"]:
            text = row[f"t{index}"]
            reason = null_key_reason() if text is None else misfit_reason(checked.column, text)
            yield BadRow(file, ordinal, checked.column.name, text, reason)

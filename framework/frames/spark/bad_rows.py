"""The first bad rows of a load, with what is wrong in each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pyspark.sql import Row, SparkSession

from framework.frames.reasons import field_count_reason, misfit_reason, null_key_reason
from framework.frames.spark.failures import spark_failures
from framework.frames.spark.faults import OPEN_QUOTE
from framework.frames.spark.files import OpenedFile, open_files
from framework.frames.spark.observe import observe, read_observation, union
from framework.frames.spark.ordinals import true_ordinals
from framework.frames.spark.read import can_split
from framework.frames.spark.rows import CheckedRows, check_rows
from framework.schema.values import FILE_COLUMN, ROW_COLUMN, BadRow, SourceBatch, StagingColumn


def read_bad_rows(
    spark: SparkSession, batch: SourceBatch, columns: Sequence[StagingColumn], limit: int
) -> tuple[BadRow, ...]:
    """Return the first `limit` bad rows, by file and row; one entry per offending column.

    Reads the files once for the rows, and those that have some once more for their ordinals.
    """
    result: list[BadRow] = []
    with spark_failures(batch):
        opened = open_files(spark, batch)
        by_lines = {file.layout.ordinal for file in opened if can_split(file, batch.options)}
        files, found, multiline = _collect(spark, batch, opened, columns, by_lines, limit)
        if multiline:
            by_lines -= multiline
            files, found, _ = _collect(spark, batch, opened, columns, by_lines, limit)
        for ordinal, rows in files.items():
            bad = [row for row in found if row[FILE_COLUMN] == ordinal]
            places = [row[ROW_COLUMN] for row in bad]
            ordinals = true_ordinals(spark, rows.opened, batch.options, ordinal in by_lines, places)
            for row in bad:
                result += _reasons(rows, row, ordinals[row[ROW_COLUMN]], batch.options.delimiter)
    return tuple(result)


def _collect(
    spark: SparkSession,
    batch: SourceBatch,
    opened: Sequence[OpenedFile],
    columns: Sequence[StagingColumn],
    by_lines: set[int],
    limit: int,
) -> tuple[Mapping[int, CheckedRows], list[Row], set[int]]:
    """Return the files' rows, the first bad ones of all, and which files may not be read by lines."""
    files = {
        file.layout.ordinal: check_rows(spark, file, columns, batch.options, file.layout.ordinal in by_lines)
        for file in opened
    }
    frames, observations = [], {}
    for ordinal, rows in files.items():
        wrong = [f"{column.misfit} or {column.null_key} as w{index}" for index, column in enumerate(rows.columns)]
        texts = [column.text or f"cast(null as string) as t{i}" for i, column in enumerate(rows.columns)]
        place = [f"{ordinal} as {FILE_COLUMN}", ROW_COLUMN, "record", "has_wrong_count"]
        numbers = {"open": f"count(case when fault = {OPEN_QUOTE} then 1 end)"}
        # It also stands between the parsing and the filter, which would otherwise parse on its own.
        observed, observations[ordinal] = observe(rows.frame, numbers)
        frames.append(observed.where("is_bad").selectExpr(*place, *wrong, *texts))
    found = union(frames).orderBy(FILE_COLUMN, ROW_COLUMN).limit(limit).collect()
    if not batch.options.multiline:
        return files, found, set()
    is_open = {ordinal for ordinal in by_lines if read_observation(observations[ordinal])["open"]}
    return files, found, is_open


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

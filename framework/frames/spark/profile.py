"""What all rows of a load hold in the columns whose type is not settled, in one job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame, Row, SparkSession

from framework.frames.spark.failures import raise_faults, spark_failures
from framework.frames.spark.faults import FAULT_NUMBERS, OPEN_QUOTE, first_rows
from framework.frames.spark.files import OpenedFile, open_files
from framework.frames.spark.observe import observe, read_observation, union
from framework.frames.spark.read import can_split, field_text, parse_fields, read_records
from framework.frames.spark.texts import profile_of, summarize
from framework.schema.values import FILE_COLUMN, ROW_COLUMN, ColumnProfile, SourceBatch
from framework.spec.pipeline import CsvOptions


def profile(spark: SparkSession, batch: SourceBatch, columns: Sequence[str]) -> Mapping[str, ColumnProfile]:
    """Return the profile of each column over the rows that have the right number of fields.

    A file that is read by lines and turns out to hold fields over several lines is read again.
    """
    opened = open_files(spark, batch)
    by_lines = {file.layout.ordinal for file in opened if can_split(file, batch.options)}
    with spark_failures(spark, batch):
        faults, found = _run(spark, batch, opened, columns, by_lines)
        again = [file for file, rows in faults.items() if OPEN_QUOTE in rows and file.layout.ordinal in by_lines]
        if batch.options.multiline and again:
            ordinals = {file.layout.ordinal for file in again}
            by_lines -= ordinals
            sound = {place: row for place, row in found.items() if place[0] not in ordinals}
            more_faults, more = _run(spark, batch, again, columns, by_lines)
            faults, found = {**faults, **more_faults}, {**sound, **more}
        raise_faults(spark, batch.options, faults, by_lines)
    return {
        name: profile_of(row for (_, position), row in found.items() if position == index)
        for index, name in enumerate(columns)
    }


def _run(
    spark: SparkSession,
    batch: SourceBatch,
    opened: Sequence[OpenedFile],
    columns: Sequence[str],
    by_lines: set[int],
) -> tuple[dict[OpenedFile, dict[int, int]], Mapping[tuple[int, int], Row]]:
    """Return the files' faults, and the numbers of their texts by file and column."""
    frames, observations = [], []
    for file in opened:
        frame = _texts(spark, file, columns, batch.options, file.layout.ordinal in by_lines)
        observed, observation = observe(frame, FAULT_NUMBERS)
        frames.append(observed)
        observations.append(observation)
    found = summarize(union(frames), [f"t{index}" for index in range(len(columns))])
    faults = {
        file: first_rows(read_observation(seen).__getitem__) for file, seen in zip(opened, observations, strict=True)
    }
    return faults, found


def _texts(
    spark: SparkSession, opened: OpenedFile, columns: Sequence[str], options: CsvOptions, by_lines: bool
) -> DataFrame:
    """Return one row per record: where it stands, and by column its text `t…`."""
    parsed = parse_fields(read_records(spark, opened, options, by_lines), opened, options)
    texts = [field_text(opened, name, options) or "cast(null as string)" for name in columns]
    named = [f"case when not has_wrong_count then {text} end as t{index}" for index, text in enumerate(texts)]
    return parsed.selectExpr(f"{opened.layout.ordinal} as {FILE_COLUMN}", ROW_COLUMN, "fault", *named)

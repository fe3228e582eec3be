"""Source files as DataFrames: one row per record, with its raw text, its place and its fields.

There are two ways to find the records. By *lines*, a file is split over the cluster; that is
right for a file whose every line has an even number of quotes, which the pass itself checks on
every line, or for its copy. Else by *fields*: one task reads the file, and the CSV reader says where each
record ends. Both yield the record's raw text, and that text alone decides whether the quoting is
sound: a file cut into records that are each sound can be cut in no other way.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from framework.model.csv_options import CsvOptions
from framework.model.staging import ROW_COLUMN
from framework.rows.formats.csv.blocks import FOLD
from framework.rows.spark.faults import (
    BAD_BYTES,
    MARK,
    NO_FAULT,
    OPEN_QUOTE,
    REPLACEMENT,
    SUSPECT,
    begins_with_mark,
    with_faults,
)
from framework.rows.spark.files import OpenedFile, address
from framework.rows.spark.observe import union
from framework.rows.spark.sql import is_one_of, quoted

_ROW_IN_PARTITION = f"(monotonically_increasing_id() & {2**33 - 1})"
"""Source: https://spark.apache.org/docs/3.5.4/api/sql/#monotonically_increasing_id"""
MAX_FIELDS = 20480
"""Fields of one record that the parser makes room for; a wider header makes room for twice its own."""
_NO_TEXT = "\ufdd0\ufffefeedway"
"""Stands for an unquoted empty field while a record is parsed; no file holds it."""
_COPY_STEP = 2**40
"""More than the largest feedway_row in one object of a copy."""
_BAD = "wrong_fields"
_MORE_FIELDS = 13


def can_split(opened: OpenedFile, options: CsvOptions) -> bool:
    """Return whether to read the file by lines first."""
    if opened.copies:
        return True
    return options.encoding != "utf-16" and not (options.multiline and opened.has_open_lines)


def read_records(spark: SparkSession, opened: OpenedFile, options: CsvOptions, by_lines: bool) -> DataFrame:
    """Return a file's records: `record`, its text; `feedway_row`; `fault`, one of FAULTS or 0.

    One row per record after the header; empty lines are none. `feedway_row` grows with the
    record's place in the file and is not its ordinal: a split knows nothing of those before it.
    """
    if opened.copies:
        return union([_read_copy(spark, opened, number) for number in range(len(opened.copies))])
    if by_lines:
        return _read_lines(spark, opened, options)
    return _read_by_fields(spark, opened, options)


def _read_lines(spark: SparkSession, opened: OpenedFile, options: CsvOptions) -> DataFrame:
    url, where = address(opened)
    lines = (
        spark.read.options(**where, lineSep=opened.line_end)
        .text(url)
        .selectExpr("value", "_metadata.file_block_start as block", f"{_ROW_IN_PARTITION} as line")
    )
    decoded = f"decode(cast(value as binary), {quoted(options.encoding)})"
    # In UTF-8 the replacement character may be the file's own; elsewhere only decoding makes it.
    is_valid = f"value = {decoded}" if options.encoding == "utf-8" else f"not contains({decoded}, '{REPLACEMENT}')"
    text = "value" if options.encoding == "utf-8" else decoded
    records = lines.where(f"not (block = 0 and line <= {opened.blank_lines})").selectExpr(
        f"{_without_return(text)} as record",
        # A line has at least one byte, so rows of a later block come after those of an earlier.
        f"case when block = 0 then line - {opened.blank_lines} else block + line + 1 end as feedway_row",
        f"{is_valid} as is_valid",
    )
    return with_faults(records.where("record <> ''"), "not is_valid", options, by_lines=True)


def _read_copy(spark: SparkSession, opened: OpenedFile, number: int) -> DataFrame:
    """Return the records of one object of a file's copy, which is sound."""
    lines = spark.read.options(__globPaths__="false", lineSep="\n").text(opened.copies[number])
    placed = lines.selectExpr("value", "_metadata.file_block_start as block", f"{_ROW_IN_PARTITION} as line")
    if number == 0:
        placed = placed.where(f"not (block = 0 and line <= {opened.blank_lines})")
    folded = f"if(contains(value, '{FOLD}'), replace(value, '{FOLD}', '\n'), value)"
    texts = placed.selectExpr(f"{folded} as text", f"{number * _COPY_STEP}L + block + line + 1 as {ROW_COLUMN}")
    records = texts.selectExpr(f"{_without_return('text')} as record", ROW_COLUMN).where("record <> ''")
    return records.selectExpr("*", f"if({begins_with_mark('record')}, {MARK}, {NO_FAULT}) as fault")


def _read_by_fields(spark: SparkSession, opened: OpenedFile, options: CsvOptions) -> DataFrame:
    # A record with another number of fields than the schema is handed over raw, which is all that
    # is wanted here. One that happens to have this number, which no slip makes, cannot be loaded
    # anyway; its text is put together without quotes, so that a line break in it counts as a fault.
    expected = len(opened.layout.columns) + _MORE_FIELDS
    schema = ", ".join([*(f"c{index} string" for index in range(expected)), f"{_BAD} string"])
    url, where = address(opened)
    # A quoted empty field keeps its quotes: alone on its line it is a record, and a blank line is none.
    read = spark.read.options(**where, **_csv_options(options, expected) | {"emptyValue": '""'})
    read = read.options(multiLine="true", lineSep=opened.line_end, encoding=options.encoding)
    records = read.schema(schema).csv(url)
    fields = ", ".join(f"c{index}" for index in range(expected))
    rebuilt = f"concat_ws({quoted(options.delimiter)}, {fields})"
    # Two projections: Spark would put the text together wherever the second uses it.
    texts = records.selectExpr(
        f"coalesce({_BAD}, {rebuilt}) as text", f"{_ROW_IN_PARTITION} - {opened.blank_records} as feedway_row"
    )
    rows = texts.selectExpr(f"{_without_return('text')} as record", "feedway_row").where("record <> ''")
    checked = with_faults(rows, "false", options, None if options.multiline else opened.line_end)
    # A header with a fault would be the whole file, taken for one record.
    return checked.where(f"feedway_row > 0 or fault > {SUSPECT}")


def _without_return(text: str) -> str:
    """Return the expression of a record without the carriage return of its line end. Two are one too many."""
    is_end = f"endswith({text}, '\\r') and not endswith({text}, '\\r\\r')"
    return f"if({is_end}, rtrim('\\r', {text}), {text})"


def holds_bad_bytes(spark: SparkSession, opened: OpenedFile, options: CsvOptions) -> bool:
    """Return whether a file with U+FFFD in its text has bytes that are not valid in its encoding.

    Only UTF-8 can hold that character itself; such a file is read again to find out.
    """
    if options.encoding != "utf-8":
        return True
    return not _read_lines(spark, opened, options).where(f"fault = {BAD_BYTES}").isEmpty()


def parse_fields(records: DataFrame, opened: OpenedFile, options: CsvOptions) -> DataFrame:
    """Return the records with `fields`, a struct of texts `c0`, `c1`… by position.

    `has_wrong_count` says that the record has too few or too many fields. An unquoted empty
    field is NULL, a quoted one is `''`.
    """
    count = len(opened.layout.columns)
    schema = ", ".join([*(f"c{index} string" for index in range(count)), f"{_BAD} string"])
    settings = ", ".join(f"{quoted(k)}, {quoted(v)}" for k, v in _csv_options(options, 2 * count).items())
    parsed = records.selectExpr("*", f"from_csv(record, {quoted(schema)}, map({settings})) as fields")
    # One quoted empty field is a line without fields to the parser, and not corrupt.
    lone = "" if count == 1 else " or record = '\"\"'"
    return parsed.selectExpr("*", f"(fields.{_BAD} is not null{lone}) as has_wrong_count")


def read_fields(spark: SparkSession, opened: OpenedFile, options: CsvOptions) -> DataFrame:
    """Return a file's records as `parse_fields` does, straight from the CSV reader, which is several times faster.

    Their raw text is not seen, and so not whether the quoting is sound: that is left to whoever stages the
    file. `fault` is OPEN_QUOTE where the reader may have taken a line end for a part of a field, or a record for
    a shorter one, and at a NUL; the file is then to be read by `read_records`. So are files of one column, whose
    blank lines the reader passes over.
    """
    count = len(opened.layout.columns)
    schema = ", ".join([*(f"c{index} string" for index in range(count)), f"{_BAD} string"])
    url, where = address(opened)
    read = spark.read.options(**where, **_csv_options(options, 2 * count))
    read = read.options(multiLine="true", lineSep=opened.line_end, encoding=options.encoding)
    fields = ", ".join(f"'c{index}', c{index}" for index in range(count))
    rows = (
        read.schema(schema)
        .csv(url)
        .selectExpr(
            f"named_struct({fields}) as fields",
            f"{_BAD} is not null as has_wrong_count",
            f"{_ROW_IN_PARTITION} - {opened.blank_records} as feedway_row",
        )
    )
    doubts = ["has_wrong_count", f"coalesce(endswith(fields.c{count - 1}, '\\r'), false)"]
    doubts += [f"coalesce(contains(fields.c{index}, '\\0'), false)" for index in range(count)]
    doubt = " or ".join(doubts)
    checked = rows.selectExpr("*", f"case when {doubt} then {OPEN_QUOTE} else {NO_FAULT} end as fault")
    return checked.where("feedway_row > 0")


def field_text(opened: OpenedFile, name: str, options: CsvOptions) -> str | None:
    """Return the expression of a column's text in `parse_fields`, None where the file lacks it."""
    if name not in opened.layout.columns:
        return None
    text = f"fields.c{opened.layout.columns.index(name)}"
    if options.null_values:
        return f"case when not ({is_one_of(text, options.null_values)}) then {text} end"
    return text


def _csv_options(options: CsvOptions, columns: int) -> dict[str, str]:
    return {
        # A single backslash would begin an escape sequence.
        "sep": "\\\\" if options.delimiter == "\\" else options.delimiter,
        "quote": '"',
        "escape": '"',
        "nullValue": _NO_TEXT,
        "emptyValue": "",
        "header": "false",
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": _BAD,
        "ignoreLeadingWhiteSpace": "false",
        "ignoreTrailingWhiteSpace": "false",
        "maxCharsPerColumn": "-1",
        "maxColumns": str(max(MAX_FIELDS, columns)),
    }

"""All bad rows of a load as Parquet, with what is wrong in each."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame

from framework.model.csv_options import CsvOptions
from framework.model.staging import FILE_COLUMN, ROW_COLUMN, StagingColumn
from framework.rows.formats.csv.fields import field_pattern, json_array
from framework.rows.reasons import field_count_reason, misfit_reason, null_key_reason
from framework.rows.spark.failures import spark_failures
from framework.rows.spark.files import OpenedFile
from framework.rows.spark.observe import observe, read_observation, union
from framework.rows.spark.rows import CheckedColumn, check_rows, name_columns, read_texts
from framework.rows.spark.source import SparkSource
from framework.rows.spark.sql import quoted
from framework.rows.spark.stage import MAX_RECORDS_PER_FILE

_NUMBER = "\ue000"
"""Stands in a reason for a number that each row has of its own."""


def write_bad_rows(
    source: SparkSource, columns: Sequence[StagingColumn], files: Sequence[int], destination: str
) -> int:
    """Write the bad rows of the files with these ordinals as SourceRows.quarantine says; return how many.

    Reads the files once for the rows and once, for their records alone, for the ordinals.
    """
    checked = name_columns(columns)
    with spark_failures(source):
        opened = [file for file in source.open() if file.layout.ordinal in files]
        texts, numbered = [], []
        for file in opened:
            frame = read_texts(source, file, checked)
            texts.append(frame.selectExpr("*", *_of_file(file)))
            numbered.append(_numbered(source.read_records(file), file.layout.ordinal))
        # Observed, so that the filter stays above the parsing.
        rows, _ = observe(union(texts), {"rows": "count(1)"})
        bad = check_rows(rows, checked).where("is_bad").selectExpr("*", *_described(checked, source.options))
        return _write(bad.join(union(numbered), [FILE_COLUMN, ROW_COLUMN]), source.url(destination))


def _write(rows: DataFrame, destination: str) -> int:
    # One partition: what the budget lets through is little, and sorting over several would read the files once more.
    result = rows.repartition(1).sortWithinPartitions(FILE_COLUMN, "ordinal").selectExpr(*_result())
    counted, observation = observe(result, {"rows": "count(1)"})
    writer = counted.write.mode("overwrite").option("maxRecordsPerFile", MAX_RECORDS_PER_FILE)
    writer.option("compression", "snappy").parquet(destination)
    return int(read_observation(observation)["rows"])


def _numbered(records: DataFrame, ordinal: int) -> DataFrame:
    place = f"row_number() over (order by {ROW_COLUMN}) as ordinal"
    return records.select(ROW_COLUMN).selectExpr(f"{ordinal} as {FILE_COLUMN}", ROW_COLUMN, place)


def _of_file(file: OpenedFile) -> list[str]:
    expected = len(file.layout.columns)
    return [
        f"{quoted(file.layout.name)} as file_name",
        f"{quoted(json_array(file.layout.columns))} as header",
        f"{quoted(file.layout.file.identity.etag)} as etag",
        f"{expected} as expected",
    ]


def _described(columns: Sequence[CheckedColumn], options: CsvOptions) -> list[str]:
    """Return the row's fields, quotes and all, and its faults: an array of a name and a reason each."""
    record = f"concat({quoted(options.delimiter)}, record)"
    fields = f"regexp_extract_all({record}, {quoted(field_pattern(options.delimiter))}, 1)"
    faults = ", ".join(_fault(checked) for checked in columns)
    return [f"{fields} as fields", f"filter(array({faults}), fault -> fault is not null) as faults"]


def _fault(checked: CheckedColumn) -> str:
    column = checked.column
    null_key = f"when {checked.null_key} then {_fault_value(column, quoted(null_key_reason()))}"
    if checked.text is None:
        return f"case {null_key} end"
    reason = _with_numbers(misfit_reason(column, _NUMBER), f"octet_length({checked.text})")
    return f"case {null_key} when {checked.misfit} then {_fault_value(column, reason)} end"


def _fault_value(column: StagingColumn, reason: str) -> str:
    return f"named_struct('name', {quoted(column.name)}, 'reason', {reason})"


def _with_numbers(reason: str, *numbers: str) -> str:
    """Return the expression of a reason in which each _NUMBER stands for a number of the row."""
    first, *others = reason.split(_NUMBER)
    parts = [quoted(first)]
    # A reason without numbers asks for none.
    for number, text in zip(numbers, others, strict=False):
        parts += [number, quoted(text)]
    return f"concat({', '.join(parts)})"


def _result() -> list[str]:
    one_field = _with_numbers(field_count_reason(1, _NUMBER), "expected")
    more_fields = _with_numbers(field_count_reason(_NUMBER, _NUMBER), "size(fields)", "expected")
    count_reason = f"if(size(fields) = 1, {one_field}, {more_fields})"
    rest = "slice(faults, 2, greatest(size(faults) - 1, 0))"
    others = f"transform({rest}, fault -> concat(fault.name, ' ', fault.reason))"
    reason = f"concat_ws('; ', concat(array(faults[0].reason), {others}))"
    unquoted = "replace(substring(field, 2, length(field) - 2), '\"\"', '\"')"
    value = f"case when startswith(field, '\"') then {unquoted} when field <> '' then field end"
    return [
        "file_name as file",
        "cast(ordinal as bigint) as row",
        "case when not has_wrong_count then faults[0].name end as column",
        f"case when has_wrong_count then {count_reason} else {reason} end as reason",
        f"to_json(transform(fields, field -> {value})) as record",
        "header",
        "etag",
    ]

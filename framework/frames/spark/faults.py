"""What can be wrong with a record so that its file cannot be trusted, as Spark SQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pyspark.sql import DataFrame

from framework.frames import reasons
from framework.frames.reasons import BAD_QUOTING, NUL_CHARACTER, UNCLOSED_QUOTE
from framework.frames.spark.sql import quoted
from framework.schema.values import ROW_COLUMN
from framework.spec.pipeline import CsvOptions

NO_FAULT, SUSPECT, OPEN_QUOTE, BAD_QUOTE, BAD_BYTES, NUL = range(6)
"""SUSPECT is no fault: the record holds U+FFFD, which may be its own or come of bad bytes."""
FAULTS = {OPEN_QUOTE: UNCLOSED_QUOTE, BAD_QUOTE: BAD_QUOTING, BAD_BYTES: reasons.BAD_BYTES, NUL: NUL_CHARACTER}
REPLACEMENT = "\ufffd"
"""What decoders put in the place of bytes they cannot read."""
FAULT_NUMBERS = {
    f"fault{fault}": f"min(case when fault = {fault} then {ROW_COLUMN} end)" for fault in (SUSPECT, *FAULTS)
}
"""Aggregates over records: by fault the first feedway_row that has it."""


def first_rows(number: Callable[[str], Any]) -> dict[int, int]:
    """Return by fault the first row that has it; `number` looks up FAULT_NUMBERS."""
    rows = {fault: number(f"fault{fault}") for fault in (SUSPECT, *FAULTS)}
    return {fault: row for fault, row in rows.items() if row is not None}


def with_faults(
    records: DataFrame, bad_bytes: str, options: CsvOptions, barred: str | None = None, by_lines: bool = False
) -> DataFrame:
    """Return the records with `fault` instead of the columns that `bad_bytes`, a condition, is made of.

    `fault` is the number of what is wrong with `record`, 0 for nothing. `barred` is a line end that
    no field may hold.
    """
    # Each quoted stretch becomes one quote: what then stands beside a quote stands beside a field.
    collapsed = """case when contains(record, '"') then regexp_replace(record, '"[^"]*+"', '"') else record end"""
    neighbour = f'[^"{re.escape(options.delimiter)}]'
    bad_quote = "collapsed rlike " + quoted(f'"(?:(?={neighbour})|(?<={neighbour}"))')
    odd = "(octet_length(record) - octet_length(replace(record, '\"', ''))) % 2 = 1"
    quotes = f"case when {odd} then {OPEN_QUOTE} when {bad_quote} then {BAD_QUOTE} else {NO_FAULT} end"
    fault = f"if(contains(record, '\"'), {quotes}, {NO_FAULT})"
    stray_break = "(contains(collapsed, '\\n') or contains(collapsed, '\\r'))"
    # By lines the bytes themselves were looked at.
    suspect = "" if by_lines else f"when contains(record, '{REPLACEMENT}') then greatest({fault}, {SUSPECT})"
    fault = f"case when {stray_break} then if({odd}, {OPEN_QUOTE}, {BAD_QUOTE}) {suspect} else {fault} end"
    if barred is not None:
        fault = f"case when contains(record, {quoted(barred)}) then {OPEN_QUOTE} else {fault} end"
    fault = f"case when {bad_bytes} then {BAD_BYTES} when contains(record, '\\0') then {NUL} else {fault} end"
    # A projection of its own, or Spark would work it out wherever it is used.
    return records.selectExpr("*", f"{collapsed} as collapsed").selectExpr("record", ROW_COLUMN, f"{fault} as fault")

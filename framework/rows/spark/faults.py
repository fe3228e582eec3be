"""What can be wrong with a record so that its file cannot be trusted, as Spark SQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pyspark.sql import DataFrame

from framework.model.csv_options import CsvOptions
from framework.model.staging import ROW_COLUMN
from framework.rows import reasons
from framework.rows.reasons import BAD_QUOTING, UNCLOSED_QUOTE, nul_reason
from framework.rows.spark.sql import quoted

NO_FAULT, SUSPECT, OPEN_QUOTE, BAD_QUOTE, BAD_BYTES, NUL, LINE_END, MARK = range(8)
"""SUSPECT is no fault: the record holds U+FFFD, which may be its own or come of bad bytes."""
FAULTS = {
    OPEN_QUOTE: UNCLOSED_QUOTE,
    BAD_QUOTE: BAD_QUOTING,
    BAD_BYTES: reasons.BAD_BYTES,
    NUL: f"{nul_reason()}; set engine: embedded, for which this is a bad row",
    LINE_END: "ends in a line feed, the header in a carriage return; set engine: embedded, if this is the last record",
    MARK: "begins with U+FEFF, which Spark takes for a byte order mark and drops; set engine: embedded",
}
SOUND_BORDERS = (NUL, LINE_END, MARK)
"""Faults that leave no doubt where the records end."""
REPLACEMENT = "\ufffd"
"""What decoders put in the place of bytes they cannot read."""
FAULT_NUMBERS = {
    f"fault{fault}": f"min(case when fault = {fault} then {ROW_COLUMN} end)" for fault in (SUSPECT, *FAULTS)
}
"""Aggregates over records: by fault the first feedway_row that has it."""


def begins_with_mark(text: str) -> str:
    """Return the condition that a text begins with U+FEFF, which `from_csv` drops."""
    return f"startswith({text}, '\ufeff')"


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
    sound = f"if({begins_with_mark('record')} and {ROW_COLUMN} > 0, {MARK}, {NO_FAULT})"
    quotes = f"case when {odd} then {OPEN_QUOTE} when {bad_quote} then {BAD_QUOTE} else {sound} end"
    fault = f"if(contains(record, '\"'), {quotes}, {sound})"
    stray_break = "(contains(collapsed, '\\n') or contains(collapsed, '\\r'))"
    # Reading by lines has checked the bytes themselves.
    suspect = "" if by_lines else f"when contains(record, '{REPLACEMENT}') then greatest({fault}, {SUSPECT})"
    feeds_at_end = "contains(collapsed, '\\n') and not rtrim('\\n', collapsed) rlike '[\\r\\n]'"
    stray = f"case when {odd} then {OPEN_QUOTE} when {feeds_at_end} then {LINE_END} else {BAD_QUOTE} end"
    fault = f"case when {stray_break} then {stray} {suspect} else {fault} end"
    if barred is not None:
        fault = f"case when contains(record, {quoted(barred)}) then {OPEN_QUOTE} else {fault} end"
    fault = f"case when {bad_bytes} then {BAD_BYTES} when contains(record, '\\0') then {NUL} else {fault} end"
    # A projection of its own, or Spark would work it out wherever it is used.
    return records.selectExpr("*", f"{collapsed} as collapsed").selectExpr("record", ROW_COLUMN, f"{fault} as fault")

"""What can be wrong with a record so that its file cannot be trusted, as Spark SQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

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


def fault_of_record(bad_bytes: str, options: CsvOptions, by_lines: bool) -> str:
    """Return the number of what is wrong with `record`, 0 for nothing."""
    # Each quoted stretch becomes one quote: what then stands beside a quote stands beside a field.
    collapsed = """regexp_replace(record, '"[^"]*+"', '"')"""
    neighbour = f'[^"{re.escape(options.delimiter)}]'
    bad_quote = f"{collapsed} rlike " + quoted(f'"(?:(?={neighbour})|(?<={neighbour}"))')
    odd = "(octet_length(record) - octet_length(replace(record, '\"', ''))) % 2 = 1"
    quotes = f"case when {odd} then {OPEN_QUOTE} when {bad_quote} then {BAD_QUOTE} else {NO_FAULT} end"
    fault = f"if(contains(record, '\"'), {quotes}, {NO_FAULT})"
    has_break = "(contains(record, '\\n') or contains(record, '\\r'))"
    stray_break = f"{has_break} and {collapsed} rlike '[\\\\r\\\\n]'"
    # By lines the bytes themselves were looked at.
    suspect = "" if by_lines else f"when contains(record, '{REPLACEMENT}') then greatest({fault}, {SUSPECT})"
    fault = f"case when {stray_break} then if({odd}, {OPEN_QUOTE}, {BAD_QUOTE}) {suspect} else {fault} end"
    return f"case when {bad_bytes} then {BAD_BYTES} when contains(record, '\\0') then {NUL} else {fault} end"

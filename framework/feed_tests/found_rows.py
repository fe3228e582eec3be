"""The rows that a test has found, as its owner could write them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from framework.feed_tests.outcome import FoundColumn
from framework.feed_tests.run import Verdict
from framework.model.column_type import Kind
from framework.spec.feed_tests import Cell, FeedTest

_PLAIN = re.compile("[a-z_][a-z0-9_]*")
_BREAKS = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
"""What JSON may hold as it is, and YAML not."""


def found_rows(test: FeedTest, verdict: Verdict) -> list[Mapping[str, Cell]] | None:
    """Return the rows found, with the columns that are compared; None where no row is different."""
    if verdict.found is None or all(each.part != "rows" for each in verdict.differences):
        return None
    names = _compared(test, verdict.found.columns)
    return [{name: row[name] for name in names} for row in verdict.found.rows]


def yaml_rows(test: FeedTest, verdict: Verdict) -> list[str]:
    """Return the rows found as lines of YAML, none where no row is different."""
    rows = found_rows(test, verdict) or []
    types = {column.name: column for column in verdict.found.columns} if verdict.found else {}
    return [
        "- {" + ", ".join(f"{_key(name)}: {_value(cell, types[name])}" for name, cell in row.items()) + "}"
        for row in rows
    ]


def _compared(test: FeedTest, columns: tuple[FoundColumn, ...]) -> list[str]:
    listed = test.expected.rows
    wanted = listed.entries[0].cells if listed is not None and listed.entries else None
    return [column.name for column in columns if wanted is None or column.name in wanted]


def _key(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else _quoted(name)


def _value(cell: Cell, column: FoundColumn) -> str:
    if cell is None:
        return "null"
    column_type = column.type
    is_plain = column_type is not None and (
        column_type.is_exact_number or column_type.kind.is_float or column_type.kind is Kind.BOOLEAN
    )
    return cell if is_plain else _quoted(cell)


def _quoted(text: str) -> str:
    return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))

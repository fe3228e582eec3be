"""Remembering the spellings of columns, in the transaction that creates or first fills them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from framework.model.clean_name import digest
from framework.model.names import TableName, literal
from framework.plan.steps import MAX_STATEMENT_BYTES, Statement, in_portions

SPELLINGS = "column_spellings"
"""The table of spellings in the control schema."""
_SHOWN_CHARACTERS = 100
_HEAD_BYTES = 1_000
_FRAME_BYTES = 30
"""Bytes of a row beside its literals."""


def remember_spellings(
    control_schema: str, target: TableName, texts: Mapping[str, str], run_id: str
) -> Iterator[Statement]:
    """Yield the statements that store the header's text of each column; none without columns."""
    rows = [(column, digest(text), text[:_SHOWN_CHARACTERS]) for column, text in texts.items()]
    same = _bytes(run_id, str(target)) + _FRAME_BYTES
    for portion in in_portions(rows, lambda row: same + _bytes(*row), MAX_STATEMENT_BYTES - _HEAD_BYTES):
        values = {"table": TableName(control_schema, SPELLINGS), "target": target, "rows": portion, "run_id": run_id}
        yield Statement("insert_column_spellings", values)


def _bytes(*texts: str) -> int:
    return sum(len(literal(text).encode("utf-8")) for text in texts)

"""A column's entry under `types.columns`, as messages propose it."""

from __future__ import annotations

import json

from framework.model.column_type import ColumnType
from framework.spec.pipeline import PipelineSpec


def column_entry(spec: PipelineSpec, name: str, column_type: ColumnType | None = None, **changes: object) -> str:
    """Return the entry of a column, in one line of YAML, with another type or other fields.

    What does not change is as the spec has it. Text keeps its `null_values` alone, the one field that it has a use for.
    """
    column_type = column_type or spec.types.columns.get(name)
    of_table = spec.types.notation.as_fields()
    fields = {
        field: json.dumps(value, ensure_ascii=False)
        for field, value in (spec.types.notation_of(name).as_fields() | changes).items()
        if value != of_table[field] and (field == "null_values" or column_type is None or not column_type.is_text)
    }
    if column_type is not None:
        if not fields:
            return column_type.sql
        fields = {"type": json.dumps(column_type.sql) if "," in column_type.sql else column_type.sql, **fields}
    return "{" + ", ".join(f"{field}: {value}" for field, value in fields.items()) + "}"

"""Entries under `types.columns` that messages propose."""

from __future__ import annotations

import pytest
import yaml

from framework.model.column_type import ColumnType, parse_type
from framework.plan.column_entry import column_entry
from framework.spec.load import load_pipeline_text
from framework.spec.pipeline import PipelineSpec


def spec(types: str) -> PipelineSpec:
    text = f"pipeline: p\nsource: {{prefix: data/in/p/}}\ntarget: {{table: t}}\nload: {{keys: [id]}}\n{types}"
    return load_pipeline_text(text, "p.yml", "p")


ENTRY = (
    'types: {parse: {decimal: ","}, columns: {c: {type: "decimal(9,2)", thousands: ".", null_values: [x]}, d: date}}'
)


@pytest.mark.parametrize(
    ("name", "column_type", "changes", "expected"),
    [
        ("d", None, {}, "date"),
        ("d", parse_type("timestamp"), {}, "timestamp"),
        ("d", None, {"formats": ("dd.MM.yyyy",)}, {"type": "date", "formats": ["dd.MM.yyyy"]}),
        ("c", None, {}, {"type": "decimal(9,2)", "null_values": ["x"], "thousands": "."}),
        ("c", parse_type("bigint"), {}, {"type": "bigint", "null_values": ["x"], "thousands": "."}),
        ("c", parse_type("varchar(9)"), {}, {"type": "varchar(9)", "null_values": ["x"]}),
        ("n", None, {"null_values": ("NA",)}, {"null_values": ["NA"]}),
        ("n", None, {"decimal": ".", "percent": True}, {"decimal": ".", "percent": True}),
        ("n", None, {"decimal": ",", "currency": ("€",)}, {"currency": ["€"]}),
    ],
)
def test_an_entry_keeps_what_does_not_change(
    name: str, column_type: ColumnType | None, changes: dict[str, object], expected: object
) -> None:
    assert yaml.safe_load(column_entry(spec(ENTRY), name, column_type, **changes)) == expected

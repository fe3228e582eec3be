"""Options that the format of the files has no use for, and ranges of cells."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from framework.errors import Problem
from framework.spec.checks.formats import OF_FORMATS

ProblemsOf = Callable[[str], list[Problem]]
SCHEMA = Path(__file__).parents[3] / "schemas" / "pipeline.schema.json"


def spec(minimal: str, source: str) -> str:
    return minimal.replace("orders/}", f"orders/, {source}}}")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("format: csv, options: {sheet: 2}", "source.options.sheet: it is for excel, and source.format is csv"),
        ("format: excel, options: {delimiter: ;}", "source.options.delimiter: it is for csv"),
        ("format: json, options: {skip_lines: 1}", "it is for csv, excel, fixed, and source.format is json"),
        ("format: parquet, options: {encoding: latin-1}", "source.options.encoding: it is for csv, json, fixed"),
        ("format: excel, compression: gzip", "source.compression: files of the format excel are not packed"),
        ('format: excel, members: "*.csv"', "source.members: files of the format excel are not packed"),
        ("options: {sheet: 2, delimiter: ;}", "source.options.sheet: it is for excel, and no format has it together"),
        ("format: auto, options: {records: a, fields: {order_id: [1, 2]}}", "source.options.fields: it is for fixed"),
        ("options: {nested: text, skip_lines: 1}", "no format has it together with skip_lines"),
        ("options: {records: a..b}", "source.options.records: 'a..b' has an empty key"),
        ("options: {records: .a}", "source.options.records: '.a' has an empty key"),
        ("format: json, options: {records: a.}", "source.options.records: 'a.' has an empty key"),
        ('options: {range: "F3:A"}', "source.options.range: 'F3:A' ends before it begins"),
        ('options: {range: "a1:xfe9"}', "source.options.range: 'a1:xfe9' lies outside of a sheet"),
    ],
)
def test_what_does_not_fit_the_format_is_reported(
    problems_of: ProblemsOf, minimal: str, source: str, message: str
) -> None:
    (problem,) = problems_of(spec(minimal, source))

    assert problem.rule == "spec/options"
    assert message in problem.message


@pytest.mark.parametrize(
    "source",
    [
        'format: excel, options: {sheet: 2, range: "a3:F", header: true, names: [order_id], skip_lines: {until: x}}',
        "format: auto, options: {sheet: 2, header: true}",
        "options: {nested: text, records: data.items, encoding: latin-1}",
        'format: excel, members: "*"',
        "format: csv, options: {sheet: 1, nested: super}",
    ],
)
def test_what_fits_the_format_is_not_reported(problems_of: ProblemsOf, minimal: str, source: str) -> None:
    assert problems_of(spec(minimal, source)) == []


def test_every_option_is_of_some_format_and_has_the_default_of_the_schema() -> None:
    source = json.loads(SCHEMA.read_text(encoding="utf-8"))["properties"]["source"]["properties"]
    options = source["options"]["properties"]

    assert set(options) == {*OF_FORMATS, "fields"}
    assert {name: options[name]["default"] for name in OF_FORMATS} == {
        name: option.default for name, option in OF_FORMATS.items()
    }

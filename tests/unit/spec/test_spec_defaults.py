"""A valid spec becomes values, with every default filled in."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path

import pytest

from framework.model.column_type import decimal, parse_type, varchar
from framework.model.csv_options import CsvOptions
from framework.model.date_format import DateFormat
from framework.model.file_options import ExcelOptions, FixedOptions, JsonOptions, ParquetOptions
from framework.model.modes import UPSERT
from framework.model.names import TableName
from framework.model.notation import PLAIN, Notation
from framework.spec.load import load_environments_text, load_pipeline_text
from framework.spec.pipeline import (
    DECIMAL_FIT,
    BadRowsSpec,
    ColumnsSpec,
    EvolutionSpec,
    ExpectSpec,
    LoadSpec,
    MetadataColumns,
    MissingPolicy,
    OrderBy,
    PipelineSpec,
    SourceSpec,
    TargetSpec,
    TypeRule,
    TypesSpec,
    ViewSpec,
)

DEFAULT_RULES = (
    TypeRule(None, "double", False, decimal(38, 18)),
    TypeRule(None, "integer", True, parse_type("bigint")),
)
DESIGN_EXAMPLE = """\
# yaml-language-server: $schema=../schemas/pipeline.schema.json
pipeline: customers
description: Customer master, daily extract from the CRM
owner: crm-team
tags: [crm, daily]
expect: {every: 1d}
source:
  prefix: data/in/customers/
  pattern: "customers_*.csv*"
  format: csv
  options: {delimiter: ",", encoding: utf-8}
  batch: file
  order: modified
  on_failure: stop
target: {schema: public, table: customers, distkey: customer_id, sortkey: [updated_at]}
load:
  mode: upsert
  keys: [customer_id]
  order_by: [updated_at desc]
columns:
  rename: {cust_no: customer_id}
  exclude: [internal_flag]
metadata_columns: {run_date: run_date, file_name: file_name}
types:
  columns: {postal_code: varchar(16), signed_up: {type: timestamp, formats: ["dd/MM/yyyy HH:mm"]}}
  rules:
    - {name: "*_id", type: varchar(64)}
    - {inferred: double, type: "decimal(38,18)", unless: key}
evolution:
  {new_columns: add, wider_values: widen, type_conflicts: reject, missing_columns: {new_rows: default}}
bad_rows: {action: reject_file, max_rows: 0, max_fraction: 0}
views:
  - {schema: reporting, name: v_customers, definition: "SELECT * FROM {{ target }}", late_binding: false}
"""


def test_the_smallest_spec_gets_every_default(minimal: str) -> None:
    assert load_pipeline_text(minimal, "pipelines/orders.yml", "orders") == PipelineSpec(
        pipeline="orders",
        path="pipelines/orders.yml",
        sha256=hashlib.sha256(minimal.encode()).hexdigest(),
        description="",
        owner="",
        tags=(),
        expect=ExpectSpec(None, 0, Fraction(1, 2), last_line_end=False),
        source=SourceSpec(
            prefix="data/in/orders/",
            pattern="*",
            ignore=(),
            members="*",
            format="auto",
            compression="auto",
            max_unpacked_bytes=None,
            encodings=("utf-8",),
            csv=CsvOptions(",", "utf-8"),
            json=JsonOptions(),
            parquet=ParquetOptions(),
            excel=ExcelOptions(),
            fixed=FixedOptions(),
            batch="file",
            order="modified",
            on_failure="stop",
        ),
        target=TargetSpec(TableName("public", "orders"), None, ()),
        load=LoadSpec(UPSERT, ("order_id",), (), "deduplicate"),
        columns=ColumnsSpec({}, ()),
        metadata_columns=MetadataColumns("run_date", "file_name"),
        types=TypesSpec({}, DEFAULT_RULES, PLAIN, {}),
        evolution=EvolutionSpec("add", "widen", "reject", MissingPolicy("default", "keep", None), {}, 1_000_000),
        bad_rows=BadRowsSpec("reject_file", None, None, True),
        views=(),
        grants=(),
        grants_exclusive=False,
    )


def test_the_example_of_the_design_loads_as_written() -> None:
    spec = load_pipeline_text(DESIGN_EXAMPLE, "pipelines/customers.yml", "customers")
    assert spec.tags == ("crm", "daily")
    assert spec.source.on_failure == "stop"
    assert spec.target == TargetSpec(TableName("public", "customers"), "customer_id", ("updated_at",))
    assert spec.load.order_by == (OrderBy("updated_at", descending=True),)
    assert spec.columns == ColumnsSpec({"cust_no": "customer_id"}, ("internal_flag",))
    assert spec.types.columns == {
        "postal_code": varchar(16),
        "signed_up": parse_type("timestamp"),
    }
    assert spec.types.notation_of("signed_up") == Notation(formats=(DateFormat("dd/MM/yyyy HH:mm"),))
    assert spec.types.rules == (TypeRule("*_id", None, None, varchar(64)), *DEFAULT_RULES)
    assert spec.views == (
        ViewSpec(TableName("reporting", "v_customers"), "SELECT * FROM {{ target }}", late_binding=False),
    )


def test_rules_of_the_spec_come_before_the_default_rules(minimal: str) -> None:
    spec = load_pipeline_text(
        minimal + "types: {rules: [{inferred: double, type: double precision}]}\n", "orders.yml", "orders"
    )
    assert spec.types.rules == (TypeRule(None, "double", None, parse_type("double")), *DEFAULT_RULES)


def test_types_and_rules_have_their_places_in_the_spec(minimal: str) -> None:
    more = """\
types:
  rules:
  - {name: "*_id", type: varchar(64)}
  - inferred: double
    type: double precision
  columns:
    a: integer
    "b": {null_values: ["-"]}
"""
    spec = load_pipeline_text(minimal + more, "orders.yml", "orders")
    above = minimal.count("\n")

    assert [rule.place for rule in spec.types.rules[:3]] == [(above + 3, 5), (above + 4, 5), None]
    found = [spec.place_of(("types", "columns", name)) for name in "abc"]
    assert found == [f"orders.yml:{above + 7}:5", f"orders.yml:{above + 8}:5", None]


def test_one_sample_has_decimals_that_fit_and_one_the_default() -> None:
    def rules(name: str) -> tuple[TypeRule, ...]:
        path = Path(__file__).parents[3] / "pipelines" / f"{name}.yml"
        return load_pipeline_text(path.read_text(encoding="utf-8"), str(path), name).types.rules

    assert rules("orders") == (TypeRule(None, "double", False, DECIMAL_FIT), *DEFAULT_RULES)
    assert rules("customers") == DEFAULT_RULES


@pytest.mark.parametrize(
    ("load", "on_failure"),
    [
        ("{keys: [order_id]}", "stop"),
        ("{keys: [order_id], order_by: [updated_at]}", "continue"),
        ("{mode: append}", "continue"),
        ("{mode: replace}", "continue"),
    ],
)
def test_on_failure_follows_from_the_mode_and_order_by(load: str, on_failure: str) -> None:
    text = f"pipeline: p\nsource: {{prefix: in}}\ntarget: {{table: t}}\nload: {load}\n"
    assert load_pipeline_text(text, "p.yml", "p").source.on_failure == on_failure


def test_a_stated_on_failure_is_kept(minimal: str) -> None:
    text = minimal.replace("orders/}", "orders/, on_failure: continue}")
    assert load_pipeline_text(text, "orders.yml", "orders").source.on_failure == "continue"


def test_a_prefix_gets_the_slash_it_lacks(minimal: str) -> None:
    spec = load_pipeline_text(minimal.replace("orders/}", "orders}"), "orders.yml", "orders")
    assert spec.source.prefix == "data/in/orders/"


@pytest.mark.parametrize(
    ("written", "known_as"),
    [
        ("UTF8", "utf-8"),
        ("utf_16", "utf-16"),
        ("latin-1", "iso-8859-1"),
        ("ISO-8859-1", "iso-8859-1"),
        ("cp1252", "windows-1252"),
        ("ascii", "us-ascii"),
    ],
)
def test_an_encoding_has_one_name(minimal: str, written: str, known_as: str) -> None:
    text = minimal.replace("orders/}", f"orders/, options: {{encoding: {written}}}}}")
    assert load_pipeline_text(text, "orders.yml", "orders").source.csv.encoding == known_as


def test_null_turns_a_metadata_column_off(minimal: str) -> None:
    spec = load_pipeline_text(minimal + "metadata_columns: {file_name: null}\n", "orders.yml", "orders")
    assert spec.metadata_columns == MetadataColumns("run_date", None)


@pytest.mark.parametrize("written", ["null", '"null"'])
def test_the_policy_null_needs_no_quotes(minimal: str, written: str) -> None:
    spec = load_pipeline_text(minimal + f"evolution: {{missing_columns: {written}}}\n", "orders.yml", "orders")
    assert spec.evolution.missing_columns == MissingPolicy("null", "overwrite", "table")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("reject", MissingPolicy("reject", "reject", "table")),
        ("{new_rows: null}", MissingPolicy("null", "keep", "table")),
        ('{new_rows: "null", stored_rows: overwrite}', MissingPolicy("null", "overwrite", "table")),
        ("{stored_rows: overwrite}", MissingPolicy("default", "overwrite", "table")),
    ],
)
def test_missing_columns_are_settled_for_new_and_stored_rows(
    minimal: str, written: str, expected: MissingPolicy
) -> None:
    columns = "columns: {a: {missing_columns: reject}, b: {}}"
    text = minimal + f"evolution: {{missing_columns: {written}, {columns}}}\n"
    evolution = load_pipeline_text(text, "orders.yml", "orders").evolution
    assert evolution.missing_columns == expected
    assert evolution.of("a").missing_columns == MissingPolicy("reject", "reject", "column")
    assert evolution.of("b").missing_columns == expected


@pytest.mark.parametrize(("mode", "least"), [("upsert, keys: [a]", 0), ("append", 0), ("replace", 1)])
def test_a_replacement_needs_a_row_unless_the_spec_says_otherwise(mode: str, least: int) -> None:
    text = f"pipeline: p\nsource: {{prefix: in}}\ntarget: {{table: t}}\nload: {{mode: {mode}}}\n"
    assert load_pipeline_text(text, "p.yml", "p").expect.min_rows == least
    assert load_pipeline_text(text + "expect: {min_rows: 7}\n", "p.yml", "p").expect.min_rows == 7
    assert load_pipeline_text(text + "expect: {min_rows: 0}\n", "p.yml", "p").expect.min_rows == 0


def test_a_fraction_is_what_is_written(minimal: str) -> None:
    text = minimal + "expect: {max_shrink: 0.1}\n"
    assert load_pipeline_text(text, "orders.yml", "orders").expect.max_shrink == Fraction(1, 10)


def test_order_by_ascends_unless_it_says_desc(minimal: str) -> None:
    text = minimal.replace("[order_id]}", "[order_id], order_by: [a, b ASC, c  Desc]}")
    orders = load_pipeline_text(text, "orders.yml", "orders").load.order_by
    assert orders == (OrderBy("a", False), OrderBy("b", False), OrderBy("c", True))


def test_a_metadata_column_may_be_a_key_and_exclude_the_column_of_the_file(minimal: str) -> None:
    text = minimal.replace("[order_id]", "[order_id, file_name]") + "columns: {exclude: [file_name]}\n"
    assert load_pipeline_text(text, "orders.yml", "orders").load.keys == ("order_id", "file_name")


def test_an_environment_gets_every_default() -> None:
    text = "environments: {prod: {lake: {bucket: acme-lake}, warehouse: {cluster: c, database: dev}}}"
    prod = load_environments_text(text, "environments.yml")["prod"]
    assert (prod.name, prod.kind, prod.engine) == ("prod", "aws", "auto")
    assert (prod.lake.bucket, prod.lake.prefix, prod.lake.region) == ("acme-lake", "", None)
    assert (prod.warehouse.cluster, prod.warehouse.workgroup) == ("c", None)
    assert (prod.warehouse.copy_role, prod.warehouse.control_schema) == ("default", "feedway")
    assert (prod.retry.attempts, prod.retry.delay_seconds, prod.retry.backoff) == (3, 180.0, 2.0)
    assert (prod.dead_after_seconds, prod.max_attempts) == (300, 3)

"""Statements: every template renders, names its variables, is used, and stays within bounds."""

import ast
import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from framework.errors import SchemaChangeError
from framework.model.names import TableName
from framework.model.observation import Grant
from framework.plan.render import render
from framework.plan.steps import MAX_STATEMENT_BYTES, Statement

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted((ROOT / "templates" / "sql").glob("*.sql.j2"))
TABLE = TableName("public", 'we"ird; -- table')


def test_a_statement_is_headed_by_whose_it_is() -> None:
    sql = render(Statement("lock_ledger", {"table": TableName("feedway", "ledger_1")}), "customers", "r1")

    assert sql == '-- feedway customers r1 lock_ledger\nlock table "feedway"."ledger_1"'


def test_a_missing_value_is_an_error_not_an_empty_text() -> None:
    with pytest.raises(UndefinedError, match="table"):
        render(Statement("lock_ledger", {}), "customers", "r1")


def test_a_name_cannot_leave_its_quotes() -> None:
    sql = render(Statement("delete_all_rows", {"table": TABLE}), "customers", "r1")

    assert sql.endswith('delete from "public"."we""ird; -- table"')


def test_a_statement_that_is_too_long_is_refused() -> None:
    columns = [f"column_{number:04d}_{'x' * 110}" for number in range(900)]
    values = {"target": TABLE, "staging": TABLE, "columns": columns}

    with pytest.raises(SchemaChangeError, match=str(MAX_STATEMENT_BYTES)):
        render(Statement("insert_rows", values), "customers", "r1")


def test_a_thousand_columns_of_twenty_bytes_fit_into_one_statement() -> None:
    columns = [f"column_{number:013d}" for number in range(1000)]

    sql = render(Statement("insert_rows", {"target": TABLE, "staging": TABLE, "columns": columns}), "p", "r")

    assert sql.count("column_") == 2000
    assert len(sql.encode()) < MAX_STATEMENT_BYTES


@pytest.mark.parametrize(
    ("grant", "text"),
    [
        (Grant("SELECT", "ann", "user", False), 'grant select on "public"."v"\nto "ann"'),
        (Grant("SELECT", "an alyst", "group", False), 'grant select on "public"."v"\nto group "an alyst"'),
        (Grant("DELETE", "r", "role", True), 'grant delete on "public"."v"\nto role "r" with grant option'),
        (Grant("SELECT", "public", "public", False), 'grant select on "public"."v"\nto public'),
    ],
)
def test_a_privilege_is_restored_as_it_was(grant: Grant, text: str) -> None:
    sql = render(Statement("grant_on_relation", {"relation": TableName("public", "v"), "grant": grant}), "p", "r")

    assert sql.partition("\n")[2] == text


def test_an_unknown_privilege_is_refused_before_it_reaches_a_statement() -> None:
    grant = Grant("select on x to y; drop table", "ann", "user", False)

    with pytest.raises(SchemaChangeError, match="cannot restore unsupported privilege"):
        render(Statement("grant_on_relation", {"relation": TABLE, "grant": grant}), "p", "r")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_opens_with_what_it_does_and_its_variables(path: Path) -> None:
    header = path.read_text(encoding="utf-8").partition("#}")[0]
    used = set(
        re.findall(r"{{ *(\w+)|in (\w+)(?: \| batch\(8\))? %}|if (?:not )?(\w+) %}", path.read_text(encoding="utf-8"))
    )
    names = {name for group in used for name in group if name}
    loops = re.findall(r"{% for ([\w, ]+) in", path.read_text(encoding="utf-8"))
    local = {name for loop in loops for name in loop.split(", ")} | {"loop"}

    assert header.startswith("{# " + path.name)
    for name in names - local - {"order_by"}:
        assert name in header, f"{path.name} does not say what {name} is"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_lays_out_and_decides_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert "{% set" not in text
    assert "{% do" not in text
    assert ".mode" not in text


def test_every_template_is_used_and_every_statement_has_one() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "framework").rglob("*.py"))
    named = {
        node.args[0].value
        for node in ast.walk(ast.parse(sources.replace("from __future__ import annotations", "")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("Statement", "select")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }

    assert named == {path.name.removesuffix(".sql.j2") for path in TEMPLATES}

"""No value of a row and no secret gets out: all that a run prints, logs or records is searched for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg.conninfo
import pytest

from framework.errors import WarehouseError
from framework.log.run_log import RunLog
from framework.model.column_type import parse_type
from framework.model.names import TableName
from framework.plan.steps import Statement, Transaction
from framework.sandbox import SandboxAddress
from framework.warehouse.client import Caller as StatementCaller
from framework.warehouse.client import Warehouse
from framework.warehouse.rate_limit import RateLimiter
from tests.harness import new_name
from tests.sandbox.conftest import ENVIRONMENT
from tests.sandbox.data_api_caller import Caller

ROOT = Path(__file__).parents[2]
MARK = "confidential"
SPEC = """\
pipeline: {name}
source: {{prefix: data/in/{name}/, on_failure: continue}}
target: {{table: {name}}}
load: {{keys: [id]}}
types: {{columns: {{id: varchar(40), amount: "decimal(9,2)"}}}}
evolution: {{missing_columns: {{new_rows: null}}}}
views: [{{name: v_{name}, definition: "select note from {{{{ target }}}}"}}]
bad_rows: {{log_samples: {log_samples}}}
"""
FILES = {
    # Loaded; then longer texts and another column, so that the table and its view are changed.
    "1.csv": f"id,amount,note\n{MARK}1,1.50,{MARK}2\n",
    "2.csv": f"id,amount,note,more\n{MARK}1,2.50,{MARK}3{'x' * 300},{MARK}4\n",
    "3.csv": f"id,amount,more\n{MARK}1,3.50,{MARK}5\n",
    # Broken: quotes, bytes, and packed data that is none.
    "4.csv": f'id,amount,note\n{MARK}6,1.00,"{MARK}7"x\n',
    "5.csv": f"id,amount,note\n{MARK}8,1.00,{MARK}9\xe9\n",
    "6.csv": f'id,amount,note\n{MARK}8,1.00,"{MARK}9\n',
}


def project(root: Path, sandbox: SandboxAddress, s3: Any, log_samples: str) -> str:
    """Make a project of one feed, with its files pending; return the feed's name."""
    name = new_name("kept")
    (root / ".sandbox").symlink_to(sandbox.folder)
    (root / "pipelines").mkdir()
    (root / "pipelines" / f"{name}.yml").write_text(SPEC.format(name=name, log_samples=log_samples), encoding="utf-8")
    text = (ROOT / "environments.yml").read_text(encoding="utf-8")
    (root / "environments.yml").write_text(text, encoding="utf-8")
    for number, content in FILES.items():
        s3.put_object(Bucket="lake", Key=f"data/in/{name}/{number}", Body=content.encode("latin-1"))
    return name


def recorded(name: str, s3: Any, redshift_data: Any) -> dict[str, str]:
    """Return by place what runs of the feed have left in the lake's logs, the audit and the query history."""
    caller = Caller(redshift_data, s3)
    logs = s3.list_objects_v2(Bucket="lake", Prefix=f"logs/{name}/")["Contents"]
    bodies = [s3.get_object(Bucket="lake", Key=item["Key"])["Body"].read().decode() for item in logs]
    pages = redshift_data.get_paginator("list_statements").paginate(StatementName=f"feedway/{name}/", Status="ALL")
    statements = [statement for page in pages for statement in page["Statements"]]
    described = [redshift_data.describe_statement(Id=statement["Id"]) for statement in statements]
    assert len(bodies) == len(FILES)
    assert len(statements) > 2 * len(FILES)
    texts = [json.dumps(statement, default=str) for statement in described]
    return {
        "the exported logs": "".join(bodies),
        "JOB_STS": str(caller.rows(f"select * from feedway.job_sts where pipeline = '{name}'")),
        "the reasons of changes": "".join(text for text in texts if "schema_changes" in text),
        "the other statements": "".join(text for text in texts if "schema_changes" not in text),
    }


@pytest.mark.processes
@pytest.mark.parametrize(("log_samples", "quoting"), [("false", []), ("true", ["the reasons of changes"])])
def test_nothing_of_rows_or_secrets_is_printed_logged_or_recorded(
    tmp_path: Path, sandbox: SandboxAddress, s3: Any, redshift_data: Any, log_samples: str, quoting: list[str]
) -> None:
    name = project(tmp_path, sandbox, s3, log_samples)
    argv = [sys.executable, str(ROOT / "run.py"), "--project", str(tmp_path), "run", name, "--output", "lines"]

    ended = subprocess.run(argv, env=os.environ | {"A_SECRET": "from-the-environment"}, capture_output=True, text=True)

    loads = [json.loads(line) for line in ended.stdout.splitlines()][-1]["loads"]
    assert [load["status"] for load in loads] == ["SUCCESS"] * 3 + ["FAILED"] * 3, ended.stderr
    places = {"stdout": ended.stdout, "stderr": ended.stderr, **recorded(name, s3, redshift_data)}
    password = psycopg.conninfo.conninfo_to_dict(sandbox.database_url)["password"]
    assert [place for place, text in places.items() if MARK in text] == quoting
    for secret in (str(password), sandbox.secret_key, "from-the-environment"):
        assert [place for place, text in places.items() if secret in text] == []
    # The values did arrive.
    found = Caller(redshift_data, s3).rows(f"select id, note, more from {name}")
    assert found == [(f"{MARK}1", f"{MARK}3{'x' * 300}", f"{MARK}5")]


def test_what_the_warehouse_quotes_of_a_row_is_not_shown(redshift_data: Any, s3: Any) -> None:
    name = new_name("quoted")
    Caller(redshift_data, s3).do(
        f"create table {name} (a varchar(20), b integer)", f"insert into {name} values ('{MARK}', 1)"
    )
    warehouse = Warehouse(redshift_data, ENVIRONMENT.warehouse, ENVIRONMENT.retry, RateLimiter({}))
    log = RunLog("r", name, None)
    values = {
        "table": TableName("public", name),
        "name": "a",
        "successor": "b",
        "type": parse_type("integer"),
        "is_from_boolean": False,
    }

    with pytest.raises(WarehouseError, match="invalid input syntax for integer") as caught:
        warehouse.run(Transaction("copy", (Statement("copy_column", values),)), StatementCaller(name, "r"), log)

    assert MARK not in str(caught.value) + str(caught.value.warehouse_message) + log.text()

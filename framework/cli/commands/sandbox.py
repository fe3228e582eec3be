"""`sandbox`: the local stand-in for AWS."""

from __future__ import annotations

import argparse
import math
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from framework.cli.output import Output
from framework.cli.tables import table
from framework.cli.wiring import SANDBOX_FOLDER, open_sandbox, require_sandbox, sandbox_clients
from framework.errors import SpecError, WarehouseError
from framework.spec.environment import RetrySettings, WarehouseSettings
from framework.spec.project import Project
from framework.warehouse.client import Warehouse
from framework.warehouse.rate_limit import RateLimiter

if TYPE_CHECKING:
    from framework.sandbox import SandboxAddress

ACTIONS = ("up", "down", "status", "reset", "sql")
ANY_WAREHOUSE = WarehouseSettings(
    workgroup="sandbox",
    cluster=None,
    database="dev",
    db_user=None,
    secret_arn=None,
    copy_role="default",
    control_schema="feedway",
    region=None,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `sandbox` takes."""
    parser.add_argument(
        "action",
        choices=ACTIONS,
        metavar="ACTION",
        help="up, down: start, stop it; status: show its processes; reset: remove its data; sql: query it",
    )
    parser.add_argument("statement", nargs="?", metavar="STATEMENT", help="with sql: a statement in Redshift's SQL")
    for service in ("s3", "data-api", "postgres"):
        parser.add_argument(
            f"--{service}-port",
            type=int,
            metavar="PORT",
            help="with up: where to listen; default: any free port",
        )
    parser.add_argument("--yes", action="store_true", help="with reset: do not ask")


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Do one thing with the project's sandbox.

    Raises:
        SpecError: an option is missing or belongs to another action, or a package is not installed.
        PipelineError: the sandbox does not come up.
        WarehouseError: the statement was refused.
    """
    _check(arguments)
    require_sandbox()
    root = project.folder
    match arguments.action:
        case "up":
            _up(arguments, root, output)
        case "down":
            _down(root, output)
        case "status":
            _status(root, output)
        case "reset":
            _reset(arguments, root, output)
        case "sql":
            _sql(arguments.statement, root, output)
    return 0


def sandbox_sql(address: SandboxAddress, statement: str) -> dict[str, object]:
    """Run one statement through the Data API and return its result as a JSON value.

    `columns` are names, `rows` lists of values: numbers for integers and doubles, texts for
    decimals, dates, timestamps, NaN and infinities, null for NULL. Both are empty for a statement without result.

    Raises:
        WarehouseError: the statement was refused, in the warehouse's words.
    """
    client = sandbox_clients(address)("redshift-data", None)
    warehouse = Warehouse(client, ANY_WAREHOUSE, RetrySettings(1, 0, 1), RateLimiter({}))
    statement_id = warehouse.submit([statement], "feedway/sandbox/sql", uuid.uuid4().hex)["Id"]
    description = warehouse.poll(statement_id)
    if description["Status"] != "FINISHED":
        message = str(description.get("Error", description["Status"]))
        raise WarehouseError(message, warehouse_message=message)
    if not description["HasResultSet"]:
        return {"columns": [], "rows": []}
    metadata = warehouse.call("get_statement_result", Id=statement_id)["ColumnMetadata"]
    return {
        "columns": [column["name"] for column in metadata],
        "rows": [[_json_value(value) for value in row] for row in warehouse.fetch(statement_id)],
    }


def _json_value(value: object) -> object:
    """Return a value for JSON, in which NaN and the infinities are text, as Redshift spells them."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _check(arguments: argparse.Namespace) -> None:
    action = arguments.action
    ports = (arguments.s3_port, arguments.data_api_port, arguments.postgres_port)
    if action == "sql" and not arguments.statement:
        raise SpecError("sandbox sql takes the statement to run, in quotes")
    if action != "sql" and arguments.statement is not None:
        raise SpecError(f"sandbox {action} takes no statement; found {arguments.statement!r}")
    if action != "up" and any(port is not None for port in ports):
        raise SpecError(f"sandbox {action} takes no ports; they are chosen by sandbox up")
    if action != "reset" and arguments.yes:
        raise SpecError(f"sandbox {action} asks nothing; --yes belongs to sandbox reset")


def _up(arguments: argparse.Namespace, root: Path, output: Output) -> None:
    from framework import sandbox

    ports = sandbox.Ports(s3=arguments.s3_port, data_api=arguments.data_api_port, postgresql=arguments.postgres_port)
    address = sandbox.start(root / SANDBOX_FOLDER, ports, output.say)
    shown = {
        "s3": address.s3_url,
        "data_api": address.data_api_url,
        "database": address.database_url,
        "access_key": address.access_key,
        "secret_key": address.secret_key,
        "folder": str(address.s3_folder),
    }
    output.document(dict(shown), lambda: table(("", ""), list(shown.items())).split("\n", 2)[2])


def _down(root: Path, output: Output) -> None:
    from framework import sandbox

    stopped = sandbox.stop(root / SANDBOX_FOLDER)
    output.document({"stopped": stopped}, lambda: f"stopped: {', '.join(stopped) or 'nothing was running'}")


def _status(root: Path, output: Output) -> None:
    from framework import sandbox

    columns = ("name", "pid", "port", "state", "detail")
    rows = [tuple(getattr(process, name) for name in columns) for process in sandbox.status(root / SANDBOX_FOLDER)]
    document: dict[str, object] = {"processes": [dict(zip(columns, row, strict=True)) for row in rows]}
    output.document(document, lambda: table(columns, rows))


def _reset(arguments: argparse.Namespace, root: Path, output: Output) -> None:
    from framework import sandbox

    folder = root / SANDBOX_FOLDER
    if not arguments.yes:
        question = f"Remove all buckets and tables of the sandbox in {folder}?"
        if not sys.stdin.isatty():
            raise SpecError(f"{question} There is nobody to ask here; if so, add --yes")
        # input() would print it on stdout, where the document goes.
        output.stderr.write(f"{question} [y/N] ")
        output.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            output.document({"reset": None}, lambda: "nothing was removed")
            return
    sandbox.reset(folder)
    output.document({"reset": str(folder)}, lambda: f"removed the data in {folder}")


def _sql(statement: str, root: Path, output: Output) -> None:
    with open_sandbox(root, output) as address:
        result = sandbox_sql(address, statement)
    columns, rows = result["columns"], result["rows"]
    assert isinstance(columns, list)
    assert isinstance(rows, list)
    output.document(result, lambda: table(columns, rows) if columns else "done")

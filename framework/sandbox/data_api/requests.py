"""Requests as values: every member checked, every one the sandbox does not know refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from framework.sandbox.data_api.api_error import ApiError, validation_error
from framework.sandbox.data_api.statement import Status, Warehouse

MAX_STATEMENT_BYTES = 100_000
MAX_BATCH = 40
MAX_LISTED = 100
ALL = "ALL"

WORKGROUP = "sandbox"
"""The only warehouse there is: no cluster, no other workgroup, and no secret to reach it with."""

_STATEMENT_ID = r"[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}(:\d{0,2})?"
_CLUSTER = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """Whom a submission addresses and as whom."""

    warehouse: Warehouse
    database: str
    db_user: str | None


@dataclass(frozen=True)
class SubmitRequest:
    """ExecuteStatement (one SQL text) or BatchExecuteStatement (one to forty). `wait_seconds`: as in the request."""

    sqls: tuple[str, ...]
    target: Target
    name: str | None
    client_token: str | None
    parameters: tuple[tuple[str, str], ...] = ()
    wait_seconds: int | None = None


@dataclass(frozen=True)
class StatementRequest:
    """A request about one statement: `id`, and `part` (from 1) when a part of a batch is meant.

    The answer is held until the statement has ended, for `wait_seconds` at the most.
    """

    text: str
    id: str
    part: int | None
    next_token: str | None = None
    wait_seconds: int = 0


@dataclass(frozen=True)
class ListRequest:
    """ListStatements. `status` is None for all; `name` is the beginning of the names wanted."""

    name: str
    status: Status | None
    warehouse: Warehouse | None
    database: str | None
    max_results: int
    next_token: str | None


_TARGET_MEMBERS = {
    "WorkgroupName": str,
    "ClusterIdentifier": str,
    "Database": str,
    "DbUser": str,
    "SecretArn": str,
    "StatementName": str,
    "ClientToken": str,
    "WithEvent": bool,
    "WaitTimeSeconds": int,
}
_UNSUPPORTED = frozenset({"SessionId", "SessionKeepAliveSeconds", "ResultFormat", "ExecutionMode"})
_MAX_WAIT_SECONDS = 30


def read_execute(document: Document) -> SubmitRequest:
    """Return the request of ExecuteStatement, or raise what the API answers."""
    _check_members(document, {"Sql": str, "Parameters": list, **_TARGET_MEMBERS}, required=("Sql",))
    parameters = tuple(_read_parameter(item) for item in document.get("Parameters", ()))
    return _submit_request(document, (_checked_sql(document["Sql"]),), parameters)


def read_batch(document: Document) -> SubmitRequest:
    """Return the request of BatchExecuteStatement, or raise what the API answers."""
    if "Parameters" in document:
        raise _not_supported("Parameters")
    _check_members(document, {"Sqls": list, **_TARGET_MEMBERS}, required=("Sqls",))
    sqls = document["Sqls"]
    if not 1 <= len(sqls) <= MAX_BATCH:
        raise validation_error(f"Sqls must have between 1 and {MAX_BATCH} statements, found {len(sqls)}.")
    return _submit_request(document, tuple(_checked_sql(sql) for sql in sqls), ())


def read_describe(document: Document) -> StatementRequest:
    """Return the request of DescribeStatement, or raise what the API answers."""
    return _statement_request(document, {"Id": str, "WaitTimeSeconds": int})


def read_cancel(document: Document) -> StatementRequest:
    """Return the request of CancelStatement, or raise what the API answers."""
    return _statement_request(document, {"Id": str})


def read_result(document: Document) -> StatementRequest:
    """Return the request of GetStatementResult, or raise what the API answers."""
    return _statement_request(document, {"Id": str, "NextToken": str, "WaitTimeSeconds": int})


def read_list(document: Document) -> ListRequest:
    """Return the request of ListStatements, or raise what the API answers.

    RoleLevel changes nothing: the sandbox knows one identity. Only finished statements are listed
    unless another status is asked for.
    """
    members = {"StatementName": str, "Status": str, "NextToken": str, "MaxResults": int, "RoleLevel": bool}
    where = {"Database": str, "WorkgroupName": str, "ClusterIdentifier": str}
    _check_members(document, {**members, **where})
    max_results = document.get("MaxResults", MAX_LISTED) or MAX_LISTED
    if not 1 <= max_results <= MAX_LISTED:
        raise validation_error(f"MaxResults must be between 0 and {MAX_LISTED}, found {max_results}.")
    return ListRequest(
        name=document.get("StatementName", ""),
        status=_read_status(document.get("Status", Status.FINISHED.value)),
        warehouse=_read_warehouse(document),
        database=document.get("Database"),
        max_results=max_results,
        next_token=document.get("NextToken"),
    )


def _submit_request(
    document: Document, sqls: tuple[str, ...], parameters: tuple[tuple[str, str], ...]
) -> SubmitRequest:
    warehouse = _read_warehouse(document)
    if warehouse is None:
        raise validation_error("Either ClusterIdentifier or WorkgroupName needs to be specified.")
    if not document.get("Database"):
        raise validation_error("Database must be given.")
    _check_exists(warehouse, document.get("SecretArn"))
    target = Target(warehouse, document["Database"], document.get("DbUser"))
    name, token = document.get("StatementName"), document.get("ClientToken")
    return SubmitRequest(sqls, target, name, token, parameters, _read_wait(document))


def _read_wait(document: Document) -> int | None:
    wait_seconds: int | None = document.get("WaitTimeSeconds")
    if wait_seconds is not None and not 1 <= wait_seconds <= _MAX_WAIT_SECONDS:
        raise validation_error(f"WaitTimeSeconds must be between 1 and {_MAX_WAIT_SECONDS}, found {wait_seconds}.")
    return wait_seconds


def _check_exists(warehouse: Warehouse, secret_arn: str | None) -> None:
    """Refuse a warehouse or a secret that is not there; a wrong database is found when the statement runs.

    Sources: https://github.com/boto/boto3/issues/3336 (no warehouse), terraform-provider-redshift's tests (an
    unknown workgroup), https://github.com/boto/boto3/issues/2899 (secrets are refused on submission); the words
    on an unknown secret are those of Secrets Manager.
    """
    if warehouse != Warehouse("WorkgroupName", WORKGROUP):
        raise validation_error("Redshift endpoint doesn't exist in this region.")
    if secret_arn is not None:
        raise validation_error("Secrets Manager can't find the specified secret.")


def _checked_sql(sql: object) -> str:
    if not isinstance(sql, str):
        raise validation_error("A statement must be a string.")
    if not sql.strip():
        raise validation_error("A statement must not be empty.")
    size_bytes = len(sql.encode())
    if size_bytes > MAX_STATEMENT_BYTES:
        raise validation_error(f"A statement must have at most {MAX_STATEMENT_BYTES} bytes, found {size_bytes}.")
    return sql


def _read_parameter(item: object) -> tuple[str, str]:
    if not isinstance(item, dict) or set(item) != {"name", "value"}:
        raise validation_error("Each of Parameters must have a name and a value, nothing else.")
    name, value = item["name"], item["value"]
    if not isinstance(name, str) or not re.fullmatch(r"[0-9a-zA-Z_]+", name):
        raise validation_error(f"name must satisfy regex pattern: [0-9a-zA-Z_]+, found {name!r}.")
    if not isinstance(value, str) or not value:
        raise validation_error(f"The value of parameter {name} must be a string that is not empty.")
    return name, value


def _read_warehouse(document: Document) -> Warehouse | None:
    workgroup, cluster = document.get("WorkgroupName"), document.get("ClusterIdentifier")
    if workgroup is not None and cluster is not None:
        raise validation_error("WorkgroupName and ClusterIdentifier must not be given together.")
    if workgroup is not None:
        if not 3 <= len(workgroup) <= 128:
            raise validation_error("WorkgroupName must have between 3 and 128 characters.")
        return Warehouse("WorkgroupName", workgroup)
    if cluster is not None:
        if len(cluster) > 63 or not re.fullmatch(_CLUSTER, cluster):
            raise validation_error(f"ClusterIdentifier must satisfy regex pattern: {_CLUSTER}")
        return Warehouse("ClusterIdentifier", cluster)
    return None


def _statement_request(document: Document, members: Mapping[str, type]) -> StatementRequest:
    _check_members(document, members, required=("Id",))
    text: str = document["Id"]
    if not re.fullmatch(_STATEMENT_ID, text):
        raise validation_error(f"id must satisfy regex pattern: ^{_STATEMENT_ID}$")
    statement_id, _, part = text.partition(":")
    number = int(part) if part else None
    return StatementRequest(text, statement_id, number, document.get("NextToken"), _read_wait(document) or 0)


def _read_status(text: str) -> Status | None:
    if text == ALL:
        return None
    if text not in Status.__members__:
        raise validation_error(f"Status must be one of {', '.join((*Status.__members__, ALL))}, found {text!r}.")
    return Status(text)


def _check_members(document: Document, known: Mapping[str, type], required: tuple[str, ...] = ()) -> None:
    for name, value in document.items():
        if name in _UNSUPPORTED:
            raise _not_supported(name)
        if name not in known:
            raise validation_error(f"{name} is not a member of this request.")
        if not isinstance(value, known[name]) or (known[name] is int and isinstance(value, bool)):
            raise validation_error(f"{name} must be of type {known[name].__name__}, found {value!r}.")
    for name in required:
        if name not in document:
            raise validation_error(f"{name} must be given.")


def _not_supported(name: str) -> ApiError:
    return validation_error(f"{name} is not supported by the sandbox.")

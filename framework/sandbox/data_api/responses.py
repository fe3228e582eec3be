"""Statements as the documents that the API answers with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from framework.sandbox.data_api.api_error import validation_error
from framework.sandbox.data_api.results import ResultSet
from framework.sandbox.data_api.statement import Part, Statement, Submission

Document = dict[str, Any]


def submitted(statement: Statement) -> Document:
    """Return the response to ExecuteStatement and BatchExecuteStatement."""
    submission = statement.submission
    return {"Id": statement.id, "CreatedAt": submission.created_at, **_target(submission)}


def submitted_and_awaited(statement: Statement) -> Document:
    """Return the response to a submission with WaitTimeSeconds: it shows how far the statement is."""
    has_result = any(part.outcome.result is not None for part in statement.parts)
    progress = {"Status": statement.status.value, "HasResultSet": has_result}
    return {**submitted(statement), **progress, **_without_nulls({"RedshiftPid": statement.pid})}


def described(statement: Statement) -> Document:
    """Return the response to DescribeStatement; of a batch, the numbers are sums over its parts."""
    submission = statement.submission
    document = {**_header(statement), **_without_nulls({"Error": statement.error})}
    if not submission.is_batch:
        return {**document, "QueryString": submission.sqls[0], **_progress(statement.parts[0])}
    parts = statement.parts
    return {
        **document,
        "Duration": _sum([part.duration_ns for part in parts]),
        "HasResultSet": any(part.outcome.result is not None for part in parts),
        "RedshiftQueryId": 0,
        "ResultRows": _sum([part.outcome.rows for part in parts]),
        "ResultSize": _sum([part.size_bytes for part in parts]),
        "SubStatements": [_sub_statement(statement, number) for number in range(1, len(parts) + 1)],
    }


def described_part(statement: Statement, part: Part, part_id: str) -> Document:
    """Return the response to DescribeStatement for a part of a batch."""
    return {
        **_header(statement),
        **_progress(part),
        **_without_nulls({"Error": part.error}),
        "Id": part_id,
        "Status": part.status.value,
        "UpdatedAt": part.updated_at,
        "QueryString": part.sql,
    }


def result_page(result: ResultSet, first_row: int) -> Document:
    """Return the response to GetStatementResult for the page that begins at `first_row`."""
    page = result.page(first_row)
    return {
        "ColumnMetadata": [column.metadata() for column in result.columns],
        "Records": page.records,
        "TotalNumRows": result.row_count,
        **_next_token(page.next_row),
    }


def listed(statements: Sequence[Statement], first: int, count: int) -> Document:
    """Return the response to ListStatements for `count` statements from `first` on."""
    end = first + count
    return {
        "Statements": [_list_entry(statement) for statement in statements[first:end]],
        **_next_token(end if end < len(statements) else None),
    }


def read_next_token(token: str | None) -> int:
    """Return the position a NextToken stands for; 0 without one.

    Raises:
        ApiError: the token is none of ours.
    """
    if token is None:
        return 0
    if not token.isascii() or not token.isdigit():
        raise validation_error(f"NextToken {token!r} is not valid.")
    return int(token)


def _next_token(position: int | None) -> Document:
    return {} if position is None else {"NextToken": str(position)}


def _header(statement: Statement) -> Document:
    submission = statement.submission
    parameters = [{"name": name, "value": value} for name, value in submission.parameters]
    return {
        "Id": statement.id,
        "Status": statement.status.value,
        "CreatedAt": submission.created_at,
        "UpdatedAt": statement.updated_at,
        "ResultFormat": "JSON",
        **_target(submission),
        **({"QueryParameters": parameters} if parameters else {}),
        **_without_nulls({"RedshiftPid": statement.pid}),
    }


def _target(submission: Submission) -> Document:
    return {
        submission.warehouse.member: submission.warehouse.name,
        "Database": submission.database,
        **_without_nulls({"DbUser": submission.db_user}),
    }


def _progress(part: Part) -> Document:
    return {
        "Duration": part.duration_ns,
        "HasResultSet": part.outcome.result is not None,
        "RedshiftQueryId": part.query_id,
        "ResultRows": part.outcome.rows,
        "ResultSize": part.size_bytes,
    }


def _sub_statement(statement: Statement, number: int) -> Document:
    part = statement.parts[number - 1]
    return {
        "Id": f"{statement.id}:{number}",
        "QueryString": part.sql,
        "Status": part.status.value,
        "CreatedAt": statement.submission.created_at,
        "UpdatedAt": part.updated_at,
        **_progress(part),
        **_without_nulls({"Error": part.error}),
    }


def _list_entry(statement: Statement) -> Document:
    submission = statement.submission
    text: Document = (
        {"QueryStrings": list(submission.sqls)} if submission.is_batch else {"QueryString": submission.sqls[0]}
    )
    parameters = [{"name": name, "value": value} for name, value in submission.parameters]
    return {
        "Id": statement.id,
        **text,
        "Status": statement.status.value,
        "CreatedAt": submission.created_at,
        "UpdatedAt": statement.updated_at,
        "IsBatchStatement": submission.is_batch,
        "ResultFormat": "JSON",
        **({"QueryParameters": parameters} if parameters else {}),
        **_without_nulls({"StatementName": submission.name}),
    }


def _sum(numbers: Sequence[int]) -> int:
    known = [number for number in numbers if number >= 0]
    return sum(known) if known else -1


def _without_nulls(document: Document) -> Document:
    return {name: value for name, value in document.items() if value is not None}

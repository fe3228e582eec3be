"""Requests are checked member by member."""

from __future__ import annotations

from typing import Any

import pytest

from framework.sandbox.data_api.api_error import ApiError
from framework.sandbox.data_api.requests import (
    MAX_STATEMENT_BYTES,
    read_batch,
    read_describe,
    read_execute,
    read_list,
)
from framework.sandbox.data_api.statement import Status

TARGET = {"WorkgroupName": "sandbox", "Database": "dev"}
ID = "0f2a3b4c-1111-2222-3333-444455556666"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Surprise": 1}, "Surprise is not a member of this request"),
        ({"SessionId": ID}, "SessionId is not supported by the sandbox"),
        ({"WaitTimeSeconds": 31}, "WaitTimeSeconds must be between 1 and 30, found 31"),
        ({"WithEvent": "yes"}, "WithEvent must be of type bool"),
        ({"ClusterIdentifier": "c"}, "must not be given together"),
        ({"WorkgroupName": "x"}, "between 3 and 128"),
        ({"Parameters": [{"name": "a", "value": ""}]}, "must be a string that is not empty"),
        ({"Parameters": [{"name": "a-b", "value": "1"}]}, "must satisfy regex pattern"),
        ({"Sql": "x" * (MAX_STATEMENT_BYTES + 1)}, "at most 100000 bytes, found 100001"),
        ({"Sql": "ü" * (MAX_STATEMENT_BYTES // 2 + 1)}, "at most 100000 bytes, found 100002"),
    ],
)
def test_what_is_not_known_is_refused_by_name(members: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError, match=message) as caught:
        read_execute({"Sql": "select 1", **TARGET, **members})
    assert caught.value.code == "ValidationException"


def test_a_statement_may_have_a_hundred_thousand_bytes() -> None:
    assert read_execute({"Sql": "x" * MAX_STATEMENT_BYTES, **TARGET}).sqls == ("x" * MAX_STATEMENT_BYTES,)


@pytest.mark.parametrize("count", [0, 41])
def test_a_batch_has_one_to_forty_statements(count: int) -> None:
    with pytest.raises(ApiError, match=f"between 1 and 40 statements, found {count}"):
        read_batch({"Sqls": ["select 1"] * count, **TARGET})


def test_a_part_is_named_by_its_number() -> None:
    assert read_describe({"Id": f"{ID}:12"}).part == 12
    assert read_describe({"Id": ID}).part is None


def test_only_finished_statements_are_listed_unless_asked_for_others() -> None:
    assert read_list({}).status is Status.FINISHED
    assert read_list({"Status": "ALL"}).status is None
    assert read_list({"MaxResults": 0}).max_results == 100

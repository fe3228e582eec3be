"""What the API remembers, for how long, and that an end is an end."""

from __future__ import annotations

import pytest

from framework.sandbox.data_api.api_error import ApiError
from framework.sandbox.data_api.statement import Ending, Status, Submission, Warehouse, ended, finished
from framework.sandbox.data_api.store import ACTIVE_STATEMENTS, KEPT_SECONDS, TOKEN_SECONDS, StatementStore


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def submission(name: str, at: float = 1000.0, token: str | None = None) -> Submission:
    return Submission(name, ("select 1",), False, Warehouse("WorkgroupName", "wg"), "dev", at, client_token=token)


def test_a_token_is_good_for_eight_hours() -> None:
    clock = Clock()
    store = StatementStore(clock)
    store.add(submission("first", token="t"))
    clock.now += TOKEN_SECONDS - 1
    assert store.add(submission("second", clock.now, "t"))[0].id == "first"
    clock.now += 2
    assert store.add(submission("third", clock.now, "t"))[0].id == "third"


def test_what_has_ended_does_not_change() -> None:
    store = StatementStore(Clock())
    store.add(submission("a"))
    store.change("a", lambda s: ended(s, Ending(Status.ABORTED, "ERROR: cancelled"), 2.0))
    assert store.change("a", lambda s: finished(s, 3.0)).status is Status.ABORTED


def test_ended_statements_are_forgotten_after_a_day_and_active_ones_are_not() -> None:
    clock = Clock()
    store = StatementStore(clock)
    store.add(submission("done"))
    store.add(submission("active"))
    store.change("done", lambda s: finished(s, 2.0))
    clock.now += KEPT_SECONDS + 1
    assert [statement.id for statement in store.newest_first()] == ["active"]
    with pytest.raises(ApiError, match="Query does not exist"):
        store.get("done")


def test_only_so_many_statements_may_be_active() -> None:
    store = StatementStore(Clock())
    for number in range(ACTIVE_STATEMENTS):
        store.add(submission(str(number)))
    with pytest.raises(ApiError) as caught:
        store.add(submission("one more"))
    assert caught.value.code == "ActiveStatementsExceededException"

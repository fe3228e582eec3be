"""What is made of the catalog's answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from framework.model.names import TableName
from framework.model.observation import Observation
from framework.warehouse.lookups import observe_dependents

VIEW = TableName("s", "v")


def hidden(acl: str | None, visible: list[tuple[str, str]], is_superuser: bool = False) -> tuple[str, ...]:
    """Return whose privileges on a view of `cfo` cannot be seen, from its list and the rows that are shown."""
    rows: dict[str, list[tuple[Any, ...]]] = {
        "select_dependents": [("s", "v", "cfo", "etl", is_superuser, "select 1;")],
        "select_grants": [("s", "v", "SELECT", name, kind, False) for name, kind in visible],
        "select_acls": [("s", "v", "cfo", is_superuser, acl)],
    }

    def run(transaction: Any, attempts: int | None) -> list[list[tuple[Any, ...]]]:
        return [rows.get(statement.template, []) for statement in transaction.statements]

    warehouse: Any = SimpleNamespace(run=run)
    observed = Observation(None, frozenset(), frozenset())
    (view,) = observe_dependents(warehouse, observed, [VIEW]).views
    return view.hidden_grantees


@pytest.mark.parametrize(
    ("acl", "visible", "expected"),
    [
        (None, [], ()),
        ("cfo=arwdRxt/cfo", [], ()),
        ("cfo=arwdRxt/cfo,group board=r/cfo,=r/cfo", [("board", "group"), ("public", "public")], ()),
        ("cfo=arwdRxt/cfo,group board=r/cfo,ann=r*/cfo", [("board", "group")], ("ann",)),
        ("cfo=arwdRxt/cfo,=r/cfo", [], ("public",)),
        ('cfo=arwdRxt/cfo,group "data-team"=r/cfo', [], ("group data-team",)),
        ('cfo=arwdRxt/cfo,group "data-team"=r/cfo', [("data-team", "group")], ()),
        ("cfo=arwdRxt/cfo,group board=r/cfo", [("board", "user")], ("group board",)),
        ('cfo=arwdRxt/cfo,"group a,b=c"=r/cfo,"o""x"=r/cfo', [("a,b=c", "group")], ('o"x',)),
    ],
)
def test_privileges_that_the_user_cannot_see_are_noticed(
    acl: str | None, visible: list[tuple[str, str]], expected: tuple[str, ...]
) -> None:
    assert hidden(acl, visible) == expected
    assert hidden(acl, visible, is_superuser=True) == ()

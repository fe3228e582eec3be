"""Hooks on the calls of a load: something happens just before a call of its client, or just after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from framework.lake.lake import Lake


class CallHook:
    """Does something once, at the n-th time that a client is about to make a call, or has made it."""

    def __init__(self, client: Any, event: str, number: int, is_meant: Callable[[Any], bool]) -> None:
        self.action: Callable[[], object] | None = None
        self._left = number
        self._is_meant = is_meant
        client.meta.events.register(event, self._happen)

    def _happen(self, **context: Any) -> None:
        if self.action is None or not self._is_meant(context):
            return
        self._left -= 1
        if self._left == 0:
            action, self.action = self.action, None
            action()


def through(client: Any) -> Callable[[Lake], Lake]:
    """Return what gives a feed's lake another client."""

    def wrap(lake: Lake) -> Lake:
        lake._client = client
        return lake

    return wrap

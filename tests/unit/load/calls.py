"""The calls that a load makes to the lake and the warehouse: recorded in their order, and failed where a test asks."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from framework.load.run import Step
from framework.log.run_log import Entry, Event


@dataclass(frozen=True)
class Call:
    """A call to the lake by its method and key, or a transaction by its name; `nth` counts equal ones, from 0."""

    name: str
    about: str
    nth: int = 0

    def __str__(self) -> str:
        return f"{self.name} {self.about} {self.nth}"


@dataclass(frozen=True)
class Made:
    """A call that was made, and the step of the load that made it; None before the first load, in the invocation."""

    call: Call
    step: Step | None


class Died(BaseException):
    """The process was killed: from a call on, none has an effect any more."""


class Calls:
    """What was called so far. Before a call that is in `happens` something happens; one in `failures` then raises."""

    def __init__(self) -> None:
        self.made: list[Made] = []
        self.failures: dict[Call, BaseException] = {}
        self.happens: dict[Call, Callable[[], None]] = {}
        self.is_dead = False
        self.step: Step | None = None
        self._seen: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def die(self) -> None:
        """Kill the process."""
        self.is_dead = True

    def make(self, name: str, about: str) -> None:
        """Record a call, and fail it if it is to fail."""
        with self._lock:
            call = Call(name, about, self._seen[name, about])
            self._seen[name, about] += 1
            self.made.append(Made(call, self.step))
        if action := self.happens.get(call):
            action()
        if self.is_dead:
            raise Died
        if call in self.failures:
            raise self.failures[call]

    def listen(self, entry: Entry) -> None:
        """Follow the steps of the load in its log."""
        if entry["msg"] == Event.STEP:
            self.step = Step(str(entry["step"]))

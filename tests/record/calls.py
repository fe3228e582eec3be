"""The calls that loads make, in order, as their clients are asked for them: before retries, which are botocore's."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from framework.cli.results import end_in, failures_of
from framework.errors import PipelineError
from framework.load.request import Corrections, LoadRequest, OneFile, Unprocessed, accepted_by
from tests.harness import PENDING, FeedHarness

SUBMISSIONS = ("ExecuteStatement", "BatchExecuteStatement")


@dataclass
class Call:
    """One call: of a statement its number, of one that was refused the error's code."""

    operation: str
    params: Mapping[str, Any]
    is_side_by_side: bool
    number: str = ""
    refused: str = ""


@dataclass
class Heading:
    """Where a run begins, and how it ends."""

    lines: list[str]


@dataclass
class Calls:
    """What happened within the runs of a scenario, and the feeds that ran."""

    events: list[Call | Heading] = field(default_factory=list)
    feeds: dict[str, FeedHarness] = field(default_factory=dict)
    moves_late: bool = False
    """Whether a file is moved in another second than it arrived in, which is how exact S3's times are."""
    _is_paused: bool = False
    _depth: int = 0
    _submissions: int = 0
    _numbers: dict[str, str] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def listen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Hear every client of the process, and know when a feed runs."""
        make_call, run = BaseClient._make_api_call, FeedHarness.run  # type: ignore[attr-defined]

        def heard(client: Any, operation: str, params: Mapping[str, Any]) -> Any:
            call = self._begin(operation, params) if self._depth else None
            if call is None:
                return make_call(client, operation, params)
            if self.moves_late and operation == "CopyObject":
                time.sleep(1.1)
            try:
                answer = make_call(client, operation, params)
            except BaseException as error:
                call.refused = _code(error)
                raise
            if operation in SUBMISSIONS:
                self._numbers[answer["Id"]] = call.number
            return answer

        def run_recorded(feed: FeedHarness, request: LoadRequest = PENDING) -> Any:
            if self._is_paused:
                return run(feed, request)
            return self.recorded(feed, f"run {_asked(request)}", lambda: run(feed, request))

        monkeypatch.setattr(BaseClient, "_make_api_call", heard)
        monkeypatch.setattr(FeedHarness, "run", run_recorded)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Record no run that begins within the block."""
        self._is_paused = True
        yield
        self._is_paused = False

    def recorded(self, feed: FeedHarness, title: str, run: Callable[[], Any]) -> Any:
        """Return what a run of a feed returns, and record it."""
        with self._within(feed, title):
            results = run()
            self.events.append(Heading(list(_ended(results))))
        return results

    @contextmanager
    def _within(self, feed: FeedHarness, title: str) -> Iterator[None]:
        self.feeds.setdefault(feed.name, feed)
        self.events.append(Heading([f"=== {feed.name}: {title}".rstrip()]))
        self._depth += 1
        try:
            yield
        except BaseException as error:
            self.events.append(Heading([f"=== raised {type(error).__name__}: {error}"]))
            raise
        finally:
            self._depth -= 1

    def _begin(self, operation: str, params: Mapping[str, Any]) -> Call | None:
        """Record a call; None for one of the test itself, and one that only time brings about."""
        is_side_by_side = threading.current_thread() is not threading.main_thread()
        # A copy: hooks take parameters out of the one that is given.
        call = Call(operation, dict(params), is_side_by_side)
        with self._lock:
            if operation in SUBMISSIONS:
                # Without a name it is the test's own.
                if "StatementName" not in params:
                    return None
                self._submissions += 1
                call.number = f"#{self._submissions}"
            elif "Id" in params:
                statement, _, part = params["Id"].partition(":")
                if statement not in self._numbers:
                    return None
                call.number = self._numbers[statement] + (f".{part}" if part else "")
            if self._is_repeated(operation, params):
                return None
            self.events.append(call)
        return call

    def _is_repeated(self, operation: str, params: Mapping[str, Any]) -> bool:
        """Return whether it is a further poll for a statement, or a heartbeat after a run's first."""
        key = str(params.get("Key", ""))
        if operation == "DescribeStatement":
            mark = f"polled {params['Id']}"
        elif operation == "PutObject" and key.startswith("staging/") and key.endswith("/alive"):
            mark = f"alive {key}"
        else:
            return False
        is_repeated = mark in self._seen
        self._seen.add(mark)
        return is_repeated


def _code(error: BaseException) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__


def _ended(results: Any) -> Iterator[str]:
    """Yield how a run ended: the exit code of its command, and each result."""
    try:
        code = end_in(failures_of(results))
    except PipelineError as error:
        code = error.exit_code
    yield f"=== ended, exit code {code}"
    for result in results:
        # As it is printed: an enumeration is its text.
        values = json.loads(json.dumps(result.as_dict()))
        del values["seconds"]
        yield f"{values.pop('status')} {values.pop('source_file')}"
        yield from (f"    {name}: {value!r}" for name, value in values.items() if value not in (None, 0, []))


def _asked(request: LoadRequest) -> str:
    """Return what is asked for, as the record names it."""
    asked: dict[str, object] = {}
    match request:
        case OneFile(key=key, again=again):
            asked = {"file_key": key, **({"again": True} if again else {})}
        case Corrections(key=key):
            asked = {"file_key": key, "keeps_stored": True}
        case Unprocessed(key=key):
            asked = {"unprocessed": True, **({} if key is None else {"file_key": key})}
    accepted = accepted_by(request)
    asked |= {name: True for name, value in vars(accepted).items() if value}
    return " ".join(f"{name}={value}" for name, value in asked.items())

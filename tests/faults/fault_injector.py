"""Transient faults as AWS gives them, at random, in the way of one run's calls; and permanent ones."""

from __future__ import annotations

import io
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

FAILED_STATEMENTS = (
    "ERROR: 1023\n  Detail: Serializable isolation violation on table - 1, transactions forming the cycle are: 1, 2",
    "ERROR: deadlock detected\n  Detail: Process 1 waits for AccessExclusiveLock on relation 2.",
    "ERROR: could not complete because of conflict with concurrent transaction",
    "ERROR: S3 Query Exception (Fetch). Task failed due to an internal error.",
)
COMMITTED_AFTER_ALL = "FATAL: terminating connection due to administrator command"
LONGEST_STREAK = 2
"""So often in a row does one operation fail on one object: less often than is tried."""
_SUBMISSIONS = ("ExecuteStatement", "BatchExecuteStatement")


class FaultInjector:
    """Hooks that let calls of clients fail for a moment. `met` counts the faults by kind."""

    def __init__(self, seed: int, rate: float) -> None:
        self.met: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._rate = rate
        self._lock = threading.Lock()
        self._streaks: Counter[str] = Counter()
        self._refused: dict[str, str] = {}
        self._denied: set[str] = set()
        self._committed: set[str] = set()

    def attach(self, client: Any) -> None:
        """Put the hooks on a client's calls."""

        def before_send(request: Any, event_name: str, **_: Any) -> AWSResponse | None:
            return self._before(client, request, event_name.rpartition(".")[2])

        client.meta.events.register_last("before-send", before_send)
        for operation in _SUBMISSIONS:
            client.meta.events.register(f"after-call.redshift-data.{operation}", self._after_submission)
        client.meta.events.register("after-call.redshift-data.DescribeStatement", self._after_description)

    def _before(self, client: Any, request: Any, operation: str) -> AWSResponse | None:
        statement_id = json.loads(request.body).get("Id", "") if operation == "DescribeStatement" else ""
        if statement_id in self._refused:
            return _answer(request, {"Id": statement_id, "Status": "FAILED", "Error": self._refused[statement_id]})
        # By address: of calls side by side, one that comes through says nothing of the others.
        kind = self._choose(f"{operation} {request.url}", operation)
        return None if kind is None else self._befall(kind, client, request)

    def _choose(self, call: str, operation: str) -> str | None:
        with self._lock:
            if self._streaks[call] == LONGEST_STREAK or self._random.random() >= self._rate:
                self._streaks[call] = 0
                return None
            self._streaks[call] += 1
            kinds = ["slow", "unavailable", "reset before", "reset after", "timeout after", "throttled"]
            if operation in _SUBMISSIONS:
                kinds += ["statement failed", "committed after all"] * 2
            kind = self._random.choice(kinds)
            if kind != "committed after all":
                self.met[kind] += 1
            return kind

    def _befall(self, kind: str, client: Any, request: Any) -> AWSResponse | None:
        is_s3 = client.meta.service_model.service_name == "s3"
        match kind:
            case "slow":
                time.sleep(0.2)
                return None
            case "unavailable":
                return _refusal(request, is_s3, 503, "ServiceUnavailable" if is_s3 else "InternalServerException")
            case "throttled":
                return _refusal(request, is_s3, 503 if is_s3 else 400, "SlowDown" if is_s3 else "ThrottlingException")
            case "reset before":
                raise ConnectionClosedError(endpoint_url=request.url)
            case "reset after" | "timeout after":
                # The call reaches the server, and its reply is lost.
                client._endpoint.http_session.send(request)
                if kind == "reset after":
                    raise ConnectionClosedError(endpoint_url=request.url)
                raise ReadTimeoutError(endpoint_url=request.url)
            case "statement failed":
                with self._lock:
                    statement_id = f"refused-{len(self._refused)}"
                    self._refused[statement_id] = self._random.choice(FAILED_STATEMENTS)
                return _answer(request, {"Id": statement_id})
            case "committed after all":
                self._denied.add(threading.current_thread().name)
                return None
        raise ValueError(kind)

    def _after_submission(self, parsed: dict[str, Any], **_: Any) -> None:
        name = threading.current_thread().name
        if name in self._denied and "Id" in parsed:
            self._denied.remove(name)
            self._denied.add(parsed["Id"])
            # Where the service has waited, its answer says how the statement ended.
            parsed.pop("Status", None)

    def _after_description(self, parsed: dict[str, Any], **_: Any) -> None:
        if parsed.get("Id") in self._denied and parsed["Status"] == "FINISHED":
            # Met only where it was committed: a statement may have failed by itself.
            with self._lock:
                self._committed.add(parsed["Id"])
                self.met["committed after all"] = len(self._committed)
            parsed |= {"Status": "FAILED", "Error": COMMITTED_AFTER_ALL}


class _Body(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _answer(request: Any, document: dict[str, Any], status: int = 200) -> AWSResponse:
    return AWSResponse(request.url, status, HTTPHeaders(), _Body(json.dumps(document).encode()))


def _refusal(request: Any, is_s3: bool, status: int, code: str) -> AWSResponse:
    if not is_s3:
        return _answer(request, {"__type": code, "Message": "for a moment"}, status)
    body = b"" if request.method == "HEAD" else f"<Error><Code>{code}</Code><Message>busy</Message></Error>".encode()
    return AWSResponse(request.url, status, HTTPHeaders(), _Body(body))


def refuse(client: Any, operation: str, status: int, code: str, holding: str = "") -> list[str]:
    """Let one operation of a client, or all (`*`), be refused for good; return the list its calls are entered into.

    With `holding`, only calls whose body holds this text are.
    """
    calls: list[str] = []

    is_s3 = client.meta.service_model.service_name == "s3"

    def before_send(request: Any, **_: Any) -> AWSResponse | None:
        if holding and holding.encode() not in request.body:
            return None
        # What stays the same when a call is retried.
        calls.append(request.url if is_s3 else json.loads(request.body)["ClientToken"])
        return _refusal(request, is_s3, status, code)

    client.meta.events.register_last(f"before-send.*.{operation}", before_send)
    return calls

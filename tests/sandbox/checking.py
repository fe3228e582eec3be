"""Checks of an environment in the sandbox, and what broken ones are made of."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import boto3
import psycopg

from framework.lake.connection import S3Connection
from framework.lake.lake import Lake
from framework.load.check.checks import CHECKS, Check, run_checks
from framework.load.check.outcome import Outcome
from framework.load.check.subject import Subject
from framework.sandbox import SandboxAddress
from framework.sandbox.data_api.copy_parquet import ParquetLoader
from framework.sandbox.data_api.runner import Runner
from framework.sandbox.data_api.s3_objects import S3
from framework.sandbox.data_api.server import HOST, DataApiServer
from framework.sandbox.data_api.service import DataApi
from framework.sandbox.data_api.sessions import Sessions
from framework.sandbox.data_api.store import StatementStore
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.client import Warehouse
from framework.warehouse.rate_limit import RateLimiter
from tests.harness import FeedHarness, new_name
from tests.http_answers import http_answer

DENIED = "<Error><Code>AccessDenied</Code><Message>{}</Message></Error>"


@dataclass
class Checking:
    """A feed whose environment is checked, with clients of its own, for which answers may be given."""

    feed: FeedHarness
    sandbox: SandboxAddress
    s3: Any
    redshift_data: Any

    def subject(self, creates: bool = False, specs: Sequence[PipelineSpec] | None = None, **changes: Any) -> Subject:
        """Return what is checked: the feed's own spec unless others are given; `changes` are of the services."""
        environment = changes.get("environment", self.feed.environment)
        key, secret = self.sandbox.access_key, self.sandbox.secret_key
        lake = Lake(self.s3, environment.lake, connection=S3Connection(None, self.sandbox.s3_url, key, secret))
        warehouse = Warehouse(self.redshift_data, environment.warehouse, environment.retry, RateLimiter({}))
        values: dict[str, Any] = {"lake": lake, "warehouse": warehouse, **changes}
        services = replace(self.feed.services(), **values)
        return Subject(services, [self.feed.spec()] if specs is None else specs, 0, place_of, creates)

    def check(self, checks: tuple[Check, ...] = CHECKS, **changes: Any) -> dict[str, Outcome]:
        """Return the outcomes by item; nothing may be left in the staging folder."""
        found = {outcome.item: outcome for outcome in run_checks(self.subject(**changes), checks)}
        assert self.left() == []
        return found

    def left(self) -> list[str]:
        """Return the keys that checks have left."""
        pages = self.feed.s3.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix="staging/")
        return [item["Key"] for page in pages for item in page.get("Contents", []) if "_check" in item["Key"]]

    def deny(self, operation: str, within: str = "", text: str = "Access Denied") -> None:
        """Let S3 deny calls of an operation whose address has a text in it."""

        def answer(request: Any, **_: Any) -> Any:
            return http_answer(request.url, 403, DENIED.format(text).encode()) if within in request.url else None

        self.s3.meta.events.register(f"before-send.s3.{operation}", answer)


def place_of(field: str) -> str:
    """Return where a field is, for tests without a project."""
    return f"environments.yml:{len(field)}"


def failed(outcomes: dict[str, Outcome]) -> Outcome:
    """Return the one item that failed; all others are ok, or skipped because of it."""
    (found,) = [outcome for outcome in outcomes.values() if outcome.status == "failed"]
    assert found.remedy
    assert found.exit_code in (2, 5)
    assert "\n" not in found.found + found.remedy
    return found


def skipped(outcomes: dict[str, Outcome]) -> set[str]:
    """Return the items that were skipped."""
    return {outcome.item for outcome in outcomes.values() if outcome.status == "skipped"}


class LimitedUser:
    """A user of the sandbox's database with few rights, and a Data API that runs its statements."""

    def __init__(self, sandbox: SandboxAddress, admin: psycopg.Connection[Any]) -> None:
        self.name = new_name("limited")
        self._admin = admin
        self._sandbox = sandbox
        self.administer(f"create role {self.name} login password 'limited'")

    def administer(self, *statements: str) -> None:
        """Run statements as a superuser."""
        for statement in statements:
            self._admin.execute(statement.replace("USER", self.name).encode())

    @contextmanager
    def data_api(self) -> Iterator[Any]:
        """Yield a client whose statements run as this user."""
        address = urlsplit(self._sandbox.database_url)
        place = f"{address.hostname}:{address.port}{address.path}"
        sessions = Sessions(f"postgresql://{self.name}:limited@{place}")
        s3 = S3(self._sandbox.s3_url, self._sandbox.access_key)
        api = DataApi(Runner(StatementStore(time.time), sessions, ParquetLoader(s3).load))
        server = DataApiServer(0, api, sessions.answers, verbose=False)
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            url = f"http://{HOST}:{server.server_port}"
            yield boto3.session.Session().client("redshift-data", endpoint_url=url)
        finally:
            server.shutdown()
            serving.join()
            server.server_close()
            api.stop()
            sessions.close()

    def remove(self) -> None:
        """Drop the user, and what it owns."""
        self.administer("drop owned by USER cascade", "drop role USER")

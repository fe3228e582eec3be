"""What tests share: one sandbox and one Spark session for the whole run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore.loaders import create_loader
from hypothesis import settings

from framework import sandbox as local_sandbox
from framework.sandbox import SandboxAddress
from framework.sandbox.emptying import Emptying

if TYPE_CHECKING:
    from mypy_boto3_redshift_data import RedshiftDataAPIServiceClient
    from mypy_boto3_s3 import S3Client

# A busy machine is no failure: no test is timed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

EMPTY = pytest.StashKey[Emptying]()
"""What empties the sandbox of this process, once it has one."""
SHARED_FEEDS = Path(__file__).resolve().parents[2] / "shared" / "data" / "feeds"


@pytest.fixture(scope="session", autouse=True)
def shared_botocore_data() -> Iterator[None]:
    """Let all sessions share what botocore has read of the services: every command in a test has a session anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(create_loader))
        yield


@pytest.fixture(scope="session")
def sandbox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxAddress]:
    """A sandbox of this run's own, removed at its end; boto3 finds it by the environment."""
    folder = tmp_path_factory.mktemp("sandbox") / ".sandbox"
    nowhere = str(folder / "no-aws-profile")
    try:
        address = local_sandbox.start(folder)
        request.config.stash[EMPTY] = Emptying(address.database_url, address.s3_folder)
        with pytest.MonkeyPatch.context() as environment:
            environment.delenv("AWS_PROFILE", raising=False)
            environment.setenv("AWS_CONFIG_FILE", nowhere)
            environment.setenv("AWS_SHARED_CREDENTIALS_FILE", nowhere)
            for name, value in address.aws_environment().items():
                environment.setenv(name, value)
            yield address
    finally:
        local_sandbox.reset(folder)


@pytest.fixture(scope="module", autouse=True)
def empty_sandbox(request: pytest.FixtureRequest) -> Iterator[None]:
    """Empty the sandbox behind a module that used it: what a test counts does not depend on what ran before."""
    yield
    if (empty := request.config.stash.get(EMPTY, None)) is not None:
        empty()


@pytest.fixture(autouse=True)
def environment_as_it_was() -> Iterator[None]:
    """Take back what a command that runs in this process says to boto3: the addresses of another sandbox."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session")
def s3(sandbox: SandboxAddress) -> S3Client:
    """The sandbox's S3."""
    return boto3.session.Session().client("s3")


@pytest.fixture(scope="session")
def redshift_data(sandbox: SandboxAddress) -> RedshiftDataAPIServiceClient:
    """The sandbox's Data API."""
    return boto3.session.Session().client("redshift-data")


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """Moto's server in this process, on a free port of this machine."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def spark_engine(sandbox: SandboxAddress, s3: Any) -> Iterator[Any]:
    """The row engine on the sandbox's bucket, with tasks in the workers of a local Spark."""
    from framework.lake.lake import Lake
    from framework.rows.engine import SplitEngine
    from framework.rows.executors.spark import SparkExecutor
    from framework.spec.environment import LakeSettings
    from tests.spark import start_spark

    session = start_spark("local[2]")
    yield SplitEngine(SparkExecutor(session, 1024**3), Lake(s3, LakeSettings("lake", "", None)).store)
    session.stop()


@pytest.fixture(scope="session")
def embedded_engine(s3: Any) -> Iterator[Any]:
    """The row engine on the sandbox's bucket, with tasks in this process."""
    from framework.lake.lake import Lake
    from framework.rows.engine import SplitEngine
    from framework.rows.executors.embedded import EmbeddedExecutor
    from framework.spec.environment import LakeSettings

    executor = EmbeddedExecutor(1024**3, None)
    yield SplitEngine(executor, Lake(s3, LakeSettings("lake", "", None)).store)
    executor.close()


@pytest.fixture(scope="session")
def frames(request: pytest.FixtureRequest) -> Any:
    """The engine that load tests use."""
    return request.getfixturevalue(f"{request.config.getoption('--engine')}_engine")


@pytest.fixture(scope="session")
def shared_feeds() -> Path:
    """The folder of real feeds that stands beside the checkout."""
    if not SHARED_FEEDS.is_dir():
        missing = f"the real feeds are not at {SHARED_FEEDS}"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return SHARED_FEEDS


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let golden files be written anew, and the load tests run on another engine."""
    parser.addoption("--update-golden", action="store_true", help="write the expected files of tests/golden anew")
    parser.addoption("--exhaustive", action="store_true", help="run every variant of a test, not a few of each kind")
    parser.addoption("--engine", choices=("embedded", "spark"), default="embedded", help="the engine of the load tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without --exhaustive, take some variants of the tests that the marker `exhaustive` names, or none."""
    if config.getoption("--exhaustive"):
        return
    seen = Counter[str]()
    left_out = []
    for item in items:
        if marker := item.get_closest_marker("exhaustive"):
            test = item.nodeid.partition("[")[0]
            every = marker.kwargs.get("every")
            if not every or seen[test] % every:
                left_out.append(item)
            seen[test] += 1
    config.hook.pytest_deselected(items=left_out)
    kept = set(items) - set(left_out)
    items[:] = [item for item in items if item in kept]

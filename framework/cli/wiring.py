"""Makes a command's services: AWS clients, the row engine, the log, and the sandbox if the environment is one."""

from __future__ import annotations

import importlib
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from framework.cli.concurrency import Interruption
from framework.cli.engines import RowEngines
from framework.cli.output import Output
from framework.dataclass import dataclass
from framework.errors import PipelineError, SpecError
from framework.lake.connection import CLIENT_CONFIG, S3Connection
from framework.lake.lake import Lake
from framework.lake.local import Digest, md5
from framework.load.services import Services, never_interrupted
from framework.log.aws_errors import client_error
from framework.log.retries import with_retry_logging
from framework.log.run_log import RunLog, utc_now
from framework.spec.environment import Environment
from framework.warehouse.client import Warehouse
from framework.warehouse.rate_limit import RateLimiter, account_limiter

if TYPE_CHECKING:
    from framework.sandbox import SandboxAddress

SANDBOX_FOLDER = ".sandbox"
TESTS_FOLDER = "tests"
"""The folder in it that holds a sandbox for each `test` that runs."""
_REGION_FIELDS = {"s3": "lake.region", "redshift-data": "warehouse.region"}
"""The field of environments.yml that names the region of each client."""
_NOTIFYING_CONFIG = Config(
    # A command waits a few seconds for these calls at its end, and does not depend on them.
    retries={"mode": "standard", "max_attempts": 2},
    connect_timeout=2,
    read_timeout=4,
    user_agent_extra="feedway",
)


@dataclass(frozen=True)
class Aws:
    """AWS as an environment uses it: the service itself, or the sandbox."""

    client: Callable[[str, str | None], Any]
    s3: S3Connection
    process_environment: Callable[[], Mapping[str, str]]
    limiter: RateLimiter


@contextmanager
def open_services(
    project: Path,
    environment: Environment,
    output: Output,
    job_id: str | None,
    interruption: Interruption | None = None,
) -> Iterator[Services]:
    """Yield the services of an environment; a sandbox that had to be started is stopped afterwards."""
    with (
        _open_aws(project, environment, output) as aws,
        _services_on(aws, environment, output, job_id, interruption) as services,
    ):
        yield services


@dataclass(frozen=True)
class IsolatedSandbox:
    """An empty sandbox that nobody else uses. `empty` removes all that is in it."""

    services: Services
    bucket_folder: Path
    empty: Callable[[], None]

    def deliver(self, key: str, content: bytes, modified_at: datetime) -> None:
        """Put a file into the bucket, as one that arrived at a time.

        Raises:
            PipelineError: the sandbox cannot hold a file of this name.
        """
        path = self.bucket_folder / key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, (modified_at.timestamp(), modified_at.timestamp()))
        except (OSError, ValueError) as error:
            raise PipelineError(f"the sandbox cannot hold the file {key}: {error}") from error


@contextmanager
def open_isolated(project: Path, environment: Environment, output: Output) -> Iterator[IsolatedSandbox]:
    """Yield an empty sandbox of the block's own, which is removed at the end. Progress is not shown.

    It stands in for the environment; the project's sandbox, and other blocks like this one, are not touched.
    """
    require_sandbox()
    from framework import sandbox

    folder = project / SANDBOX_FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    with sandbox.isolated(folder / TESTS_FOLDER) as (address, empty):
        bucket_folder = address.s3_folder / environment.lake.bucket
        bucket_folder.mkdir(exist_ok=True)
        with _services_on(_sandbox_aws(address), environment, output, None, None) as services:

            def open_log(run_id: str, pipeline: str) -> RunLog:
                return RunLog(run_id, pipeline, output.log_stream)

            yield IsolatedSandbox(replace(services, open_log=open_log), bucket_folder, empty)


@contextmanager
def _services_on(
    aws: Aws, environment: Environment, output: Output, job_id: str | None, interruption: Interruption | None
) -> Iterator[Services]:
    with ExitStack() as stack:
        lake = Lake(aws.client("s3", environment.lake.region), environment.lake, connection=aws.s3)
        settings = environment.warehouse
        sleep = time.sleep if interruption is None else interruption.sleep
        warehouse = Warehouse(
            aws.client("redshift-data", settings.region or environment.lake.region),
            settings,
            environment.retry,
            aws.limiter,
            sleep,
        )

        def open_log(run_id: str, pipeline: str) -> RunLog:
            return RunLog(run_id, pipeline, output.log_stream, listen=output.progress)

        engines = stack.enter_context(RowEngines(environment, lake, aws.process_environment))
        yield Services(
            environment=environment,
            lake=lake,
            warehouse=warehouse,
            frames=engines.choose,
            open_ahead=engines.open_ahead,
            reach_spark=engines.reach_spark,
            now=utc_now,
            new_run_id=lambda: uuid.uuid4().hex,
            open_log=open_log,
            job_id=job_id or uuid.uuid4().hex,
            invocation_id=uuid.uuid4().hex,
            program=output.program,
            check_interrupted=never_interrupted if interruption is None else interruption.check,
        )


@contextmanager
def _open_aws(project: Path, environment: Environment, output: Output) -> Iterator[Aws]:
    if environment.kind == "aws":
        yield Aws(aws_clients(environment.name), S3Connection(environment.lake.region), dict, account_limiter())
        return
    with open_sandbox(project, output) as address:
        yield _sandbox_aws(address)


def _sandbox_aws(address: SandboxAddress) -> Aws:
    # imported where it is used: on AWS the sandbox's packages are not installed
    from framework.sandbox import java_environment

    # The sandbox is not shared and has no quotas.
    clients, connection = sandbox_clients(address), sandbox_connection(address)
    return Aws(clients, connection, java_environment, RateLimiter({}))


def aws_clients(environment: str) -> Callable[[str, str | None], Any]:
    """Return a function that makes the boto3 client of a service in a region, by boto3's own chain of settings.

    It raises SpecError where the region or the profile is missing or wrong; the message names `environment`.
    """
    # Clients of one session share what is read to make them.
    session = cache(boto3.Session)

    def client(service: str, region: str | None) -> Any:
        try:
            if service == "s3":
                return S3Connection(region).client(session())
            made = session().client(service, region_name=region, config=CLIENT_CONFIG)  # type: ignore[call-overload]
        except (BotoCoreError, ValueError) as error:
            raise client_error(error, _REGION_FIELDS[service], region, environment) from error
        return with_retry_logging(made)

    return client


def notifying_clients(environment: Environment) -> Callable[[str, str | None], Any]:
    """Return a function that makes the clients of the services that an environment on AWS notifies.

    It takes a service and its region, None for the lake's.
    """

    def client(service: str, region: str | None) -> Any:
        return boto3.Session().client(  # type: ignore[call-overload]
            service, region_name=region or environment.lake.region, config=_NOTIFYING_CONFIG
        )

    return client


@contextmanager
def open_sandbox(project: Path, output: Output) -> Iterator[SandboxAddress]:
    """Yield the project's sandbox; if it was not up, it is started, and stopped afterwards."""
    require_sandbox()
    from framework import sandbox

    with sandbox.borrow(project / SANDBOX_FOLDER, say=output.say) as address:
        yield address


def require_sandbox() -> None:
    """Check that the sandbox's packages are installed.

    Raises:
        SpecError: one is not.
    """
    try:
        importlib.import_module("framework.sandbox")
    except ImportError as error:
        raise SpecError(
            f"the sandbox needs the package {error.name!r}, which is not installed: pip install 'feedway[sandbox]'"
        ) from error


def sandbox_clients(address: SandboxAddress) -> Callable[[str, str | None], Any]:
    """Return a function that makes boto3 clients of the sandbox's services."""
    # By environment variables: older versions of boto3 have no arguments for some of these settings.
    os.environ.update(address.aws_environment())
    # An AWS profile does not apply to the sandbox, and may not exist on this machine.
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        os.environ.pop(name, None)
    session = boto3.Session()

    def client(service: str, region: str | None) -> Any:
        if service == "s3":
            return sandbox_connection(address).client(session)
        made = session.client(service, endpoint_url=address.data_api_url, config=CLIENT_CONFIG)  # type: ignore[call-overload]
        return with_retry_logging(made)

    return client


def sandbox_connection(address: SandboxAddress) -> S3Connection:
    """Return how processes of a load connect to the sandbox's S3."""
    return S3Connection(None, address.s3_url, address.access_key, address.secret_key)


def etag_digest(environment: Environment) -> Callable[[], Digest]:
    """Return what makes the hash that an object's ETag is in the environment's lake, if it comes by one call."""
    if environment.kind == "aws":
        return md5
    require_sandbox()
    # imported where it is used: on AWS the sandbox's packages are not installed
    from framework.sandbox.s3_server.objects import new_digest

    return new_digest

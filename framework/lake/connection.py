"""How processes connect to S3: a value that is sent to the workers of a cluster, and the clients made by it."""

from __future__ import annotations

import threading
from dataclasses import field
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from framework.dataclass import dataclass
from framework.errors import WarehouseError
from framework.log.aws_errors import CREDENTIALS_ERRORS, call_error, credentials_refused
from framework.log.retries import with_retry_logging

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

CLIENT_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5},
    connect_timeout=10,
    read_timeout=60,
    user_agent_extra="feedway",
    # Concurrent feeds share a client, and each fetches a big file over several connections.
    max_pool_connections=64,
)
_PRINCIPAL_CONFIG = Config(
    # Only a message depends on this call, and a subnet may have no way to STS.
    retries={"total_max_attempts": 1},
    connect_timeout=2,
    read_timeout=2,
    user_agent_extra="feedway",
)
_CLIENTS: dict[S3Connection, S3Client] = {}
_CONNECTING = threading.Lock()


@dataclass(frozen=True)
class S3Connection:
    """An S3 to connect to. None leaves a setting to boto3, as the process that connects has it.

    The keys are the sandbox's. On AWS each process has credentials of its own.
    """

    region: str | None
    endpoint_url: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)

    def client(self, session: boto3.Session | None = None) -> S3Client:
        """Return a new client, which logs its retries; without a session it makes one, which takes 0.1 s.

        Raises:
            BotoCoreError, ValueError: the region, the profile or the endpoint is missing or wrong.
        """
        made = (session or boto3.Session()).client(
            "s3",
            region_name=self.region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=CLIENT_CONFIG,
        )
        with_retry_logging(made)
        return made


def shared_client(connection: S3Connection) -> S3Client:
    """Return this process's client of a connection, which its threads share. Raises as `S3Connection.client` does."""
    with _CONNECTING:
        if connection not in _CLIENTS:
            _CLIENTS[connection] = connection.client()
        return _CLIENTS[connection]


@cache
def principal(connection: S3Connection) -> str:
    """Return as whom this process calls S3: the ARN, or the source of the credentials and the id of their key.

    STS knows the ARN. It is not asked about the keys of another server than AWS's; where it does not answer, that
    takes a few seconds.
    """
    try:
        return require_principal(connection)
    except WarehouseError:
        return _owner_of_key(_session(connection)) or "nobody: there are no credentials"


def require_principal(connection: S3Connection) -> str:
    """Return the same as `principal`, from credentials that can be used as far as this machine and STS know.

    Raises:
        WarehouseError: there are no credentials, their provider fails, or STS refuses them.
    """
    session = _session(connection)
    try:
        if session.get_credentials() is None:
            raise NoCredentialsError
        if connection.endpoint_url is None:
            arn: str = session.client("sts", config=_PRINCIPAL_CONFIG).get_caller_identity()["Arn"]
            return arn
    except ClientError as error:
        details = error.response.get("Error", {})
        advice = credentials_refused(details.get("Code", ""))
        if advice is not None:
            refusal = f"STS refused the credentials: {details['Code']}: {details.get('Message', '').rstrip('.')}"
            raise WarehouseError(f"{refusal}. {advice}", is_outage=True) from error
    except CREDENTIALS_ERRORS as error:
        raise call_error(error, "AWS", "find credentials", "lake.region") from error
    except BotoCoreError:
        # STS cannot be reached from every subnet. The credentials themselves say less, but without a call.
        pass
    return _owner_of_key(session)


def _session(connection: S3Connection) -> boto3.Session:
    return boto3.Session(connection.access_key, connection.secret_key, region_name=connection.region)


def _owner_of_key(session: boto3.Session) -> str:
    """Return whose key the session has; empty where it has none."""
    try:
        credentials = session.get_credentials()
    except BotoCoreError:
        return ""
    if credentials is None:
        return ""
    return f"the owner of access key {credentials.access_key} (credentials by {credentials.method})"

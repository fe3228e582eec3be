"""How processes connect to S3: a value that is sent to the workers of a cluster, and the clients made by it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

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
    session = boto3.Session(connection.access_key, connection.secret_key, region_name=connection.region)
    if connection.endpoint_url is None:
        try:
            arn: str = session.client("sts", config=_PRINCIPAL_CONFIG).get_caller_identity()["Arn"]
            return arn
        except (BotoCoreError, ClientError):
            # The credentials themselves say less, but without a call.
            pass
    credentials = session.get_credentials()
    if credentials is None:
        return "nobody: there are no credentials"
    return f"the owner of access key {credentials.access_key} (credentials by {credentials.method})"

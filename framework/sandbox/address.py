"""Where a sandbox can be reached, as values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

LOOPBACK = "127.0.0.1"
REGION = "eu-west-1"
DEFAULT_BUCKET = "lake"

ServiceName = Literal["s3", "postgresql", "data_api"]


@dataclass(frozen=True)
class Ports:
    """The ports somebody asked for; None leaves the choice to the sandbox."""

    s3: int | None = None
    data_api: int | None = None
    postgresql: int | None = None

    def asked(self) -> dict[ServiceName, int]:
        """Return the ports that were asked for, by service."""
        ports: dict[ServiceName, int | None] = {
            "s3": self.s3,
            "postgresql": self.postgresql,
            "data_api": self.data_api,
        }
        return {name: port for name, port in ports.items() if port is not None}


@dataclass(frozen=True)
class ProcessStatus:
    """What is known of one of the three processes. `detail` is an address, or what is wrong."""

    name: ServiceName
    pid: int | None
    port: int | None
    state: Literal["running", "not answering", "stopped"]
    detail: str


@dataclass(frozen=True)
class SandboxAddress:
    """A running sandbox: its endpoints, its keys and its folders.

    `s3_folder` holds one folder per bucket. `database_url` is the PostgreSQL behind the Data API.
    """

    folder: Path
    s3_folder: Path
    s3_url: str
    data_api_url: str
    access_key: str
    secret_key: str
    database_url: str

    def aws_environment(self) -> dict[str, str]:
        """Return the environment variables by which boto3 finds the sandbox instead of AWS."""
        return {
            "AWS_ENDPOINT_URL_S3": self.s3_url,
            "AWS_ENDPOINT_URL_REDSHIFT_DATA": self.data_api_url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }

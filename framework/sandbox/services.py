"""The three processes of a sandbox, each by how it is started, when it is ready and how it ends."""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGQUIT, SIGTERM, Signals

import framework
from framework.sandbox import postgresql
from framework.sandbox.address import DEFAULT_BUCKET, LOOPBACK, ServiceName
from framework.sandbox.processes import Launch, listens
from framework.sandbox.state import ProcessRecord, Site, State

TERMINATE = ((SIGTERM, 5.0), (SIGKILL, 5.0))
# SIGTERM would wait until the last client has left.
# Source: https://www.postgresql.org/docs/18/server-shutdown.html
STOP_POSTGRESQL = ((SIGINT, 10.0), (SIGQUIT, 5.0), (SIGKILL, 5.0))

HEALTH_TIMEOUT_SECONDS = 2.0
INHERITED_PREFIXES = ("AWS_", "PG")


@dataclass(frozen=True)
class Service:
    """One of the processes. `prepare` runs before each start and returns the state it leaves."""

    name: ServiceName
    prepare: Callable[[Site, State], State]
    launch: Callable[[Site, State, int], Launch]
    is_ready: Callable[[Site, ProcessRecord], bool]
    signals: tuple[tuple[Signals, float], ...]


def s3_url(state: State) -> str:
    """Return the S3 endpoint."""
    return f"http://{LOOPBACK}:{state.ports['s3']}"


def data_api_url(state: State) -> str:
    """Return the Data API's endpoint."""
    return f"http://{LOOPBACK}:{state.ports['data_api']}"


def database_url(state: State) -> str:
    """Return the PostgreSQL that the Data API stands on, with user and password."""
    place = f"{LOOPBACK}:{state.ports['postgresql']}/{postgresql.DATABASE}"
    return f"postgresql://{postgresql.SUPERUSER}:{state.database_password}@{place}"


def _prepare_s3(site: Site, state: State) -> State:
    """Make the default bucket with the folder where files arrive: the server removes a folder with its last object."""
    (site.s3_folder / DEFAULT_BUCKET / "data" / "in").mkdir(parents=True, exist_ok=True)
    return state


def _prepare_postgresql(site: Site, state: State) -> State:
    return replace(state, cluster=postgresql.prepare(site, state))


def _launch_s3(site: Site, state: State, port: int) -> Launch:
    folders = ("--buckets", str(site.s3_folder), "--own", str(site.s3_server_folder))
    return _launch_module(site, "s3_server", port, folders, {"FEEDWAY_SANDBOX_ACCESS_KEY": state.access_key})


def _launch_data_api(site: Site, state: State, port: int) -> Launch:
    secrets = {
        "FEEDWAY_SANDBOX_DATABASE_URL": database_url(state),
        "FEEDWAY_SANDBOX_ACCESS_KEY": state.access_key,
    }
    return _launch_module(site, "data_api", port, ("--s3-url", s3_url(state)), secrets)


def _launch_module(site: Site, name: str, port: int, arguments: tuple[str, ...], secrets: Mapping[str, str]) -> Launch:
    """Return how to start a server of our own. Secrets go by the environment: everybody can read command lines."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(INHERITED_PREFIXES)}
    code = str(Path(framework.__file__).parent.parent)
    return Launch(
        command=(sys.executable, "-P", "-m", f"framework.sandbox.{name}", "--port", str(port), *arguments),
        environment={
            **inherited,
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join(filter(None, [code, os.environ.get("PYTHONPATH")])),
            "NO_PROXY": LOOPBACK,
            **secrets,
        },
        working_folder=site.folder,
    )


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=HEALTH_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


S3 = Service(
    name="s3",
    prepare=_prepare_s3,
    launch=_launch_s3,
    is_ready=lambda site, record: listens(record),
    signals=TERMINATE,
)
POSTGRESQL = Service(
    name="postgresql",
    prepare=_prepare_postgresql,
    launch=postgresql.launch,
    is_ready=lambda site, record: postgresql.is_ready(site, record.pid) and listens(record),
    signals=STOP_POSTGRESQL,
)
DATA_API = Service(
    name="data_api",
    prepare=lambda site, state: state,
    launch=_launch_data_api,
    is_ready=lambda site, record: listens(record) and _is_healthy(record.port),
    signals=TERMINATE,
)

SERVICES = (S3, POSTGRESQL, DATA_API)
"""In the order in which they need each other."""

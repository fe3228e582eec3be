"""What a sandbox remembers between two commands, and the lock that lets one command at a time change it."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from framework.errors import PipelineError
from framework.sandbox.address import ServiceName


@dataclass(frozen=True)
class ProcessRecord:
    """A process that was started, with enough to distinguish it from another one that got its pid later.

    `started` is seconds since the epoch. `has_come_up`: it was seen to be ready, once.
    """

    pid: int
    started: float
    port: int
    command: tuple[str, ...]
    has_come_up: bool = False


@dataclass(frozen=True)
class State:
    """The content of `state.json`.

    `cluster` is the folder of the PostgreSQL cluster once it is complete. `on_demand`: a command
    started the sandbox for itself, so the last one to leave stops it. A port outlives its process.
    """

    folder: str
    access_key: str
    secret_key: str
    database_password: str
    cluster: str | None = None
    on_demand: bool = False
    ports: Mapping[ServiceName, int] = field(default_factory=dict)
    processes: Mapping[ServiceName, ProcessRecord] = field(default_factory=dict)

    def with_process(self, name: ServiceName, record: ProcessRecord) -> State:
        """Return the state once `record` has been started as `name`."""
        return replace(
            self,
            ports={**self.ports, name: record.port},
            processes={**self.processes, name: record},
        )

    def without_process(self, name: ServiceName) -> State:
        """Return the state once the process is gone; its port is kept for the next one."""
        return replace(self, processes={key: value for key, value in self.processes.items() if key != name})


@dataclass(frozen=True)
class Site:
    """The places inside a sandbox's folder."""

    folder: Path

    @property
    def s3_folder(self) -> Path:
        """Holds one folder per bucket."""
        return self.folder / "s3"

    @property
    def s3_server_folder(self) -> Path:
        """What the S3 server keeps beside the buckets."""
        return self.folder / "s3_server"

    @property
    def state_file(self) -> Path:
        """Keys and processes; readable by its owner only."""
        return self.folder / "state.json"

    def log(self, name: ServiceName) -> Path:
        """Return the file that holds what a process printed."""
        return self.folder / "logs" / f"{name}.log"


def new_state(site: Site) -> State:
    """Return the state of a sandbox that never ran, with keys of its own."""
    return State(
        folder=str(site.folder),
        access_key="SANDBOX" + secrets.token_hex(6).upper(),
        secret_key=secrets.token_hex(20),
        database_password=secrets.token_hex(16),
    )


def read_state(site: Site) -> State | None:
    """Return what the sandbox remembers; None where it never ran.

    A state that was copied or moved here from elsewhere counts for nothing: its processes
    belong to the other folder.
    """
    try:
        document = json.loads(site.state_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise PipelineError(
            f"{site.state_file} is not JSON ({error}). Remove the file; the sandbox then starts afresh."
        ) from error
    if document["folder"] != str(site.folder):
        return None
    processes = {
        name: ProcessRecord(**{**record, "command": tuple(record["command"])})
        for name, record in document.pop("processes").items()
    }
    return State(processes=processes, **document)


def write_state(site: Site, state: State) -> None:
    """Replace the state atomically: a reader sees the old one or the new one."""
    temporary = site.state_file.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(state), file, indent=2)
    temporary.replace(site.state_file)


@contextmanager
def locked(site: Site) -> Iterator[None]:
    """Hold the sandbox alone; waits for a command that holds it. Makes the folder."""
    site.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (site.folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def in_use(site: Site) -> Iterator[None]:
    """Count as a user of the sandbox for as long as the block runs, also when killed in it."""
    site.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (site.folder / "users.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def unless_in_use(site: Site) -> Iterator[bool]:
    """Yield whether nobody uses the sandbox, and keep new users waiting meanwhile."""
    with (site.folder / "users.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True

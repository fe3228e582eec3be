"""Starting and stopping a sandbox as a whole."""

from __future__ import annotations

import itertools
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from framework.errors import PipelineError
from framework.sandbox import postgresql, services
from framework.sandbox.address import LOOPBACK, Ports, ProcessStatus, SandboxAddress
from framework.sandbox.ports import choose_port, is_free, refuse_taken
from framework.sandbox.processes import end, is_alive, last_lines, spawn, wait_until
from framework.sandbox.services import SERVICES, Service
from framework.sandbox.state import (
    ProcessRecord,
    Site,
    State,
    in_use,
    locked,
    new_state,
    read_state,
    unless_in_use,
    write_state,
)

START_SECONDS = 60.0
PORT_ATTEMPTS = 3
"""Another process may take a free port between the choice and the start."""

Say = Callable[[str], None]


def _say_nothing(message: str) -> None:
    pass


def start(folder: Path, ports: Ports | None = None, say: Say = _say_nothing) -> SandboxAddress:
    """Start what is not up and return once all three processes answer.

    Does nothing to processes that are up. Of two concurrent callers, one waits for the other.

    Raises:
        PipelineError: a port that was asked for is taken, or a process does not come up.
    """
    return _start(_site(folder), ports or Ports(), say, on_demand=False)


@contextmanager
def borrow(folder: Path, say: Say = _say_nothing) -> Iterator[SandboxAddress]:
    """Use a sandbox for the length of the block, and start it where it is not up.

    Unless somebody has called `start`, the last borrower to leave stops it.
    """
    site = _site(folder)
    try:
        with in_use(site):
            yield _start(site, Ports(), say, on_demand=True)
    finally:
        with unless_in_use(site) as is_unused:
            if is_unused:
                _stop(site, only_on_demand=True)


@contextmanager
def isolated(folder: Path) -> Iterator[tuple[SandboxAddress, Callable[[], None]]]:
    """Yield an empty sandbox below a folder that nobody else uses, and what empties it again; it is removed at the end.

    Concurrent callers have one each. What a killed caller has left is removed by a later one.
    """
    for number in itertools.count(1):
        site = _site(folder / str(number))
        site.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with unless_in_use(site) as is_unused:
            if not is_unused:
                continue
            reset(site.folder)
            try:
                address = _start(site, Ports(), _say_nothing, on_demand=True)
                # imported where it is used: a load does without PostgreSQL's client
                from framework.sandbox.emptying import Emptying

                yield address, Emptying(address.database_url, address.s3_folder)
            finally:
                reset(site.folder)
            return


def stop(folder: Path) -> list[str]:
    """Stop what runs and return the names of what was stopped. Data stays."""
    return _stop(_site(folder), only_on_demand=False)


def reset(folder: Path) -> None:
    """Stop the sandbox and remove its buckets and its database; the next start is fresh."""
    site = _site(folder)
    if not site.folder.exists():
        return
    with locked(site):
        _stop_processes(site, read_state(site))
        postgresql.remove(site)
        for removed in (site.s3_folder, site.s3_server_folder, site.folder / "logs"):
            shutil.rmtree(removed, ignore_errors=True)
        site.state_file.unlink(missing_ok=True)


def status(folder: Path) -> list[ProcessStatus]:
    """Return how each of the three processes is, without changing anything."""
    site = _site(folder)
    state = read_state(site)
    return [_status_of(service, site, state) for service in SERVICES]


def is_running(folder: Path) -> bool:
    """Whether all three processes answer."""
    return all(process.state == "running" for process in status(folder))


def _site(folder: Path) -> Site:
    return Site(folder.resolve())


def _start(site: Site, ports: Ports, say: Say, on_demand: bool) -> SandboxAddress:
    asked = ports.asked()
    with locked(site):
        state = read_state(site) or new_state(site)
        running = {name for name, record in state.processes.items() if is_alive(record)}
        # All before the first is started, so that a refusal leaves no half of a sandbox.
        for name, port in asked.items():
            if name not in running:
                refuse_taken(port, name)
        runs = bool(running)
        wanted = replace(state, on_demand=on_demand and (state.on_demand or not runs))
        if wanted != state:
            write_state(site, wanted)
        state = wanted
        for service in SERVICES:
            state = _ensure(service, site, state, asked.get(service.name), say)
    return SandboxAddress(
        folder=site.folder,
        s3_folder=site.s3_folder,
        s3_url=services.s3_url(state),
        data_api_url=services.data_api_url(state),
        access_key=state.access_key,
        secret_key=state.secret_key,
        database_url=services.database_url(state),
    )


def _ensure(service: Service, site: Site, state: State, asked: int | None, say: Say) -> State:
    """Return the state in which the service runs, on the port asked for.

    A process that has come up is not asked again while it is alive: to find what listens on a port takes 10 ms.
    """
    record = state.processes.get(service.name)
    if record is None or not is_alive(record):
        state = service.prepare(site, state)
        for attempt in range(PORT_ATTEMPTS):
            recorded = state.ports.get(service.name) if attempt == 0 else None
            port = choose_port(asked, recorded, service.name)
            say(f"starting {service.name} on {LOOPBACK}:{port}")
            state = _spawn(service, site, state, port)
            if _comes_up(service, site, state.processes[service.name]):
                return _with_come_up(service, site, state)
            if is_free(port):
                break
        raise _did_not_come_up(service, site)
    if asked not in (None, record.port):
        raise PipelineError(
            f"sandbox: {service.name} already listens on port {record.port}, not on {asked}. "
            f"Stop it first: {_command(site, 'down')}"
        )
    if record.has_come_up:
        return state
    if not _comes_up(service, site, record):
        raise _did_not_come_up(service, site)
    return _with_come_up(service, site, state)


def _spawn(service: Service, site: Site, state: State, port: int) -> State:
    """Start the service's process and return the recorded state.

    The Data API knows the addresses of the others: when one of them moves, it is ended before.
    """
    data_api = state.processes.get("data_api")
    if data_api is not None and service.name != "data_api" and port != state.ports.get(service.name):
        end(data_api, services.DATA_API.signals)
        state = state.without_process("data_api")
    record = spawn(service.launch(site, state, port), port, site.log(service.name))
    state = state.with_process(service.name, record)
    write_state(site, state)
    return state


def _with_come_up(service: Service, site: Site, state: State) -> State:
    record = replace(state.processes[service.name], has_come_up=True)
    state = state.with_process(service.name, record)
    write_state(site, state)
    return state


def _comes_up(service: Service, site: Site, record: ProcessRecord) -> bool:
    """Wait until the process is ready; False when it ends or takes too long."""
    alive = True

    def is_decided() -> bool:
        nonlocal alive
        alive = is_alive(record)
        return not alive or service.is_ready(site, record)

    return wait_until(is_decided, START_SECONDS) and alive


def _did_not_come_up(service: Service, site: Site) -> PipelineError:
    log = site.log(service.name)
    return PipelineError(
        f"sandbox: {service.name} did not come up. The end of {log}:\n{last_lines(log)}\n"
        f"Correct the cause and start it again. To start afresh, without the data: {_command(site, 'reset')}"
    )


def _command(site: Site, action: str) -> str:
    """Return the command line that does something with this sandbox, wherever it is pasted."""
    return shlex.join(("feedway", "--project", str(site.folder.parent), "sandbox", action))


def _stop(site: Site, only_on_demand: bool) -> list[str]:
    if not site.folder.exists():
        return []
    with locked(site):
        state = read_state(site)
        if state is None or (only_on_demand and not state.on_demand):
            return []
        return _stop_processes(site, state)


def _stop_processes(site: Site, state: State | None) -> list[str]:
    stopped: list[str] = []
    if state is None:
        return stopped
    for service in reversed(SERVICES):
        record = state.processes.get(service.name)
        if record is None:
            continue
        if is_alive(record):
            end(record, service.signals)
            stopped.append(service.name)
        state = state.without_process(service.name)
        write_state(site, state)
    return stopped


def _status_of(service: Service, site: Site, state: State | None) -> ProcessStatus:
    record = state.processes.get(service.name) if state else None
    if record is None:
        return ProcessStatus(service.name, None, None, "stopped", "")
    if not is_alive(record):
        return ProcessStatus(service.name, None, None, "stopped", f"ended by itself; see {site.log(service.name)}")
    if not service.is_ready(site, record):
        return ProcessStatus(service.name, record.pid, record.port, "not answering", f"see {site.log(service.name)}")
    return ProcessStatus(service.name, record.pid, record.port, "running", f"{LOOPBACK}:{record.port}")

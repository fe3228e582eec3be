"""Ports on loopback: which are free, who holds the others."""

from __future__ import annotations

import socket

import psutil

from framework.errors import PipelineError, SpecError
from framework.sandbox.address import LOOPBACK

MAX_PORT = 65535


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose_port(asked: int | None, recorded: int | None, service: str) -> int:
    """Return the port a service shall listen on: the one asked for, else the last one, else any free one.

    Raises:
        PipelineError: somebody else listens on the port that was asked for.
    """
    if asked is not None:
        refuse_taken(asked, service)
        return asked
    if recorded is not None and is_free(recorded):
        return recorded
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def refuse_taken(asked: int, service: str) -> None:
    """Raise where somebody else listens on a port that was asked for, or there is no such port."""
    if not 1 <= asked <= MAX_PORT:
        raise SpecError(f"sandbox: port {asked}, asked for {service}, is none: ports go from 1 to {MAX_PORT}")
    if not is_free(asked):
        raise PipelineError(
            f"sandbox: port {asked}, asked for {service}, is taken by {holder_of(asked)}. "
            f"End that process or ask for another port."
        )


def holder_of(port: int) -> str:
    """Name the process that listens on a port, as far as it can be seen."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return "another process"
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        if listens and connection.pid is not None:
            return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return "another process"

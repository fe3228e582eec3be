"""The local stand-in for AWS: an S3 server, a PostgreSQL and a Redshift Data API, on loopback."""

from framework.sandbox.address import Ports, ProcessStatus, SandboxAddress
from framework.sandbox.java import java_environment
from framework.sandbox.lifecycle import borrow, is_running, isolated, reset, start, status, stop

__all__ = [
    "Ports",
    "ProcessStatus",
    "SandboxAddress",
    "borrow",
    "is_running",
    "isolated",
    "java_environment",
    "reset",
    "start",
    "status",
    "stop",
]

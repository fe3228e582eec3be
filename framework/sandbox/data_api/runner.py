"""Runs a submitted statement to its end and writes down on the way how far it got."""

from __future__ import annotations

import itertools
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import psycopg

from framework.sandbox import redshift_sql
from framework.sandbox.data_api import statement as states
from framework.sandbox.data_api.cancellation import Cancellation, Cancelled
from framework.sandbox.data_api.results import ResultTooLarge
from framework.sandbox.data_api.sessions import Connection, ConnectionFailed, Sessions
from framework.sandbox.data_api.statement import Outcome, Statement, Status
from framework.sandbox.data_api.store import StatementStore
from framework.sandbox.data_api.transaction import Session

LoadParquet = Callable[[Connection, redshift_sql.CopyParquet, Callable[[], None]], int]


@dataclass(frozen=True)
class PartError(Exception):
    """How a part ended: FAILED or ABORTED, and the text of its Error."""

    status: Status
    text: str


@dataclass(frozen=True)
class Runner:
    """What running statements takes. `load_parquet` gets a check to call between pieces of work."""

    store: StatementStore
    sessions: Sessions
    load_parquet: LoadParquet
    clock: Callable[[], float] = time.time
    query_ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1000))

    def run(self, statement_id: str, cancellation: Cancellation) -> None:
        """Run a statement that waits; one that was cancelled meanwhile is left alone."""

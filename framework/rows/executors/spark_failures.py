"""What Spark's failures mean for the owner of the cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JJavaError, Py4JNetworkError  # type: ignore[import-untyped]
from pyspark import SparkContext
from pyspark.errors import PySparkException

from framework.errors import MachineError, WarehouseError
from framework.model.words import counted
from framework.rows.executors.spark_session import first_line
from framework.rows.executors.spark_worker import WORKER_REMEDY, TaskLimits

_ENDED = re.compile(r"Python worker (?:exited unexpectedly|failed to connect back)|ExecutorLostFailure|\bMemoryError\b")
"""How Spark words the end of a worker or executor; exit code 137 is part of what follows ExecutorLostFailure."""
_WORDS_OF_WORKERS = (
    # Python's, where a package is missing that unpickling needs.
    re.compile(r"(?:ModuleNotFoundError|ImportError): (?P<reason>.+)"),
    re.compile(r"\[PYTHON_VERSION_MISMATCH\] (?P<reason>.+?)(?:, PySpark cannot.*)?$", re.MULTILINE),
    # Java's, where there is no such interpreter.
    re.compile(r"(?P<reason>Cannot run program .+)"),
)


@contextmanager
def spark_failures(context: SparkContext, limits: TaskLimits) -> Iterator[None]:
    """Explain what Spark reports of itself and of its workers; what it reports of our code is a bug and passes.

    Raises:
        MachineError: workers have ended, as without memory, or lack what they need.
        WarehouseError: Spark's process or its session has ended; an outage, as no load can go on in this process.
    """
    try:
        yield
    except (Py4JNetworkError, ConnectionError) as error:
        raise WarehouseError(
            "Spark's process has ended, as it does without memory; its last words are on standard error. Give it more "
            "(spark-submit --driver-memory 4g), or set engine: embedded in environments.yml.",
            is_outage=True,
        ) from error
    except (Py4JJavaError, PySparkException) as error:
        if context._jsc is None or context._jsc.sc().isStopped():
            raise WarehouseError(
                f"Spark has stopped during the load: {first_line(error)}. Its log says why; see whether its cluster "
                "is up. The next run loads the file.",
                is_outage=True,
                brief="Spark has stopped during the load; its log says why",
            ) from error
        message = _explained(str(error), limits)
        if message is None:
            raise
        raise MachineError(message) from error


def _explained(text: str, limits: TaskLimits) -> str | None:
    """Return what a failed job's text means to the owner of the cluster; None where it means nothing to them."""
    for words in _WORDS_OF_WORKERS:
        if found := words.search(text):
            return f"a Spark worker cannot run tasks: {found['reason'].strip().rstrip('.')}. {WORKER_REMEDY}"
    if _ENDED.search(text) is None:
        return None
    return (
        f"Spark's workers ended at {counted(limits.attempts, 'attempt')} of a task, as they do without memory: "
        f"{limits.if_killed}."
    )

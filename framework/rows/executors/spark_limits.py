"""What Spark's settings leave for a task: memory, threads, attempts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from framework.errors import MachineError
from framework.model.words import counted
from framework.rows.executors.spark_worker import TaskLimits

OVERHEAD = "spark.executor.memoryOverhead"
PYTHON_MEMORY = "spark.executor.pyspark.memory"
MB = 1024**2
PYTHON_BYTES = 200 * MB
"""What a worker takes besides DuckDB's memory: Python, its packages, and the bytes of a split."""
MIN_BYTES = 64 * MB
"""DuckDB stages a split of 32 MB and 14 columns with this memory, and not with 48 MB."""
UNBOUND_BYTES = 128 * MB
"""What a task may take at least where nothing is known to kill a worker that takes more than its share."""
_MIN_OVERHEAD_BYTES = 384 * MB
_UNITS = {"k": 1024, "m": MB, "g": 1024**3, "t": 1024**4}
_LOCAL = re.compile(r"local(?:\[\s*(?P<threads>\d+|\*)\s*(?:,\s*(?P<attempts>\d+)\s*)?\])?")


def task_limits(settings: Mapping[str, str], memory_bytes: int) -> TaskLimits:
    """Return the limits of a task by a session's settings.

    `memory_bytes` is the most that DuckDB may have: in a task on a cluster, in all concurrent tasks of a local session.

    Raises:
        MachineError: the memory of an executor does not suffice for the tasks that run in it concurrently.
    """
    master = settings.get("spark.master", "")
    threads = task_cpus(settings)
    if local := _LOCAL.fullmatch(master):
        concurrent = max(1, _local_threads(local["threads"]) // threads)
        share = max(UNBOUND_BYTES, memory_bytes // concurrent)
        return TaskLimits(
            share,
            if_too_little=f"give it more in embedded.memory, of which each task has 1/{concurrent}",
            if_killed="free memory on this machine, or lower embedded.memory",
            threads=threads,
            attempts=int(local["attempts"] or 1),
            is_local=True,
        )
    concurrent = concurrent_tasks(settings)
    name, available = _python_memory(settings)
    free = available // concurrent - PYTHON_BYTES
    is_binding = _is_binding(settings)
    if free < MIN_BYTES and is_binding:
        raise MachineError(
            f"{name} leaves {available // MB} MB for {counted(concurrent, 'concurrent task')} in an executor, and each "
            f"needs {(PYTHON_BYTES + MIN_BYTES) // MB} MB: set {name} to "
            f"{concurrent * (PYTHON_BYTES + MIN_BYTES) // MB}m or more"
        )
    more = f"raise {name} (now {available // MB}m for {counted(concurrent, 'concurrent task')})"
    return TaskLimits(
        max(MIN_BYTES if is_binding else UNBOUND_BYTES, min(memory_bytes, free)),
        if_too_little=more if free < memory_bytes else "give it more in embedded.memory",
        if_killed=more,
        threads=threads,
        attempts=int(settings.get("spark.task.maxFailures", 4)),
        is_local=False,
    )


def task_cpus(settings: Mapping[str, str]) -> int:
    """Return the cores that a task takes."""
    return int(settings.get("spark.task.cpus", 1))


def concurrent_tasks(settings: Mapping[str, str]) -> int:
    """Return how many tasks run concurrently in an executor of a cluster."""
    return max(1, int(settings.get("spark.executor.cores", 1)) // task_cpus(settings))


def _python_memory(settings: Mapping[str, str]) -> tuple[str, int]:
    """Return the setting that bounds the memory of an executor's Python workers, and the bound in bytes.

    Source: https://spark.apache.org/docs/3.5.4/configuration.html (spark.executor.memoryOverhead, pyspark.memory)
    """
    if PYTHON_MEMORY in settings:
        return PYTHON_MEMORY, _size(settings[PYTHON_MEMORY])
    if OVERHEAD in settings:
        return OVERHEAD, _size(settings[OVERHEAD])
    factor = float(settings.get("spark.executor.memoryOverheadFactor", 0.1))
    return OVERHEAD, max(_MIN_OVERHEAD_BYTES, int(factor * _size(settings.get("spark.executor.memory", "1g"))))


def _is_binding(settings: Mapping[str, str]) -> bool:
    """Return whether a worker that takes more than the bound is killed, or its owner has set one.

    YARN and Kubernetes kill it. A standalone cluster does not, and what AWS Glue does is not documented.
    """
    master = settings.get("spark.master", "")
    is_set = OVERHEAD in settings or PYTHON_MEMORY in settings
    return master.startswith(("yarn", "k8s")) or (is_set and master.startswith(("spark:", "local-cluster")))


def _local_threads(text: str | None) -> int:
    if text == "*":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(text or 1)


def _size(text: str) -> int:
    """Return the bytes of a size such as `2g` or `512m`; a number alone counts MB."""
    found = re.fullmatch(r"\s*(\d+)\s*([kmgt]?)b?\s*", text.lower())
    if found is None:
        raise ValueError(f"{text!r} is no size")
    return int(found[1]) * _UNITS[found[2] or "m"]

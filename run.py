"""The entry for shell, spark-submit and AWS Glue: hands the command line to `framework.cli`."""

import gc
import sys
from pathlib import Path

from framework.cli import main

SEARCH_AFTER_OBJECTS = 20_000
"""Python's own number, 700, makes 200 searches for garbage of a small load, whose objects are modules and stay."""

if __name__ == "__main__":
    gc.set_threshold(SEARCH_AFTER_OBJECTS)
    exit_code = main(sys.argv[1:], home=Path(__file__).resolve().parent)
    # The process ends: the last search, through all that was imported, would take 0.1 s.
    gc.freeze()
    # Never sys.exit(0): AWS Glue takes any SystemExit for a failure.
    if exit_code:
        sys.exit(exit_code)

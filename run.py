"""The entry for shell, spark-submit and AWS Glue: hands the command line to `framework.cli`."""

import gc
import sys
from pathlib import Path

from framework.cli import main

if __name__ == "__main__":
    exit_code = main(sys.argv[1:], home=Path(__file__).resolve().parent)
    # The process ends here. Its last search for garbage, among all that was imported, would take 0.1 s.
    gc.freeze()
    # Never sys.exit(0): AWS Glue takes any SystemExit for a failure.
    if exit_code:
        sys.exit(exit_code)

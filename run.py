"""The entry for shell, spark-submit and AWS Glue: hands the command line to `framework.cli`."""

import sys
from pathlib import Path

from framework.cli import main

if __name__ == "__main__":
    exit_code = main(sys.argv[1:], home=Path(__file__).resolve().parent)
    # Never sys.exit(0): AWS Glue takes any SystemExit for a failure.
    if exit_code:
        sys.exit(exit_code)

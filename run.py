"""The entry for spark-submit and AWS Glue, which run a script: `feedway` with the project beside this file."""

from pathlib import Path

from framework.cli.process import run_process

if __name__ == "__main__":
    run_process(home=Path(__file__).resolve().parent)

"""`python -m framework` is `feedway`."""

from framework.cli.process import run_process

if __name__ == "__main__":
    run_process()

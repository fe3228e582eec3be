"""The command line: arguments, output, exit codes."""

from framework.cli.main import main

__all__ = ["main"]

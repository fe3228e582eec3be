"""Exit codes of the program that are not those of an error's class; docs/commands.md lists all."""

NO_COMMAND = 1
"""Of the program without arguments, which prints its help, as `git` does."""
ATTENTION = 6
"""Nothing failed, but something needs attention or would change."""
INTERRUPTED = 130
TERMINATED = 143
"""128 and the signal's number, as in shells."""

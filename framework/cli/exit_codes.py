"""Exit codes that are not those of an error's class, and the end of a command; docs/commands.md lists all codes."""

from __future__ import annotations

from collections.abc import Sequence

from framework.errors import PipelineError

NO_COMMAND = 1
"""Of the program without arguments, which prints its help, as `git` does."""
ATTENTION = 6
"""Nothing failed, but something needs attention or would change."""
INTERRUPTED = 130
TERMINATED = 143
"""128 and the signal's number, as in shells."""


def end_in(failures: Sequence[PipelineError], what: str = "loads failed") -> int:
    """Return 0 where nothing failed; raise a single failure, or one error for several, with their common exit code.

    Its message begins with their number and `what` they are.
    """
    if not failures:
        return 0
    if len(failures) == 1:
        raise failures[0]
    codes = {failure.exit_code for failure in failures}
    failure = PipelineError("\n".join([f"{len(failures)} {what}", *(str(failure) for failure in failures)]))
    failure.exit_code = codes.pop() if len(codes) == 1 else 1
    raise failure

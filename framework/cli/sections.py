"""The line that ends a message on a failure: the section of the documentation that helps."""

from __future__ import annotations

from collections.abc import Iterable

from framework.errors import MachineError, PipelineError, Problem, SchemaChangeError, Section, SpecError, WarehouseError
from framework.model.words import listed
from framework.spec.rules import RULES

_MOST = 3


def see_for(error: BaseException) -> str:
    """Return the line for the error of a load."""
    if isinstance(error, SpecError) and error.problems:
        return see_for_problems(error.problems)
    return _line([error.section if isinstance(error, PipelineError) else Section.BUG])


def see_for_command(error: PipelineError) -> str | None:
    """Return the line for the error that ends a command.

    None for the failures of loads, whose messages have the line, and for mistakes on the command line and in files of
    this machine.
    """
    has_problems = isinstance(error, SpecError) and bool(error.problems)
    is_elsewhere = isinstance(error, WarehouseError | MachineError | SchemaChangeError)
    return see_for(error) if has_problems or is_elsewhere else None


def see_for_problems(problems: Iterable[Problem]) -> str:
    """Return the line for the problems of specs and tests; there is at least one."""
    return _line(RULES[problem.rule].section for problem in problems)


def _line(sections: Iterable[str]) -> str:
    return f"See {listed(list(dict.fromkeys(sections)), _MOST)}"

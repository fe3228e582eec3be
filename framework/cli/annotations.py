"""Problems as workflow commands of GitHub Actions, which show them at their lines.

Source: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts (`escapeData`, `escapeProperty`)
"""

from __future__ import annotations

from collections.abc import Sequence

from framework.errors import Problem
from framework.model.words import visible

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def annotated(problems: Sequence[tuple[str, Problem]], end: str) -> str:
    """Return a workflow command per problem, which comes with its file's path in the repository, and a last line."""
    return "\n".join([*(_command(path, problem) for path, problem in problems), end])


def _command(path: str, problem: Problem) -> str:
    place = {"line": str(problem.line), "col": str(problem.column)} if problem.line else {}
    file = path.encode("utf-8", "backslashreplace").decode("utf-8")
    properties = {"file": file, **place, "title": problem.rule}
    written = ",".join(f"{name}={value.translate(_PROPERTY)}" for name, value in properties.items())
    message = visible(f"{problem.message}. {problem.fix}".rstrip())
    return f"::{problem.severity} {written}::{message.translate(_DATA)}"

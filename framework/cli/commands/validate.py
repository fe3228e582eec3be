"""`validate`: checks specs, environments and views offline."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from framework.cli.annotations import annotated
from framework.cli.output import Output
from framework.cli.repository import path_in_repository, repository_root
from framework.cli.sarif import sarif
from framework.cli.sections import see_for_problems
from framework.cli.selection import add_selection, selected_names
from framework.errors import Problem
from framework.model.words import counted, visible
from framework.spec.project import Project, check_project, empty_problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `validate` takes."""
    add_selection(parser, "check", none_is_all=True)


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print every problem with its place and what to do; return 2 if one is more than a warning.

    Raises:
        SpecError: there is no pipeline of a name, or the selection is wrong.
    """
    names = selected_names(arguments, project)
    problems = check_project(project, names)
    if not project.pipeline_names():
        problems.append(empty_problem(project))
    document: dict[str, object] = {"problems": [problem.as_dict() for problem in problems]}
    root = repository_root(project.folder, os.environ)
    placed = [(path_in_repository(problem.file, project.folder, root), problem) for problem in problems]
    end = _end(problems, len(names) or len(project.pipeline_names()))
    see = [see_for_problems(problems)] if problems else []
    output.document(
        document,
        lambda: "\n".join([*(visible(str(problem)) for problem in problems), end, *see]),
        {"github": lambda: annotated(placed, end), "sarif": lambda: sarif(placed)},
    )
    return 2 if any(problem.severity == "error" for problem in problems) else 0


def _end(problems: Sequence[Problem], checked: int) -> str:
    errors = sum(problem.severity == "error" for problem in problems)
    return counted(errors, "problem") if errors else counted(checked, "pipeline is valid", "pipelines are valid")

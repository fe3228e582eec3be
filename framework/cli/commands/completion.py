"""`completion`: the script by which a shell completes Feedway's commands, options, files and names of pipelines."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from framework.cli.main import build_parser
from framework.cli.output import Output
from framework.errors import SpecError
from framework.model import program
from framework.spec.project import Project

SHELLS = ("bash", "zsh", "tcsh", "fish")
NAMES = "names"
_OF_PIPELINES = frozenset({"name", "names"})
"""The arguments that take names of pipelines."""
_OF_FILES = frozenset({"FILE", "PLACE"})
_OF_FOLDERS = "DIR"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `completion` takes."""
    parser.add_argument(
        "shell",
        choices=(*SHELLS, NAMES),
        metavar="SHELL",
        help=f"{', '.join(SHELLS)}; or {NAMES}, which the scripts call: print the names of the project's pipelines",
    )


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print the script of a shell, or the names of pipelines.

    Raises:
        SpecError: the package that writes the scripts is not installed.
    """
    if arguments.shell == NAMES:
        output.stdout.writelines(f"{name}\n" for name in project.pipeline_names())
        return 0
    try:
        import shtab
    except ImportError as error:
        raise SpecError(
            f"completion needs the package {error.name!r}, which is not installed: pip install 'feedway[completion]'"
        ) from error
    names = shtab.cmd(f"{program.NAME} completion {NAMES}")
    parser = build_parser()
    for action in _actions(parser):
        if action.dest in _OF_PIPELINES and action.choices is None:
            action.complete = names  # type: ignore[attr-defined]
        elif action.metavar == _OF_FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.metavar in _OF_FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    output.stdout.write(shtab.complete(parser, arguments.shell) + "\n")
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser and of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)

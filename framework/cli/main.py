"""Reads the command line, runs the command, and turns an error into a message and an exit code."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Collection, Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from framework import __version__
from framework.cli.exit_codes import INTERRUPTED, NO_COMMAND, TERMINATED
from framework.cli.glue import is_glue_run, translate_pipeline_form
from framework.cli.help import Layout, epilog_of
from framework.cli.output import DEFAULT_FORMAT, make_output
from framework.cli.signals import Terminated, interruptible
from framework.errors import PipelineError, SpecError
from framework.log.redaction import trace
from framework.model import program
from framework.model.program import Program
from framework.model.words import listed, visible

COMMANDS = {
    "init": "draft the spec of a feed from sample files",
    "validate": "check specs, environments and views, offline",
    "land": "put files of this machine into a feed's inbox",
    "check": "check whether an environment can run loads, and say what to do",
    "plan": "show what a run would do now; changes nothing",
    "test": "run the tests of feeds, in a sandbox of their own",
    "run": "load pending files",
    "replay": "load a pipeline's unprocessed files, or corrected bad rows, again",
    "skip": "skip a file: archive it without loading",
    "quarantine": "list, show and export bad rows that files were loaded without",
    "status": "show every feed, what needs attention, and how to continue",
    "history": "show past loads, and those that run",
    "logs": "show the log of a load",
    "changes": "show what loads changed about tables",
    "explain": "show why a column has its type",
    "stale": "show feeds that are late",
    "report": "write pages about feeds, for a browser",
    "prune": "delete audit rows that nothing needs",
    "restore-views": "restore views that a crashed run dropped",
    "sandbox": "start, stop and query the local stand-in for AWS",
    "completion": "print the script that completes commands in a shell",
}
BEGINNING = frozenset({"init", "completion"})
"""Commands that need no project: one begins it, another has no use for it."""
DEFAULT_ENVIRONMENT = "sandbox"
OWN_FORMS = {"github": ("plan", "validate"), "sarif": ("validate",)}
"""Forms of `--output` that are for some commands alone, and these."""
WITHOUT_DOCUMENT = frozenset({"completion"})
"""Commands that print a script for a shell, in no other form."""
LOADING = ("run", "replay")
LONGEST_LINE = 2000
"""Maximum length in characters of a failure in one line: statements in it may have 100,000 bytes."""


class _Parser(argparse.ArgumentParser):
    """Raises instead of exiting, so that a job that runs Feedway gets the message."""

    def error(self, message: str) -> NoReturn:
        raise SpecError(f"{self.prog}: {message}\n{self.format_usage().strip()}")


def main(argv: Sequence[str], home: Path | None = None) -> int:
    """Run a command line and return its exit code: 0 when everything was done.

    `home` is the folder of a script, whose project is used where neither --project nor the working directory has one.
    In an AWS Glue job a failure is raised instead, because Glue has no exit codes and shows one line of the exception.

    Raises:
        PipelineError: the command failed, in an AWS Glue job; the message is one line.
    """
    output = make_output()
    if not argv:
        build_parser([]).print_help()
        return NO_COMMAND
    try:
        arguments = parse_arguments(argv)
        output = make_output(arguments.output, Program(_chosen(arguments)))
        if arguments.ignored:
            output.stderr.write(f"arguments that are not Feedway's were ignored: {', '.join(arguments.ignored)}\n")
        with interruptible():
            # imported where it is used: the command line can be explained, or refused, without it
            from framework.cli.projects import open_project

            project = open_project(arguments.project, home, begins=arguments.command in BEGINNING)
            try:
                return int(_command(arguments.command).run(arguments, project, output))
            finally:
                output.display.end()
    except PipelineError as error:
        output.stderr.write(_described(error))
        if is_glue_run(argv):
            raise _in_one_line(error) from None
        return error.exit_code
    except KeyboardInterrupt as error:
        is_terminated = isinstance(error, Terminated)
        done = "terminated" if is_terminated else "interrupted"
        is_loading = is_glue_run(argv) or any(command in argv for command in LOADING)
        message = f"{done}; {'files that were not loaded stay where they are' if is_loading else 'nothing was loaded'}"
        output.stderr.write(f"{message}\n")
        if is_glue_run(argv):
            raise PipelineError(message) from None
        return TERMINATED if is_terminated else INTERRUPTED


def _in_one_line(error: PipelineError) -> PipelineError:
    """Return the error in one line, as the console of AWS Glue shows it; the log has the full message."""
    line = " | ".join(part.strip() for part in str(error).splitlines() if part.strip())
    shown = line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"
    failure = type(error)(shown)
    failure.exit_code = error.exit_code
    return failure


def _described(error: PipelineError) -> str:
    """Return the message and where to read on; for a bug, which no message explains, followed by the traceback."""
    # imported where it is used: a command that succeeds does without it
    from framework.cli.sections import see_for_command

    cause, see = error.__cause__, see_for_command(error)
    lines = [*f"error: {error}".split("\n"), *([see] if see else [])]
    # Names of files, which may hold what moves the cursor of a terminal.
    text = "".join(f"{visible(line)}\n" for line in lines)
    if error.exit_code == 1 and cause is not None and not isinstance(cause, PipelineError):
        text += trace(cause)
    return text


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Return the arguments of a command line, also of the form `--pipeline NAME` that jobs use.

    Raises:
        SpecError: the command line is not understood.
    """
    line = translate_pipeline_form(argv)
    # Its name is in the line of the command that runs; the others are not imported.
    arguments = build_parser(line.argv).parse_args(line.argv)
    form, command = arguments.output, arguments.command
    if command not in OWN_FORMS.get(form, (command,)):
        raise SpecError(f"--output {form} is for {listed(OWN_FORMS[form])}; {command} does not print it")
    if form != DEFAULT_FORMAT and command in WITHOUT_DOCUMENT:
        raise SpecError(f"{command} prints a script, and no document: leave --output out")
    arguments.job_id = line.job_id
    arguments.ignored = line.ignored
    return arguments


def build_parser(complete: Collection[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """Return the parser of the program; only commands among `complete` have their arguments, and are imported."""
    parser = _Parser(
        prog=program.NAME,
        description="Keeps Redshift tables in step with files in S3: one YAML spec per feed, no code.",
        epilog=epilog_of(None),
        formatter_class=Layout,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(
        title="commands", dest="command", required=True, metavar="COMMAND", parser_class=_Parser
    )
    for name, help_text in COMMANDS.items():
        command = commands.add_parser(name, help=help_text, formatter_class=Layout, allow_abbrev=False)
        if name in complete:
            command.description = f"{help_text[0].upper()}{help_text[1:]}."
            command.epilog = epilog_of(name)
            _command(name).add_arguments(command)
            for each in (command, *_actions_of(command)):
                _add_common(each, first=False)
    _add_common(parser, first=True)
    parser.add_argument(
        "--version", action="version", version=f"{program.NAME} {__version__}", help="print the version"
    )
    return parser


def _actions_of(command: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Return the parsers of a command's actions; none where it has only one thing to do."""
    groups = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
    return [parser for group in groups for parser in group.choices.values()]


def _add_common(parser: argparse.ArgumentParser, first: bool) -> None:
    """Add the common options, which may come before the command or after it."""

    def default(value: object) -> object:
        return value if first else argparse.SUPPRESS

    group = parser.add_argument_group("options of every command")
    group.add_argument(
        "--project",
        default=default(None),
        metavar="PLACE",
        help="where environments.yml and pipelines/ are: a folder, or s3://BUCKET/PREFIX; without it, the nearest "
        "folder with an environments.yml, from the working directory up",
    )
    group.add_argument(
        "--env",
        default=default(DEFAULT_ENVIRONMENT),
        metavar="ENVIRONMENT",
        help=f"an entry of environments.yml; default: {DEFAULT_ENVIRONMENT}",
    )
    group.add_argument(
        "--output",
        choices=("text", "json", "lines", *OWN_FORMS),
        default=default(DEFAULT_FORMAT),
        help="text for people (the default), one JSON document, or JSON lines: the log, then the document; github: "
        "Markdown of plan, annotations of validate; sarif: of validate",
    )


def _chosen(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Return the options that chose another project or environment than the default."""
    project = () if arguments.project is None else ("--project", arguments.project)
    environment = () if arguments.env == DEFAULT_ENVIRONMENT else ("--env", arguments.env)
    return (*project, *environment)


def _command(name: str) -> ModuleType:
    return importlib.import_module(f"framework.cli.commands.{name.replace('-', '_')}")

"""`check`: whether an environment can run loads, item by item, with what to do."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from framework.cli.output import Output
from framework.cli.wiring import open_services
from framework.errors import PipelineError, SpecError
from framework.lake.connection import S3Connection
from framework.load.check.checks import CHECKS, SPARK, run_checks, without_services
from framework.load.check.outcome import Outcome, exit_code
from framework.load.check.subject import Subject
from framework.spec.environment import Environment
from framework.spec.pipeline import PipelineSpec
from framework.spec.project import Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `check` takes."""
    parser.add_argument("--create", action="store_true", help="create what is missing of the control schema")
    parser.add_argument("--spark", action="store_true", help="also run tasks in Spark's workers")


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print each item with what was found, or with what to do; return the class of the first that failed, else 0.

    Raises:
        SpecError: `environments.yml` has problems.
        PipelineError: in a job of AWS Glue, an item failed.
    """
    environment = project.environment(arguments.env)
    outcomes = _outcomes(arguments, project, environment, output)
    shown = [outcome.as_dict() for outcome in outcomes]
    document: dict[str, object] = {"environment": environment.name, "checks": shown}
    output.document(document, lambda: _text(outcomes))
    code = exit_code(outcomes)
    if code and arguments.job_id is not None:
        raise _failure(outcomes, code)
    return code


def _outcomes(
    arguments: argparse.Namespace, project: Project, environment: Environment, output: Output
) -> list[Outcome]:
    checks = (*CHECKS, SPARK) if arguments.spark else CHECKS
    with ExitStack() as stack:
        try:
            services = stack.enter_context(open_services(project.folder, environment, output, arguments.job_id))
        except SpecError as error:
            return without_services(error, S3Connection(environment.lake.region), checks)
        found = [_spec(project, name) for name in project.pipeline_names()]
        specs = [spec for spec in found if spec is not None]
        place_of = partial(project.field_place, environment.name)
        subject = Subject(services, specs, len(found) - len(specs), place_of, arguments.create)
        return run_checks(subject, checks)


def _failure(outcomes: Sequence[Outcome], code: int) -> PipelineError:
    """Return the error in which a job of AWS Glue ends, whose console shows no output."""
    lines = [_line(outcome, 0) for outcome in outcomes if outcome.status == "failed"]
    failure = PipelineError("\n".join(["the environment cannot run loads", *lines]))
    failure.exit_code = code
    return failure


def _spec(project: Project, name: str) -> PipelineSpec | None:
    """Return a pipeline's spec; None where it cannot be read."""
    try:
        return project.pipeline(name)
    except SpecError:
        return None


def _text(outcomes: Sequence[Outcome]) -> str:
    width = max(len(outcome.item) for outcome in outcomes)
    return "\n".join(_line(outcome, width) for outcome in outcomes)


def _line(outcome: Outcome, width: int) -> str:
    remedy = "" if outcome.remedy is None else f". {outcome.remedy}"
    return f"{outcome.status:7}  {outcome.item.replace('_', ' '):{width}}  {outcome.found}{remedy}"

"""`replay`: loads files that were set aside, or corrected bad rows."""

from __future__ import annotations

import argparse

from framework.cli.exit_codes import end_in
from framework.cli.file_options import add_file_options, file_request
from framework.cli.outcome import outcome_of
from framework.cli.output import Output
from framework.cli.results import add_fail_fast, failures_of, load_pipelines, surroundings_of
from framework.cli.selection import add_selection, selected_feeds
from framework.cli.summary import full_summary
from framework.cli.wiring import open_services
from framework.errors import SpecError
from framework.load.quarantine.replay import replay_quarantine
from framework.load.request import Unprocessed
from framework.spec.project import Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `replay` takes."""
    add_selection(parser, "replay")
    add_fail_fast(parser)
    parser.add_argument("--file", metavar="KEY", help="only this file, by where it lies or where it arrived")
    add_file_options(parser, without=["again"])
    parser.add_argument(
        "--quarantine",
        metavar="FILE",
        help="load the rows of this corrected quarantine file instead, local or s3://, Parquet or CSV",
    )


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Load the unprocessed files of pipelines in their original order, or corrected rows; one result per file.

    Raises:
        SpecError: a name, an option or a spec is wrong, or a file was refused.
        PipelineError: a load failed; of several failures, the class they share.
    """
    if arguments.quarantine is not None:
        return _replay_quarantine(arguments, project, output)
    surroundings = surroundings_of(arguments, project)
    feeds = selected_feeds(arguments, project)
    request = file_request(arguments, pipelines=len(feeds), unprocessed=True)
    return load_pipelines(feeds, request, surroundings, output)


def _replay_quarantine(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    if file_request(arguments, unprocessed=True) != Unprocessed():
        raise SpecError("--quarantine FILE names all there is to load: leave out --file and what goes with it")
    environment = project.environment(arguments.env)
    feeds = selected_feeds(arguments, project)
    if len(feeds) != 1:
        raise SpecError("--quarantine FILE goes with the name of one pipeline")
    spec = project.pipeline(feeds[0].pipeline)
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        results = replay_quarantine(spec, services, arguments.quarantine)
    outcome = outcome_of(results)
    output.document(outcome.as_dict(), lambda: full_summary(outcome, output.width))
    return end_in(failures_of(results))

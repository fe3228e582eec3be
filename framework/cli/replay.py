"""`replay`: loads once more what could not be loaded before."""

from __future__ import annotations

import argparse
from pathlib import Path

from framework.cli.output import Output
from framework.cli.run import end_in, failures_of, summary
from framework.cli.services import open_services
from framework.quarantine_replay import replay_quarantine
from framework.spec.project import Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `replay` takes."""
    parser.add_argument("name", metavar="NAME", help="the pipeline")
    parser.add_argument(
        "--quarantine",
        metavar="FILE",
        required=True,
        help="load the rows of this corrected quarantine file, local or s3://, Parquet or CSV",
    )


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Load a corrected quarantine file and print one result per source file its rows came from.

    Raises:
        PipelineError: nothing could be loaded, or a load failed.
    """
    environment = project.environment(arguments.env)
    spec = project.pipeline(arguments.name)
    with open_services(Path(project.root), environment, output, arguments.job_id) as services:
        results = replay_quarantine(spec, services, arguments.quarantine)
    output.document({"loads": [result.as_dict() for result in results]}, lambda: summary(results))
    return end_in(failures_of(results))

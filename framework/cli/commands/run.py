"""`run`: loads pipelines; one result per source file."""

from __future__ import annotations

import argparse

from framework.cli.file_options import add_file_options, file_request
from framework.cli.output import Output
from framework.cli.result_file import check_result_place
from framework.cli.results import add_fail_fast, load_pipelines, surroundings_of
from framework.cli.selection import add_selection, selected_feeds
from framework.spec.project import Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` takes."""
    add_selection(parser, "load")
    add_fail_fast(parser)
    parser.add_argument("--file", metavar="KEY", help="load this object of the lake, pending or not")
    add_file_options(parser)
    parser.add_argument(
        "--instead-of",
        metavar="KEY",
        help="load the pending file of the same name, or that of --file, in the place of this file in "
        "data/unprocessed, and archive this one then",
    )
    parser.add_argument(
        "--result", metavar="PLACE", help="also write the JSON document there: a local file, or s3://BUCKET/KEY"
    )


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Load the selected pipelines concurrently, print one result per file, and raise the failure if there is one.

    Raises:
        SpecError: an option or the environment is wrong, and nothing was loaded; or a name or a spec is.
        PipelineError: a load failed; of several failures, the class they share.
    """
    surroundings = surroundings_of(arguments, project, arguments.result)
    feeds = selected_feeds(arguments, project)
    request = file_request(arguments, pipelines=len(feeds))
    if arguments.result is not None:
        check_result_place(arguments.result)
    return load_pipelines(feeds, request, surroundings, output)

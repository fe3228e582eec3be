"""`run`: loads pipelines; one result per source file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from framework.cli.file_options import add_file_options, file_request
from framework.cli.output import Output
from framework.cli.result_file import check_result_place
from framework.cli.results import Feed, Surroundings, load_pipelines, read_feed
from framework.errors import SpecError
from framework.spec.project import Project, empty_problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `run` takes."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="pipelines to load")
    parser.add_argument("--all", action="store_true", help="load every pipeline of the project")
    parser.add_argument("--tag", metavar="TAG", help="load the pipelines that carry a tag")
    parser.add_argument("--file", metavar="KEY", help="load this object of the lake, pending or not")
    add_file_options(parser)
    parser.add_argument(
        "--result", metavar="PLACE", help="also write the JSON document there: a local file, or s3://BUCKET/KEY"
    )


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Load the named pipelines concurrently, print one result per file, and raise the failure if there is one.

    Raises:
        SpecError: an option or the environment is wrong, and nothing was loaded; or a name or a spec is.
        PipelineError: a load failed; of several failures, the class they share.
    """
    environment = project.environment(arguments.env)
    feeds = _feeds(arguments, project)
    request = file_request(arguments, pipelines=len(feeds))
    if arguments.result is not None:
        check_result_place(arguments.result)
    surroundings = Surroundings(project, environment, arguments.job_id, arguments.result)
    return load_pipelines(feeds, request, surroundings, output)


def _feeds(arguments: argparse.Namespace, project: Project) -> Sequence[Feed]:
    if bool(arguments.names) + arguments.all + bool(arguments.tag) != 1:
        raise SpecError("run takes the names of pipelines, or --all, or --tag TAG")
    if arguments.names:
        return [read_feed(project, name) for name in dict.fromkeys(arguments.names)]
    feeds = [read_feed(project, name) for name in project.pipeline_names()]
    if not feeds:
        raise SpecError(str(empty_problem(project)))
    if arguments.all:
        return feeds
    # The tags of a spec that cannot be read are unknown: it may carry this one, so it is included.
    chosen = [feed for feed in feeds if isinstance(feed.spec, SpecError) or arguments.tag in feed.spec.tags]
    if not chosen:
        raise SpecError(f"no pipeline of the project carries the tag {arguments.tag!r}")
    return chosen

"""`stale`: feeds whose last successful load is longer ago than their spec expects."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

from framework.cli.exit_codes import ATTENTION
from framework.cli.freshness import StaleFeed, duration_text, late_feeds
from framework.cli.notifying import Ended, Sender, notify
from framework.cli.output import Output
from framework.cli.selection import add_selection, selected_names
from framework.cli.tables import table
from framework.cli.wiring import open_services
from framework.errors import SpecError
from framework.model.words import counted
from framework.spec.project import Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `stale` takes."""
    add_selection(parser, "check", none_is_all=True)
    parser.add_argument("--notify", action="store_true", help="also send the late feeds to notify's targets")


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Print the feeds that are late, with --notify send them too; return 6 where there is one, else 0.

    Raises:
        SpecError: the command line, an environment or a spec is wrong.
    """
    environment = project.environment(arguments.env)
    if arguments.notify and not environment.notify.has_messages:
        raise SpecError(f"the environment {environment.name!r} has neither notify.webhook nor notify.sns")
    names = selected_names(arguments, project) or project.pipeline_names()
    expecting = [spec for spec in map(project.pipeline, names) if spec.expect.every is not None]
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        log = services.open_log(services.new_run_id(), "stale")
        found = late_feeds(expecting, services, log)
        if arguments.notify and found:
            sender = Sender(environment, services.job_id, log, services.program)
            notify(Ended((), expecting, is_cut_short=False), found, sender)
    output.document({"stale": [asdict(feed) for feed in found]}, lambda: _text(found, len(expecting)))
    return ATTENTION if found else 0


def _text(found: Sequence[StaleFeed], expecting: int) -> str:
    if not expecting:
        return "no feed says in its spec how often it is expected (expect.every)"
    if not found:
        return counted(expecting, "feed is as fresh as expected", "feeds are as fresh as expected")
    rows = [
        (
            feed.pipeline,
            feed.owner,
            feed.every,
            feed.last_success_ts or "never",
            feed.late_since_ts,
            None if feed.late_seconds is None else duration_text(timedelta(seconds=feed.late_seconds)),
        )
        for feed in found
    ]
    return table(("pipeline", "owner", "every", "last success", "late since", "late by"), rows)

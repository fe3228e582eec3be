"""`report`: a folder of pages about feeds, for a browser."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import asdict

from framework.cli.audit_options import add_since, parse_since
from framework.cli.feed_reports import read_site
from framework.cli.output import Output
from framework.cli.report_folder import Contents, check_folder, write_pages
from framework.cli.selection import add_selection, selected_names
from framework.cli.wiring import open_services
from framework.dataclass import dataclass
from framework.model.words import counted, size, visible
from framework.report.pages import INDEX, pages_of
from framework.spec.project import Project


@dataclass(frozen=True)
class Reported:
    """A report that was written: the page to open, its folder, and its size."""

    index: str
    folder: str
    environment: str
    feeds: int
    pages: int
    bytes: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `report` takes."""
    parser.add_argument("folder", metavar="DIR", help="the folder to write: a new one, an empty one, or a report's")
    add_selection(parser, "report", none_is_all=True)
    add_since(parser, "loads begun and changes made")


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Write the pages, and print where they begin. A spec with problems is shown on its page and fails nothing.

    Raises:
        SpecError: the command line or an environment is wrong; the folder holds something else, or cannot be written.
        WarehouseError: the warehouse or S3 cannot be reached, or refuses.
        MachineError: the disk is full.
    """
    environment = project.environment(arguments.env)
    contents = Contents(environment.name, _selection(arguments))
    folder = check_folder(arguments.folder, contents)
    names = selected_names(arguments, project)
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        since = parse_since(arguments, services.now()) if arguments.since else None
        site = read_site(project, names, since, services)
    written = write_pages(folder, pages_of(site), contents)
    index = str((folder / INDEX).resolve())
    reported = Reported(index, str(folder.resolve()), site.environment, len(site.feeds), written.pages, written.bytes)
    output.document({"report": asdict(reported)}, lambda: _text(reported))
    return 0


def _selection(arguments: argparse.Namespace) -> str:
    """Return what was selected as a command line has it, in one order; empty where that is all feeds."""
    given = sorted(set(arguments.names))
    given += [f"--tag={tag}" for tag in sorted(set(arguments.tags))]
    given += [f"--exclude={name}" for name in sorted(set(arguments.excluded))]
    return visible(shlex.join(given))


def _text(reported: Reported) -> str:
    pages = counted(reported.pages, "page")
    return f"{counted(reported.feeds, 'feed')}: {pages}, {size(reported.bytes)}; open {visible(reported.index)}"

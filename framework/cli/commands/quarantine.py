"""`quarantine`: the bad rows that files were loaded without: which files, what is wrong, and CSV to correct them."""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

from framework.cli.audit_options import number_of_rows
from framework.cli.output import Output
from framework.cli.quarantine_list import list_files, list_text
from framework.cli.quarantine_load import Asked, QuarantinedLoad, open_load
from framework.cli.quarantine_text import REPLACED, Exported, ShownRow, ShownRows
from framework.cli.selection import add_selection, read_feed, selected_names
from framework.cli.wiring import open_services
from framework.errors import SpecError
from framework.load.quarantine.spreadsheet import write_sheet
from framework.load.services import Services
from framework.spec.pipeline import PipelineSpec
from framework.spec.project import Project
from framework.warehouse.session import WarehouseSession

ACTIONS = {
    "list": "list files that were loaded without bad rows, newest first",
    "show": "show the bad rows of one load",
    "export": "write the bad rows of one load as CSV, to correct and replay",
}
DEFAULT_ROWS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `quarantine` takes."""
    actions = parser.add_subparsers(title="actions", dest="action", required=True, metavar="ACTION")
    list_, show, export = (
        actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
        for name, text in ACTIONS.items()
    )
    add_selection(list_, "list", none_is_all=True)
    for action in (show, export):
        action.add_argument("name", metavar="NAME", help="the pipeline")
        action.add_argument("--file", metavar="FILE", help="the source file, by its name or key; without it, any")
        action.add_argument("--run", metavar="RUN", help="the load, by the start of its run_id; default: the newest")
    for action, things in ((list_, "files"), (show, "rows")):
        text = f"at most so many {things} (default {DEFAULT_ROWS})"
        action.add_argument("--rows", type=number_of_rows, default=DEFAULT_ROWS, metavar="N", help=text)
    show.add_argument("--values", action="store_true", help="print values although bad_rows.log_samples is false")
    export.add_argument("--to", metavar="FILE", help="the file to write; default: NAME-RUN.csv")


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """List the files that were loaded without bad rows, or show or export the bad rows of one load.

    Raises:
        SpecError: the command line is wrong, there are no such rows, or the file to write is there already.
        WarehouseError: JOB_STS or the lake cannot be read.
    """
    environment = project.environment(arguments.env)
    is_list = arguments.action == "list"
    names = selected_names(arguments, project) if is_list else [arguments.name]
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        log = services.open_log(services.new_run_id(), "quarantine")
        warehouse = WarehouseSession(services.warehouse, "quarantine", log)
        if is_list:
            found = list_files(names, arguments.rows, services.lake, warehouse)
            output.document(found.as_dict(), lambda: list_text(found, output.width, services.program))
            return 0
        asked = Asked(names[0], arguments.file, arguments.run)
        with open_load(asked, project, services, warehouse) as load:
            if arguments.action == "show":
                shown = _shown(load, project, arguments.rows, with_values=arguments.values)
                output.document(shown.as_dict(), lambda: shown.text(output.width, services.program))
            else:
                spec = project.pipeline(names[0]) if names[0] in project.pipeline_names() else None
                exported = _exported(load, spec, arguments.to, services)
                output.document(exported.as_dict(), lambda: str(exported))
    return 0


def _shown(load: QuarantinedLoad, project: Project, most: int, *, with_values: bool) -> ShownRows:
    """Return the first rows of a load, without values unless the spec or the command line allows them."""
    spec = read_feed(project, load.pipeline).spec
    replaces_table = False
    if isinstance(spec, PipelineSpec):
        with_values = with_values or spec.bad_rows.log_samples
        replaces_table = spec.load.mode.replaces_table
    rows = [ShownRow(row, load.is_corrected(row), with_values) for row in islice(load.stored(), most)]
    return ShownRows(load, rows, replaces_table)


def _exported(load: QuarantinedLoad, spec: PipelineSpec | None, asked: str | None, services: Services) -> Exported:
    """Write the rows of a load that are not loaded corrected to a new file of this machine.

    `spec` is None where the pipeline has none any more: under another name it may load the table still.

    Raises:
        SpecError: there are none, or the file is there already or cannot be written.
    """
    place = asked or f"{load.pipeline}-{load.short_run}.csv"
    left_out = load.rows_corrected
    if left_out == load.rows:
        every = "the only bad row" if load.rows == 1 else f"all {load.rows:,} bad rows"
        were = "was" if load.rows == 1 else "were"
        raise SpecError(f"{every} of {load.named} {were} loaded corrected: there is nothing to export")
    if place.startswith("s3://"):
        raise SpecError(f"quarantine export --to {place}: it writes a file of this machine")
    path = Path(place)
    try:
        with path.open("x", encoding="utf-8-sig", newline="") as file:
            try:
                written = write_sheet(lambda: (row for row in load.stored() if not load.is_corrected(row)), file)
            except BaseException:
                path.unlink()
                raise
    except FileExistsError as error:
        raise SpecError(
            f"{place} is there already, and export overwrites nothing: name another file with --to"
        ) from error
    except OSError as error:
        raise SpecError(f"{place} cannot be written: {error.strerror or error}") from error
    if spec is None:
        command = services.program.command("replay", "NAME", "--quarantine", place)
        instead = f"{load.pipeline} has no spec any more: load them with the feed that loads its table now: {command}"
        return Exported(load, place, written, left_out, None, instead)
    if spec.load.mode.replaces_table:
        return Exported(load, place, written, left_out, None, REPLACED)
    command = services.program.command("replay", load.pipeline, "--quarantine", place)
    return Exported(load, place, written, left_out, command)

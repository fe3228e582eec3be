"""`prune`: deletes rows of JOB_STS that nothing needs any more."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from framework.cli.audit_options import parse_when
from framework.cli.output import Output
from framework.cli.selection import add_selection, selected_names
from framework.cli.wiring import open_services
from framework.dataclass import dataclass
from framework.model.words import counted
from framework.spec.project import Project
from framework.warehouse.audit import prune_audit
from framework.warehouse.session import WarehouseSession


@dataclass(frozen=True)
class Pruning:
    """The number of rows of JOB_STS that were removed, or would be. `before` is UTC."""

    before: str
    rows: int
    by_status: dict[str, int]
    removed: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `prune` takes."""
    parser.add_argument("before", metavar="WHEN", help="the age (400d), date or time (UTC) from which rows are old")
    add_selection(parser, "prune", none_is_all=True)
    parser.add_argument("--yes", action="store_true", help="delete them; without it they are counted")


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Delete the old rows of the pipelines where that is confirmed, and print how many there are.

    Raises:
        SpecError: the command line or an environment is wrong.
        WarehouseError: the warehouse cannot be reached, or refuses.
    """
    environment = project.environment(arguments.env)
    names = selected_names(arguments, project)
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        before = parse_when(arguments.before, services.now(), "prune")
        log = services.open_log(services.new_run_id(), "prune")
        warehouse = WarehouseSession(services.warehouse, "prune", log)
        counts = prune_audit(warehouse, names, before, is_confirmed=arguments.yes)
    pruning = Pruning(before.strftime("%Y-%m-%d %H:%M:%S"), sum(counts.values()), counts, arguments.yes)
    output.document({"pruned": asdict(pruning)}, lambda: _text(pruning))
    return 0


def _text(pruning: Pruning) -> str:
    if not pruning.rows:
        return f"nothing to remove: each row of JOB_STS begun before {pruning.before} is the last of its file"
    listed = ", ".join(f"{count:,} {status}" for status, count in pruning.by_status.items())
    rows = f"{counted(pruning.rows, 'row')} of JOB_STS"
    if pruning.removed:
        return f"removed {rows} begun before {pruning.before}: {listed}"
    return (
        f"would remove {rows} begun before {pruning.before}: {listed}. The last row of each "
        "file, and its last SUCCESS, stay. Use --yes to remove them."
    )

"""`restore-views`: restores the views in the journal, which a crashed run dropped or could not restore."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

from framework.cli.output import Output
from framework.cli.tables import table
from framework.cli.wiring import open_services
from framework.dataclass import dataclass
from framework.errors import SchemaChangeError, Section, SpecError
from framework.load.invocation import Invocation
from framework.load.services import Services
from framework.load.views.journal import left_by_expired_runs
from framework.model.observation import JournalEntry
from framework.model.words import counted
from framework.plan.render import render
from framework.plan.view_journal import create_again
from framework.spec.project import Project
from framework.warehouse.session import WarehouseSession
from framework.warehouse.view_journal import JournalKey, forget, read_journal, restore_views

_COLUMNS = ("view", "target", "status", "pipeline", "run_id", "reason")


@dataclass(frozen=True)
class RestoredView:
    """The result for a view in the journal. `statements` restore it, as SQL."""

    view: str
    target: str
    pipeline: str
    run_id: str
    status: Literal["RESTORED", "FAILED", "IN_USE", "FORGOTTEN"]
    reason: str | None
    statements: tuple[str, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `restore-views` takes."""
    parser.add_argument("views", metavar="SCHEMA.VIEW", nargs="*", help="only these views")
    parser.add_argument(
        "--forget", action="store_true", help="remove the named views from the journal without restoring them"
    )


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Restore the views that expired runs dropped, and print each view with its result.

    Raises:
        SpecError: a view that is named is not in the journal.
        SchemaChangeError: a view could not be restored.
        WarehouseError: the warehouse or the lake cannot be reached.
    """
    if arguments.forget and not arguments.views:
        raise SpecError("restore-views --forget takes the names of the views to forget")
    environment = project.environment(arguments.env)
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        restored = _restore(services, arguments.views, is_to_forget=arguments.forget)
    output.document({"views": [asdict(view) for view in restored]}, lambda: _text(restored))
    failed = [view for view in restored if view.status == "FAILED"]
    if failed:
        reasons = "; ".join(f"{view.view}: {view.reason}" for view in failed)
        command = output.program.command
        raise SchemaChangeError(
            f"{len(failed)} of {counted(len(restored), 'view')} cannot be restored: {reasons}. They stay in the "
            f"journal. Correct what they depend on and run {command('restore-views')}, or create them by hand with "
            "the statements above and remove them from the journal: "
            f"{command('restore-views', '--forget', *(view.view for view in failed))}"
        ).about(Section.MISSING_VIEW)
    return 0


def _restore(services: Services, asked: Sequence[str], *, is_to_forget: bool) -> list[RestoredView]:
    log = services.open_log(services.new_run_id(), "restore-views")
    warehouse = WarehouseSession(services.warehouse, "restore-views", log)
    entries = _asked_for(read_journal(warehouse, None), asked)
    left = left_by_expired_runs(Invocation(services), entries)
    warehouse.await_runs({(entry.pipeline, entry.run_id) for entry in left})
    reasons: dict[JournalKey, str] = {}
    if is_to_forget:
        for entry in left:
            forget(warehouse, entry)
    else:
        reasons = restore_views(warehouse, left)
    results = []
    for entry in entries:
        reason = reasons.get(entry.key)
        if entry not in left:
            results.append(_result(entry, "IN_USE", "an active run has dropped it and will restore it"))
        elif is_to_forget:
            results.append(_result(entry, "FORGOTTEN", None))
        else:
            results.append(_result(entry, "FAILED" if reason else "RESTORED", reason))
    return results


def _asked_for(entries: Sequence[JournalEntry], asked: Sequence[str]) -> list[JournalEntry]:
    there = {str(entry.view.view) for entry in entries}
    missing = [name for name in asked if name.lower() not in there]
    if missing:
        known = ", ".join(sorted(there)) or "it is empty"
        raise SpecError(f"{', '.join(missing)}: not in the view journal ({known}). Name views as SCHEMA.VIEW")
    wanted = {name.lower() for name in asked} or there
    return [entry for entry in entries if str(entry.view.view) in wanted]


def _result(
    entry: JournalEntry,
    status: Literal["RESTORED", "FAILED", "IN_USE", "FORGOTTEN"],
    reason: str | None,
) -> RestoredView:
    texts = tuple(render(statement, entry.pipeline, entry.run_id) for statement in create_again(entry))
    return RestoredView(str(entry.view.view), str(entry.target), entry.pipeline, entry.run_id, status, reason, texts)


def _text(restored: Sequence[RestoredView]) -> str:
    if not restored:
        return "no dropped view is left in the journal"
    rows = [[getattr(view, name) for name in _COLUMNS] for view in restored]
    shown = [
        f"\n-- {view.view}\n" + "\n".join(f"{statement};" for statement in view.statements)
        for view in restored
        if view.status in ("FAILED", "FORGOTTEN")
    ]
    return "\n".join([table(_COLUMNS, rows), *shown])

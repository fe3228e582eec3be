"""Tests the views of a spec on the warehouse before a load builds them: reads no row, and changes nothing."""

from __future__ import annotations

from collections import Counter

from framework.errors import Cause, Problem, TransientWarehouseError, WarehouseError
from framework.load.run import Run
from framework.load.views.late import TOLERATED
from framework.model.observation import ObservedTable
from framework.plan.steps import Statement, Transaction
from framework.plan.view_trials import ViewTrial, view_trials
from framework.spec.document import spec_error
from framework.spec.pipeline import ViewSpec
from framework.spec.views import place_in_definition
from framework.warehouse.refusals import name_at_fault


def check_views(run: Run, table: ObservedTable, is_retyped: bool) -> None:
    """Check that each view of the spec can be created on a table as a load would leave it.

    Raises:
        SpecError: some cannot; the message lists them with the places of their definitions.
        TransientWarehouseError: the warehouse did not answer.
    """
    trials = view_trials(run.spec, table, is_retyped)
    views = {view.view: view for view in run.spec.views}
    if not trials or _all_pass(run, trials):
        return
    found = [(views[trial.view], _mistake(run, trial)) for trial in trials]
    problems = [_problem(run.spec.path, view, mistake) for view, mistake in found if mistake is not None]
    if problems:
        raise spec_error(run.spec.path, problems)


def _all_pass(run: Run, trials: list[ViewTrial]) -> bool:
    """Return whether the first query of every view passes, in one submission."""
    queries = [trial.queries[0] for trial in trials if trial.queries]
    try:
        return not any(map(_repeated, _columns(run, queries)))
    except TransientWarehouseError:
        raise
    except WarehouseError:
        return False


def _mistake(run: Run, trial: ViewTrial) -> str | None:
    """Return the warehouse's message on why a view cannot be created; None where it can, or where that is unknown."""
    refusal: WarehouseError | None = None
    for query in trial.queries:
        try:
            repeated = _repeated(_columns(run, [query])[0])
        except TransientWarehouseError:
            raise
        except WarehouseError as error:
            refusal = error
            continue
        return None if repeated is None else f'column "{repeated}" is specified more than once'
    # A view's creator need not be allowed to query it, and a late-binding view may name relations that do not exist.
    tolerated = TOLERATED if trial.late_binding else {Cause.NOT_PERMITTED}
    return None if refusal is None or refusal.cause in tolerated else refusal.first_line


def _columns(run: Run, queries: list[str]) -> list[list[str]]:
    statements = tuple(Statement("select_query_columns", {"definition": query}) for query in queries)
    found = run.warehouse.columns_of(Transaction("try_views", statements)) if statements else []
    return [[column.name for column in columns] for columns in found]


def _repeated(columns: list[str]) -> str | None:
    return next((name for name, count in Counter(columns).items() if count > 1), None)


def _problem(path: str, view: ViewSpec, mistake: str) -> Problem:
    name = name_at_fault(mistake)
    within = None if name is None else place_in_definition(view.definition, name)
    line, column = view.place.at(within) if view.place is not None else (0, 0)
    message = f"the view {view.view} cannot be created: {mistake}"
    return Problem(path, line, column, "spec/view-definition", message, "Correct its definition.")

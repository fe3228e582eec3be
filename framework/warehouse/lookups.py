"""Answers to the planner's lookups: views that block a change, the table's design, its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from framework.errors import Cause, TransientWarehouseError, WarehouseError
from framework.model.names import TableName
from framework.model.observation import Observation, ObservedView, TableDesign, TableKey
from framework.plan.lookups import CompareViews, CountRows, FindFilledColumns, Lookup, ReadDesign, ReadViews
from framework.plan.steps import Transaction, select
from framework.warehouse.catalog_rows import (
    DEFINITION_PARTS,
    CatalogRows,
    comment_of,
    definitions_of,
    grants_of,
    hidden_grantees_of,
    is_materialized,
    read_catalog,
)
from framework.warehouse.session import WarehouseSession

_DISTSTYLES = {0: "even", 1: "key", 8: "all", 9: "auto"}
"""By reldiststyle. Source: https://docs.aws.amazon.com/redshift/latest/dg/viewing-distribution-styles.html"""


def answer(warehouse: WarehouseSession, observed: Observation, lookup: Lookup) -> Observation:
    """Return the observation with the lookup's answer.

    Raises:
        WarehouseError: the current user cannot see it in the catalog.
    """
    match lookup:
        case CountRows():
            assert observed.table is not None
            return replace(observed, row_count=count_rows(warehouse, observed.table.name))
        case ReadDesign():
            return observe_design(warehouse, observed)
        case CompareViews(definitions):
            return _compare_views(warehouse, observed, dict(definitions))
        case ReadViews(views):
            return observe_dependents(warehouse, observed, views)
        case FindFilledColumns(columns):
            return _find_filled(warehouse, observed, columns)
        case _:
            assert_never(lookup)


def observe_dependents(warehouse: WarehouseSession, observed: Observation, names: Sequence[TableName]) -> Observation:
    """Return the observation with all that restoring these views takes.

    One submission. `names` has at least one view.

    Raises:
        WarehouseError: the current user cannot see one of them.
    """
    views: dict[str, object] = {"views": names}
    statements = [
        select("select_dependents", views | DEFINITION_PARTS),
        select("select_grants", {"relations": names}),
        select("select_acls", {"relations": names}),
        select("select_dependent_columns", views),
        select("select_comments", {"relations": names}),
    ]
    shown = read_catalog(warehouse, statements)
    found = tuple(_dependents(shown))
    if missing := set(names) - {view.view for view in found}:
        raise WarehouseError(
            f"{', '.join(sorted(map(str, missing)))}: pg_views does not show the view, which blocks a change. "
            "Run the load again; if it stays so, grant the user Feedway connects as USAGE on the view's schema.",
            cause=Cause.MISSING_VIEW,
        )
    comments = tuple(comment_of(row) for row in shown.of("select_comments"))
    return replace(
        observed,
        views=(*(view for view in observed.views if view.view not in names), *found),
        comments=(*(comment for comment in observed.comments if comment.relation not in names), *comments),
    )


def _dependents(shown: CatalogRows) -> Iterator[ObservedView]:
    grants = grants_of(shown, "select_dependents")
    hidden = hidden_grantees_of(shown)
    with_column_grants = {TableName(str(row[0]), str(row[1])) for row in shown.of("select_dependent_columns")}
    definitions = definitions_of(shown.of("select_dependents"))
    for schema, name, owner, own_name, is_superuser, _ in shown.of("select_dependents"):
        view = TableName(str(schema), str(name))
        # A view has as many rows as its definition has parts.
        if (definition := definitions.pop(view, None)) is None:
            continue
        yield ObservedView(
            view,
            str(owner),
            owner == own_name,
            tuple(grants.get(view, ())),
            definition=definition,
            may_set_owner=bool(is_superuser),
            is_materialized=is_materialized(definition),
            has_column_grants=view in with_column_grants,
            hidden_grantees=hidden.get(view, ()),
        )


def observe_design(warehouse: WarehouseSession, observed: Observation) -> Observation:
    """Return the observation with the table design that a copy must have to replace the target. One submission.

    Raises:
        WarehouseError: the catalog does not show the table.
    """
    assert observed.table is not None
    table = {"table": observed.table.name}
    relations = [observed.table.name]
    statements = [
        select("select_table_design", table),
        select("select_table_keys", table),
        select("select_table_owner", {"targets": relations}),
        select("select_grants", {"relations": relations}),
        select("select_acls", {"relations": relations}),
    ]
    shown = read_catalog(warehouse, statements)
    rows = shown.of("select_table_design")
    if not rows:
        raise WarehouseError(
            f"{observed.table.name}: pg_class_info does not show the table, which must be copied. Run the load again; "
            "if it stays so, grant the user Feedway connects as USAGE on its schema."
        )
    owner, own_name, is_superuser, diststyle = rows[0]
    keys: dict[str, tuple[str, list[str]]] = {}
    for name, kind, column in shown.of("select_table_keys"):
        keys.setdefault(str(name), (str(kind).upper(), []))[1].append(str(column))
    design = TableDesign(
        owner=str(owner),
        is_own=owner == own_name,
        may_set_owner=bool(is_superuser),
        diststyle=_DISTSTYLES.get(int(diststyle or 0), "auto"),
        keys=tuple(TableKey(kind, tuple(columns)) for kind, columns in keys.values()),  # type: ignore[arg-type]
        grants=tuple(grants_of(shown, "select_table_owner").get(observed.table.name, ())),
        hidden_grantees=hidden_grantees_of(shown).get(observed.table.name, ()),
    )
    return replace(observed, design=design)


def _find_filled(warehouse: WarehouseSession, observed: Observation, names: Sequence[str]) -> Observation:
    assert observed.table is not None
    statement = select("select_filled_columns", {"table": observed.table.name, "columns": names})
    ((counts,),) = warehouse.run(Transaction("filled_columns", (statement,)))
    return replace(observed, filled=frozenset(name for name, count in zip(names, counts, strict=True) if count))


def count_rows(warehouse: WarehouseSession, table: TableName) -> int:
    """Return a table's row count."""
    shown = read_catalog(warehouse, [select("select_row_count", {"table": table})])
    return int(shown.of("select_row_count")[0][0] or 0)


def _compare_views(
    warehouse: WarehouseSession, observed: Observation, definitions: Mapping[TableName, str]
) -> Observation:
    """Return the observation with the views whose columns have the names and types of a new definition's.

    One submission each; no row is read. A definition that cannot be queried yet, because it names columns that
    the load will add, counts as different.

    Raises:
        TransientWarehouseError: the warehouse did not answer.
    """
    same = set()
    for view, definition in definitions.items():
        statements = (
            select("select_view_columns", {"view": view}),
            select("select_query_columns", {"definition": definition}),
        )
        try:
            before, after = warehouse.columns_of(Transaction("compare_view", statements))
        except TransientWarehouseError:
            raise
        except WarehouseError as error:
            warehouse.log.info("a view is recreated", view=str(view), why=error.reason)
            continue
        if before == after:
            same.add(view)
    return replace(observed, replaceable=frozenset(same), compared=frozenset(definitions))

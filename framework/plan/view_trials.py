"""The queries that test a view of the spec before anything is changed: as it is, and with substitutes.

A stand-in is a common table expression that has a relation's name and the columns it will have. So a query over
columns that a load is about to add, or over another view of the spec that is not there yet, is no mistake.
"""

from __future__ import annotations

from collections.abc import Mapping

from framework.dataclass import dataclass
from framework.model.names import TableName, identifier
from framework.model.observation import ObservedTable
from framework.plan.steps import MAX_STATEMENT_BYTES
from framework.plan.views import definitions_in_order
from framework.spec.pipeline import PipelineSpec
from framework.spec.query_text import names_relation, replace_relation

_FRAME_BYTES = 1_000
"""Bytes of a statement besides the query: the text of `select_query_columns`, and the line that names the run."""


@dataclass(frozen=True)
class ViewTrial:
    """The queries of one view, in the order in which they are tried; none where they are too long for a statement."""

    view: TableName
    late_binding: bool
    queries: tuple[str, ...]


def view_trials(spec: PipelineSpec, table: ObservedTable, is_retyped: bool) -> list[ViewTrial]:
    """Return the tests of the spec's views on the future table, each after those of the views it depends on.

    `is_retyped` says that the warehouse has the table with other types, or not at all: then only stand-ins count.
    """
    stand_ins = {spec.target.table: _empty_query(table)}
    trials = []
    for view in definitions_in_order(spec):
        with_stand_ins = _with_stand_ins(view.definition, stand_ins)
        stands_on_others = any(_names(view.definition, other) for other in stand_ins if other != spec.target.table)
        queries = [with_stand_ins] if is_retyped or stands_on_others else [view.definition, with_stand_ins]
        fitting = [query for query in queries if len(query.encode("utf-8")) <= MAX_STATEMENT_BYTES - _FRAME_BYTES]
        trials.append(ViewTrial(view.view, view.late_binding, tuple(dict.fromkeys(fitting))))
        stand_ins[view.view] = with_stand_ins
    return trials


def _empty_query(table: ObservedTable) -> str:
    columns = (f"cast(null as {column.type_text}) as {identifier(column.name)}" for column in table.columns)
    return f"select {', '.join(columns)} where false"


def _names(query: str, relation: TableName) -> bool:
    return names_relation(query, relation.schema, relation.name, with_schema=relation.schema != "public")


def _with_stand_ins(query: str, stand_ins: Mapping[TableName, str]) -> str:
    """Return the query with a substitute for each of the relations that it names."""
    named = {relation: text for relation, text in stand_ins.items() if _names(query, relation)}
    for relation in named:
        query = replace_relation(query, relation.schema, relation.name, identifier(relation.name))
    expressions = ", ".join(f"{identifier(relation.name)} as ({text}\n)" for relation, text in named.items())
    # In parentheses and with a name: the query may begin with WITH itself.
    return f"with {expressions} select * from (\n{query}\n) as tried" if named else query

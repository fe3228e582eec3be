"""One look at the warehouse: catalog, audit and view builds, in one batch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from framework.column_type import ColumnType, parse_type
from framework.errors import WarehouseError
from framework.names import TableName
from framework.plan.statements import Statement, Transaction
from framework.run_log import RunLog
from framework.schema.table import (
    OUTAGE_MARK,
    Comment,
    Grant,
    LoadHistory,
    Observation,
    ObservedTable,
    ObservedView,
    TableColumn,
    TableDesign,
    TableKey,
    ViewBuild,
    ViewDependency,
)
from framework.schema.values import FileIdentity
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.client import Caller, Row, Warehouse

_ARRIVAL_MARGIN = timedelta(seconds=1)
_ACL_ENTRY = re.compile(r'(?:^|,)(?:"((?:[^"]|"")*)"|([^"=,]*))=')
"""Who an entry of a list of privileges is about; a name that is no plain word stands in quotes."""
_DISTSTYLES = {0: "even", 1: "key", 8: "all", 9: "auto"}
"""By reldiststyle. Source: https://docs.aws.amazon.com/redshift/latest/dg/viewing-distribution-styles.html"""


@dataclass(frozen=True)
class _Look:
    """The statements of one observation, and the rows each brought, by template."""

    rows: dict[str, list[Row]]

    def of(self, template: str) -> list[Row]:
        return self.rows.get(template, [])


def observe(
    warehouse: Warehouse, spec: PipelineSpec, arrivals: Sequence[datetime], caller: Caller, log: RunLog
) -> Observation:
    """Return what the warehouse holds that a load depends on, of files that arrived at these times.

    One submission. Where Feedway's own tables are missing the batch fails as a whole; it is then
    made again without them, and `control_tables` says what there is.

    Raises:
        WarehouseError: the target exists, but none of its columns can be seen.
    """
    catalog = _catalog_statements(spec, warehouse.settings.control_schema)
    control = _control_statements(spec, warehouse.settings.control_schema, arrivals)
    try:
        look = _look(warehouse, [*catalog, *control], caller, log)
    except WarehouseError as error:
        if "does not exist" not in (error.warehouse_message or ""):
            raise
        look = _look(warehouse, catalog, caller, log)
    return _observation(spec, look)


def observe_dependents(
    warehouse: Warehouse, observed: Observation, names: Sequence[TableName], caller: Caller, log: RunLog
) -> Observation:
    """Return the observation with views that the spec does not name, as they would have to be put back.

    One submission. `names` are those of at least one view.

    Raises:
        WarehouseError: one of them cannot be seen.
    """
    views = {"views": names}
    statements = [
        Statement("select_dependents", views),
        Statement("select_grants", {"relations": names}),
        Statement("select_acls", {"relations": names}),
        Statement("select_dependent_columns", views),
        Statement("select_comments", {"relations": names}),
    ]
    look = _look(warehouse, statements, caller, log)
    found = tuple(_dependents(look))
    if missing := set(names) - {view.view for view in found}:
        raise WarehouseError(
            f"{', '.join(sorted(map(str, missing)))}: pg_views does not show the view, which stands in a change's way. "
            "Run the load again; if it stays so, grant the user Feedway connects as USAGE on the view's schema."
        )
    comments = tuple(_comment(row) for row in look.of("select_comments"))
    return replace(observed, views=(*observed.views, *found), comments=(*observed.comments, *comments))


def observe_design(warehouse: Warehouse, observed: Observation, caller: Caller, log: RunLog) -> Observation:
    """Return the observation with what a copy of the target needs to stand in its place. One submission.

    Raises:
        WarehouseError: the catalog does not show the table.
    """
    assert observed.table is not None
    table = {"table": observed.table.name}
    statements = [
        Statement("select_table_design", table),
        Statement("select_table_keys", table),
        Statement("select_table_owner", table),
        Statement("select_grants", {"relations": [observed.table.name]}),
        Statement("select_acls", {"relations": [observed.table.name]}),
    ]
    look = _look(warehouse, statements, caller, log)
    rows = look.of("select_table_design")
    if not rows:
        raise WarehouseError(
            f"{observed.table.name}: pg_class_info does not show the table, which must be copied. Run the load again; "
            "if it stays so, grant the user Feedway connects as USAGE on its schema."
        )
    owner, own_name, is_superuser, diststyle = rows[0]
    keys: dict[str, tuple[str, list[str]]] = {}
    for name, kind, column in look.of("select_table_keys"):
        keys.setdefault(str(name), (str(kind).upper(), []))[1].append(str(column))
    design = TableDesign(
        owner=str(owner),
        is_own=owner == own_name,
        may_set_owner=bool(is_superuser),
        diststyle=_DISTSTYLES.get(int(diststyle or 0), "auto"),
        keys=tuple(TableKey(kind, tuple(columns)) for kind, columns in keys.values()),  # type: ignore[arg-type]
        grants=tuple(_grants(look, "select_table_owner").get(observed.table.name, ())),
        hidden_grantees=_hidden_grantees(look).get(observed.table.name, ()),
    )
    return replace(observed, design=design)


def count_rows(warehouse: Warehouse, observed: Observation, caller: Caller, log: RunLog) -> int:
    """Return how many rows the target has."""
    assert observed.table is not None
    look = _look(warehouse, [Statement("select_row_count", {"table": observed.table.name})], caller, log)
    return int(look.of("select_row_count")[0][0] or 0)


def _look(warehouse: Warehouse, statements: Sequence[Statement], caller: Caller, log: RunLog) -> _Look:
    results = warehouse.run(Transaction("observe", tuple(statements)), caller, log)
    return _Look({statement.template: rows for statement, rows in zip(statements, results, strict=True)})


def _catalog_statements(spec: PipelineSpec, control_schema: str) -> list[Statement]:
    table = {"table": spec.target.table}
    views = [view.view for view in spec.views]
    schemas = sorted({spec.target.table.schema, *(view.schema for view in views)})
    statements = [
        Statement("select_control_tables", {"control_schema": control_schema}),
        Statement("select_schemas", {"schemas": schemas}),
        Statement("select_relation", table),
        Statement("select_columns", table),
        Statement("select_column_design", table),
        Statement("select_constraint_columns", table),
        Statement("select_view_dependencies"),
        Statement("select_comments", {"relations": [spec.target.table, *views]}),
    ]
    if spec.grants or spec.grants_exclusive:
        statements.append(Statement("select_table_owner", table))
    if views:
        statements.append(Statement("select_views", {"views": views}))
        statements.append(Statement("select_acls", {"relations": views}))
    if views or spec.grants or spec.grants_exclusive:
        statements.append(Statement("select_grants", {"relations": [spec.target.table, *views]}))
    return statements


def _control_statements(spec: PipelineSpec, control_schema: str, arrivals: Sequence[datetime]) -> list[Statement]:
    statements = [Statement("select_view_builds", {"table": TableName(control_schema, "view_builds")})]
    if arrivals:
        statements.append(
            Statement(
                "select_load_history",
                {
                    "table": TableName(control_schema, "job_sts"),
                    "target": spec.target.table,
                    # S3 tells whole seconds in a head and milliseconds in a list.
                    "first_arrival": min(arrivals) - _ARRIVAL_MARGIN,
                    "last_arrival": max(arrivals) + _ARRIVAL_MARGIN,
                    "outage_mark": OUTAGE_MARK,
                },
            )
        )
    return statements


def _observation(spec: PipelineSpec, look: _Look) -> Observation:
    return Observation(
        table=_table(spec.target.table, look),
        schemas=frozenset(str(row[0]) for row in look.of("select_schemas")),
        control_tables=frozenset(str(row[0]) for row in look.of("select_control_tables")),
        dependencies=tuple(_dependency(row) for row in look.of("select_view_dependencies")),
        views=tuple(_views(look)),
        table_grants=tuple(_grants(look, "select_table_owner").get(spec.target.table, ())),
        comments=tuple(_comment(row) for row in look.of("select_comments")),
        view_builds={
            TableName(str(row[0]), str(row[1])): ViewBuild(str(row[2]), str(row[3]))
            for row in look.of("select_view_builds")
        },
        history=_history(look),
    )


def _table(name: TableName, look: _Look) -> ObservedTable | None:
    kinds = [str(row[0]).upper() for row in look.of("select_relation")]
    if not kinds:
        return None
    if not any("TABLE" in kind for kind in kinds):
        raise WarehouseError(f"{name} is a {kinds[0].lower()}, and a load needs a table. Name another target.table.")
    columns = look.of("select_columns")
    if not columns:
        raise WarehouseError(
            f"{name} exists, but svv_columns shows none of its columns. Grant the user Feedway connects as "
            "SELECT on it: "
            f"an empty answer is never taken for an empty table."
        )
    design = {str(row[0]): row for row in look.of("select_column_design")}
    constrained = {str(row[0]) for row in look.of("select_constraint_columns")}
    return ObservedTable(name, tuple(_column(row, design, str(row[0]) in constrained) for row in columns))


def _column(row: Row, design: dict[str, Row], in_constraint: bool) -> TableColumn:
    name, data_type, length, precision, scale, is_nullable, default = row
    physical = design.get(str(name), (name, None, False, 0, None))
    column_type, type_text = _column_type(str(data_type), length, precision, scale)
    return TableColumn(
        name=str(name),
        type=column_type,
        type_text=type_text,
        nullable=str(is_nullable).upper() == "YES",
        default=None if default is None else str(default),
        encoding=None if physical[1] is None else str(physical[1]),
        is_distkey=bool(physical[2]),
        sortkey=int(physical[3] or 0),
        in_constraint=in_constraint,
        has_column_grants=bool(physical[4]),
    )


def _column_type(data_type: str, length: object, precision: object, scale: object) -> tuple[ColumnType | None, str]:
    """Return the type as a value, None where Feedway knows no such type, and as text."""
    text = data_type
    if data_type in ("numeric", "decimal"):
        text = f"decimal({precision},{scale})"
    elif data_type.startswith("character") or data_type in ("varchar", "char", "bpchar"):
        text = f"{data_type}({length})"
    try:
        parsed = parse_type(text)
    except ValueError:
        return None, text
    return parsed, parsed.sql


def _dependency(row: Row) -> ViewDependency:
    view_schema, view_name, source_schema, source_name, column = row
    return ViewDependency(
        TableName(str(view_schema), str(view_name)),
        TableName(str(source_schema), str(source_name)),
        None if column is None else str(column),
    )


def _views(look: _Look) -> Iterator[ObservedView]:
    grants = _grants(look, "select_views")
    hidden = _hidden_grantees(look)
    for schema, name, owner, own_name in look.of("select_views"):
        view = TableName(str(schema), str(name))
        own_grants = tuple(grants.get(view, ()))
        yield ObservedView(view, str(owner), owner == own_name, own_grants, hidden_grantees=hidden.get(view, ()))


def _dependents(look: _Look) -> Iterator[ObservedView]:
    grants = _grants(look, "select_dependents")
    hidden = _hidden_grantees(look)
    with_column_grants = {TableName(str(row[0]), str(row[1])) for row in look.of("select_dependent_columns")}
    for schema, name, owner, own_name, is_superuser, definition in look.of("select_dependents"):
        view = TableName(str(schema), str(name))
        yield ObservedView(
            view,
            str(owner),
            owner == own_name,
            tuple(grants.get(view, ())),
            definition=str(definition),
            may_set_owner=bool(is_superuser),
            # Source: https://github.com/awslabs/amazon-redshift-utils (v_generate_view_ddl)
            is_materialized=str(definition).lstrip().lower().startswith("create materialized view"),
            has_column_grants=view in with_column_grants,
            hidden_grantees=hidden.get(view, ()),
        )


def _grants(look: _Look, relations: str) -> dict[TableName, list[Grant]]:
    """Return the privileges by relation; `relations` is the template that tells the owners, whose own are left out."""
    grants: dict[TableName, list[Grant]] = {}
    owners = {TableName(str(row[0]), str(row[1])): str(row[2]) for row in look.of(relations)}
    for schema, name, privilege, grantee, kind, admin in look.of("select_grants"):
        view = TableName(str(schema), str(name))
        kind = str(kind).lower()
        if kind not in ("user", "group", "role", "public") or (kind == "user" and grantee == owners.get(view)):
            continue
        grants.setdefault(view, []).append(Grant(str(privilege), str(grantee), kind, bool(admin)))  # type: ignore[arg-type]
    return grants


def _hidden_grantees(look: _Look) -> dict[TableName, tuple[str, ...]]:
    """Return by relation who holds privileges on it that the asking user cannot see; a superuser sees all.

    The list of a relation names them as `ann=r/owner`, `group board=r/owner`, and the public as `=r/owner`.
    """
    visible: dict[TableName, set[str]] = {}
    for schema, name, _, grantee, _, _ in look.of("select_grants"):
        visible.setdefault(TableName(str(schema), str(name)), set()).add(str(grantee))
    hidden = {}
    for schema, name, owner, is_superuser, acl in look.of("select_acls"):
        relation = TableName(str(schema), str(name))
        found = (quoted.replace('""', '"') or plain for quoted, plain in _ACL_ENTRY.findall(str(acl or "")))
        names = [grantee.removeprefix("group ").removeprefix("role ") or "public" for grantee in found]
        unseen = sorted(set(names) - visible.get(relation, set()) - {str(owner)})
        if unseen and not is_superuser:
            hidden[relation] = tuple(unseen)
    return hidden


def _comment(row: Row) -> Comment:
    schema, name, column, text = row
    return Comment(TableName(str(schema), str(name)), None if column is None else str(column), str(text))


def _history(look: _Look) -> dict[FileIdentity, LoadHistory]:
    found: dict[FileIdentity, LoadHistory] = {}
    for bucket, key, etag, size, status, generation, count in look.of("select_load_history"):
        identity = FileIdentity(str(bucket), str(key), str(etag), int(cast(int, size)))
        before = found.get(identity, LoadHistory())
        if status == "SUCCESS":
            found[identity] = LoadHistory(int(cast(int, generation)), before.failures)
        else:
            found[identity] = LoadHistory(before.generation, int(cast(int, count)))
    return found

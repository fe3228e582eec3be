"""The observations of loads: catalog, audit and view builds, read in one batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from framework.dataclass import dataclass
from framework.errors import Cause, WarehouseError
from framework.model.csv_options import Format
from framework.model.files import FileIdentity
from framework.model.names import TableName
from framework.model.observation import (
    OUTAGE_MARK,
    LoadHistory,
    Observation,
    ObservedTable,
    ObservedView,
    PastLoad,
    TableColumn,
    ViewBuild,
    ViewDependency,
)
from framework.plan.change_log import INFERRED, SOURCE_FORMAT
from framework.plan.journal_rows import entries_of
from framework.plan.schema_changes import CREATED
from framework.plan.spelling_rows import SPELLINGS
from framework.plan.steps import MAX_STATEMENT_BYTES, Statement, in_portions, select
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.catalog_rows import (
    CatalogRows,
    column_type_of,
    comment_of,
    grants_of,
    hidden_grantees_of,
    is_materialized,
    read_catalog,
)
from framework.warehouse.client import Row
from framework.warehouse.control_tables import SHARED_TABLES
from framework.warehouse.session import WarehouseSession
from framework.warehouse.view_journal import journal_row, select_journal

_ETAGS_PER_STATEMENT = 1500
_MOST_ETAGS = 20 * _ETAGS_PER_STATEMENT
"""Maximum number of files whose history is read, which fits a batch; the merge's guard catches the rest."""
_BYTES_OF_TEMPLATES = 10_000
_STATEMENTS_WITH_TARGETS = 11
_STATEMENTS_WITH_VIEWS = 5
_BYTES_PER_NAME = 60
_BYTES_PER_ETAG = 50
"""Estimates, rather too high, of what a batch's texts are made of."""


@dataclass(frozen=True)
class ToObserve:
    """A pipeline whose target is to be observed, with the history of the files that have these ETags."""

    spec: PipelineSpec
    etags: Sequence[str]

    @property
    def target(self) -> TableName:
        """The pipeline's target."""
        return self.spec.target.table

    @property
    def views(self) -> list[TableName]:
        """The names of the pipeline's views."""
        return [view.view for view in self.spec.views]

    @property
    def reads_grants(self) -> bool:
        """Whether the pipeline's spec says who may read the target."""
        return bool(self.spec.grants or self.spec.grants_exclusive)


def observe(warehouse: WarehouseSession, spec: PipelineSpec, etags: Iterable[str]) -> Observation:
    """Return what the warehouse holds that a load depends on: see `observe_all`.

    Raises:
        WarehouseError: the target exists, but none of its columns can be seen.
    """
    (found,) = observe_all(warehouse, [ToObserve(spec, tuple(etags))])
    if isinstance(found, WarehouseError):
        raise found
    return found


def observe_all(
    warehouse: WarehouseSession, feeds: Sequence[ToObserve], attempts: int | None = None
) -> list[Observation | WarehouseError]:
    """Return what the warehouse holds that loads of these pipelines depend on; in its place, why a target is unusable.

    One submission for as many pipelines as its texts have room for. It reads the catalog and the control tables that
    all pipelines share, but no ledger, which a load locks until it ends. Where a control table is missing the whole
    batch fails; then one submission reads the catalog, and another the control tables that exist, which
    `control_tables` lists.
    """
    portions = in_portions(feeds, _bytes_of, MAX_STATEMENT_BYTES - _BYTES_OF_TEMPLATES)
    return [found for portion in portions for found in _observe_portion(warehouse, portion, attempts)]


def _bytes_of(feed: ToObserve) -> int:
    """Return about how many bytes a pipeline adds to the texts of the statements."""
    target, *views = (_BYTES_PER_NAME + len(str(name).encode()) for name in (feed.target, *feed.views))
    names = _STATEMENTS_WITH_TARGETS * target + _STATEMENTS_WITH_VIEWS * sum(views)
    return names + _BYTES_PER_ETAG * len(feed.etags)


def _observe_portion(
    warehouse: WarehouseSession, feeds: Sequence[ToObserve], attempts: int | None
) -> Iterator[Observation | WarehouseError]:
    catalog = _catalog_statements(feeds, warehouse.control_schema)
    control = _control_statements(feeds, warehouse.control_schema)
    try:
        shown = read_catalog(warehouse, [*catalog, *control], attempts)
    except WarehouseError as error:
        if error.cause is not Cause.MISSING_RELATION:
            raise
        shown = read_catalog(warehouse, catalog, attempts)
        there = {str(row[0]) for row in shown.of("select_control_tables")}
        readable = [statement for statement in control if _table_of(statement).name in there]
        if readable:
            shown = CatalogRows({**shown.rows, **read_catalog(warehouse, readable, attempts).rows})
    common = _common(shown)
    for feed in feeds:
        try:
            yield _observation(feed, shown, common)
        except WarehouseError as error:
            yield error


def _table_of(statement: Statement) -> TableName:
    return cast(TableName, statement.values["table"])


def _catalog_statements(feeds: Sequence[ToObserve], control_schema: str) -> list[Statement]:
    targets = _distinct(feed.target for feed in feeds)
    of_targets = {"targets": targets}
    views = _distinct(view for feed in feeds for view in feed.views)
    granted = _distinct(feed.target for feed in feeds if feed.reads_grants)
    schemas = sorted({name.schema for feed in feeds for name in (feed.target, *feed.views)})
    statements = [
        select("select_control_tables", {"control_schema": control_schema, "shared": SHARED_TABLES}),
        select("select_schemas", {"schemas": schemas}),
        select("select_relation", of_targets),
        select("select_columns", of_targets),
        select("select_column_design", of_targets),
        select("select_constraint_columns", of_targets),
        select("select_view_dependencies"),
        select("select_comments", {"relations": [*targets, *views]}),
    ]
    if granted:
        statements.append(select("select_table_owner", {"targets": granted}))
    if views:
        statements.append(select("select_views", {"views": views}))
        statements.append(select("select_acls", {"relations": views}))
        statements.append(select("select_dependent_columns", {"views": views}))
    if views or granted:
        statements.append(select("select_grants", {"relations": [*granted, *views]}))
    return statements


def _distinct(names: Iterable[TableName]) -> list[TableName]:
    return list(dict.fromkeys(names))


def _control_statements(feeds: Sequence[ToObserve], control_schema: str) -> list[Statement]:
    targets = _distinct(feed.target for feed in feeds)
    etags = list(dict.fromkeys(etag for feed in feeds for etag in feed.etags))[:_MOST_ETAGS]
    history = {"table": TableName(control_schema, "job_sts"), "targets": targets, "outage_mark": OUTAGE_MARK}
    return [
        select("select_view_builds", {"table": TableName(control_schema, "view_builds")}),
        select_journal(control_schema, targets),
        select("select_column_spellings", {"table": TableName(control_schema, SPELLINGS), "targets": targets}),
        select("select_remembered", {"table": TableName(control_schema, "schema_changes"), "targets": targets}),
        *(
            select("select_load_history", history | {"etags": etags[start : start + _ETAGS_PER_STATEMENT]})
            for start in range(0, len(etags), _ETAGS_PER_STATEMENT)
        ),
    ]


def _common(shown: CatalogRows) -> Observation:
    """Return the part of the observation that is the same for all pipelines."""
    return Observation(
        table=None,
        schemas=frozenset(str(row[0]) for row in shown.of("select_schemas")),
        control_tables=frozenset(str(row[0]) for row in shown.of("select_control_tables")),
        control_columns=frozenset(
            (str(table), str(column)) for table, column in shown.of("select_control_tables") if column is not None
        ),
        dependencies=tuple(_dependency(row) for row in shown.of("select_view_dependencies")),
        views=tuple(_views(shown)),
        comments=tuple(comment_of(row) for row in shown.of("select_comments")),
        view_builds={
            TableName(str(row[0]), str(row[1])): ViewBuild(str(row[2]), str(row[3]))
            for row in shown.of("select_view_builds")
        },
        journal=entries_of(map(journal_row, shown.of("select_view_journal"))),
    )


def _observation(feed: ToObserve, shown: CatalogRows, common: Observation) -> Observation:
    target = feed.target
    own = {target, *feed.views}
    grants = grants_of(shown, "select_table_owner") if feed.reads_grants else {}
    return replace(
        common,
        table=_table(target, shown),
        schemas=common.schemas & {name.schema for name in own},
        views=tuple(view for view in common.views if view.view in own),
        table_grants=tuple(grants.get(target, ())),
        comments=tuple(comment for comment in common.comments if comment.relation in own),
        history=_history(target, shown),
        spellings={str(column): str(sha256) for column, sha256 in shown.of_target("select_column_spellings", target)},
        source_format=_source_format(feed, shown),
        journal=tuple(entry for entry in common.journal if entry.target == target),
    )


def _table(name: TableName, shown: CatalogRows) -> ObservedTable | None:
    kinds = [str(row[0]).upper() for row in shown.of_relation("select_relation", name)]
    if not kinds:
        return None
    if not any("TABLE" in kind for kind in kinds):
        raise WarehouseError(f"{name} is a {kinds[0].lower()}, and a load needs a table. Name another target.table.")
    columns = shown.of_relation("select_columns", name)
    if not columns:
        raise WarehouseError(
            f"{name} exists, but svv_columns shows none of its columns. Grant the user Feedway connects as "
            "SELECT on it: "
            f"an empty answer is never taken for an empty table."
        )
    inferred = _inferred_columns(name, shown)
    design = {str(row[0]): row for row in shown.of_relation("select_column_design", name)}
    constrained = {str(row[0]) for row in shown.of_relation("select_constraint_columns", name)}
    found = (_column(row, design, str(row[0]) in constrained) for row in columns)
    return ObservedTable(name, tuple(replace(column, is_inferred=column.name in inferred) for column in found))


def _inferred_columns(target: TableName, shown: CatalogRows) -> frozenset[str]:
    """Return the columns whose DOUBLE or REAL was inferred, by the rows since the table was last created."""
    found: set[str] = set()
    for change, column, _, _ in shown.of_target("select_remembered", target):
        if change == CREATED:
            found.clear()
        elif change == INFERRED:
            found.add(str(column))
    return frozenset(found)


def _source_format(feed: ToObserve, shown: CatalogRows) -> Format | None:
    """Return the format that the pipeline's first load into the table as it is has decided."""
    found: Format | None = None
    for change, _, pipeline, name in shown.of_target("select_remembered", feed.target):
        if change == CREATED:
            found = None
        elif change == SOURCE_FORMAT and pipeline == feed.spec.pipeline:
            found = cast(Format, name)
    return found if shown.of_relation("select_relation", feed.target) else None


def _column(row: Row, design: dict[str, Row], in_constraint: bool) -> TableColumn:
    name, data_type, length, precision, scale, is_nullable, default = row
    physical = design.get(str(name), (name, None, False, 0, None, None))
    column_type, type_text = column_type_of(str(data_type), length, precision, scale)
    if column_type is None and "(" not in type_text and physical[5] is not None:
        # This catalog spells the length out.
        type_text = str(physical[5])
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


def _dependency(row: Row) -> ViewDependency:
    view_schema, view_name, source_schema, source_name, column = row
    return ViewDependency(
        TableName(str(view_schema), str(view_name)),
        TableName(str(source_schema), str(source_name)),
        None if column is None else str(column),
    )


def _views(shown: CatalogRows) -> Iterator[ObservedView]:
    grants = grants_of(shown, "select_views")
    hidden = hidden_grantees_of(shown)
    with_column_grants = {TableName(str(row[0]), str(row[1])) for row in shown.of("select_dependent_columns")}
    for schema, name, owner, own_name, definition in shown.of("select_views"):
        view = TableName(str(schema), str(name))
        yield ObservedView(
            view,
            str(owner),
            owner == own_name,
            tuple(grants.get(view, ())),
            is_materialized=is_materialized(str(definition)),
            has_column_grants=view in with_column_grants,
            hidden_grantees=hidden.get(view, ()),
        )


def _history(target: TableName, shown: CatalogRows) -> dict[FileIdentity, LoadHistory]:
    found: dict[FileIdentity, LoadHistory] = {}
    for row in shown.of_target("select_load_history", target):
        bucket, key, etag, size, status, generation, run_id, ended, rows_read = row
        identity = FileIdentity(str(bucket), str(key), str(etag), int(cast(int, size)))
        before = found.get(identity, LoadHistory())
        if status == "SUCCESS":
            loaded_at = datetime.fromisoformat(str(ended)).replace(tzinfo=UTC)
            load = PastLoad(int(generation or 0), str(run_id), loaded_at, int(rows_read or 0))
            found[identity] = LoadHistory((*before.loads, load), before.failures)
        else:
            found[identity] = LoadHistory(before.loads, before.failures + 1)
    return found

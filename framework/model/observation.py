"""The target and its surroundings as the warehouse's catalog shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from framework.model.column_type import ColumnType, Kind
from framework.model.files import FileIdentity
from framework.model.names import TableName


@dataclass(frozen=True)
class TableColumn:
    """A column of the target. `type` is None where Feedway cannot load it; `type_text` always says it.

    `sortkey` is the column's place in the sort key, 0 if it has none. `default` is SQL text. `is_inferred`: Feedway
    chose the type from the values alone, as the log of schema changes says.
    """

    name: str
    type: ColumnType | None
    type_text: str
    nullable: bool
    default: str | None = None
    encoding: str | None = None
    is_distkey: bool = False
    sortkey: int = 0
    in_constraint: bool = False
    has_column_grants: bool = False
    is_inferred: bool = False

    @property
    def is_inferred_double(self) -> bool:
        """Whether nobody asked for a type that rounds, so that it must not."""
        return self.is_inferred and self.type is not None and self.type.kind is Kind.DOUBLE

    @property
    def is_identity(self) -> bool:
        """Whether the warehouse numbers the column itself, so that no load may name it."""
        return self.default is not None and "identity" in self.default.lower()


@dataclass(frozen=True)
class ObservedTable:
    """The target table; it has at least one column."""

    name: TableName
    columns: tuple[TableColumn, ...]

    def column(self, name: str) -> TableColumn | None:
        """Return the column of a name, if the table has it."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class TableKey:
    """A PRIMARY KEY or UNIQUE constraint, which Redshift does not enforce."""

    kind: Literal["PRIMARY KEY", "UNIQUE", "FOREIGN KEY"]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class TableDesign:
    """What a copy of the target needs beside its columns, to stand in its place.

    `diststyle` is auto, even, all or key. `may_set_owner` says that the copy can be given to the
    table's owner.
    """

    owner: str
    is_own: bool
    may_set_owner: bool
    diststyle: str
    keys: tuple[TableKey, ...]
    grants: tuple[Grant, ...]
    hidden_grantees: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grant:
    """A privilege somebody else than the owner holds on a table or view."""

    privilege: str
    grantee: str
    grantee_kind: Literal["user", "group", "role", "public"]
    with_grant_option: bool


@dataclass(frozen=True)
class ViewDependency:
    """A bound view uses a column of a table or view; `column` is None where the catalog names none."""

    view: TableName
    source: TableName
    column: str | None


@dataclass(frozen=True)
class ObservedView:
    """A view that exists: one of the spec, or one that was looked at because it is in a change's way.

    `definition` is its query, None for a view of the spec, whose definition the spec has. `may_set_owner`
    says that the view can be given back to its owner after it was created anew. `hidden_grantees` hold
    privileges that Feedway's user cannot see.
    """

    view: TableName
    owner: str
    is_own: bool
    grants: tuple[Grant, ...]
    definition: str | None = None
    may_set_owner: bool = False
    is_materialized: bool = False
    has_column_grants: bool = False
    hidden_grantees: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comment:
    """A comment on a relation, or on one of its columns."""

    relation: TableName
    column: str | None
    text: str


@dataclass(frozen=True)
class JournalEntry:
    """A view that is down, and the run that took it down for a change of the target.

    `view` is as it was, with its definition. `place` counts from the lowest of those that were taken down
    together. `is_of_spec` says that a spec names the view, so that it may be there in another form meanwhile.
    """

    run_id: str
    pipeline: str
    target: TableName
    place: int
    view: ObservedView
    comments: tuple[Comment, ...]
    is_of_spec: bool

    @property
    def key(self) -> tuple[str, TableName]:
        """What no other entry has."""
        return self.run_id, self.view.view


@dataclass(frozen=True)
class ViewBuild:
    """From what a view of the spec was last built."""

    definition_sha256: str
    columns_sha256: str


OUTAGE_MARK = "outage: "
"""Opens the message of a FAILED row that an outage is to blame for; such rows do not count as attempts."""


@dataclass(frozen=True)
class PastLoad:
    """A load of a file that has succeeded; its time is UTC."""

    generation: int
    run_id: str
    loaded_at: datetime
    rows_read: int


@dataclass(frozen=True)
class LoadHistory:
    """What the audit says of one file identity; `failures` counts those that no outage is to blame for."""

    loads: tuple[PastLoad, ...] = ()
    failures: int = 0

    @property
    def generation(self) -> int:
        """The highest generation that was loaded, 0 for none."""
        return max((load.generation for load in self.loads), default=0)


@dataclass(frozen=True)
class Observation:
    """What one look at the warehouse found; `table` is None where the target does not exist.

    `control_tables` are the names of Feedway's own tables that exist, `control_columns` the (table, column) names of
    those that all pipelines share. `journal` are views on the target that a run has dropped. `spellings` holds the
    digest of the header that each column was created for, as far as it is known.

    What the planner asks for is None, or empty, until it is looked up: the `design` of a target that must be copied,
    its `row_count`, which of its columns are `filled`, and of the `compared` views the `replaceable` ones, whose
    columns stay the same.
    """

    table: ObservedTable | None
    schemas: frozenset[str]
    control_tables: frozenset[str]
    control_columns: frozenset[tuple[str, str]] = frozenset()
    dependencies: tuple[ViewDependency, ...] = ()
    views: tuple[ObservedView, ...] = ()
    table_grants: tuple[Grant, ...] = ()
    comments: tuple[Comment, ...] = ()
    view_builds: Mapping[TableName, ViewBuild] = field(default_factory=dict)
    history: Mapping[FileIdentity, LoadHistory] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=dict)
    design: TableDesign | None = None
    journal: tuple[JournalEntry, ...] = ()
    replaceable: frozenset[TableName] = frozenset()
    compared: frozenset[TableName] = frozenset()
    row_count: int | None = None
    filled: frozenset[str] | None = None

    def history_of(self, identity: FileIdentity) -> LoadHistory:
        """Return what is known of a file; a file never seen has loaded and failed zero times."""
        return self.history.get(identity, LoadHistory())


AuditStatus = Literal["STARTED", "SUCCESS", "FAILED", "SKIPPED"]


@dataclass(frozen=True)
class AuditRow:
    """One row of JOB_STS, as a load that has not (yet) merged writes it. Times are UTC."""

    run_id: str
    job_id: str | None
    pipeline: str
    started_at: datetime
    ended_at: datetime | None
    source: FileIdentity
    source_modified_at: datetime
    generation: int
    target: TableName
    status: AuditStatus
    error_message: str | None
    spec_sha256: str
    warnings: str | None = None
    """The load's warnings as a JSON array; None where there are none."""

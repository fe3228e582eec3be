"""The target, its views, privileges and audit, as observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Literal

from framework.dataclass import dataclass
from framework.model.column_type import ColumnType
from framework.model.csv_options import Format
from framework.model.failure import FailureKind
from framework.model.files import FileIdentity
from framework.model.names import TableName


@dataclass(frozen=True)
class TableColumn:
    """A column of the target. `type` is None where Feedway cannot load it; `type_text` is always set.

    `sortkey` is the column's place in the sort key, 0 if it has none. `default` is SQL text. `is_inferred`: Feedway
    chose the type from the values or the file alone, as the log of schema changes says.
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
    def is_inferred_float(self) -> bool:
        """Whether the values must stay exact: DOUBLE or REAL was inferred, not declared."""
        return self.is_inferred and self.type is not None and self.type.kind.is_float

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
    """The properties, besides its columns, that a copy of the target must have to replace it.

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
    """A privilege on a table or view that another grantee than the owner holds."""

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
    """An existing view: one of the spec, or one that was read because it blocks a change.

    `definition` is its query, None for a view of the spec, whose definition the spec has. `may_set_owner`:
    Feedway's user may restore the view's owner. `hidden_grantees` hold privileges that Feedway's user cannot see.
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
    """A dropped view, and the run that dropped it for a change of the target.

    `view` is the view before the drop, with its definition. `place` is its position among the views that were
    dropped together, from the lowest. `is_of_spec`: a spec names the view, so that it may exist in another form.
    `invocation_id` is None in an entry of an earlier release.
    """

    run_id: str
    invocation_id: str | None
    pipeline: str
    target: TableName
    place: int
    view: ObservedView
    comments: tuple[Comment, ...]
    is_of_spec: bool

    @property
    def key(self) -> tuple[str, TableName]:
        """The run and the view, which together are unique."""
        return self.run_id, self.view.view


@dataclass(frozen=True)
class ViewBuild:
    """The definition and columns that a view of the spec was last built from."""

    definition_sha256: str
    columns_sha256: str


OUTAGE_MARK = "outage: "
"""Begins the message of a FAILED row that an outage caused; such rows do not count as attempts."""


@dataclass(frozen=True)
class PastLoad:
    """A load of a file that has succeeded; its time is UTC."""

    generation: int
    run_id: str
    loaded_at: datetime
    rows_read: int


@dataclass(frozen=True)
class LoadHistory:
    """The audit's loads and failures of one file identity; `failures` excludes outages."""

    loads: tuple[PastLoad, ...] = ()
    failures: int = 0

    @property
    def generation(self) -> int:
        """The highest generation that was loaded, 0 for none."""
        return max((load.generation for load in self.loads), default=0)


@dataclass(frozen=True)
class Observation:
    """The state of the warehouse as a load observes it; `table` is None where the target does not exist.

    `control_tables` are the names of Feedway's own tables that exist, `control_columns` the (table, column) names of
    those that all pipelines share. `journal` are views on the target that a run has dropped. `spellings` holds the
    digest of the header that each column was created for, as far as it is known. `source_format` is the format that the
    pipeline's first load into the table decided, None where none has.

    The planner's lookups are None, or empty, until they are answered: the `design` of a target that must be copied,
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
    source_format: Format | None = None
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
    invocation_id: str
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
    failure: FailureKind | None = None
    """The kind of failure of a FAILED row; None where it is not known."""

"""What a load stages: which columns, of which types, from where; and what it asks of the table.

Pure decisions over the spec, the observed table and the batch, made before the rows are read; what
staging then sees of them may ask for more (`schema/measured.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from framework.column_type import MAX_VARCHAR_BYTES, ColumnType, Kind, can_widen, varchar, widenings_of
from framework.errors import SchemaChangeError, SpecError
from framework.schema.changes import NewColumn, Widening
from framework.schema.fit import file_columns
from framework.schema.missing import Fill, missing_column_warnings, plan_fill, probable_renames, rename_warning
from framework.schema.settle import SettledType, settle_type
from framework.schema.table import ObservedTable, TableColumn
from framework.schema.values import (
    ColumnProfile,
    FileName,
    FromFile,
    LoadWarning,
    RunDate,
    SourceBatch,
    StagingColumn,
)
from framework.schema.widening import may_become_text
from framework.spec.pipeline import PipelineSpec

FILE_NAME_TYPE = varchar(1024)
RUN_DATE_TYPE = ColumnType(Kind.TIMESTAMP)


@dataclass(frozen=True)
class StagingPlan:
    """The staging columns, and what follows from them for the table.

    `widenable` names the columns whose type may still grow after measuring, `convertible` those that
    may become text.
    """

    columns: tuple[StagingColumn, ...]
    new_columns: tuple[NewColumn, ...]
    widenings: tuple[Widening, ...]
    fills: tuple[Fill, ...]
    ignored: tuple[str, ...]
    widenable: frozenset[str]
    convertible: frozenset[str]
    warnings: tuple[LoadWarning, ...] = ()


def columns_to_profile(spec: PipelineSpec, table: ObservedTable | None, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns whose type neither the table nor the spec settles."""
    known = {column.name for column in table.columns} if table else set()
    unknown = [name for name in names if name not in known and name not in spec.types.columns]
    return tuple(name for name in unknown if table is None or spec.evolution.of(name).new_columns == "add")


def plan_staging(
    spec: PipelineSpec,
    table: ObservedTable | None,
    batch: SourceBatch,
    profiles: Mapping[str, ColumnProfile],
    run_date: datetime,
) -> StagingPlan:
    """Decide what the batch stages, from the table as it is and the profiles of what it lacks.

    Raises:
        SourceFileError: a file lacks or has columns that the spec says it must not.
        SpecError: the spec's type of a column is not the table's, which cannot be widened to it.
        SchemaChangeError: the table has a type that cannot be loaded.
    """
    planner = _Planner(spec, table, batch, profiles)
    names = file_columns(spec, batch)
    columns = [planner.column(name) for name in names if not planner.ignores(name)]
    columns += planner.missing_columns(names)
    columns += planner.metadata_columns(run_date)
    return StagingPlan(
        tuple(columns),
        tuple(planner.new_columns),
        tuple(planner.widenings),
        tuple(planner.fills),
        tuple(planner.ignored),
        frozenset(planner.widenable),
        frozenset(planner.convertible),
        tuple(planner.warnings()),
    )


class _Planner:
    """Collects the decisions of one `plan_staging`."""

    def __init__(
        self,
        spec: PipelineSpec,
        table: ObservedTable | None,
        batch: SourceBatch,
        profiles: Mapping[str, ColumnProfile],
    ) -> None:
        self.spec = spec
        self.table = table
        self.batch = batch
        self.profiles = profiles
        self.new_columns: list[NewColumn] = []
        self.widenings: list[Widening] = []
        self.fills: list[Fill] = []
        self.ignored: list[str] = []
        self.widenable: set[str] = set()
        self.convertible: set[str] = set()

    def ignores(self, name: str) -> bool:
        """Say whether the policy for new columns passes over this one."""
        if self.table is None or self.table.column(name) is not None:
            return False
        policy = self.spec.evolution.of(name).new_columns
        if policy == "reject":
            raise SchemaChangeError(
                f"{self.spec.target.table}: the file brings a new column {name!r}, for which evolution.new_columns is "
                "reject. "
                f"Set it to add or ignore, or list the column under columns.exclude."
            )
        if policy == "ignore":
            self.ignored.append(name)
        return policy == "ignore"

    def column(self, name: str) -> StagingColumn:
        """Return the staging column of one file column."""
        observed = self.table.column(name) if self.table else None
        staged = self._new_column(name) if observed is None else self._known_column(observed)
        lacking = self._files_without(name)
        if lacking and observed is not None:
            return replace(staged, value=FromFile(self._fill(observed, lacking)))
        return staged

    def missing_columns(self, names: tuple[str, ...]) -> list[StagingColumn]:
        """Return the staging columns that stand in for table columns no file has."""
        if self.table is None:
            return []
        metadata = self.spec.metadata_columns
        present = {*names, metadata.run_date, metadata.file_name}
        absent = [column for column in self.table.columns if column.name not in present and not column.is_identity]
        if self.spec.load.mode == "append":
            # Rows that are only added take the table's own default in a column nobody can write.
            absent = [column for column in absent if column.type is not None]
        return [self._absent_column(column) for column in absent]

    def warnings(self) -> Iterator[LoadWarning]:
        """Yield what the owner of the feed should know of columns that are missing, renamed or there twice."""
        yield from self.batch.warnings
        yield from missing_column_warnings(self.spec, self.fills, self.batch.files)
        if self.table is None:
            return
        lacking = {
            fill.column
            for fill in self.fills
            if len(fill.files) == len(self.batch.files)
            and self.spec.evolution.of(fill.column).missing_columns.written_for != "column"
        }
        missing = {column.name: column.type for column in self.table.columns if column.name in lacking}
        new: dict[str, ColumnType | None] = {column.name: column.type for column in self.new_columns}
        # A name that the spec gives is meant.
        names = {*self.profiles, *self.ignored} - set(self.spec.columns.rename.values())
        renames = probable_renames(missing, {name: new.get(name) for name in (*new, *self.ignored) if name in names})
        if renames:
            yield rename_warning(renames)

    def metadata_columns(self, run_date: datetime) -> list[StagingColumn]:
        """Return the columns Feedway adds; the table's own type is kept where it has them."""
        wanted = (
            (self.spec.metadata_columns.run_date, RUN_DATE_TYPE, RunDate(run_date)),
            (self.spec.metadata_columns.file_name, FILE_NAME_TYPE, FileName()),
        )
        columns = []
        for name, column_type, value in wanted:
            if name is None:
                continue
            observed = self.table.column(name) if self.table else None
            if observed is None:
                self.new_columns.append(NewColumn(name, column_type, True, "metadata column"))
            elif observed.type is None or observed.type.kind is not column_type.kind:
                raise SchemaChangeError(
                    f"{self.spec.target.table}: the metadata column {name!r} is {observed.type_text} in the table and "
                    f"must be {column_type}. Give it another name in metadata_columns, or turn it off with null."
                )
            columns.append(StagingColumn(name, observed.type if observed and observed.type else column_type, value))
        return columns

    def _new_column(self, name: str) -> StagingColumn:
        is_key = name in self.spec.load.keys
        declared = self.spec.types.columns.get(name)
        if declared is not None:
            settled, text_format = SettledType(declared.type, "declared in the spec"), declared.format
        else:
            settled, text_format = settle_type(name, self.profiles[name], self.spec.types.rules, is_key), None
        self.new_columns.append(NewColumn(name, settled.type, not is_key, settled.reason, settled.is_inferred))
        return StagingColumn(name, settled.type, FromFile(), text_format, required=is_key)

    def _known_column(self, observed: TableColumn) -> StagingColumn:
        name = observed.name
        column_type = self._loadable_type(observed)
        declared = self.spec.types.columns.get(name)
        required = name in self.spec.load.keys or not observed.nullable
        if declared is not None:
            self._widen_to_declared(observed, column_type, declared.type)
            return StagingColumn(name, declared.type, FromFile(), declared.format, required)
        policy = self.spec.evolution.of(name)
        if policy.type_conflicts == "to_text" and may_become_text(self.spec, name, column_type):
            self.convertible.add(name)
        if policy.wider_values != "reject" and column_type.kind is not Kind.CHAR:
            self.widenable.add(name)
        if name in self.widenable and column_type.kind is Kind.VARCHAR:
            measured = column_type.length_bytes != MAX_VARCHAR_BYTES
            return StagingColumn(name, varchar(MAX_VARCHAR_BYTES), FromFile(), None, required, measured)
        return StagingColumn(name, column_type, FromFile(), None, required, exact=observed.is_inferred_double)

    def _loadable_type(self, observed: TableColumn) -> ColumnType:
        if observed.type is None:
            raise SchemaChangeError(
                f"{self.spec.target.table}: the column {observed.name!r} is {observed.type_text}, which "
                "Feedway cannot load. "
                f"List it under columns.exclude, and it is left as it is."
            )
        return observed.type

    def _widen_to_declared(self, observed: TableColumn, current: ColumnType, declared: ColumnType) -> None:
        if current == declared:
            return
        if not can_widen(current, declared):
            name = observed.name
            message = (
                f"{self.spec.path}: types.columns.{name} is {declared}, which is no widening of {current}, its type in "
                f"{self.spec.target.table}. {widenings_of(current)}"
            )
            if declared.kind is Kind.VARCHAR and may_become_text(self.spec, name, current):
                message += (
                    f" To have the column become text, remove types.columns.{name} and set "
                    f"evolution.columns.{name}.type_conflicts: to_text: the first value that needs it does that."
                )
            raise SpecError(message)
        self.widenings.append(Widening(observed.name, current, declared, "declared in the spec"))

    def _absent_column(self, observed: TableColumn) -> StagingColumn:
        everywhere = tuple(layout.ordinal for layout in self.batch.files)
        if observed.type is None:
            raise SchemaChangeError(
                f"{self.spec.target.table}: the column {observed.name!r} is {observed.type_text}, which "
                "Feedway cannot write, "
                f"and rows are replaced whole. Load into a table without it, and join the column in a view."
            )
        fill = self._fill(observed, everywhere)
        return StagingColumn(observed.name, observed.type, FromFile(fill))

    def _files_without(self, name: str) -> tuple[int, ...]:
        return tuple(layout.ordinal for layout in self.batch.files if name not in layout.columns)

    def _fill(self, observed: TableColumn, files: tuple[int, ...]) -> str | None:
        fill = plan_fill(self.spec, observed, [self.batch.files[ordinal] for ordinal in files])
        self.fills.append(fill)
        return fill.value

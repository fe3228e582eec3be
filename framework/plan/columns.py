"""The columns of a load, each one value from the header to the statements.

`plan_columns` decides before the rows are read. What staging then sees of the values may ask the target for more
(plan/measured.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from framework.dataclass import dataclass
from framework.errors import SchemaChangeError, Section, SpecError
from framework.model.column_type import MAX_VARCHAR_BYTES, ColumnType, Kind, can_widen, varchar, widenings_of
from framework.model.file_options import JsonOptions, Nested, ParquetOptions
from framework.model.files import FileLayout, SourceBatch
from framework.model.load_warning import LoadWarning
from framework.model.measurements import ColumnProfile
from framework.model.notation import Notation
from framework.model.observation import ObservedTable, TableColumn
from framework.model.staging import Constant, FileName, FromFile, RunDate, StagingColumn
from framework.plan.evidence import evidence_of
from framework.plan.file_types import file_types
from framework.plan.fit import file_columns
from framework.plan.infer_type import SettledType, settle_file_type, settle_type
from framework.plan.missing import (
    Fill,
    fill_unloadable,
    missing_column_warnings,
    plan_fill,
    probable_renames,
    refuse_lacking,
    rename_warning,
    unloadable_warnings,
)
from framework.plan.null_markers import null_marker_warnings
from framework.plan.schema_changes import NewColumn, Widening
from framework.plan.type_reason import DECLARED, METADATA, OF_TABLE, TypeReason
from framework.plan.widen_type import may_become_text
from framework.spec.pipeline import PipelineSpec

FILE_NAME_TYPE = varchar(1024)
RUN_DATE_TYPE = ColumnType(Kind.TIMESTAMP)


@dataclass(frozen=True)
class PlannedColumn:
    """A column of the load: its staging column, and its column and change in the target.

    `target_type` is its type in the target once `change` is made, and in the staging table. Without a `change` the
    target keeps the column as it is. `fill` is for the rows of files without the column. `may_widen` and
    `may_become_text`: the measured values may ask for a change of that kind.
    """

    staged: StagingColumn
    target_type: ColumnType
    change: NewColumn | Widening | None = None
    fill: Fill | None = None
    may_widen: bool = False
    may_become_text: bool = False

    @property
    def name(self) -> str:
        """The column's name in the staging files, the staging table and the target."""
        return self.staged.name

    @property
    def current_type(self) -> ColumnType:
        """The type that the target's column has before it is widened."""
        return self.change.current if isinstance(self.change, Widening) else self.target_type

    @property
    def becomes_text(self) -> bool:
        """Whether the target's column was no text and becomes one."""
        return self.target_type.is_text and not self.current_type.is_text

    @property
    def reason(self) -> TypeReason:
        """Why the target's column has its type."""
        return OF_TABLE if self.change is None else self.change.reason

    def widened(self, wanted: ColumnType, reason: TypeReason) -> PlannedColumn:
        """Return the column with a wider type in the target, in place of any it was widened to before."""
        return replace(self, target_type=wanted, change=Widening(self.name, self.current_type, wanted, reason))


@dataclass(frozen=True)
class UnloadableColumn:
    """A column of the target of a type that Feedway cannot load; the staging table has it, and no staging file.

    Rows keep what they hold in it, as far as they replace one.
    """

    name: str
    type_text: str
    fill: Fill


@dataclass(frozen=True)
class ColumnPlan:
    """The columns of a load: those of its files, those that no file has, the metadata columns.

    `kept` are columns of the target that nothing can be loaded into, where rows replace others. `ignored` are columns
    of the files that the target lacks and the spec does not want.
    """

    columns: tuple[PlannedColumn, ...]
    kept: tuple[UnloadableColumn, ...] = ()
    ignored: tuple[str, ...] = ()
    warnings: tuple[LoadWarning, ...] = ()

    @property
    def staged(self) -> tuple[StagingColumn, ...]:
        """The staging columns."""
        return tuple(column.staged for column in self.columns)

    @property
    def column_changes(self) -> tuple[NewColumn | Widening, ...]:
        """The columns' changes of the target."""
        return tuple(column.change for column in self.columns if column.change is not None)

    @property
    def fills(self) -> tuple[Fill, ...]:
        """The fills of columns that files lack."""
        return (*self.missing, *(column.fill for column in self.kept))

    @property
    def missing(self) -> tuple[Fill, ...]:
        """The fills of columns that files could have."""
        return tuple(column.fill for column in self.columns if column.fill is not None)


def columns_to_profile(spec: PipelineSpec, table: ObservedTable | None, batch: SourceBatch) -> Mapping[str, Notation]:
    """Return the columns whose type neither the table nor the spec nor the files settle.

    Each comes with how its texts write values.
    """
    known = {column.name for column in table.columns} if table else set()
    names = file_columns(spec, batch)
    typed = file_types(batch, names)
    unknown = [name for name in names if name not in known and name not in spec.types.columns and name not in typed]
    added = [name for name in unknown if table is None or spec.evolution.of(name).new_columns == "add"]
    return {name: spec.types.notation_of(name) for name in added}


def plan_columns(
    spec: PipelineSpec,
    table: ObservedTable | None,
    batch: SourceBatch,
    profiles: Mapping[str, ColumnProfile],
    run_date: datetime,
) -> ColumnPlan:
    """Return the columns that the batch stages and needs, as far as they are known before its rows are read.

    Raises:
        SourceFileError: a file lacks or has columns that the spec says it must not.
        SpecError: the spec's type of a column is not the table's, which cannot be widened to it, or keys are SUPER.
        SchemaChangeError: a file has a column of a type that cannot be loaded, or one is NOT NULL.
    """
    observed = {column.name: column for column in table.columns} if table else {}
    columns: list[PlannedColumn] = []
    ignored: list[str] = []
    names = file_columns(spec, batch)
    typed = file_types(batch, names)
    if table is not None:
        refuse_lacking(spec, table, batch)
    for name in names:
        if name in observed:
            lacking = [layout for layout in batch.files if name not in layout.columns]
            columns.append(_filled(spec, _known_column(spec, observed[name]), observed[name], lacking))
        elif table is not None and _is_ignored(spec, name, batch):
            ignored.append(name)
        else:
            columns.append(_new_column(spec, name, profiles.get(name), typed.get(name), batch))
    absent = _absent(spec, observed, names)
    columns += [_absent_column(spec, column, batch.files) for column in absent if column.type is not None]
    columns += [_metadata_column(spec, observed.get(each.name), each) for each in _metadata(spec, run_date)]
    _refuse_super_keys(spec, table, columns)
    unloadable = [column for column in absent if column.type is None]
    plan = ColumnPlan(tuple(columns), tuple(_kept(spec, unloadable, batch.files)), tuple(ignored))
    warnings = (*_warnings(spec, batch, profiles, plan, observed), *unloadable_warnings(spec, unloadable, batch.files))
    return replace(plan, warnings=warnings)


def _refuse_super_keys(spec: PipelineSpec, table: ObservedTable | None, columns: Sequence[PlannedColumn]) -> None:
    """Refuse SUPER where rows are compared, or a new table is distributed or sorted by it; the warehouse cannot do so.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/r_SUPER_type.html
    """
    used = dict.fromkeys(spec.load.keys, "load.keys")
    used |= {order.column: "load.order_by" for order in spec.load.order_by}
    if table is None:
        used |= dict.fromkeys(spec.target.sortkey, "target.sortkey")
        used |= {spec.target.distkey: "target.distkey"} if spec.target.distkey else {}
    for column in columns:
        if column.target_type.kind is Kind.SUPER and column.name in used:
            raise SpecError(
                f"{spec.path}: {used[column.name]} names {column.name!r}, which is SUPER: the warehouse cannot compare "
                f"such values. Take another column, or make it text: types.columns.{column.name}: varchar(65535)."
            )


def _is_ignored(spec: PipelineSpec, name: str, batch: SourceBatch) -> bool:
    """Return whether the spec does not want a column that the table lacks."""
    policy = spec.evolution.of(name).new_columns
    if policy == "reject":
        place = next(layout.columns.index(name) + 1 for layout in batch.files if name in layout.columns)
        # A row that was taken for a header brings a value.
        shown = repr(name) if spec.bad_rows.log_samples else f"at position {place}"
        raise SchemaChangeError(
            f"{spec.target.table}: the file brings a new column {shown}, for which evolution.new_columns is reject. "
            "Set it to add or ignore, or list the column under columns.exclude."
        ).about(Section.COLUMNS)
    return policy == "ignore"


def _new_column(
    spec: PipelineSpec, name: str, profile: ColumnProfile | None, own: ColumnType | None, batch: SourceBatch
) -> PlannedColumn:
    is_key = name in spec.load.keys
    declared = spec.types.columns.get(name)
    if declared is not None:
        settled = SettledType(declared, DECLARED)
    elif own is not None:
        settled = settle_file_type(name, own, spec.types.rules, is_key)
    else:
        assert profile is not None
        settled = settle_type(name, profile, spec.types.rules, is_key, _nested(batch))
    staged = StagingColumn(name, settled.type, FromFile(), spec.types.notation_of(name), required=is_key)
    reason = settled.reason
    if profile is not None:
        reason = replace(reason, evidence=evidence_of(profile, reason.decided_by, spec.bad_rows.log_samples))
    new = NewColumn(name, settled.type, not is_key, reason)
    return PlannedColumn(staged, settled.type, new)


def _nested(batch: SourceBatch) -> Nested:
    options = batch.files[0].options
    return options.nested if isinstance(options, JsonOptions | ParquetOptions) else "super"


def _known_column(spec: PipelineSpec, observed: TableColumn) -> PlannedColumn:
    """Return a column of the files as the table has it."""
    name = observed.name
    current = _type_of(spec, observed)
    required = name in spec.load.keys or not observed.nullable
    notation = spec.types.notation_of(name)
    declared = spec.types.columns.get(name)
    if declared is not None:
        staged = StagingColumn(name, declared, FromFile(), notation, required)
        return _declared(spec, PlannedColumn(staged, current))
    policy = spec.evolution.of(name)
    may_widen = policy.wider_values != "reject" and current.kind is not Kind.CHAR
    staged = StagingColumn(name, current, FromFile(), notation, required, exact=observed.is_inferred_float)
    if may_widen and current.kind is Kind.VARCHAR:
        is_measured = current.length_bytes != MAX_VARCHAR_BYTES
        staged = replace(staged, type=varchar(MAX_VARCHAR_BYTES), measure_length=is_measured)
    may_convert = policy.type_conflicts == "to_text" and may_become_text(spec, name, current)
    return PlannedColumn(staged, current, may_widen=may_widen, may_become_text=may_convert)


def _type_of(spec: PipelineSpec, observed: TableColumn) -> ColumnType:
    """Return the type of a column that a load writes; of one that it cannot write, the error names the way out."""
    if observed.type is None:
        raise SchemaChangeError(
            f"{spec.target.table}: the column {observed.name!r} is {observed.type_text}, which Feedway cannot load. "
            "List it under columns.exclude, and it is left as it is."
        ).about(Section.COLUMNS)
    return observed.type


def _declared(spec: PipelineSpec, column: PlannedColumn) -> PlannedColumn:
    """Return a column of the table widened to the type that the spec declares and that it is staged as."""
    name, current, declared = column.name, column.current_type, column.staged.type
    if current == declared:
        return column
    if not can_widen(current, declared):
        message = (
            f"{spec.path}: types.columns.{name} is {declared}, which does not widen {current}, its type in "
            f"{spec.target.table}. {widenings_of(current)}"
        )
        if declared.kind is Kind.VARCHAR and may_become_text(spec, name, current):
            message += (
                f" To have the column become text, remove types.columns.{name} and set "
                f"evolution.columns.{name}.type_conflicts: to_text: the first value that needs it does that."
            )
        raise SpecError(message).about(Section.VALUES)
    return column.widened(declared, DECLARED)


def _absent(spec: PipelineSpec, observed: Mapping[str, TableColumn], names: Sequence[str]) -> list[TableColumn]:
    """Return the table's columns that no file has and that the warehouse does not number itself."""
    present = {*names, spec.metadata_columns.run_date, spec.metadata_columns.file_name}
    return [column for name, column in observed.items() if name not in present and not column.is_identity]


def _kept(
    spec: PipelineSpec, unloadable: Sequence[TableColumn], layouts: Sequence[FileLayout]
) -> Iterator[UnloadableColumn]:
    # Rows that are only added take the table's own default in a column nobody can write.
    for column in () if spec.load.mode.only_adds else unloadable:
        yield UnloadableColumn(column.name, column.type_text, fill_unloadable(spec, column, layouts))


def _absent_column(spec: PipelineSpec, observed: TableColumn, layouts: Sequence[FileLayout]) -> PlannedColumn:
    current = _type_of(spec, observed)
    fill = plan_fill(spec, observed, layouts)
    # A file may hold a column that the spec excludes.
    return PlannedColumn(StagingColumn(observed.name, current, Constant(fill.value)), current, fill=fill)


def _filled(
    spec: PipelineSpec, column: PlannedColumn, observed: TableColumn, lacking: Sequence[FileLayout]
) -> PlannedColumn:
    """Return a column of the table with what the rows of the files that lack it get there."""
    if not lacking:
        return column
    fill = plan_fill(spec, observed, lacking)
    return replace(column, staged=replace(column.staged, value=FromFile(fill.value)), fill=fill)


def _metadata(spec: PipelineSpec, run_date: datetime) -> Iterator[StagingColumn]:
    """Yield the columns that Feedway adds, as it would create them."""
    if spec.metadata_columns.run_date is not None:
        yield StagingColumn(spec.metadata_columns.run_date, RUN_DATE_TYPE, RunDate(run_date))
    if spec.metadata_columns.file_name is not None:
        yield StagingColumn(spec.metadata_columns.file_name, FILE_NAME_TYPE, FileName())


def _metadata_column(spec: PipelineSpec, observed: TableColumn | None, staged: StagingColumn) -> PlannedColumn:
    """Return a metadata column; the table's own type is kept where it has one."""
    name = staged.name
    if observed is None:
        return PlannedColumn(staged, staged.type, NewColumn(name, staged.type, True, METADATA))
    if observed.type is None or observed.type.kind is not staged.type.kind:
        raise SchemaChangeError(
            f"{spec.target.table}: the metadata column {name!r} is {observed.type_text} in the table and "
            f"must be {staged.type}. Give it another name in metadata_columns, or turn it off with null."
        )
    return PlannedColumn(replace(staged, type=observed.type), observed.type)


def _warnings(
    spec: PipelineSpec,
    batch: SourceBatch,
    profiles: Mapping[str, ColumnProfile],
    plan: ColumnPlan,
    observed: Collection[str],
) -> Iterator[LoadWarning]:
    """Yield the warnings for columns that are missing, renamed, duplicated or text because of null markers.

    `observed` names the columns of the table.
    """
    yield from batch.warnings
    yield from null_marker_warnings(spec, profiles)
    yield from missing_column_warnings(spec, plan.missing, batch.files)
    missing = {
        column.name: column.target_type
        for column in plan.columns
        if column.fill is not None
        and len(column.fill.files) == len(batch.files)
        and spec.evolution.of(column.name).missing_columns.written_for != "column"
        and column.name not in spec.columns.exclude
    }
    new: dict[str, ColumnType | None] = {
        column.name: column.target_type
        for column in plan.columns
        if isinstance(column.change, NewColumn) and column.name in profiles
    }
    new |= dict.fromkeys(plan.ignored)
    # A name that the spec gives is meant.
    meant = set(spec.columns.rename.values())
    renames = probable_renames(missing, {name: new[name] for name in new if name not in meant})
    if renames:
        quotes = spec.bad_rows.log_samples or any(name in layout.columns for layout in batch.files for name in observed)
        yield rename_warning(renames, quotes=quotes)

"""The changes of the target that a load asks for, as values. There is no change that drops anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from framework.dataclass import dataclass
from framework.errors import SchemaChangeError, Section
from framework.model.column_type import ColumnType, Kind
from framework.model.names import TableName
from framework.model.observation import Observation, ObservedTable, TableColumn, ViewDependency
from framework.model.words import counted
from framework.plan.type_reason import TypeReason

NO_GROWTH_ENCODINGS = frozenset({"bytedict", "runlength", "text255", "text32k"})
"""Source: https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html"""
MAX_REWRITES_IN_PLACE = 5
"""Each rewrites every row, and takes five of the forty statements of a transaction."""
CREATED = "create_table"
"""The kind of a table's creation."""
_RAW = (Kind.BOOLEAN, Kind.REAL, Kind.DOUBLE, Kind.SUPER)


@dataclass(frozen=True)
class NewColumn:
    """A column the target gets, and why it has that type."""

    name: str
    type: ColumnType
    nullable: bool
    reason: TypeReason

    @property
    def is_inferred(self) -> bool:
        """Whether its type is from the values or the file alone, by no rule."""
        return self.reason.decided_by in ("values", "file")


@dataclass(frozen=True)
class Widening:
    """A column of the target that grows, and why."""

    name: str
    current: ColumnType
    wanted: ColumnType
    reason: TypeReason


@dataclass(frozen=True)
class CreateTable:
    """The target is created from the load's columns."""

    table: TableName
    columns: tuple[NewColumn, ...]
    distkey: str | None
    sortkey: tuple[str, ...]


@dataclass(frozen=True)
class AddColumn:
    """A nullable column is added at the end; rows that are there hold NULL in it."""

    column: NewColumn


@dataclass(frozen=True)
class GrowVarchar(Widening):
    """A VARCHAR grows natively: no row is rewritten, but it runs outside of any transaction.

    Views on the column are dropped meanwhile, and are in the view journal.
    """


@dataclass(frozen=True)
class RewriteColumn(Widening):
    """A column changes type by add, copy, drop and rename, in one transaction; all rows are rewritten.

    `needs_new_table` says why the column cannot be dropped or added as it is, so that the whole table
    is copied into a new one, which takes its name. `encoding` is one that the owner chose, None where it
    is the type's usual one. `rows` are those to be rewritten, None where they were not counted.
    """

    default: str | None
    comment: str | None
    encoding: str | None = None
    needs_new_table: str | None = None
    rows: int | None = None


SchemaChange = CreateTable | AddColumn | GrowVarchar | RewriteColumn


def plan_changes(
    column_changes: Sequence[NewColumn | Widening],
    observed: Observation,
    target: TableName,
    design: tuple[str | None, tuple[str, ...]],
) -> tuple[SchemaChange, ...]:
    """Return the changes that make the target hold every column of the load: new columns, then wider ones, in order.

    `design` is the distribution key and the sort keys of a table that is still to be created.

    Raises:
        SchemaChangeError: privileges are granted on a column that must grow, or a table that is to be
            created would have no such column as its design names.
    """
    new = tuple(each for each in column_changes if isinstance(each, NewColumn))
    if observed.table is None:
        distkey, sortkey = design
        _refuse_unknown_design(target, new, distkey, sortkey)
        return (CreateTable(target, new, distkey, sortkey),)
    widenings = [each for each in column_changes if isinstance(each, Widening)]
    return (*map(AddColumn, new), *_widen_all(widenings, observed.table, observed))


def _widen_all(widenings: Sequence[Widening], table: ObservedTable, observed: Observation) -> Sequence[SchemaChange]:
    changes = _copied_if_cheaper([_widen(widening, table, observed) for widening in widenings])
    if not needs_new_table(changes):
        return changes
    # In a copy of the table a longer text costs nothing, and its views need not be dropped beforehand.
    return [
        _rewrite(change, table, observed)
        if isinstance(change, GrowVarchar) and views_on(table.name, [change.name], observed)
        else change
        for change in changes
    ]


def grown_under_views(changes: Iterable[SchemaChange], table: TableName, observed: Observation) -> bool:
    """Return whether a column that bound views use grows natively, so that they must be dropped meanwhile."""
    return any(views_on(table, [name], observed) for name in grown_columns(changes))


def rewritten_under_views(
    changes: Sequence[SchemaChange], table: ObservedTable, observed: Observation
) -> tuple[SchemaChange, ...]:
    """Return the changes with texts under bound views rewritten instead of grown, where that is possible.

    For a table of few rows: readers of the views then wait for the transaction instead of failing.
    """

    def chosen(change: SchemaChange) -> SchemaChange:
        if not isinstance(change, GrowVarchar) or not views_on(table.name, [change.name], observed):
            return change
        column = table.column(change.name)
        if column is None or column.has_column_grants:
            return change
        return _rewrite(change, table, observed)

    return tuple(_copied_if_cheaper([chosen(change) for change in changes]))


def _copied_if_cheaper(changes: Sequence[SchemaChange]) -> Sequence[SchemaChange]:
    """Return the changes, made in one copy of the table where so many columns are rewritten that a copy costs less."""
    rewritten = sum(isinstance(change, RewriteColumn) for change in changes)
    if rewritten <= MAX_REWRITES_IN_PLACE:
        return changes
    why = f"{rewritten} columns change together"
    return [
        replace(change, needs_new_table=change.needs_new_table or why) if isinstance(change, RewriteColumn) else change
        for change in changes
    ]


def _refuse_unknown_design(
    target: TableName, columns: Sequence[NewColumn], distkey: str | None, sortkey: Sequence[str]
) -> None:
    names = [column.name for column in columns]
    for field, wanted in (("distkey", [distkey] if distkey else []), ("sortkey", sortkey)):
        missing = [name for name in wanted if name not in names]
        if missing:
            unknown = f"{target}: target.{field} of the spec names {', '.join(map(repr, missing))}"
            raise SchemaChangeError(
                f"{unknown}, and the table would be created with the columns {', '.join(names)}. Send a file that has "
                f"the column, or correct target.{field}.",
                brief=f"{unknown}, and the file has no such column",
            )


def _widen(widening: Widening, table: ObservedTable, observed: Observation) -> SchemaChange:
    column = table.column(widening.name)
    assert column is not None
    # CHAR takes no new length. Source: https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
    if widening.current.kind is Kind.VARCHAR and _grows_natively(column):
        return GrowVarchar(widening.name, widening.current, widening.wanted, widening.reason)
    return _rewrite(widening, table, observed)


def views_on(table: TableName, columns: Iterable[str], observed: Observation) -> tuple[TableName, ...]:
    """Return the bound views that use one of a table's columns; where the catalog names no column, any."""
    used = frozenset(columns)
    found = (
        dependency.view
        for dependency in observed.dependencies
        if used and dependency.source == table and (dependency.column is None or dependency.column in used)
    )
    return tuple(dict.fromkeys(found))


def _rewrite(widening: Widening, table: ObservedTable, observed: Observation) -> RewriteColumn:
    column = table.column(widening.name)
    assert column is not None
    if column.has_column_grants:
        growth = f"{table.name}: column {widening.name!r} must grow from {widening.current} to {widening.wanted}"
        obstacle = "but column-level grants cannot be restored after the rewrite"
        raise SchemaChangeError(
            f"{growth} ({widening.reason}), {obstacle}. Grant on the table, or ask the sender for values that fit.",
            brief=f"{growth}, {obstacle}",
        ).about(Section.TABLE_COPY)
    comment = next(
        (found.text for found in observed.comments if found.relation == table.name and found.column == column.name),
        None,
    )
    return RewriteColumn(
        widening.name,
        widening.current,
        widening.wanted,
        widening.reason,
        _default_after(column, widening, table.name),
        comment,
        # What a type may be encoded as, every wider one of its kind may be too.
        kept_encoding(column) if widening.current.is_text == widening.wanted.is_text else None,
        _why_in_a_new_table(column),
    )


def _grows_natively(column: TableColumn) -> bool:
    return (
        column.default is None
        and not column.in_constraint
        and (column.encoding or "").lower() not in NO_GROWTH_ENCODINGS
    )


def _default_after(column: TableColumn, widening: Widening, table: TableName) -> str | None:
    """Return the column's default as SQL for its new type: no boolean can be cast to text."""
    if column.default is None or widening.current.kind is not Kind.BOOLEAN:
        return column.default
    written = column.default.strip().strip("()").lower()
    if written not in ("true", "false"):
        conversion = f"{table}: column {widening.name!r} must become text"
        obstacle = f"and its default {column.default} cannot be written as one"
        raise SchemaChangeError(
            f"{conversion} ({widening.reason}), {obstacle}. Have its owner drop the default, or have the values "
            "resent.",
            brief=f"{conversion}, {obstacle}",
        ).about(Section.TABLE_COPY)
    return f"'{written}'"


def _why_in_a_new_table(column: TableColumn) -> str | None:
    """Return why a column cannot be replaced by an added one; None where it can."""
    obstacles = []
    if column.is_distkey:
        obstacles.append("the distribution key")
    if column.sortkey:
        obstacles.append("a sort key")
    if not column.nullable:
        # Source: https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
        obstacles.append("NOT NULL, which an added column cannot be without a default")
    if column.in_constraint:
        obstacles.append("part of a constraint")
    return f"it is {' and '.join(obstacles)}" if obstacles else None


def kept_encoding(column: TableColumn) -> str | None:
    """Return a column's encoding where it is not Redshift's default for its type.

    An explicit one ends a table's ENCODE AUTO. Source: https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
    """
    encoding = (column.encoding or "").lower()
    usual = "none" if column.sortkey else _usual_encoding(column)
    if encoding in ("", usual):
        return None
    return "raw" if encoding == "none" else encoding


def _usual_encoding(column: TableColumn) -> str:
    if column.type is None:
        return "lzo" if column.type_text.startswith(("binary varying", "varbyte")) else "none"
    if column.type.kind in _RAW:
        return "none"
    return "lzo" if column.type.is_text else "az64"


def needs_new_table(changes: Iterable[SchemaChange]) -> bool:
    """Return whether the table must be copied as a whole; all rewritten columns then change in the copy."""
    return any(isinstance(change, RewriteColumn) and change.needs_new_table for change in changes)


def with_rows(changes: Iterable[SchemaChange], rows: int) -> tuple[SchemaChange, ...]:
    """Return the changes with the target's row count, which is the cost of rewriting a column."""
    return tuple(replace(change, rows=rows) if isinstance(change, RewriteColumn) else change for change in changes)


def rewritten_columns(changes: Iterable[SchemaChange]) -> frozenset[str]:
    """Return the columns that are replaced by a wider copy; views that use them block the change."""
    return frozenset(change.name for change in changes if isinstance(change, RewriteColumn))


def grown_columns(changes: Iterable[SchemaChange]) -> frozenset[str]:
    """Return the columns that grow natively; bound views that use them block the change."""
    return frozenset(change.name for change in changes if isinstance(change, GrowVarchar))


def describe_change(change: SchemaChange, with_columns: bool = True) -> dict[str, str | None]:
    """Return a change as `run` and `plan` print it; `cost` is the rows to rewrite.

    A new table comes with the names of its columns, or with their number alone, which has a bounded length.
    """
    match change:
        case CreateTable(table=table, columns=columns):
            names = f": {', '.join(column.name for column in columns)}" if with_columns else ""
            return _described(CREATED, None, None, str(table), f"{counted(len(columns), 'column')}{names}", "none")
        case AddColumn(column=column):
            return _described("add_column", column.name, None, column.type.sql, column.reason.text, "none")
        case GrowVarchar(name=name, current=current, wanted=wanted, reason=reason):
            return _described("grow_varchar", name, current.sql, wanted.sql, reason.text, "none")
        case RewriteColumn(name=name, current=current, wanted=wanted, reason=reason, needs_new_table=why, rows=rows):
            cost = "all rows are rewritten" if rows is None else counted(rows, "row is rewritten", "rows are rewritten")
            if why:
                cost += f", as the table is copied because {why}"
            return _described("rewrite_column", name, current.sql, wanted.sql, reason.text, cost)


def _described(
    kind: str, column: str | None, before: str | None, after: str, reason: str, cost: str
) -> dict[str, str | None]:
    return {"kind": kind, "column": column, "from": before, "to": after, "reason": reason, "cost": cost}


def views_above(roots: Iterable[TableName], dependencies: Sequence[ViewDependency]) -> tuple[TableName, ...]:
    """Return the roots and every bound view that depends on one of them, at any depth, lowest first."""
    found = dict.fromkeys(roots)
    for view in found.copy():
        pending = [view]
        while pending:
            below = pending.pop()
            above = [dependency.view for dependency in dependencies if dependency.source == below]
            for name in dict.fromkeys(above):
                found.pop(name, None)
                found[name] = None
                pending.append(name)
    return tuple(found)


def table_after(observed: Observation, target: TableName, changes: Sequence[SchemaChange]) -> ObservedTable | None:
    """Return the target after the changes; a rewritten column is the last."""
    columns = {column.name: column for column in observed.table.columns} if observed.table else {}
    for change in changes:
        match change:
            case CreateTable(columns=created, distkey=distkey, sortkey=sortkey):
                places = {name: place for place, name in enumerate(sortkey, start=1)}
                columns = {
                    new.name: replace(
                        _added(new),
                        nullable=new.nullable,
                        is_distkey=new.name == distkey,
                        sortkey=places.get(new.name, 0),
                    )
                    for new in created
                }
            case AddColumn(column=new):
                columns[new.name] = _added(new)
            case GrowVarchar(name=name, wanted=wanted):
                columns[name] = replace(columns[name], type=wanted, type_text=wanted.sql)
            case RewriteColumn(name=name, wanted=wanted):
                columns[name] = replace(columns.pop(name), type=wanted, type_text=wanted.sql)
    return ObservedTable(target, tuple(columns.values())) if columns else None


def columns_after(
    observed: Observation, target: TableName, changes: Sequence[SchemaChange]
) -> tuple[tuple[str, str], ...]:
    """Return the (name, type) pairs of the target after the changes, sorted by name.

    By name, because a view's columns do not change when a rewritten column moves to the end.
    """
    table = table_after(observed, target, changes)
    return tuple(sorted((column.name, column.type_text) for column in table.columns)) if table else ()


def _added(new: NewColumn) -> TableColumn:
    return TableColumn(new.name, new.type, new.type.sql, nullable=True, is_inferred=new.is_inferred)

"""Columns of the table that a file lacks: the values its rows get, and the warnings to the feed's owner."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence

from framework.dataclass import dataclass
from framework.errors import SchemaChangeError, Section, SourceFileError
from framework.model.column_type import ColumnType, Kind, can_widen
from framework.model.files import FileLayout, SourceBatch, SourceFile
from framework.model.load_warning import LoadWarning
from framework.model.observation import ObservedTable, TableColumn
from framework.model.words import listed
from framework.plan.fit import yaml_name
from framework.spec.pipeline import PipelineSpec

_MOST_NAMES = 20
_WITHOUT_DEFAULT = (Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.SUPER)
_JOIN_IN_A_VIEW = "Load into a table without it, and join the column in a view."
_NEW_BY_DEFAULT = "missing_columns: {new_rows: default}"


@dataclass(frozen=True)
class Fill:
    """The values that rows of files without a column get.

    `value` is text; None is NULL. With `keeps_stored` a row that replaces one keeps the stored value instead. With
    `rejects_new` a file that brings a new row is rejected, with `unless_filled` one whose table holds values there.
    `files` are the ordinals of the files without the column.
    """

    column: str
    value: str | None
    keeps_stored: bool
    files: tuple[int, ...]
    rejects_new: bool = False
    unless_filled: bool = False

    def as_dict(self) -> dict[str, str | None]:
        """Return the fill as `plan --output json` prints it."""
        stored_rows = "keep" if self.keeps_stored else "overwrite"
        return {"column": self.column, "value": self.value, "stored_rows": stored_rows}

    def __str__(self) -> str:
        value = "NULL" if self.value is None else repr(self.value)
        if self.keeps_stored:
            return f"stored rows keep their values, new rows get {value}"
        return f"all rows get {value}"


def refuse_lacking(spec: PipelineSpec, table: ObservedTable, batch: SourceBatch) -> None:
    """Refuse files that lack columns of the table which the spec wants in every file.

    Raises:
        SourceFileError: there are some; it names all columns that the first of them lacks.
    """
    wanted = [column.name for column in table.columns if _is_wanted(spec, column)]
    lacking = {
        layout.file: names
        for layout in batch.files
        if (names := [name for name in wanted if name not in layout.columns or name in spec.columns.exclude])
    }
    if not lacking:
        return
    file, names = next(iter(lacking.items()))
    are, them = ("is", "it") if len(names) == 1 else ("are", "them")
    policies = f"columns: {_by_default(names)}" if len(names) <= _MOST_NAMES else _NEW_BY_DEFAULT
    raise SourceFileError(
        f"{file.url}: {listed([repr(name) for name in names], _MOST_NAMES)} of {spec.target.table} {are} not in the "
        f"file, and evolution.missing_columns rejects such a file. Resend it with {them}, or let new rows get a "
        f"default value: evolution: {{{policies}}}.",
        [file.key for file in lacking],
    ).about(Section.COLUMNS)


def _by_default(names: Sequence[str]) -> str:
    """Return the entry of evolution.columns that gives new rows a default value in each column."""
    return f"{{{', '.join(f'{yaml_name(name)}: {{{_NEW_BY_DEFAULT}}}' for name in names)}}}"


def _is_wanted(spec: PipelineSpec, column: TableColumn) -> bool:
    """Return whether the spec rejects files without a column, which are those that must fill it."""
    policy = spec.evolution.of(column.name).missing_columns
    rejects = policy.stored_rows == "reject" or (policy.new_rows == "reject" and not spec.load.mode.matches_keys)
    metadata = spec.metadata_columns
    is_filled = column.is_identity or column.name in (metadata.run_date, metadata.file_name)
    # No file can have a column that cannot be loaded.
    return rejects and column.name not in spec.columns.exclude and not is_filled and column.type is not None


def plan_fill(spec: PipelineSpec, observed: TableColumn, layouts: Sequence[FileLayout]) -> Fill:
    """Return the fill for the rows of these files, which lack a column of the table.

    Raises:
        SourceFileError: the column is NOT NULL and would become NULL.
    """
    policy = spec.evolution.of(observed.name).missing_columns
    has_stored_rows = spec.load.mode.matches_keys
    value = _default_text(observed.type) if policy.new_rows == "default" else None
    # A file cannot be rejected for want of a column that the spec excludes: the table keeps what it holds.
    is_excluded = observed.name in spec.columns.exclude
    keeps = policy.stored_rows == "keep" or (policy.stored_rows == "reject" and is_excluded)
    keeps_stored = has_stored_rows and keeps
    if value is None and not observed.nullable and not keeps_stored:
        has_default = _default_text(observed.type) is not None
        way_out = f", or let rows get a default value: evolution: {{columns: {_by_default([observed.name])}}}"
        raise SourceFileError(
            f"{layouts[0].file.url}: the column {observed.name!r} of {spec.target.table} is not in the file and is "
            f"NOT NULL, and would become NULL. Resend the file with it{way_out if has_default else ''}.",
            [layout.file.key for layout in layouts],
            needs_new_file=not has_default,
        ).about(Section.COLUMNS)
    return Fill(
        column=observed.name,
        value=value,
        keeps_stored=keeps_stored,
        files=tuple(layout.ordinal for layout in layouts),
        rejects_new=policy.new_rows == "reject" and not is_excluded,
        unless_filled=spec.load.mode.replaces_table and policy.written_for is None,
    )


def fill_unloadable(spec: PipelineSpec, observed: TableColumn, layouts: Sequence[FileLayout]) -> Fill:
    """Return the fill of a column of a type that cannot be loaded: NULL, where no stored value is kept.

    What the spec says of missing columns is not about it, unless it names the column. A NOT NULL one may stand in a
    table whose files bring no new rows.

    Raises:
        SchemaChangeError: the column is NOT NULL, and rows would have no value in it.
    """
    policy = spec.evolution.of(observed.name).missing_columns
    keeps_stored = spec.load.mode.matches_keys
    is_meant = policy.written_for == "column" or not observed.nullable
    rejects_new = keeps_stored and policy.new_rows == "reject" and is_meant
    if not observed.nullable and not rejects_new:
        only_replace = f"evolution.columns.{observed.name}.missing_columns: {{new_rows: reject}}"
        or_reject = f" Or, if files bring no new rows, set {only_replace}." if keeps_stored else ""
        raise SchemaChangeError(
            f"{_unloadable(spec, observed)}, and NOT NULL, so that new rows could not be inserted. {_JOIN_IN_A_VIEW}"
            f"{or_reject}"
        ).about(Section.COLUMNS)
    return Fill(
        column=observed.name,
        value=None,
        keeps_stored=keeps_stored,
        files=tuple(layout.ordinal for layout in layouts),
        rejects_new=rejects_new,
        unless_filled=spec.load.mode.replaces_table,
    )


def lost_values(spec: PipelineSpec, columns: Sequence[TableColumn]) -> SchemaChangeError:
    """Return the error for a load that would lose values of at least one column of a type that it cannot load."""
    lines = [f"{_unloadable(spec, column)}, and holds values" for column in columns]
    return SchemaChangeError(
        f"{'; '.join(lines)}. load.mode {spec.load.mode.name} would lose them. {_JOIN_IN_A_VIEW}"
    ).about(Section.COLUMNS)


def _unloadable(spec: PipelineSpec, column: TableColumn) -> str:
    return f"{spec.target.table}: the column {column.name!r} is {column.type_text}, which Feedway cannot load"


def unloadable_warnings(
    spec: PipelineSpec, columns: Sequence[TableColumn], layouts: Sequence[FileLayout]
) -> Iterator[LoadWarning]:
    """Yield a warning for each column of a type that cannot be loaded and that the spec does not exclude."""
    effect = "new rows get the table's default there"
    if spec.load.mode.matches_keys:
        effect = "stored rows keep their values, new rows get NULL"
    elif spec.load.mode.replaces_table:
        effect = "all rows get NULL"
    files = tuple(layout.file.key for layout in layouts)
    for column in columns:
        if column.name not in spec.columns.exclude:
            message = f"{_unloadable(spec, column)}: {effect}. If that is meant, list it under columns.exclude"
            yield LoadWarning("unloadable-column", column.name, message, files)


def _default_text(column_type: ColumnType | None) -> str | None:
    """The text of a missing value: '' for strings, 0 for numbers, false; dates, times and SUPER have none."""
    if column_type is None or column_type.kind in _WITHOUT_DEFAULT:
        return None
    if column_type.is_text:
        return ""
    return "false" if column_type.kind is Kind.BOOLEAN else "0"


def missing_column_warnings(
    spec: PipelineSpec, fills: Sequence[Fill], layouts: Sequence[FileLayout]
) -> Iterator[LoadWarning]:
    """Yield a warning for each missing column that has no policy of its own in the spec."""
    for fill in fills:
        is_meant = spec.evolution.of(fill.column).missing_columns.written_for == "column"
        if is_meant or fill.column in spec.columns.exclude:
            continue
        files = [layouts[ordinal].file for ordinal in fill.files]
        place = "the file has" if len(layouts) == 1 else f"{len(files)} of {len(layouts)} files have"
        yield LoadWarning(
            "missing-column",
            fill.column,
            f"{place} no column {fill.column!r}: {fill}. If that is meant, say so in "
            f"evolution.columns.{fill.column}.missing_columns",
            tuple(file.key for file in files),
        )


def emptied_columns(
    spec: PipelineSpec, names: Sequence[str], file: SourceFile, warnings: Sequence[LoadWarning]
) -> SourceFileError:
    """Return the error for a file that would replace the table and lacks columns in which it holds values."""
    them = "it" if len(names) == 1 else "them"
    renames = "".join(f" {warning.message}." for warning in warnings if warning.rule == "probable-rename")
    lacking = (
        f"{file.url}: the file lacks {listed([repr(name) for name in names])}, in which {spec.target.table} holds "
        f"values, and load.mode {spec.load.mode.name} would empty {them}."
    )
    return SourceFileError(
        f"{lacking}{renames} Resend the file with {them}, or, if that is meant, write "
        f"evolution: {{missing_columns: {{new_rows: default}}}}.",
        (file.key,),
        brief=lacking,
    ).about(Section.REPLACEMENT)


def probable_renames(
    missing: Mapping[str, ColumnType | None], new: Mapping[str, ColumnType | None]
) -> dict[str, str] | None:
    """Return the new name of each missing column by its name in the file, None where they do not pair up.

    Both are column types by name, None where a type is not known, which goes with any. As many columns must have come
    as have gone, each with a type that goes with its partner's; of several partners the one with the likest name is
    taken, then the first.
    """
    if not missing or len(missing) != len(new):
        return None
    pairs: dict[str, str] = {}
    for name, column_type in missing.items():
        partners = [other for other in new if other not in pairs and _go_together(column_type, new[other])]
        if not partners:
            return None
        pairs[max(partners, key=lambda other: difflib.SequenceMatcher(None, name, other).ratio())] = name
    return pairs


def _go_together(stored: ColumnType | None, found: ColumnType | None) -> bool:
    if stored is None or found is None:
        return True
    families = [column_type.is_text for column_type in (stored, found)]
    return all(families) or can_widen(found, stored) or can_widen(stored, found) or _are_numbers(stored, found)


def _are_numbers(*types: ColumnType) -> bool:
    return all(each.is_exact_number or each.kind in (Kind.REAL, Kind.DOUBLE) for each in types)


def rename_warning(renames: Mapping[str, str], *, quotes: bool) -> LoadWarning:
    """Return the warning for columns that were probably renamed at the source.

    It has the lines for the spec, unless it may quote no name of the files.
    """
    brief = (
        "As many columns are new as are missing, with types that go together: they were probably renamed at the "
        f"source. Missing is {listed(list(renames.values()))}"
    )
    return LoadWarning(
        "probable-rename",
        next(iter(renames.values())) if len(renames) == 1 else None,
        "As many columns are new as are missing, with types that go together. If they were renamed at the source, "
        f"write {rename_lines(renames)}"
        if quotes
        else brief,
        brief=brief,
    )


def rename_lines(renames: Mapping[str, str]) -> str:
    """Return the entry for the spec that loads columns of a file under other names, in one line of YAML."""
    pairs = ", ".join(f"{yaml_name(name)}: {yaml_name(target)}" for name, target in renames.items())
    return f"columns: {{rename: {{{pairs}}}}}"

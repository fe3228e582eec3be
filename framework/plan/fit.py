"""The columns in a file's header, and the reasons to reject the file for its names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from framework.errors import SchemaChangeError, Section, SourceFileError
from framework.model.files import FileLayout, SourceBatch
from framework.model.observation import ObservedTable
from framework.model.staging import FILE_COLUMN, ROW_COLUMN
from framework.model.words import counted
from framework.spec.pipeline import PipelineSpec

MAX_COLUMNS = 1_600
"""Source: https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html"""
_PLAIN_YAML = re.compile(r"[^\W\d]\w*")
_YAML_WORDS = ("null", "true", "false")


def needed_columns(spec: PipelineSpec) -> tuple[str, ...]:
    """Return the columns that every file must have: the upsert keys and those that order rows."""
    names = dict.fromkeys((*spec.load.keys, *(order.column for order in spec.load.order_by)))
    return tuple(name for name in names if name not in _metadata(spec))


def file_columns(spec: PipelineSpec, batch: SourceBatch) -> tuple[str, ...]:
    """Return the columns the batch's files bring, in order of first appearance, excluded ones left out.

    Raises:
        SourceFileError: a file has a column that a metadata column uses, or lacks an upsert key
            or a column that orders rows.
    """
    names: dict[str, None] = {}
    metadata = _metadata(spec)
    needed = needed_columns(spec)
    for layout in batch.files:
        own = {FILE_COLUMN, ROW_COLUMN}.intersection(layout.columns)
        if own:
            raise SourceFileError(
                f"{layout.file.url}: the file has a column {min(own)!r}, a name Feedway keeps for itself while it "
                "loads. Give it another name under columns.rename.",
                (layout.file.key,),
            ).about(Section.COLUMNS)
        clash = metadata.intersection(layout.columns)
        if clash:
            raise SourceFileError(
                f"{layout.file.url}: the file has a column {min(clash)!r}, which is also a metadata column. "
                f"Give the metadata column another name in metadata_columns, or turn it off with null.",
                (layout.file.key,),
            ).about(Section.COLUMNS)
        for name in needed:
            if name not in layout.columns:
                column = f"the column {name!r}, which load.keys or load.order_by names"
                lacking = f"{layout.file.url}: {column}, is not in the file."
                raise SourceFileError(
                    f"{lacking} {_own_names(spec, layout)}. Resend the file, or name the column under columns.rename.",
                    (layout.file.key,),
                    # Of a file without a header the names are values.
                    brief=lacking,
                ).about(Section.COLUMNS)
        names.update(dict.fromkeys(name for name in layout.columns if name not in spec.columns.exclude))
    return tuple(names)


def _own_names(spec: PipelineSpec, layout: FileLayout) -> str:
    """Return the columns of a file in words; where no value may be shown, only how many there are."""
    if spec.bad_rows.log_samples:
        return f"Its columns are {', '.join(layout.columns)}"
    return f"It has {counted(len(layout.columns), 'column')}"


def own_columns(spec: PipelineSpec, table: ObservedTable) -> tuple[str, ...]:
    """Return the table's columns that come from files."""
    return tuple(column.name for column in table.columns if column.name not in _metadata(spec))


def refuse_strangers(
    spec: PipelineSpec, table: ObservedTable | None, first: FileLayout, layout: FileLayout, sources: Mapping[str, str]
) -> None:
    """Refuse a file that has none of the columns of the table, or, without one, of the batch's first file.

    `sources` has the cleaned name in the file of each of its columns, which `columns.rename` takes.

    Raises:
        SourceFileError: it has none.
    """
    expected = first.columns if table is None else own_columns(spec, table)
    found = [name for name in layout.columns if name not in spec.columns.exclude]
    if not expected or not found or set(found) & set(expected):
        return
    others = f"{first.file.url}, with which it is loaded" if table is None else str(spec.target.table)
    lines = [f"{layout.file.url}: no column of the file is one of {others}."]
    if spec.bad_rows.log_samples:
        lines += _as_renamed(spec, [sources[name] for name in found], expected, "first" if table is None else "table")
    else:
        lines += [
            f"  in the file:  {counted(len(found), 'name')}, not shown because bad_rows.log_samples is false",
            f"Check the first line of the file. Columns renamed at the source go to columns.rename of {spec.path}.",
        ]
    accept_with = None if table is None else _accepting(spec, found)
    lines += [f"If all columns are new on purpose, {accept_with} accepts this one file."] if accept_with else []
    raise SourceFileError("\n".join(lines), (layout.file.key,), accept_with).about(Section.FILE)


def _as_renamed(spec: PipelineSpec, found: Sequence[str], expected: Sequence[str], other: str) -> list[str]:
    """Return the lines on columns that may have been renamed: the names, and the entry for the spec."""
    return [
        f"  in the file:  {', '.join(found)}",
        f"  in the {other}: {', '.join(expected)}",
        f"If they were renamed at the source, say so in {spec.path}; check the pairs, which follow the order:",
        "columns:",
        "  rename:",
        *(f"    {yaml_name(new)}: {yaml_name(old)}" for new, old in zip(found, expected, strict=False)),
    ]


def _accepting(spec: PipelineSpec, found: Sequence[str]) -> str | None:
    """Return the option by which a file of new columns alone is loaded; None where it cannot be."""
    adds = any(spec.evolution.of(name).new_columns == "add" for name in found)
    return "--allow-new-columns" if adds and set(found).issuperset(needed_columns(spec)) else None


def refuse_too_many(spec: PipelineSpec, table: ObservedTable | None, url: str, names: Sequence[str]) -> None:
    """Refuse files with more columns than the table or the staging table can have.

    `names` are the columns the files bring. Staging has two columns of its own.

    Raises:
        SchemaChangeError: there are too many.
    """
    there = {column.name for column in table.columns} if table else set()
    brought = {name for name in names if name in there or table is None or spec.evolution.of(name).new_columns == "add"}
    brought |= _metadata(spec)
    most = max(len(there | brought), len(brought | {FILE_COLUMN, ROW_COLUMN}))
    if most > MAX_COLUMNS:
        raise SchemaChangeError(too_many(spec, table, url, most)).about(Section.FILE)


def too_many(spec: PipelineSpec, table: ObservedTable | None, url: str, columns: int) -> str:
    """Return the message that a table would have too many columns; only an existing table can ignore new ones."""
    or_ignore = "" if table is None else ", or new ones with evolution.new_columns: ignore"
    return (
        f"{url}: {spec.target.table} or its staging table would have {columns} columns, and Redshift takes "
        f"{MAX_COLUMNS}. Nothing was changed. Leave columns out with columns.exclude{or_ignore}."
    )


def yaml_name(name: str) -> str:
    """Return a name as YAML has it."""
    is_plain = _PLAIN_YAML.fullmatch(name) and name.lower() not in _YAML_WORDS
    return name if is_plain else "'" + name.replace("'", "''") + "'"


def _metadata(spec: PipelineSpec) -> set[str]:
    return {name for name in (spec.metadata_columns.run_date, spec.metadata_columns.file_name) if name}

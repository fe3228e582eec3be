"""The columns of a load's files, by what was seen of their beginnings, and by the names that records have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from framework.errors import Section, SourceFileError
from framework.load.first_look import Files, FirstLook, about
from framework.log.redaction import without_values
from framework.log.run_log import Event, RunLog
from framework.model.files import FileLayout, SourceBatch
from framework.model.load_warning import LoadWarning
from framework.model.observation import Observation, ObservedTable
from framework.model.words import counted, listed
from framework.plan.column_names import (
    NOTHING_KNOWN,
    NameChange,
    NameClashError,
    clean_names,
    duplicate_warning,
    target_names,
)
from framework.plan.fit import own_columns, refuse_strangers
from framework.plan.spellings import Spellings, known_spellings
from framework.rows.formats.json.pointer import name_of, pointer
from framework.rows.formats.recognise import BrokenFile
from framework.rows.protocol import SourceRows
from framework.spec.pipeline import PipelineSpec


def read_layouts(
    spec: PipelineSpec, lake: Files, looks: Sequence[FirstLook], observed: Observation, log: RunLog
) -> SourceBatch:
    """Return the batch of files whose headers were read, with columns named as if they were loaded one by one.

    Raises:
        SourceFileError: two columns of a file would go to one column of the target.
    """
    layouts: list[FileLayout] = []
    warnings: list[LoadWarning] = []
    spellings = known_spellings(observed, spec.columns.rename)
    in_table = spellings.columns
    for ordinal, look in enumerate(looks):
        file = look.file
        parts: list[FileLayout] = []
        for part in look.parts:
            is_correction = file.identity.is_correction
            columns, changes = _named(spec, part, NOTHING_KNOWN if is_correction else spellings)
            quotes = spec.bad_rows.log_samples or not in_table.isdisjoint(columns)
            _log_names(part, changes, log, quotes=quotes)
            name = file.identity.key.removeprefix(lake.key(spec.source.prefix))
            seen = part.look
            header = seen.header or ()
            parts.append(
                FileLayout(
                    file=file,
                    ordinal=ordinal,
                    name=f"{name}/{part.member}" if part.member else name,
                    columns=columns,
                    options=seen.options,
                    rows_start=seen.rows_start,
                    packing=part.packing,
                    header=() if is_correction else header,
                    member=part.member,
                    paths=seen.paths,
                    types=seen.types,
                    row_groups=seen.row_groups,
                )
            )
            spellings = spellings.after(columns, header)
            duplicates = [change for change in changes if change.is_duplicate]
            warnings += [duplicate_warning(change, file.key, quotes=quotes) for change in duplicates]
        _require_same_columns(parts, quotes=spec.bad_rows.log_samples)
        layouts.append(replace(parts[0], name=name, member="", members=tuple(parts)) if look.members else parts[0])
    return SourceBatch(
        files=tuple(layouts),
        needs_last_line_end=spec.expect.last_line_end,
        warnings=tuple(warnings),
        max_unpacked_bytes=spec.source.max_unpacked_bytes,
    )


def _require_same_columns(parts: Sequence[FileLayout], *, quotes: bool) -> None:
    """Check that the members of an archive have the same columns, in any order; unless it `quotes`, it names none.

    Raises:
        SourceFileError: two differ.
    """
    first = parts[0]
    for part in parts[1:]:
        others = set(part.columns) ^ set(first.columns)
        if others:
            differing = f"{part.url}: its columns are not those of {first.member}, which is loaded with it"
            names = listed(sorted(others)) if quotes else counted(len(others), "column")
            raise SourceFileError(
                f"{differing}: only one of them has {names}. Send such files by themselves, or leave out what is no "
                "file of the feed with source.members or source.ignore.",
                (part.file.key,),
                brief=differing,
            ).about(Section.FILE)


def with_paths(
    spec: PipelineSpec,
    table: ObservedTable | None,
    looks: Sequence[FirstLook],
    rows: SourceRows,
) -> list[FirstLook]:
    """Return first looks with the fields that records name.

    A file without a record has the columns of the table.

    Raises:
        SourceFileError: there is no table either, or no record has a key.
    """
    found = rows.paths()

    def named(ordinal: int, file: FirstLook, part: FirstLook) -> FirstLook:
        if part.look.header is not None:
            return part
        of_members = [found[place] for each in file.parts if (place := (ordinal, each.member)) in found]
        # The members of an archive have the same columns.
        paths = tuple(dict.fromkeys(path for paths in of_members for path in paths)) if of_members else None
        if paths is None and table is not None:
            paths = tuple(map(pointer, own_columns(spec, table)))
        if not paths:
            if paths is None:
                why = "it has no record, and there is no table"
            elif malformed := rows.read_bad_rows((), [ordinal], 1):
                reason = malformed[0].reason
                shown = reason if spec.bad_rows.log_samples else without_values(reason)
                why = f"no record can be read, row {malformed[0].row} because {shown}"
            else:
                why = "no record is an object with a key"
            raise SourceFileError(f"{part.url}: {why}: send it with its records.", (part.file.key,)).about(
                Section.BROKEN_FILE
            )
        return replace(part, look=replace(part.look, header=tuple(map(name_of, paths)), paths=paths))

    named_looks = []
    for ordinal, each in enumerate(looks):
        parts = tuple(named(ordinal, each, part) for part in each.parts)
        named_looks.append(replace(parts[0], member="", members=parts) if each.members else parts[0])
    return named_looks


def require_known_column(
    spec: PipelineSpec, table: ObservedTable | None, looks: Sequence[FirstLook], batch: SourceBatch
) -> None:
    """Check that each file has a column of the table; without one, of the batch's first file.

    Raises:
        SourceFileError: one has none.
    """
    for look, layout in zip(looks, batch.files, strict=True):
        names = clean_names(look.look.header or ())
        refuse_strangers(spec, table, batch.files[0], layout, dict(zip(layout.columns, names, strict=True)))


def _named(spec: PipelineSpec, look: FirstLook, spellings: Spellings) -> tuple[tuple[str, ...], tuple[NameChange, ...]]:
    with about(look.file, look.url):
        try:
            columns, changes = target_names(look.look.header or (), spec.columns, spellings)
        except NameClashError as error:
            raise ValueError(str(error) if spec.bad_rows.log_samples else error.brief) from error
        for name, own in zip(columns, look.look.types, strict=False):
            if own.fault and name not in spec.columns.exclude:
                raise BrokenFile(own.fault)
    return columns, changes


def _log_names(look: FirstLook, changes: Sequence[NameChange], log: RunLog, *, quotes: bool) -> None:
    """Log the names that differ from their headers; unless it `quotes`, how many they are."""
    if changes:
        named = [{"raw": change.raw, "name": change.name, "why": change.why} for change in changes]
        log.info(Event.COLUMNS_NAMED, file=look.url, **({"names": named} if quotes else {"count": len(named)}))

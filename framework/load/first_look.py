"""The first bytes of a load's files: their headers, and whether each looks like its feed. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from framework.errors import SourceFileError
from framework.lake.lake import Lake
from framework.log.run_log import Event, RunLog
from framework.model.files import FileLayout, RowsStart, SourceBatch, SourceFile
from framework.model.load_warning import LoadWarning
from framework.model.observation import Observation, ObservedTable
from framework.plan.column_names import NOTHING_KNOWN, NameChange, clean_names, duplicate_warning, target_names
from framework.plan.fit import needed_columns, own_columns, refuse_strangers
from framework.plan.spellings import Spellings, known_spellings
from framework.rows.formats.csv.header import BrokenFile, header_of, is_gzip, read_text
from framework.rows.formats.csv.shape import FileStart, find_misfit
from framework.rows.formats.csv.start import find_rows_start
from framework.spec.pipeline import PipelineSpec

FIRST_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class FirstLook:
    """A file's original header, where its rows begin, and its first text; see FileStart."""

    file: SourceFile
    header: tuple[str, ...]
    is_gzip: bool
    rows_start: RowsStart
    text: str
    is_all: bool


def read_start(spec: PipelineSpec, lake: Lake, file: SourceFile) -> FirstLook:
    """Return the beginning of a file, at least up to the end of its header.

    Raises:
        SourceFileError: it is empty, of another format, or its header cannot be read.
    """
    size = FIRST_HEAD_BYTES
    while True:
        head = lake.read_head(file, size)
        is_complete = len(head) >= file.size_bytes
        try:
            text = read_text(head, spec.source.options, is_complete)
        except ValueError as error:
            raise _unreadable(file, error) from error
        try:
            header = None if text is None else header_of(*text, spec.source.options)
            rows_start = None if header is None else find_rows_start(head, spec.source.options, is_complete)
        except ValueError as error:
            # What a header of another delimiter looks like.
            _require_shape(spec, file, *text or ("", True), None)
            raise _unreadable(file, error) from error
        if text is not None and header is not None and rows_start is not None:
            return FirstLook(file, header, is_gzip(head), rows_start, *text)
        size *= 4


def _unreadable(file: SourceFile, error: ValueError) -> SourceFileError:
    return SourceFileError(f"{file.url}: {error}", (file.key,), needs_new_file=isinstance(error, BrokenFile))


def require_shape(spec: PipelineSpec, table: ObservedTable | None, looks: Sequence[FirstLook]) -> None:
    """Check that files have the shape of their feed, and begin with a header.

    Raises:
        SourceFileError: one is not.
    """
    for look in looks:
        _require_shape(spec, look.file, look.text, look.is_all, None if table is None else own_columns(spec, table))


def read_layouts(
    spec: PipelineSpec, lake: Lake, looks: Sequence[FirstLook], observed: Observation, log: RunLog
) -> SourceBatch:
    """Return the batch of files whose headers were read, with columns named as if they were loaded one by one.

    Raises:
        SourceFileError: two columns of a file would go to one column of the target.
    """
    layouts = []
    warnings: list[LoadWarning] = []
    spellings = known_spellings(observed, spec.columns.rename)
    for ordinal, look in enumerate(looks):
        file = look.file
        is_correction = file.identity.is_correction
        columns, changes = _named(spec, look, NOTHING_KNOWN if is_correction else spellings, log)
        name = file.identity.key.removeprefix(lake.key(spec.source.prefix))
        header = () if is_correction else look.header
        layouts.append(FileLayout(file, ordinal, name, columns, look.is_gzip, look.rows_start, header))
        spellings = spellings.after(columns, look.header)
        warnings += [duplicate_warning(change, file.key) for change in changes if change.is_duplicate]
    needs_last_line_end = spec.expect.last_line_end
    return SourceBatch(tuple(layouts), spec.source.options, None, needs_last_line_end, tuple(warnings))


def require_known_column(
    spec: PipelineSpec, table: ObservedTable | None, looks: Sequence[FirstLook], batch: SourceBatch
) -> None:
    """Check that each file has a column of the table; without one, of the batch's first file.

    Raises:
        SourceFileError: one has none.
    """
    expected = batch.files[0].columns if table is None else own_columns(spec, table)
    for look, layout in zip(looks, batch.files, strict=True):
        refuse_strangers(spec, expected, layout, dict(zip(layout.columns, clean_names(look.header), strict=True)))


def _named(
    spec: PipelineSpec, look: FirstLook, spellings: Spellings, log: RunLog
) -> tuple[tuple[str, ...], tuple[NameChange, ...]]:
    file = look.file
    try:
        columns, changes = target_names(look.header, spec.columns, spellings)
    except ValueError as error:
        raise SourceFileError(f"{file.url}: {error}", (file.key,)) from error
    if changes:
        named = [{"raw": change.raw, "name": change.name, "why": change.why} for change in changes]
        log.info(Event.COLUMNS_NAMED, file=file.url, names=named)
    return columns, changes


def _require_shape(
    spec: PipelineSpec, file: SourceFile, text: str, is_all: bool, expected: tuple[str, ...] | None
) -> None:
    misfit = find_misfit(
        FileStart(
            text,
            is_all,
            spec.source.options,
            spec.columns,
            expected,
            needed_columns(spec),
            spec.types.notation.null_values,
        )
    )
    if misfit is not None:
        described = misfit.describe(spec.source.options, spec.bad_rows.log_samples)
        raise SourceFileError(f"{file.url}: {described}", (file.key,), needs_new_file=not misfit.ways)

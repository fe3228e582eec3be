"""The first bytes of a load's files: their headers, and whether each looks like its feed. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from framework.errors import SourceFileError
from framework.lake.lake import Lake
from framework.lake.pending import is_member_of
from framework.log.run_log import Event, RunLog
from framework.model.csv_options import CsvOptions
from framework.model.files import FileLayout, Packing, RowsStart, SourceBatch, SourceFile
from framework.model.load_warning import LoadWarning
from framework.model.observation import Observation, ObservedTable
from framework.model.words import listed
from framework.plan.column_names import NOTHING_KNOWN, NameChange, clean_names, duplicate_warning, target_names
from framework.plan.fit import needed_columns, own_columns, refuse_strangers
from framework.plan.spellings import Spellings, known_spellings
from framework.rows.formats.archive import Archive
from framework.rows.formats.csv.encoding import UnmarkedText, WrongEncoding, decode_head, marked_encoding
from framework.rows.formats.csv.header import header_of, read_text
from framework.rows.formats.csv.resolve import resolve
from framework.rows.formats.csv.shape import FileStart, find_misfit
from framework.rows.formats.csv.start import find_rows_start
from framework.rows.formats.packing import BrokenPacking
from framework.rows.formats.recognise import Beginning, BrokenFile, first_content, of_text, require_packing
from framework.spec.pipeline import PipelineSpec

FIRST_HEAD_BYTES = 64 * 1024
MOST_HEAD_BYTES = 16 * 1024**2
"""Up to here the end of a header is looked for: far more than a table's columns need."""
_ARCHIVE_BUFFER_BYTES = 64 * 1024


@dataclass(frozen=True)
class FirstLook:
    """A file's original header, where its rows begin, and its first text; see FileStart.

    `options` are resolved for the file. A zip archive has one of each of its members, and is itself the first.
    """

    file: SourceFile
    header: tuple[str, ...]
    options: CsvOptions
    rows_start: RowsStart
    text: str
    is_all: bool
    packing: Packing | None = None
    member: str = ""
    members: tuple[FirstLook, ...] = ()

    @property
    def url(self) -> str:
        """The address of the file, or that of its archive with the name there."""
        return self.file.url_of(self.member)

    @property
    def parts(self) -> tuple[FirstLook, ...]:
        """The first looks of the files that hold the rows."""
        return self.members or (self,)


def read_start(spec: PipelineSpec, lake: Lake, tried: Mapping[str, str], file: SourceFile) -> FirstLook:
    """Return the beginning of a file, at least up to the end of its header.

    `tried` has by address the encoding in which the rest of a file, or of an archive's member, has turned out not to be
    valid: one that the spec names after it is taken.

    Raises:
        SourceFileError: it is empty, of another format, or its header cannot be read.
    """
    with _about(file, file.url):
        head = lake.read_head(file, FIRST_HEAD_BYTES)
        packing = require_packing(head, spec.source.compression)
    if packing == "zip":
        return _read_archive(spec, lake, tried, file)

    def read(size: int) -> Beginning:
        start = head if size == FIRST_HEAD_BYTES else lake.read_head(file, size)
        return first_content(start, len(start) >= file.size_bytes, packing, size)

    return _read_start(spec, tried, file, "", read)


def _read_archive(spec: PipelineSpec, lake: Lake, tried: Mapping[str, str], file: SourceFile) -> FirstLook:
    """Return the first look of a zip archive."""

    def fetch(start: int, end: int) -> bytearray:
        return lake.store.read_range(file, start, end, lambda size_bytes: None)

    with _about(file, file.url):
        try:
            archive = Archive(fetch, file.size_bytes, _ARCHIVE_BUFFER_BYTES)
            names = [name for name in archive.names() if is_member_of(spec.source, name)]
        except BrokenPacking as error:
            raise BrokenFile(str(error)) from error
        if not names:
            found = listed(archive.names()) or "no file"
            raise ValueError(
                f"the archive holds {found}, and no member that source.members ({spec.source.members}) takes and "
                "source.ignore leaves: send it with one, or change these"
            )

    def read(name: str, size: int) -> Beginning:
        try:
            return of_text(Beginning(*archive.head(name, size), "zip"))
        except BrokenPacking as error:
            raise BrokenFile(str(error)) from error

    members = tuple(_read_start(spec, tried, file, name, partial(read, name)) for name in names)
    return replace(members[0], member="", members=members)


def _read_start(
    spec: PipelineSpec, tried: Mapping[str, str], file: SourceFile, member: str, read: Callable[[int], Beginning]
) -> FirstLook:
    url = file.url_of(member)
    size = FIRST_HEAD_BYTES
    while True:
        with _about(file, url):
            look = _seen_of(spec, tried.get(url), file, read(size))
            if look is not None:
                return replace(look, member=member)
            size *= 4
            if size > MOST_HEAD_BYTES:
                raise BrokenFile(
                    f"no header ends within the first {MOST_HEAD_BYTES // 1024**2} MB: send the file with line ends, "
                    "and without a quote that is never closed"
                )


def _seen_of(spec: PipelineSpec, tried: str | None, file: SourceFile, beginning: Beginning) -> FirstLook | None:
    """Return what is seen of a file that begins so; None where its header may go on.

    Raises:
        ValueError: it cannot be read.
    """
    is_all = beginning.is_all
    encoding, text = _decoded(spec, tried, beginning)
    options = resolve(text, is_all, replace(spec.source.options, encoding=encoding))
    rest = None if options is None else read_text(text, is_all, options)
    if options is None or rest is None:
        return None
    try:
        header = header_of(rest, is_all, options)
        rows_start = None if header is None else find_rows_start(beginning, options)
    except ValueError:
        # What a header of another delimiter looks like.
        _require_shape(spec, FirstLook(file, (), options, RowsStart(0, 1, "\n", False), rest, is_all), None)
        raise
    if header is None or rows_start is None:
        return None
    return FirstLook(file, header, options, rows_start, rest, is_all, beginning.packing)


def _decoded(spec: PipelineSpec, tried: str | None, beginning: Beginning) -> tuple[str, str]:
    """Return the encoding of a file, and its first text: the first of the spec's in which that is valid, or its mark's.

    Raises:
        ValueError: it is valid in none.
    """
    marked = marked_encoding(beginning.content)
    left = spec.source.encodings
    if tried in left:
        left = left[left.index(tried) + 1 :]
    faults: list[WrongEncoding] = []
    for encoding in left if marked is None else (marked,):
        try:
            return encoding, decode_head(beginning.content, encoding, beginning.is_all)
        except WrongEncoding as error:
            faults.append(error)
    if marked is not None:
        raise BrokenFile(f"{faults[0]}, which its byte order mark says: send it again")
    unmarked = next((fault for fault in faults if isinstance(fault, UnmarkedText)), None)
    if unmarked is not None:
        raise unmarked
    raise ValueError(f"{', and '.join(map(str, faults))}; set source.options.encoding to the file's encoding")


@contextmanager
def _about(file: SourceFile, url: str) -> Iterator[None]:
    """Name the file in what is wrong with it.

    Raises:
        SourceFileError: names it.
    """
    try:
        yield
    except ValueError as error:
        raise SourceFileError(f"{url}: {error}", (file.key,), needs_new_file=isinstance(error, BrokenFile)) from error


def has_another(spec: PipelineSpec, encoding: str) -> bool:
    """Return whether the spec has an encoding to try after this one."""
    return encoding in spec.source.encodings[:-1]


def require_shape(spec: PipelineSpec, table: ObservedTable | None, looks: Sequence[FirstLook]) -> None:
    """Check that files have the shape of their feed, and begin with a header.

    Raises:
        SourceFileError: one is not.
    """
    for look in looks:
        for part in look.parts:
            _require_shape(spec, part, None if table is None else own_columns(spec, table))


def read_layouts(
    spec: PipelineSpec, lake: Lake, looks: Sequence[FirstLook], observed: Observation, log: RunLog
) -> SourceBatch:
    """Return the batch of files whose headers were read, with columns named as if they were loaded one by one.

    Raises:
        SourceFileError: two columns of a file would go to one column of the target.
    """
    layouts: list[FileLayout] = []
    warnings: list[LoadWarning] = []
    spellings = known_spellings(observed, spec.columns.rename)
    for ordinal, look in enumerate(looks):
        file = look.file
        parts: list[FileLayout] = []
        for part in look.parts:
            is_correction = file.identity.is_correction
            columns, changes = _named(spec, part, NOTHING_KNOWN if is_correction else spellings, log)
            name = file.identity.key.removeprefix(lake.key(spec.source.prefix))
            parts.append(
                FileLayout(
                    file=file,
                    ordinal=ordinal,
                    name=f"{name}/{part.member}" if part.member else name,
                    columns=columns,
                    options=part.options,
                    rows_start=part.rows_start,
                    packing=part.packing,
                    header=() if is_correction else part.header,
                    member=part.member,
                )
            )
            spellings = spellings.after(columns, part.header)
            warnings += [duplicate_warning(change, file.key) for change in changes if change.is_duplicate]
        _require_same_columns(parts)
        layouts.append(replace(parts[0], name=name, member="", members=tuple(parts)) if look.members else parts[0])
    return SourceBatch(
        files=tuple(layouts),
        needs_last_line_end=spec.expect.last_line_end,
        warnings=tuple(warnings),
        max_unpacked_bytes=spec.source.max_unpacked_bytes,
    )


def _require_same_columns(parts: Sequence[FileLayout]) -> None:
    """Check that the members of an archive have the same columns, in any order.

    Raises:
        SourceFileError: two differ.
    """
    first = parts[0]
    for part in parts[1:]:
        others = set(part.columns) ^ set(first.columns)
        if others:
            raise SourceFileError(
                f"{part.url}: its columns are not those of {first.member}, which is loaded with it: only one of them "
                f"has {listed(sorted(others))}. Send such files by themselves, or leave out what is no file of the "
                "feed with source.members or source.ignore.",
                (part.file.key,),
            )


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
    with _about(look.file, look.url):
        columns, changes = target_names(look.header, spec.columns, spellings)
    if changes:
        named = [{"raw": change.raw, "name": change.name, "why": change.why} for change in changes]
        log.info(Event.COLUMNS_NAMED, file=look.url, names=named)
    return columns, changes


def _require_shape(spec: PipelineSpec, look: FirstLook, expected: tuple[str, ...] | None) -> None:
    start = FileStart(
        text=look.text,
        is_all=look.is_all,
        options=look.options,
        columns=spec.columns,
        expected=expected,
        needed=needed_columns(spec),
        null_values=spec.types.notation.null_values,
    )
    misfit = find_misfit(start)
    if misfit is not None:
        described = misfit.describe(look.options, spec.bad_rows.log_samples)
        raise SourceFileError(f"{look.url}: {described}", (look.file.key,), needs_new_file=not misfit.ways)

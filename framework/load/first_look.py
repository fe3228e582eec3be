"""The first bytes of a load's files: their format, their headers, and whether each looks like its feed. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from functools import partial
from itertools import accumulate
from typing import Protocol

from framework.dataclass import dataclass
from framework.errors import Section, SourceFileError, UndecodableFileError
from framework.lake.pending import is_member_of
from framework.log.redaction import without_values
from framework.model.csv_options import CsvOptions, Format
from framework.model.file_options import ExcelOptions
from framework.model.files import Packing, SourceBatch, SourceFile, unpacked_limit
from framework.model.observation import ObservedTable
from framework.model.words import listed
from framework.model.words import size as size_text
from framework.parallel import map_parallel
from framework.plan.fit import needed_columns, own_columns
from framework.rows.formats import format_named
from framework.rows.formats.archive import Archive
from framework.rows.formats.csv.shape import FileStart, find_misfit
from framework.rows.formats.packing import BrokenPacking, TooLarge
from framework.rows.formats.recognise import Beginning, BrokenFile, first_content, require_format, require_packing
from framework.rows.formats.source import Look, Source, UnreadHeader
from framework.rows.formats.text.encoding import WrongEncoding
from framework.rows.formats.text.stream import MAX_RECORD_BYTES
from framework.rows.protocol import ObjectStore
from framework.spec.pipeline import PipelineSpec

FIRST_HEAD_BYTES = 64 * 1024
WHOLE_BYTES = 1024**2
"""Maximum size of a file that the first GET brings whole: these bytes take no longer than a second GET would."""
HELD_BYTES = 8 * 1024**2
"""Maximum bytes of such files of a load, which are in memory until its rows are staged."""
MOST_HEAD_BYTES = 16 * 1024**2
"""Up to here the end of a header is looked for: far more than a table's columns need."""
_ARCHIVE_BUFFER_BYTES = 64 * 1024


@dataclass(frozen=True)
class FirstLook:
    """What is seen of a file's beginning; `packing` as in FileLayout.

    A zip archive has one of each of its members, and is itself the first. `content` is all of the file, if it was read.
    """

    file: SourceFile
    look: Look
    packing: Packing | None = None
    member: str = ""
    members: tuple[FirstLook, ...] = ()
    content: bytes | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The address of the file, or that of its archive with the name there."""
        return self.file.url_of(self.member)

    @property
    def parts(self) -> tuple[FirstLook, ...]:
        """The first looks of the files that hold the rows."""
        return self.members or (self,)


@dataclass(frozen=True)
class Feed:
    """What is known of a feed's files before one is read: its spec, and the format of earlier loads, None for none.

    `tried` has by address the encoding in which the rest of a file, or of an archive's member, has turned out not to be
    valid: one that the spec names after it is taken.
    """

    spec: PipelineSpec
    loaded_format: Format | None
    tried: Mapping[str, str]

    def format_of(self, beginning: Beginning) -> Format:
        """Return the format of a file that begins so.

        Raises:
            ValueError: it is not that of the feed.
        """
        written = self.spec.source.format
        expected = self.loaded_format if written == "auto" else written
        return require_format(beginning, expected, is_written=written != "auto")


class Files(Protocol):
    """What a first look knows of the place where files are: the lake, or this machine."""

    @property
    def store(self) -> ObjectStore:
        """What tasks read the files with."""

    def key(self, path: str) -> str:
        """Return the object key of a path in the lake."""

    def read_head(self, file: SourceFile, size_bytes: int) -> bytes:
        """Return the first bytes of a file.

        Raises:
            SourceFileError: the file is gone or was replaced.
        """


def read_starts(feed: Feed, lake: Files, files: Sequence[SourceFile]) -> list[FirstLook]:
    """Return the beginning of each file of a load, at least up to the end of its header; of small files all content.

    Raises:
        SourceFileError: one is empty, of another format, or its header cannot be read.
    """
    small = [file for file in files if file.size_bytes <= WHOLE_BYTES]
    totals = accumulate(file.size_bytes for file in small)
    whole = {file for file, total in zip(small, totals, strict=True) if total <= HELD_BYTES}
    return map_parallel(lambda file: _read_file(feed, lake, file, is_whole=file in whole), files)


def _read_file(feed: Feed, lake: Files, file: SourceFile, *, is_whole: bool) -> FirstLook:
    first = lake.read_head(file, file.size_bytes if is_whole else FIRST_HEAD_BYTES)
    with about(file, file.url):
        packing = require_packing(first[:FIRST_HEAD_BYTES], feed.spec.source.compression)

    def fetch(start: int, end: int) -> bytearray:
        if is_whole:
            return bytearray(first[start:end])
        return lake.store.read_range(file, start, end, lambda size_bytes: None)

    def read(size: int) -> Beginning:
        start = first[:size] if is_whole or size == FIRST_HEAD_BYTES else lake.read_head(file, size)
        return first_content(start, len(start) >= file.size_bytes, packing, size)

    look = _read_archive(feed, file, fetch) if packing == "zip" else _read_start(feed, file, "", read, fetch)
    return replace(look, content=first if is_whole else None)


def _read_archive(feed: Feed, file: SourceFile, fetch: Callable[[int, int], bytearray]) -> FirstLook:
    """Return the first look of a zip archive."""
    source = feed.spec.source
    with about(file, file.url):
        try:
            archive = Archive(fetch, file.size_bytes, _ARCHIVE_BUFFER_BYTES)
            names = [name for name in archive.names() if is_member_of(source, name)]
        except BrokenPacking as error:
            raise BrokenFile(str(error)) from error
        if not names:
            found = listed(archive.names()) or "no file"
            raise ValueError(
                f"the archive holds {found}, and no member that source.members ({source.members}) takes and "
                "source.ignore leaves: send it with one, or change these"
            )

    def read(name: str, size: int) -> Beginning:
        try:
            return Beginning(*archive.head(name, size), "zip")
        except BrokenPacking as error:
            raise BrokenFile(str(error)) from error

    members = tuple(_read_start(feed, file, name, partial(read, name), fetch) for name in names)
    _require_one_format(members)
    return replace(members[0], member="", members=members)


def _require_one_format(looks: Sequence[FirstLook]) -> None:
    """Check that all files of an archive or of a load have the same format.

    Raises:
        SourceFileError: one has another.
    """
    first = looks[0].look.options.format
    for each in looks[1:]:
        if each.look.options.format != first:
            raise SourceFileError(
                f"{each.url}: its format is {each.look.options.format}, and that of {looks[0].url}, which is loaded "
                f"with it, is {first}. Send files of one format, or set source.format.",
                (each.file.key,),
            ).about(Section.FILE)


def _read_start(
    feed: Feed,
    file: SourceFile,
    member: str,
    read: Callable[[int], Beginning],
    fetch: Callable[[int, int], bytearray],
) -> FirstLook:
    url = file.url_of(member)
    size = FIRST_HEAD_BYTES
    while True:
        with about(file, url):
            beginning = read(size)
            name = feed.format_of(beginning)
            try:
                look = format_named(name).look(Source(file, feed.spec.source, beginning, fetch, feed.tried.get(url)))
            except UnreadHeader as error:
                # What a header of another delimiter looks like.
                _require_shape(feed.spec, FirstLook(file, error.look, member=member), None)
                raise error.reason from error
            if look is not None:
                most = unpacked_limit(feed.spec.source.max_unpacked_bytes, file)
                if look.unpacked_bytes > most:
                    raise ValueError(f"the file cannot be read: {TooLarge(most)}")
                return FirstLook(file, look, beginning.packing, member)
            size *= 4
            if name == "json" and size > MAX_RECORD_BYTES:
                raise BrokenFile(f"its first record has more than {size_text(MAX_RECORD_BYTES)}")
            if name != "json" and size > MOST_HEAD_BYTES:
                raise BrokenFile(
                    f"no header or first record ends within the first {MOST_HEAD_BYTES // 1024**2} MB: send the file "
                    "with line ends, and without a quote that is never closed"
                )


@contextmanager
def about(file: SourceFile, url: str) -> Iterator[None]:
    """Name the file in what is wrong with it.

    Raises:
        SourceFileError: names it.
    """
    try:
        yield
    except ValueError as error:
        message = f"{url}: {error}"
        is_broken = isinstance(error, BrokenFile)
        undecoded = Section.ENCODING if isinstance(error, WrongEncoding) else Section.FILE
        raise SourceFileError(
            message, (file.key,), needs_new_file=is_broken, brief=without_values(message.partition("\n")[0])
        ).about(Section.BROKEN_FILE if is_broken else undecoded) from error


def wrong_encodings(feed: Feed, batch: SourceBatch, error: UndecodableFileError) -> dict[str, str]:
    """Return by address the encodings in which files have turned out not to be valid, where the spec has another.

    Raises:
        SourceFileError: it has none for one of them.
    """
    found = {part.url: part.encoding for file in batch.files for part in file.parts}
    at_fault = {url: found[url] for url in error.urls}
    # A file that was to be read in another one, and was not, has a byte order mark.
    has_another = (
        found[url] in feed.spec.source.encodings[:-1] and feed.tried.get(url) != found[url] for url in at_fault
    )
    if not all(has_another):
        raise SourceFileError(str(error), error.keys).about(error.section) from error
    return at_fault


def require_shape(spec: PipelineSpec, table: ObservedTable | None, looks: Sequence[FirstLook]) -> None:
    """Check that files have one format and the shape of their feed, and begin with a header.

    Raises:
        SourceFileError: one is not.
    """
    _require_one_format(looks)
    for look in looks:
        for part in look.parts:
            _require_shape(spec, part, None if table is None else own_columns(spec, table))


def _require_shape(spec: PipelineSpec, first: FirstLook, expected: tuple[str, ...] | None) -> None:
    look = first.look
    options = look.options.as_csv if isinstance(look.options, ExcelOptions) else look.options
    if not isinstance(options, CsvOptions):
        return
    start = FileStart(
        text=look.text,
        is_all=look.is_all,
        options=options,
        columns=spec.columns,
        expected=expected,
        needed=needed_columns(spec),
        null_values=spec.types.notation.null_values,
        is_sheet=isinstance(look.options, ExcelOptions),
    )
    misfit = find_misfit(start)
    if misfit is not None:
        described = misfit.describe(options, spec.bad_rows.log_samples)
        raise SourceFileError(f"{first.url}: {described}", (first.file.key,), needs_new_file=not misfit.ways).about(
            Section.FILE
        )

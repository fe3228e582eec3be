"""The beginnings of sample files: their packing, their format, their first text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath

from framework.dataclass import dataclass
from framework.errors import SourceFileError
from framework.load.first_look import Files
from framework.model.csv_options import Format
from framework.model.files import SourceFile
from framework.rows.formats.archive import Archive
from framework.rows.formats.packing import BrokenPacking
from framework.rows.formats.recognise import Beginning, first_content, require_format, require_packing

HEAD_BYTES = 1024**2
"""So much of each file shows its dialect; all rows then prove it."""


@dataclass(frozen=True)
class Start:
    """The first bytes of a file or of an archive's member, unpacked, and its format."""

    file: SourceFile
    member: str
    beginning: Beginning
    format: Format

    @property
    def url(self) -> str:
        """The address of the file, or that of its archive with the name there."""
        return self.file.url_of(self.member)


@dataclass(frozen=True)
class Starts:
    """The beginnings of all sample files; `members` is the glob of the archives' members, `*` for all of them."""

    all: tuple[Start, ...]
    members: str

    @property
    def format(self) -> Format:
        """The format of the files."""
        return self.all[0].format


def read_starts(files: Files, sources: Sequence[SourceFile]) -> Starts:
    """Return the beginning of each file.

    Raises:
        SourceFileError: one is empty, of a format that no spec could read, or of another than the first.
    """
    archives: dict[str, list[str]] = {}
    starts: list[Start] = []
    for file in sources:
        with about(file.url):
            if not file.size_bytes:
                raise ValueError("the file is empty")
            head = files.read_head(file, HEAD_BYTES)
            packing = require_packing(head, "auto")
            if packing == "zip":
                found = list(_members(files, file))
                archives[file.key] = [start.member for start in found]
                starts += found
            else:
                starts.append(_start(file, "", first_content(head, len(head) >= file.size_bytes, packing, HEAD_BYTES)))
    members = _common_members([name for names in archives.values() for name in names])
    kept = tuple(start for start in starts if not start.member or start.member.lower().endswith(members[1:].lower()))
    for start in kept[1:]:
        if start.format != kept[0].format:
            raise SourceFileError(
                f"{start.url}: its format is {start.format}, and that of {kept[0].url} is {kept[0].format}: a feed has "
                "files of one format"
            )
    return Starts(kept, members)


@contextmanager
def about(url: str) -> Iterator[None]:
    """Name the file in what is wrong with it.

    Raises:
        SourceFileError: names it.
    """
    try:
        yield
    except (ValueError, BrokenPacking) as error:
        raise SourceFileError(f"{url}: {error}") from error


def _start(file: SourceFile, member: str, beginning: Beginning) -> Start:
    return Start(file, member, beginning, require_format(beginning, None, is_written=False))


def _members(files: Files, file: SourceFile) -> Iterator[Start]:
    def fetch(start: int, end: int) -> bytearray:
        return files.store.read_range(file, start, end, lambda size_bytes: None)

    archive = Archive(fetch, file.size_bytes, 64 * 1024)
    names = archive.names()
    if not names:
        raise ValueError("the archive holds no file")
    for name in names:
        yield _start(file, name, Beginning(*archive.head(name, HEAD_BYTES), "zip"))


def _common_members(names: Sequence[str]) -> str:
    """Return the glob of the members that are the feed's: those with the most frequent ending, where several occur."""
    endings = Counter(PurePosixPath(name).suffix.lower() for name in names)
    if len(endings) < 2:
        return "*"
    (ending, most), (_, second) = endings.most_common(2)
    if not ending or most == second:
        raise ValueError(f"the archive has members of different kinds: {', '.join(sorted(names)[:5])}")
    return f"*{ending}"

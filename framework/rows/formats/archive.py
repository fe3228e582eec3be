"""The members of a zip archive, read by ranges of the file."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from framework.rows.formats.packing import BrokenPacking, TooLarge

MOST_MEMBERS = 10_000
_PIECE_BYTES = 256 * 1024
_IS_ENCRYPTED = 0x1
"""Source: APPNOTE.TXT 4.4.4, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT"""
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)

Fetch = Callable[[int, int], bytes | bytearray]
"""Returns the bytes of the file from a place up to another."""


class Archive:
    """A zip archive. Threads may not share it."""

    def __init__(self, fetch: Fetch, size_bytes: int, buffer_bytes: int) -> None:
        """Read the directory, at the archive's end.

        Raises:
            BrokenPacking: there is none, or it is damaged.
        """
        self._read_bytes = 0
        content = io.BufferedReader(_Ranges(fetch, size_bytes), buffer_bytes)
        with _explained():
            self._archive = zipfile.ZipFile(content)
        names = self._archive.namelist()
        if len(names) > MOST_MEMBERS:
            raise BrokenPacking(f"the archive has more than {MOST_MEMBERS:,} members")
        if len(set(names)) < len(names):
            (twice, _), *_ = Counter(names).most_common(1)
            raise BrokenPacking(f"the archive has several members with the name {twice}: send each under its own")

    def names(self) -> list[str]:
        """Return the names of its files in the order of the directory; not those of folders, nor hidden ones."""
        files = [each.filename for each in self._archive.infolist() if not each.is_dir()]
        return [name for name in files if not _is_hidden(name)]

    def head(self, name: str, size_bytes: int) -> tuple[bytes, bool]:
        """Return the first bytes of a member, and whether they are all of it.

        Raises:
            BrokenPacking: it cannot be read.
        """
        with _explained(), self._open(name) as content:
            head = content.read(size_bytes)
            return head, len(head) < size_bytes

    def content(self, name: str, most_bytes: int) -> Iterator[bytes]:
        """Yield a member's content.

        Raises:
            BrokenPacking: it cannot be read, is damaged, or all that was read of the archive has more bytes than these.
        """
        with _explained(), self._open(name) as content:
            while piece := content.read(_PIECE_BYTES):
                self._read_bytes += len(piece)
                if self._read_bytes > most_bytes:
                    raise TooLarge(most_bytes)
                yield piece

    def _open(self, name: str) -> zipfile.ZipExtFile:
        info = self._archive.getinfo(name)
        if info.flag_bits & _IS_ENCRYPTED:
            raise BrokenPacking(f"the archive's member {name} is encrypted: send it without a password")
        opened = self._archive.open(info)
        assert isinstance(opened, zipfile.ZipExtFile)
        return opened


class _Ranges(io.RawIOBase):
    """A file whose bytes are fetched where they are read."""

    def __init__(self, fetch: Fetch, size_bytes: int) -> None:
        super().__init__()
        self._fetch = fetch
        self._size = size_bytes
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError("before the start of the file")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        found = self._fetch(self._at, end)
        buffer[: len(found)] = found
        self._at = end
        return len(found)


@contextmanager
def _explained() -> Iterator[None]:
    """Name what is wrong with an archive."""
    try:
        yield
    except NotImplementedError as error:
        raise BrokenPacking(f"the archive is packed in a way that is not read: {error}") from error
    except _DAMAGED as error:
        raise BrokenPacking(f"the zip archive is damaged or cut off: {error}") from error


def _is_hidden(name: str) -> bool:
    """Return whether a file or a folder around it is for programs by its name: `.DS_Store`, `__MACOSX`."""
    return any(part.startswith((".", "_")) for part in name.split("/"))

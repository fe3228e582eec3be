"""Copies of source files that a cluster can share: every record on a line of its own.

One task has to read a file whose fields go over several lines, or a packed one, from end to end.
The copy is UTF-8 with blocks.FOLD in the place of each line feed inside quotes, in objects of some size;
a reader restores the line feeds. Only a file whose quoting and bytes are sound is copied.
"""

from __future__ import annotations

import codecs
import shutil
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from functools import partial
from pathlib import Path

from framework.errors import SourceFileError
from framework.model.csv_options import CsvOptions
from framework.model.files import FileLayout
from framework.rows.formats.csv.blocks import fold_block
from framework.rows.formats.csv.text import BrokenBytes, BrokenPacking, in_blocks, plain_text
from framework.rows.phases import Phases
from framework.rows.protocol import ObjectStore
from framework.rows.workspace import DISK_RESERVE_BYTES

BLOCK_BYTES = 4 * 1024**2
COPY_BYTES = 256 * 1024**2
"""Of one object of a copy."""
MAX_RECORD_BYTES = 64 * 1024**2
"""Of one record. More is a quote that is not closed."""
_MAX_UPLOADS = 2


class CopyIsCancelled(Exception):
    """Whoever waits for the copy has given up."""


class CannotCopy(Exception):
    """The file is not sound, or holds what a copy could not show."""


class FileCopier:
    """Copies files below an address."""

    def __init__(self, store: ObjectStore, folder: Path, destination: str, options: CsvOptions) -> None:
        self._store = store
        self._folder = folder
        self._destination = destination
        self._options = options
        self._is_cancelled = threading.Event()
        self._bytes_read = 0
        self._bytes_total = 0
        self.phases = Phases()

    def cancel(self) -> None:
        """Make the copying that is under way end soon."""
        self._is_cancelled.set()

    def progress(self) -> Mapping[str, int]:
        """Return how many bytes were read of the files that were to be copied so far; nothing before the first."""
        return {"bytes_read": self._bytes_read, "bytes_total": self._bytes_total} if self._bytes_total else {}

    def copy(self, layout: FileLayout) -> tuple[str, ...]:
        """Return the addresses of the copy's objects, in order; none where the file has to be read as it is.

        Raises:
            SourceFileError: the file has gone, is another one by now, or is packed and damaged.
            CopyIsCancelled: see `cancel`.
        """
        size = layout.file.size_bytes
        room = shutil.disk_usage(self._folder).free - DISK_RESERVE_BYTES
        if not self._options.delimiter.isascii() or room < size + (_MAX_UPLOADS + 1) * COPY_BYTES:
            return ()
        self._bytes_total += size
        try:
            with self.phases.busy("copy"), closing(self._store.download([layout.file], self._folder)) as downloads:
                text = plain_text(self._fetched(next(downloads)), layout.is_gzip, self._options.encoding)
                return self._write(folded(text, self._options), layout.ordinal)
        except BrokenPacking as error:
            raise SourceFileError(f"{layout.file.url}: {error}. Send it again.", (layout.file.key,)) from error
        except (CannotCopy, BrokenBytes):
            # Reading the original shows what is wrong, and in which record.
            return ()

    def _fetched(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if self._is_cancelled.is_set():
                raise CopyIsCancelled
            self._bytes_read += len(piece)
            if piece:
                yield piece

    def _write(self, text: Iterator[bytes], ordinal: int) -> tuple[str, ...]:
        urls: list[str] = []
        uploads: deque[Future[None]] = deque()
        with ThreadPoolExecutor(_MAX_UPLOADS, thread_name_prefix="copy") as pool:
            for path in self._parts(text, ordinal):
                urls.append(f"{self._destination}/{path.name}")
                # Not more of them on disk than are on their way.
                if len(uploads) == _MAX_UPLOADS:
                    uploads.popleft().result()
                uploads.append(pool.submit(copy_context().run, partial(self._upload, path, urls[-1])))
            for upload in uploads:
                upload.result()
        return tuple(urls)

    def _parts(self, text: Iterator[bytes], ordinal: int) -> Iterator[Path]:
        """Write the text to local files of whole records, and yield each when it is complete."""
        number = 0
        piece = next(text, None)
        while piece is not None:
            path = self._folder / f"{ordinal}-{number:05d}.csv"
            with path.open("wb", buffering=0) as target:
                # Its reader drops a byte order mark: this one, so that a record that begins with one keeps it.
                target.write(codecs.BOM_UTF8)
                size = 0
                while piece is not None and size < COPY_BYTES:
                    target.write(piece)
                    size += len(piece)
                    piece = next(text, None)
            yield path
            number += 1

    def _upload(self, path: Path, url: str) -> None:
        self._store.upload(path, url)
        path.unlink()


def folded(text: Iterator[bytes], options: CsvOptions) -> Iterator[bytes]:
    """Yield whole records, each on a line of its own.

    Raises:
        CannotCopy: the text is none that a copy can show; see fold_block.
    """
    rest = b""
    enough = 0
    for block, is_all in in_blocks(text, BLOCK_BYTES):
        rest += block
        if is_all and rest and not rest.endswith(b"\n"):
            rest += b"\n"
        if len(rest) < enough and not is_all:
            continue
        found = fold_block(rest, options.delimiter, options.multiline)
        if found is None or (is_all and len(found) < len(rest)) or len(rest) - len(found) > MAX_RECORD_BYTES:
            raise CannotCopy
        # A long record is checked again once twice as much of it has arrived.
        enough = 0 if found else 2 * len(rest)
        if found:
            yield found
            rest = rest[len(found) :]

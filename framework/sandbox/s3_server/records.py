"""What the server remembers of an object beside its file: the ETag of its bytes and the user's metadata."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FileStamp:
    """What a change of a file's content changes too; times are nanoseconds since the epoch."""

    size_bytes: int
    inode: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileStamp:
        """Return the stamp of what `stat` has found."""
        return cls(status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)


@dataclass(frozen=True)
class Record:
    """An object as it was last seen.

    `is_final`: content that is written later is sure to change the stamp, so that the same stamp
    is the same content.
    """

    stamp: FileStamp
    is_final: bool
    etag: str
    metadata: Mapping[str, str]


class Records:
    """The records by bucket and key, in a file of their own; for any number of threads.

    A record counts only for the bytes it was made of, which the caller compares.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # One process has it, so that the log needs no shared memory, which some file systems lack.
        self._database.execute("pragma locking_mode = exclusive")
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = off")
        self._database.execute(
            "create table if not exists objects (bucket text, key text, size_bytes integer, inode integer, "
            "modified_ns integer, changed_ns integer, is_final integer, etag text, metadata text, "
            "primary key (bucket, key)) without rowid"
        )

    def find(self, bucket: str, key: str) -> Record | None:
        """Return what is remembered of an object."""
        with self._lock:
            row = self._database.execute(
                "select size_bytes, inode, modified_ns, changed_ns, is_final, etag, metadata "
                "from objects where bucket = ? and key = ?",
                (bucket, key),
            ).fetchone()
        if row is None:
            return None
        *stamp, is_final, etag, metadata = row
        return Record(FileStamp(*stamp), bool(is_final), etag, json.loads(metadata))

    def keep(self, bucket: str, key: str, record: Record) -> None:
        """Remember an object, in place of what was remembered."""
        stamp = record.stamp
        values = (stamp.size_bytes, stamp.inode, stamp.modified_ns, stamp.changed_ns, record.is_final, record.etag)
        with self._lock:
            self._database.execute(
                "insert or replace into objects values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (bucket, key, *values, json.dumps(dict(record.metadata))),
            )

    def forget(self, bucket: str, key: str) -> None:
        """Remember nothing of an object."""
        with self._lock:
            self._database.execute("delete from objects where bucket = ? and key = ?", (bucket, key))

    def close(self) -> None:
        """Write what is only in the log to its place."""
        with self._lock:
            self._database.close()

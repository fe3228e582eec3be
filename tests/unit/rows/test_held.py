"""Files that are at hand: read without a call, and never sent to another process."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from framework.model.files import FileIdentity, SourceFile
from framework.rows.held import HeldFiles

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Fetching:
    """A store whose files hold zeros."""

    def read_range(self, file: SourceFile, start: int, end: int, heard: Callable[[int], None]) -> bytearray:
        return bytearray(end - start)

    def stream(self, file: SourceFile, heard: Callable[[int], None]) -> Generator[bytes]:
        yield bytes(file.size_bytes)

    def upload(self, path: Path, url: str) -> None:
        raise AssertionError


def file_of(key: str, etag: str = "e") -> SourceFile:
    """Return a file of four bytes."""
    return SourceFile("lake", key, etag, 4, NOON, FileIdentity("lake", key, etag, 4), NOON)


STORE = HeldFiles(Fetching(), {file_of("a"): b"1234", file_of("empty"): b""})


@pytest.mark.parametrize(
    ("file", "part", "pieces", "arrived"),
    [
        (file_of("a"), b"23", [b"1234"], [2, 4]),
        (file_of("a", "another"), bytes(2), [bytes(4)], []),
        (file_of("b"), bytes(2), [bytes(4)], []),
    ],
    ids=["held", "replaced", "not held"],
)
def test_only_the_very_file_that_is_held_is_read_from_memory(
    file: SourceFile, part: bytes, pieces: list[bytes], arrived: list[int]
) -> None:
    heard: list[int] = []

    assert STORE.read_range(file, 1, 3, heard.append) == part
    assert list(STORE.stream(file, heard.append)) == pieces
    assert heard == arrived


def test_a_file_without_a_byte_has_no_piece() -> None:
    assert list(STORE.stream(file_of("empty"), lambda _: None)) == []


def test_another_process_gets_the_store_behind_it_without_the_contents() -> None:
    assert pickle.loads(pickle.dumps(STORE)) == Fetching()

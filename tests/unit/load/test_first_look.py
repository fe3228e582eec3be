"""How much of each file the first GET brings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import pytest

from framework.errors import Section, SourceFileError
from framework.lake.lake import Lake
from framework.load.first_look import FIRST_HEAD_BYTES, HELD_BYTES, WHOLE_BYTES, Feed, read_starts
from framework.model.files import FileIdentity, SourceFile
from tests.unit.load.scenarios import SCENARIOS, read_spec

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@dataclass
class Heads:
    """A lake whose files hold rows of `1,x`, and the sizes of the heads that were asked for, by key."""

    asked: dict[str, int] = field(default_factory=dict)

    def read_head(self, file: SourceFile, size_bytes: int) -> bytes:
        assert file.key not in self.asked
        self.asked[file.key] = size_bytes
        return (b"id,name\n" + b"1,x\n" * (file.size_bytes // 4))[: min(size_bytes, file.size_bytes)]


def read(*sizes: int) -> tuple[list[int], list[int | None]]:
    """Return how much was asked for of files with these sizes, and how much of each is at hand for its rows."""
    lake = Heads()
    files = [
        SourceFile("lake", str(number), "e", size, NOON, FileIdentity("lake", str(number), "e", size), NOON)
        for number, size in enumerate(sizes)
    ]
    looks = read_starts(Feed(read_spec(SCENARIOS["batch"].spec), None, {}), cast(Lake, lake), files)
    assert [look.look.header for look in looks] == [("id", "name")] * len(files)
    held = [None if look.content is None else len(look.content) for look in looks]
    return [lake.asked[file.key] for file in files], held


def test_a_small_file_comes_whole_with_its_header() -> None:
    assert read(12, FIRST_HEAD_BYTES, WHOLE_BYTES) == ([12, FIRST_HEAD_BYTES, WHOLE_BYTES],) * 2


def test_of_a_larger_file_only_the_head_comes() -> None:
    assert read(WHOLE_BYTES + 1, 12) == ([FIRST_HEAD_BYTES, 12], [None, 12])


def test_all_files_of_a_load_together_hold_limited_memory() -> None:
    most = HELD_BYTES // WHOLE_BYTES

    asked, held = read(*[WHOLE_BYTES] * (most + 1))

    assert held == [WHOLE_BYTES] * most + [None]
    assert asked[-1] == FIRST_HEAD_BYTES


@dataclass(frozen=True)
class OneFile:
    """A lake whose only file has this content."""

    content: bytes

    def read_head(self, file: SourceFile, size_bytes: int) -> bytes:
        return self.content[:size_bytes]


@pytest.mark.parametrize(
    ("content", "section"),
    [
        (b"id,name\n1,M\xfcller\n", Section.ENCODING),
        ("id,name\n1,x\n".encode("utf-16-le"), Section.ENCODING),
        (b"<html><body>", Section.BROKEN_FILE),
    ],
)
def test_a_beginning_that_cannot_be_read_names_the_section_that_helps(content: bytes, section: Section) -> None:
    size = len(content)
    file = SourceFile("lake", "1", "e", size, NOON, FileIdentity("lake", "1", "e", size), NOON)

    with pytest.raises(SourceFileError) as caught:
        read_starts(Feed(read_spec(SCENARIOS["batch"].spec), None, {}), cast(Lake, OneFile(content)), [file])

    assert caught.value.section == section

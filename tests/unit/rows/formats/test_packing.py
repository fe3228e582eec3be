"""Packed files: made by what makes them, unpacked however their bytes arrive, and damaged in every way."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import sys
import zipfile
from collections.abc import Callable
from typing import Any

import pyarrow
import pytest

from framework.model.files import Packing
from framework.rows.formats.archive import Archive
from framework.rows.formats.packing import BrokenPacking, packing_of, unpack_head, unpacked
from framework.rows.formats.recognise import BrokenFile, first_content, require_format, require_packing

TEXT = b"id,name\n" + b"".join(b"%d,%d\n" % (number, number * 7919) for number in range(50_000))
GIGABYTE = 1024**3


def zstd(content: bytes) -> bytes:
    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return bytes(sink.getvalue().to_pybytes())


def checked_zstd(content: bytes) -> bytes:
    """Return a frame with a checksum, which zstd leaves out unless it is asked for."""
    if sys.version_info >= (3, 14):
        from compression import zstd as library
    else:
        from backports import zstd as library
    packed: bytes = library.compress(content, options={library.CompressionParameter.checksum_flag: 1})
    return packed


PACKERS: dict[Packing, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
}


def pieces(content: bytes, size: int) -> Any:
    return (content[start : start + size] for start in range(0, len(content), size))


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("size", [1, 999, 10**6])
def test_members_are_one_text(packing: Packing, size: int) -> None:
    pack = PACKERS[packing]
    packed = pack(b"a\n") + pack(b"") + pack(TEXT)

    assert packing_of(packed[:10]) == packing
    assert b"".join(unpacked(pieces(packed, size), packing, GIGABYTE)) == b"a\n" + TEXT
    assert b"".join(unpacked(pieces(packed + bytes(9), size), packing, GIGABYTE)) == b"a\n" + TEXT


@pytest.mark.parametrize("packing", PACKERS)
def test_a_cut_off_file_is_one_wherever_it_was_cut(packing: Packing) -> None:
    pack = PACKERS[packing]
    packed = pack(b"a\n") + pack(TEXT)
    for end in (*range(len(pack(b"a\n")) + 1, len(pack(b"a\n")) + 30), len(packed) // 2, len(packed) - 1):
        with pytest.raises(BrokenPacking, match=r"cut off|followed by something else"):
            list(unpacked(pieces(packed[:end], 7), packing, GIGABYTE))
    for end in range(3, len(pack(b"a\n"))):
        with pytest.raises(BrokenPacking, match=r"cut off|followed by something else"):
            list(unpacked(iter([pack(b"a\n")[:end]]), packing, GIGABYTE))


@pytest.mark.parametrize("packing", PACKERS)
def test_damaged_bytes_are_found(packing: Packing) -> None:
    packed = bytearray(checked_zstd(TEXT) if packing == "zstd" else PACKERS[packing](TEXT))
    for place in (len(packed) // 3, len(packed) // 2):
        packed[place] ^= 0xFF
    with pytest.raises(BrokenPacking, match=f"the {packing} data is (damaged|cut off)"):
        list(unpacked(pieces(bytes(packed), 999), packing, GIGABYTE))
    with pytest.raises(BrokenPacking, match="damaged"):
        list(unpacked(iter([PACKERS[packing](b"a\n"), b"something else"]), packing, GIGABYTE))


def test_skippable_frames_of_zstd_are_skipped() -> None:
    skipped = b"\x5a\x2a\x4d\x18" + struct.pack("<I", 4) + b"note"
    packed = skipped + zstd(b"a\n") + skipped + zstd(b"b\n")
    assert packing_of(packed) == "zstd"
    assert b"".join(unpacked(pieces(packed, 3), "zstd", GIGABYTE)) == b"a\nb\n"


@pytest.mark.parametrize("packing", PACKERS)
def test_a_bomb_ends_at_the_limit(packing: Packing) -> None:
    packed = PACKERS[packing](bytes(20 * 1024**2))
    taken: list[bytes] = []
    content = unpacked(iter([packed]), packing, 1024**2)
    with pytest.raises(BrokenPacking, match=r"more than 1\.0 MB, the limit of source\.max_unpacked"):
        taken += content
    assert sum(map(len, taken)) <= 1024**2


@pytest.mark.parametrize("packing", PACKERS)
def test_a_first_look_unpacks_no_more_than_it_asked_for(packing: Packing) -> None:
    packed = PACKERS[packing](TEXT)
    content, is_all = unpack_head(packed, packing, 1000, True)
    assert TEXT.startswith(content)
    assert len(content) == 1000
    assert not is_all
    assert unpack_head(packed, packing, 10**7, True) == (TEXT, True)


def test_content_decides_and_the_spec_may_insist() -> None:
    assert require_packing(b"id,name\n", "auto") is None
    assert require_packing(b"id,name\n", "none") is None
    assert require_packing(gzip.compress(b""), "auto") == "gzip"
    with pytest.raises(ValueError, match=r"is packed with gzip, and source\.compression is none: set it to gzip"):
        require_packing(gzip.compress(b""), "none")
    with pytest.raises(ValueError, match=r"is not packed, and source\.compression is zstd: set it to none"):
        require_packing(b"id,name\n", "zstd")
    with pytest.raises(BrokenFile, match="packed twice, inside as bz2"):
        require_format(first_content(gzip.compress(bz2.compress(b"a\n")), True, "gzip", 1000), None, is_written=False)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def opened(content: bytes) -> Archive:
    return Archive(lambda start, end: content[start:end], len(content), 4096)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_has_its_files(method: int) -> None:
    members = {"b.csv": TEXT, "sub/a.csv": b"id\n", "empty/": b"", "__MACOSX/._b.csv": b"x", ".hidden": b"y"}
    archive = opened(zipped(members, method))
    assert archive.names() == ["b.csv", "sub/a.csv"]
    assert b"".join(archive.content("b.csv", GIGABYTE)) == TEXT
    assert archive.head("b.csv", 7) == (b"id,name", False)
    assert archive.head("sub/a.csv", 7) == (b"id\n", True)


def test_a_damaged_archive_is_named() -> None:
    packed = zipped({"a.csv": TEXT})
    with pytest.raises(BrokenPacking, match="damaged or cut off"):
        opened(packed[: len(packed) // 2])
    damaged = bytearray(packed)
    damaged[len(packed) // 2] ^= 0xFF
    with pytest.raises(BrokenPacking, match="damaged or cut off"):
        list(opened(bytes(damaged)).content("a.csv", GIGABYTE))
    # The sum of the content is kept twice, before and behind it.
    with pytest.raises(BrokenPacking, match="CRC"):
        list(opened(zipped({"a.csv": b"12345"}, zipfile.ZIP_STORED).replace(b"12345", b"12346")).content("a.csv", 99))
    with pytest.raises(BrokenPacking, match="more than 10 bytes"):
        list(opened(packed).content("a.csv", 10))
    two = opened(zipped({"a.csv": b"123456", "b.csv": b"123456"}))
    assert b"".join(two.content("a.csv", 10)) == b"123456"
    with pytest.raises(BrokenPacking, match="more than 10 bytes"):
        list(two.content("b.csv", 10))
    again = io.BytesIO()
    with zipfile.ZipFile(again, "w") as archive:
        archive.writestr("a.csv", b"a\n1\n")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.csv", b"a\n2\n")
    with pytest.raises(BrokenPacking, match=r"several members with the name a\.csv"):
        opened(again.getvalue())
    encrypted = bytearray(zipped({"a.csv": b"x"}))
    encrypted[6] |= 1
    encrypted[encrypted.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(BrokenPacking, match=r"a\.csv is encrypted"):
        list(opened(bytes(encrypted)).content("a.csv", 10))

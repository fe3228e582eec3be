"""Files that are no CSV, made by what makes them, and CSV that begins alike."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import pyarrow
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet
import pytest

from framework.model.csv_options import CsvOptions, Format
from framework.rows.formats.recognise import Beginning, BrokenFile, require_format
from tests.headers import read_header

COMMA = CsvOptions(",", "utf-8")
TABLE = pyarrow.table({"id": [1, 2], "name": ["Ann", "Bob"]})
CSV = b"id,name\n1,Ann\n2,Bob\n"


def zipped(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, CSV)
    return packed.getvalue()


def written(write: object, folder: Path) -> bytes:
    path = folder / "file"
    write(TABLE, str(path))  # type: ignore[operator]
    return path.read_bytes()


def packed(codec: str) -> bytes:
    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, codec) as stream:
        stream.write(CSV)
    return bytes(sink.getvalue().to_pybytes())


def tarred() -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        info = tarfile.TarInfo("a.csv")
        info.size = len(CSV)
        archive.addfile(info, io.BytesIO(CSV))
    return sink.getvalue()


def database(folder: Path) -> bytes:
    connection = sqlite3.connect(folder / "db")
    connection.execute("create table t (a)")
    connection.close()
    return (folder / "db").read_bytes()


def rejection(content: bytes, options: CsvOptions = COMMA) -> str:
    with pytest.raises(ValueError, match="is") as caught:
        read_header(content, options, True)
    return str(caught.value)


def test_a_binary_file_is_named(tmp_path: Path) -> None:
    parquet = written(pyarrow.parquet.write_table, tmp_path)

    assert "a Parquet file" in rejection(parquet)
    assert "a Parquet file" in rejection(gzip.compress(parquet))
    assert "an ORC file" in rejection(written(pyarrow.orc.write_table, tmp_path))
    assert "an Arrow file" in rejection(written(pyarrow.feather.write_feather, tmp_path))
    assert "an SQLite database" in rejection(database(tmp_path))
    assert "a tar archive" in rejection(gzip.compress(tarred()))


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook (.xlsx)"),
        (zipped("_rels/.rels", "xl/workbook.xml"), "an Excel workbook (.xlsx)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "an Excel workbook (.xls)"),
        (packed("lz4"), "packed with LZ4"),
        (gzip.compress(gzip.compress(CSV, mtime=0), mtime=0), "packed twice, inside as gzip"),
        (bz2.compress(lzma.compress(CSV)), "packed twice, inside as xz"),
        (b"Obj\x01\x04\x14avro.codec", "an Avro file"),
        (b"%PDF-1.7\n", "a PDF"),
        (b'{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n', "JSON lines"),
        (b'\xef\xbb\xbf{"a": {"b": 1}}\r\n', "JSON lines"),
        (b'["a", 1]\n["b", 2]\n', "JSON"),
        (b'[{"a":1},\n{"a":2}]', "JSON"),
        (b'[\n  {\n    "a": 1\n  }\n]', "JSON"),
        (b'{\r\n  "rows": []\r\n}', "JSON"),
        (b"[1,2]", "JSON"),
        (b"\xef\xbb\xbf [-1.5, null]\r\n", "JSON"),
        ('[true,\n"a"]'.encode("utf-16"), "JSON"),
        (b"[1,2]\n[3,4]\n", "JSON"),
        *(
            ('{"a": 1}\n{"a": 2}\n'.encode(encoding), "JSON lines")
            for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
        ),
        (b"\n <!DOCTYPE HTML>\n<html>", "an HTML page"),
        (b'<?xml version="1.0"?><Error/>', "XML"),
    ],
)
def test_the_file_is_named_and_no_encoding_blamed(content: bytes, name: str) -> None:
    message = rejection(content)

    assert message.startswith(f"the file is {name}")
    assert "encoding" not in message
    assert rejection(content, CsvOptions(";", "windows-1252")) == message


@pytest.mark.parametrize(
    "header",
    [
        "PAR1,PAR2",
        "ORC",
        "ORC,name",
        "BZh9,x",
        "PK,name",
        "Obj,x",
        "[id],[name]",
        "{id},{name}",
        "[1],[2]",
        "[name,id]",
        "7z,Rar!",
        "<id>,n",
        "LZ4",
    ],
)
def test_a_header_may_begin_like_another_format(header: str) -> None:
    assert read_header(f"{header}\n1,2\n".encode(), COMMA, True) == tuple(header.split(","))


def recognised(content: bytes, expected: Format | None = None) -> Format:
    return require_format(Beginning(content, True), expected, is_written=False)


@pytest.mark.parametrize(
    "text",
    ["{'a': 1}\n{'a': 2}\n", "{id: 1, v: 2}\n", "{ $key : 'x' }\n", "['a', 'b']\n", "\ufeff {a.b: 1}", "{1: 'x'}\n"],
)
def test_what_is_almost_json_does_not_become_csv_by_itself(text: str) -> None:
    for encoding in ("utf-8", "utf-16", "utf-16-le"):
        with pytest.raises(ValueError, match=r"correct it, or set source\.format: csv"):
            recognised(text.encode(encoding))
    assert recognised(text.encode(), "csv") == "csv"


@pytest.mark.parametrize(
    "text",
    [
        "{id},{name}\n",
        "[id],[name]\n",
        "{6F9619FF-8B86-D011-B42D-00CF4FC964FF},x\n",
        "null\nnull\n",
        '"x"\n"y"\n',
        "a: b",
    ],
)
def test_headers_that_begin_alike_are_csv(text: str) -> None:
    assert recognised(text.encode()) == "csv"


def test_an_empty_file_is_called_empty() -> None:
    for expected in ("parquet", "excel"):
        with pytest.raises(BrokenFile, match="the file is empty"):
            recognised(b"", expected)

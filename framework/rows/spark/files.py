"""Source files as Spark opens them: their first bytes, and the address and options of a read."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession

from framework.errors import SourceFileError
from framework.model.csv_options import CsvOptions
from framework.model.files import FileLayout, SourceBatch
from framework.rows.formats.csv.header import decode_head, read_line_end
from framework.rows.spark.scheme import with_scheme

_HEAD_BYTES = 256 * 1024
_MAX_HEADS = 8
_LARGE_BYTES = 32 * 1024**2
"""From here on the work on the rows outweighs a copy."""
_PACKED_BYTES = 10
"""So many bytes of text is a byte of gzip taken for, as `embedded.max_bytes` counts it."""
_LINE_END = re.compile(r"\r\n|\r|\n")
_CODEC_SUFFIXES = (".gz", ".bz2", ".deflate", ".lz4", ".snappy", ".zst")
"""File names that Hadoop decompresses, each by its own codec, whatever the file holds."""


@dataclass(frozen=True)
class OpenedFile:
    """A source file and what its first bytes show; `url` is where Spark opens it.

    `blank_lines` stand before the header; `blank_records` are those of them that a reader which
    knows `line_end` alone, CR or LF, takes for records. `has_open_lines` says that a quoted
    field goes over several lines in these bytes; False proves nothing for the rest of the file.
    `is_large` says that a task of its own should not read it all: it is big, and one of so few
    that other cores would wait. `copies` are the addresses of its copy, see FileCopier; none
    where it is read as it is.
    """

    layout: FileLayout
    url: str
    line_end: str
    blank_lines: int
    blank_records: int
    has_open_lines: bool
    is_large: bool
    copies: tuple[str, ...] = ()


def open_files(spark: SparkSession, batch: SourceBatch, scheme: str) -> tuple[OpenedFile, ...]:
    """Return the batch's files as their first bytes describe them, under the scheme by which Spark opens the lake.

    Raises:
        SourceFileError: a file is gone, or its bytes are broken right there.
    """
    cores = spark.sparkContext.defaultParallelism
    are_few = len(batch.files) < cores
    with ThreadPoolExecutor(_MAX_HEADS) as pool:
        return tuple(pool.map(lambda layout: _open(spark, layout, batch.options, scheme, are_few), batch.files))


def _open(spark: SparkSession, layout: FileLayout, options: CsvOptions, scheme: str, are_few: bool) -> OpenedFile:
    url = with_scheme(layout.file.url, scheme)
    head = _read_head(spark, layout, url)
    try:
        text, _ = decode_head(head, options.encoding, len(head) >= layout.file.size_bytes)
    except ValueError as error:
        raise SourceFileError(f"{layout.file.url}: {error}", (layout.file.key,)) from error
    text_bytes = layout.file.size_bytes * (_PACKED_BYTES if layout.is_gzip else 1)
    return _describe(layout, url, text, options.delimiter, are_few and text_bytes >= _LARGE_BYTES)


def _describe(layout: FileLayout, url: str, text: str, delimiter: str, is_large: bool) -> OpenedFile:
    content = text.lstrip("\r\n")
    blank = text[: len(text) - len(content)]
    line_end = read_line_end(text, delimiter)
    return OpenedFile(
        layout=layout,
        url=url,
        line_end=line_end,
        blank_lines=blank.count(line_end),
        blank_records=sum(1 for line in blank.split(line_end)[:-1] if line),
        has_open_lines=any(line.count('"') % 2 for line in _LINE_END.split(content)[:-1]),
        is_large=is_large,
    )


def _read_head(spark: SparkSession, layout: FileLayout, url: str) -> bytes:
    context = spark.sparkContext
    # Names without type stubs: the JVM's own classes.
    jvm: Any = context._jvm
    path = jvm.org.apache.hadoop.fs.Path(url)
    settings = context._jsc.hadoopConfiguration()
    try:
        stream = path.getFileSystem(settings).open(path)
        try:
            bounded = jvm.org.apache.commons.io.input.BoundedInputStream(stream, _HEAD_BYTES)
            return bytes(jvm.org.apache.commons.io.IOUtils.toByteArray(bounded))
        finally:
            stream.close()
    except Py4JJavaError as error:
        if "FileNotFoundException" in str(error.java_exception):
            raise SourceFileError(
                f"{layout.file.url}: the file was there when the load began and is gone now; send it again",
                (layout.file.key,),
            ) from error
        raise


def address(opened: OpenedFile) -> tuple[str, dict[str, str]]:
    """Return the address and the options that make Spark read exactly this object, by its content.

    Hadoop takes a file for gzip by its name alone. Where the name is wrong, a mount of Hadoop's
    own view file system gives the object another one; nothing is copied.
    Source: https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/ViewFs.html
    """
    layout, url = opened.layout, opened.url
    key = layout.file.key
    options = {"__globPaths__": "false"}
    looks_packed = key.endswith(".gz") if layout.is_gzip else key.lower().endswith(_CODEC_SUFFIXES)
    if layout.is_gzip == looks_packed:
        return url, options
    mount = "feedway-" + hashlib.sha256(url.encode("utf-8")).hexdigest()[:32]
    name = "file.gz" if layout.is_gzip else "file.csv"
    options[f"fs.viewfs.mounttable.{mount}.link./{name}"] = url.removesuffix(key) + quote(key)
    return f"viewfs://{mount}/{name}", options

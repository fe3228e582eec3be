"""What Spark's failures and a file's faults mean for the files' owner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from framework.errors import SourceFileError
from framework.frames.spark.faults import BAD_BYTES, FAULTS, SUSPECT
from framework.frames.spark.files import OpenedFile
from framework.frames.spark.ordinals import true_ordinals
from framework.frames.spark.read import holds_bad_bytes
from framework.schema.values import SourceBatch
from framework.spec.pipeline import CsvOptions

_BROKEN_GZIP = ("java.io.EOFException", "java.util.zip.ZipException", "java.util.zip.DataFormatException")
_GONE = ("PATH_NOT_FOUND", "java.io.FileNotFoundException", "FILE_NOT_EXIST")


@contextmanager
def spark_failures(batch: SourceBatch) -> Iterator[None]:
    """Turn failures of Spark that are a file's own fault into SourceFileError."""
    try:
        yield
    except (Py4JJavaError, PySparkException) as error:
        text = str(error)
        keys = [layout.file.key for layout in batch.files]
        urls = ", ".join(layout.file.url for layout in batch.files)
        if any(sign in text for sign in _GONE):
            raise SourceFileError(f"{urls}: a file was there when the load began and is gone now", keys) from error
        if any(sign in text for sign in _BROKEN_GZIP):
            keys = [layout.file.key for layout in batch.files if layout.is_gzip]
            raise SourceFileError(f"{', '.join(keys)}: the gzip data is cut off or damaged", keys) from error
        raise


def raise_faults(
    spark: SparkSession,
    options: CsvOptions,
    first_rows: Mapping[OpenedFile, Mapping[int, int]],
    by_lines: set[int],
) -> None:
    """Raise for the files that are broken; `first_rows` holds by fault the feedway_row it came first.

    Raises:
        SourceFileError: names every broken file, its first faulty record and what is wrong there.
    """
    lines, keys = [], []
    for opened, found in first_rows.items():
        rows = dict(found)
        if (suspect := rows.pop(SUSPECT, None)) is not None and holds_bad_bytes(spark, opened, options):
            rows[BAD_BYTES] = suspect
        if not rows:
            continue
        fault, row = min(rows.items(), key=lambda item: item[1])
        ordinal = true_ordinals(spark, opened, options, opened.layout.ordinal in by_lines, [row])[row]
        lines.append(f"{opened.layout.file.url}: record {ordinal}: {FAULTS[fault]}")
        keys.append(opened.layout.file.key)
    if keys:
        lines.append("The borders of its rows cannot be trusted, so no row of such a file is loaded. Send it again.")
        raise SourceFileError("\n".join(lines), keys)

"""What Spark's failures and a file's faults mean for the files' owner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from py4j.protocol import Py4JJavaError, Py4JNetworkError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException

from framework.errors import SourceFileError, WarehouseError
from framework.rows.reasons import BORDERS_UNKNOWN, GZIP_CUT_OFF, GZIP_DAMAGED, broken_record, other_options
from framework.rows.spark.faults import BAD_BYTES, FAULTS, SOUND_BORDERS, SUSPECT
from framework.rows.spark.files import OpenedFile, open_files
from framework.rows.spark.ordinals import true_ordinals
from framework.rows.spark.read import MAX_FIELDS, holds_bad_bytes, parse_fields
from framework.rows.spark.session import first_line
from framework.rows.spark.source import SparkSource

_SIGNS = {
    "java.io.EOFException": GZIP_CUT_OFF,
    "java.util.zip.ZipException": GZIP_DAMAGED,
    "java.util.zip.DataFormatException": GZIP_DAMAGED,
    "java.io.IOException: incorrect": GZIP_DAMAGED,
    "TextParsingException": f"a record has more than {MAX_FIELDS} fields",
    # The same, as Spark 4 puts it.
    "[MALFORMED_CSV_RECORD]": f"a record has more than {MAX_FIELDS} fields",
}
"""What a failure's text says of the file that Spark was reading."""
_GONE = ("PATH_NOT_FOUND", "java.io.FileNotFoundException", "FILE_NOT_EXIST")


@contextmanager
def process_failures() -> Iterator[None]:
    """Turn what every call of a Spark ends in whose process is gone into a WarehouseError.

    Raises:
        WarehouseError: it is gone; an outage, since no load can go on in this process.
    """
    try:
        yield
    except (Py4JNetworkError, ConnectionError) as error:
        raise WarehouseError(
            "Spark's process has ended, as it does without memory; its last words are on standard error. Give it more "
            "(spark-submit --driver-memory 4g), or set engine: embedded in environments.yml.",
            is_outage=True,
        ) from error


@contextmanager
def spark_failures(source: SparkSource) -> Iterator[None]:
    """Turn failures of Spark that are a file's own fault into SourceFileError, which names the file.

    Raises:
        WarehouseError: the session has ended meanwhile, as where its cluster has gone; an outage.
    """
    try:
        yield
    except (Py4JJavaError, PySparkException) as error:
        text = str(error)
        if source.spark.sparkContext._jsc.sc().isStopped():
            raise WarehouseError(
                f"Spark has stopped during the load: {first_line(error)}. Its log says why; see whether its cluster "
                "is up. The next run loads the file.",
                is_outage=True,
            ) from error
        if any(sign in text for sign in _GONE):
            open_files(source.spark, source.batch, source.scheme)
        reason = next((reason for sign, reason in _SIGNS.items() if sign in text), None)
        if reason is None:
            raise
        # Spark does not say which file it was at; each is read alone to see which fails.
        broken = [opened.layout.file for opened in source.open() if not _is_readable(source, opened)]
        if not broken:
            raise
        lines = [f"{file.url}: {reason}. Send it again." for file in broken]
        raise SourceFileError("\n".join(lines), [file.key for file in broken]) from error


def _is_readable(source: SparkSource, opened: OpenedFile) -> bool:
    try:
        parse_fields(source.read_records(opened), opened, source.options).write.format("noop").mode("overwrite").save()
    except (Py4JJavaError, PySparkException):
        return False
    return True


def raise_faults(source: SparkSource, first_rows: Mapping[OpenedFile, Mapping[int, int]]) -> None:
    """Raise for the files that are broken; `first_rows` holds by fault the feedway_row it came first.

    Raises:
        SourceFileError: names every broken file, its first faulty record and what is wrong there.
    """
    lines, keys, are_sound, may_load = [], [], True, True
    for opened, found in first_rows.items():
        rows = dict(found)
        if (suspect := rows.pop(SUSPECT, None)) is not None and holds_bad_bytes(source.spark, opened, source.options):
            rows[BAD_BYTES] = suspect
        if not rows:
            continue
        fault, row = min(rows.items(), key=lambda item: item[1])
        ordinal = true_ordinals(source, opened, [row])[row]
        lines.append(broken_record(opened.layout.file.url, ordinal, FAULTS[fault], source.options))
        keys.append(opened.layout.file.key)
        are_sound = are_sound and fault in SOUND_BORDERS
        has_other_options = other_options(FAULTS[fault], source.options) is not None
        may_load = may_load and (fault in SOUND_BORDERS or has_other_options)
    if keys:
        lines = lines if are_sound else [*lines, BORDERS_UNKNOWN]
        raise SourceFileError("\n".join(lines), keys, needs_new_file=not may_load)

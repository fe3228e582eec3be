"""COPY of Parquet staging files by manifest, as Redshift does it, into a table of PostgreSQL.

Source: https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import pyarrow as pa
from psycopg import sql
from pyarrow.parquet import ParquetFile

from framework.sandbox.data_api.binary_rows import FILE_HEADER, FILE_TRAILER, binary_rows
from framework.sandbox.data_api.manifest import ManifestEntry, read_manifest, split_url
from framework.sandbox.data_api.parquet_types import FileColumn, arrow_type, check_columns, file_columns
from framework.sandbox.data_api.prefetch import prefetched
from framework.sandbox.data_api.s3_objects import S3, NoSuchObject, S3Objects, object_url
from framework.sandbox.data_api.sessions import Connection
from framework.sandbox.data_api.spectrum_error import scan_error
from framework.sandbox.data_api.target_table import TargetTable, read_target
from framework.sandbox.data_api.value_checks import check_values, json_texts
from framework.sandbox.redshift_sql import SERIALIZE_TO_JSON, CopyParquet, Refused

BATCH_ROWS = 32 * 1024
FILES_AHEAD = 1
BATCHES_AHEAD = 4
USER_ARN = "arn:aws:redshift:eu-west-1:123456789012:dbuser:sandbox/sandbox"
"""Named where a role is not the sandbox's, which has a default role and no other. Source of the words:
https://github.com/fullstorydev/hauser/issues/10"""

Check = Callable[[], None]
"""To be called between pieces of work; raises when the statement was cancelled."""


@dataclass(frozen=True)
class StagingFile:
    """A staging file in S3 that exists, with its true size."""

    bucket: str
    key: str
    size_bytes: int

    @property
    def url(self) -> str:
        """The file's address in error texts."""
        return object_url(self.bucket, self.key)


@dataclass(frozen=True)
class ParquetLoader:
    """Runs COPY statements, reading from `s3`."""

    s3: S3

    def load(self, connection: Connection, copy: CopyParquet, check: Check) -> int:
        """Load the staging files of the manifest into the table and return the number of rows.

        All or nothing, if the caller's transaction ends with the error that this raises.

        Raises:
            Refused: the manifest, a file or a value is not what Redshift would load.
            psycopg.Error: PostgreSQL refused a row.
        """
        if not copy.manifest:
            raise Refused("COPY from a prefix is not supported by the sandbox: give a manifest", "0A000")
        if other := copy.options - {SERIALIZE_TO_JSON}:
            raise Refused(f"COPY with {min(other)} is not supported by the sandbox", "0A000")
        if copy.iam_role != "default":
            raise Refused(f"User {USER_ARN} is not authorized to assume IAM Role {copy.iam_role}", "28000")
        target = read_target(connection, copy)
        if SERIALIZE_TO_JSON not in copy.options and any(column.type_name == "super" for column in target.columns):
            raise Refused("SUPER column in COPY query requires SERIALIZETOJSON option")
        with self.s3.connected() as objects, connection.cursor() as cursor:
            files = _existing_files(objects, read_manifest(objects.read(*split_url(copy.url))))
            cursor.execute(sql.SQL("select exists (select 1 from {})").format(target.name))
            was_empty = cursor.fetchone() == (False,)
            with (
                closing(prefetched(_rows(objects, files, target, check), BATCHES_AHEAD)) as chunks,
                cursor.copy(_command(target)) as writer,
            ):
                writer.write(FILE_HEADER)
                for chunk in chunks:
                    check()
                    writer.write(chunk)
                writer.write(FILE_TRAILER)
            rows = cursor.rowcount
            if was_empty:
                # COPY's STATUPDATE, which is on for a table that was empty.
                cursor.execute(sql.SQL("analyze {}").format(target.name))
            return rows


def _existing_files(objects: S3Objects, entries: tuple[ManifestEntry, ...]) -> list[StagingFile]:
    found = [_find(objects, entry) for entry in entries]
    files = [file for file in found if file is not None]
    if not files:
        raise scan_error("File not found")
    return files


def _find(objects: S3Objects, entry: ManifestEntry) -> StagingFile | None:
    try:
        size_bytes = objects.size_bytes(entry.bucket, entry.key)
    except NoSuchObject as error:
        if entry.mandatory:
            raise scan_error("File not found") from error
        return None
    file = StagingFile(entry.bucket, entry.key, size_bytes)
    if size_bytes != entry.content_length:
        raise scan_error(
            f"The file has {size_bytes} bytes, but content_length in the manifest is "
            f"{entry.content_length}. File name: {file.url}"
        )
    return file


def _rows(objects: S3Objects, files: list[StagingFile], target: TargetTable, check: Check) -> Iterator[pa.Buffer]:
    with closing(prefetched(_opened(objects, files, check), FILES_AHEAD)) as opened:
        for file, parquet in opened:
            with parquet:
                yield from _file_rows(file, parquet, target)


def _opened(objects: S3Objects, files: list[StagingFile], check: Check) -> Iterator[tuple[StagingFile, ParquetFile]]:
    for file in files:
        with objects.fetched(file.bucket, file.key, file.size_bytes, check) as path:
            parquet = _open_parquet(file, path)
        yield file, parquet


def _command(target: TargetTable) -> sql.Composed:
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in target.columns)
    # The rows of a table that goes if this transaction does need no second look by whoever reads them first.
    options = sql.SQL("format binary, freeze" if target.is_new else "format binary")
    return sql.SQL("copy {} ({}) from stdin ({})").format(target.name, names, options)


def _open_parquet(file: StagingFile, path: str) -> ParquetFile:
    try:
        # The mapping outlives the name, which is removed immediately: a killed process leaves no file.
        return ParquetFile(pa.memory_map(path), coerce_int96_timestamp_unit="us")
    except (pa.ArrowInvalid, OSError) as error:
        raise scan_error(f"Invalid Parquet file: {error}. File name: {file.url}") from error


def _file_rows(file: StagingFile, parquet: ParquetFile, target: TargetTable) -> Iterator[pa.Buffer]:
    sources = file_columns(parquet.schema)
    check_columns(sources, target.columns, file.url)
    for batch in parquet.iter_batches(BATCH_ROWS, use_threads=False):
        if batch.num_rows:
            yield binary_rows(_checked(batch, sources, target, file.url), target.columns)


def _checked(batch: pa.RecordBatch, sources: tuple[FileColumn, ...], target: TargetTable, url: str) -> pa.RecordBatch:
    columns = []
    for column, source, goal in zip(batch.columns, sources, target.columns, strict=True):
        stored = column.storage if isinstance(column, pa.ExtensionArray) else column
        values = stored.cast(arrow_type(goal, source))
        if goal.type_name == "super":
            values = json_texts(values, is_json=source.annotation == "JSON")
        check_values(values, source.name, goal, url)
        columns.append(values)
    return pa.RecordBatch.from_arrays(columns, [column.name for column in target.columns])

"""The files of a load, and how each is read: what one pass finds out about a file holds for the next ones."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from pyspark.sql import DataFrame, SparkSession

from framework.model.csv_options import CsvOptions
from framework.model.files import SourceBatch
from framework.rows.spark.copies import FileCopier
from framework.rows.spark.files import OpenedFile, open_files
from framework.rows.spark.read import can_split, read_records
from framework.rows.spark.scheme import spark_scheme, with_scheme


class SparkSource:
    """The files of a batch, for the passes of one load. `copier` is None where nothing may be written.

    Raises:
        SpecError: Spark can open no file of the lake.
    """

    def __init__(self, spark: SparkSession, batch: SourceBatch, copier: FileCopier | None) -> None:
        self.spark = spark
        self.scheme = spark_scheme(spark)
        self.batch = batch
        self._copier = copier
        self._opened: tuple[OpenedFile, ...] = ()
        self._multiline: set[int] = set()

    @property
    def options(self) -> CsvOptions:
        """How the files are written."""
        return self.batch.options

    def url(self, address: str) -> str:
        """Return the address under which Spark opens what the lake has at `address`."""
        return with_scheme(address, self.scheme)

    def open(self) -> tuple[OpenedFile, ...]:
        """Return the files; the first call reads their first bytes, and copies files where that pays.

        Raises:
            SourceFileError: a file is gone, or its bytes are broken at their very start.
        """
        if not self._opened:
            self._opened = tuple(self._copied(file) for file in open_files(self.spark, self.batch, self.scheme))
        return self._opened

    def is_by_lines(self, file: OpenedFile) -> bool:
        """Return whether to read a file by lines, as far as is known."""
        return can_split(file, self.options) and (bool(file.copies) or file.layout.ordinal not in self._multiline)

    def read_records(self, file: OpenedFile) -> DataFrame:
        """Return a file's records; see read.read_records."""
        return read_records(self.spark, file, self.options, self.is_by_lines(file))

    def mark_multiline(self, found: Collection[int]) -> bool:
        """Mark files with an open quote at the end of a record; return whether some must be read again."""
        if not self.options.multiline:
            return False
        lines = (file for file in self._opened if self.is_by_lines(file) and not file.copies)
        again = {file.layout.ordinal for file in lines} & set(found)
        self._multiline |= again
        self._opened = tuple(self._copied(file) if file.layout.ordinal in again else file for file in self._opened)
        return bool(again)

    def _copied(self, file: OpenedFile) -> OpenedFile:
        needs_one_task = file.layout.is_gzip or not self.is_by_lines(file)
        if self._copier is None or not (file.is_large and needs_one_task):
            return file
        return replace(file, copies=tuple(self.url(url) for url in self._copier.copy(file.layout)))

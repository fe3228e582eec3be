"""Parquet: its footer, its types, and its row groups."""

from framework.rows.formats.parquet.look import ParquetFiles

FORMAT = ParquetFiles()

"""What the footer of a Parquet file shows: all but the rows."""

from __future__ import annotations

import tempfile
from pathlib import Path

from framework.model.files import RowsStart
from framework.rows.formats.parquet.footer import BrokenParquet, read_footer, write_sparse
from framework.rows.formats.parquet.reader import ParquetReader
from framework.rows.formats.parquet.schema import read_schema
from framework.rows.formats.recognise import BrokenFile
from framework.rows.formats.source import Look, Source
from framework.rows.sql.database import connect_briefly


class ParquetFiles:
    """See SourceFormat."""

    reader = ParquetReader()

    def look(self, source: Source) -> Look:
        """Return what a file's footer says of it.

        Raises:
            BrokenFile: it is damaged, or has no column.
        """
        size = source.file.size_bytes
        with tempfile.TemporaryDirectory(prefix="feedway-footer-") as folder, connect_briefly() as cursor:
            path = Path(folder) / "footer.parquet"
            try:
                write_sparse(path, size, read_footer(size, source.fetch), {})
                schema = read_schema(cursor, path, source.spec.parquet.nested)
            except BrokenParquet as error:
                raise BrokenFile(str(error)) from error
        if not schema.columns:
            raise BrokenFile("the Parquet file has no column")
        columns = schema.columns
        return Look(
            header=tuple(column.name for column in columns),
            options=source.spec.parquet,
            rows_start=RowsStart(0, 1, "\n", True),
            paths=tuple(column.path for column in columns),
            types=tuple(column.type for column in columns),
            row_groups=schema.row_groups,
            unpacked_bytes=schema.unpacked_bytes,
        )


FORMAT = ParquetFiles()

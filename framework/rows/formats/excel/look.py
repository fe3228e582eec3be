"""What a workbook has before any row is read: its sheet, its header, and where its rows begin."""

from __future__ import annotations

import tempfile
from pathlib import Path

from framework.model.files import RowsStart, unpacked_limit
from framework.rows.formats.excel.container import BrokenWorkbook
from framework.rows.formats.excel.reader import ExcelReader
from framework.rows.formats.excel.table import find_table, first_text, resolve
from framework.rows.formats.excel.workbook import open_sheet
from framework.rows.formats.packing import TooLarge
from framework.rows.formats.recognise import BrokenFile
from framework.rows.formats.source import Look, Source

_FETCH_BYTES = 8 * 1024**2


class ExcelFiles:
    """See SourceFormat."""

    reader = ExcelReader()

    def look(self, source: Source) -> Look:
        """Return what a workbook says of its rows.

        Raises:
            BrokenFile: it cannot be read, or its sheet is empty.
            ValueError: its sheet is not as the spec says.
            MachineError: the package that reads workbooks is not installed.
        """
        options, file = source.spec.excel, source.file
        with tempfile.TemporaryDirectory(prefix="feedway-workbook-") as folder:
            path = Path(folder) / "workbook.xlsx"
            with path.open("wb") as copy:
                for start in range(0, file.size_bytes, _FETCH_BYTES):
                    copy.write(source.fetch(start, min(start + _FETCH_BYTES, file.size_bytes)))
            try:
                sheet = open_sheet(path, options.sheet, unpacked_limit(source.spec.max_unpacked_bytes, file))
                options = resolve(sheet, options)
                table = find_table(sheet, options)
                text, is_all = first_text(sheet, options)
            except TooLarge as error:
                raise ValueError(str(error)) from error
            except BrokenWorkbook as error:
                raise BrokenFile(str(error)) from error
        return Look(
            header=table.header,
            options=options,
            rows_start=RowsStart(0, table.first_line, "\n", is_divisible=False),
            text=text,
            is_all=is_all,
            unpacked_bytes=sheet.unpacked_bytes,
        )

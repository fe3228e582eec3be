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
from framework.rows.workspace import disk_failures, require_space

_FETCH_BYTES = 8 * 1024**2
_NAME_FOLDER = "name another folder in the environment variable TMPDIR"


class ExcelFiles:
    """See SourceFormat."""

    reader = ExcelReader()

    def look(self, source: Source) -> Look:
        """Return what a workbook says of its rows.

        Raises:
            BrokenFile: it cannot be read, or its sheet is empty.
            ValueError: its sheet is not as the spec says.
            MachineError: the package that reads workbooks is not installed, or the disk is full.
        """
        options, file = source.spec.excel, source.file
        with tempfile.TemporaryDirectory(prefix="feedway-workbook-") as folder:
            path = Path(folder) / "workbook.xlsx"
            _fetch(source, path)
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


def _fetch(source: Source, path: Path) -> None:
    """Copy the workbook into a local file: its directory is at its end."""
    file = source.file
    require_space(path.parent, file.size_bytes, f"the workbook {file.url}", _NAME_FOLDER)
    with path.open("wb") as copy:
        for start in range(0, file.size_bytes, _FETCH_BYTES):
            piece = source.fetch(start, min(start + _FETCH_BYTES, file.size_bytes))
            with disk_failures(path.parent, _NAME_FOLDER):
                copy.write(piece)


FORMAT = ExcelFiles()

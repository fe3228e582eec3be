"""Excel: workbooks of the format .xlsx, of which one sheet is read."""

from framework.rows.formats.excel.look import ExcelFiles

FORMAT = ExcelFiles()

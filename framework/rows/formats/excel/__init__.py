"""Excel: workbooks of the format .xlsx, of which one sheet is read."""

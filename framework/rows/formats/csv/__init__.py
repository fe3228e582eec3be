"""CSV: its header, its records, its quoting."""

from framework.rows.formats.csv.look import CsvFiles

FORMAT = CsvFiles()

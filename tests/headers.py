"""A file's header, read from its first bytes as a load reads it."""

from framework.model.csv_options import CsvOptions
from framework.model.files import RowsStart
from framework.rows.formats.csv.header import header_of, read_text
from framework.rows.formats.csv.start import find_rows_start


def read_header(head: bytes, options: CsvOptions, is_complete: bool) -> tuple[str, ...] | None:
    """Return the raw names in a file's first record; None: its end lies beyond `head`."""
    found = read_text(head, options, is_complete)
    return None if found is None else header_of(*found, options)


def read_start(content: bytes, options: CsvOptions) -> tuple[tuple[str, ...], RowsStart]:
    """Return the raw names of a file's fields, and where its rows begin, from as few of its bytes as will do."""
    for size in (9, 99, 9999, len(content)):
        names = read_header(content[:size], options, size >= len(content))
        start = None if names is None else find_rows_start(content[:size], options, size >= len(content))
        if names is not None and start is not None:
            return names, start
    raise AssertionError("the file has no header")

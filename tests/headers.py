"""A file's header, read from its first bytes as a load reads it."""

from framework.model.csv_options import CsvOptions
from framework.rows.formats.csv.header import header_of, read_text


def read_header(head: bytes, options: CsvOptions, is_complete: bool) -> tuple[str, ...] | None:
    """Return the raw names in a file's first record; None: its end lies beyond `head`."""
    found = read_text(head, options, is_complete)
    return None if found is None else header_of(*found, options)

"""A file's header, read from its first bytes as a load reads it."""

from dataclasses import replace

from framework.model.csv_options import CsvOptions
from framework.model.files import FileLayout, SourceFile
from framework.rows.formats.csv.header import header_of, read_text
from framework.rows.formats.csv.resolve import resolve
from framework.rows.formats.csv.start import find_rows_start
from framework.rows.formats.recognise import Beginning, first_content, require_format, require_packing
from framework.rows.formats.text.encoding import decode_head, marked_encoding


def beginning_of(head: bytes, is_complete: bool) -> Beginning:
    """Return the first content of a file that begins with these bytes, however it is packed."""
    beginning = first_content(head, is_complete, require_packing(head, "auto"), 10**6)
    require_format(beginning, "csv", is_written=True)
    return beginning


def read_header(head: bytes, options: CsvOptions, is_complete: bool) -> tuple[str, ...] | None:
    """Return the raw names in a file's first record; None: its end lies beyond `head`."""
    beginning = beginning_of(head, is_complete)
    encoding = marked_encoding(beginning.content) or options.encoding
    text = decode_head(beginning.content, encoding, beginning.is_all)
    rest = read_text(text, beginning.is_all, options)
    return None if rest is None else header_of(rest, beginning.is_all, options)


def layout_of(file: SourceFile, ordinal: int, name: str, content: bytes, options: CsvOptions) -> FileLayout:
    """Return a file's layout, its columns named as in its header, from as few of its bytes as will do."""
    for size in (9, 99, 9999, len(content)):
        beginning = beginning_of(content[:size], size >= len(content))
        encoding = marked_encoding(beginning.content) or options.encoding
        text = decode_head(beginning.content, encoding, beginning.is_all)
        found = resolve(text, beginning.is_all, replace(options, encoding=encoding))
        rest = None if found is None else read_text(text, beginning.is_all, found)
        names = None if found is None or rest is None else header_of(rest, beginning.is_all, found)
        start = None if found is None or names is None else find_rows_start(beginning, found)
        if found is not None and names is not None and start is not None:
            return FileLayout(file, ordinal, name, names, found, start, beginning.packing)
    raise AssertionError("the file has no header")

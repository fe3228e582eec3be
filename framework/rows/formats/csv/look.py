"""What the first bytes of a CSV file show: its encoding, options and header, and where its rows begin."""

from __future__ import annotations

from dataclasses import replace

from framework.model.files import RowsStart
from framework.rows.formats.csv.format import CsvFormat
from framework.rows.formats.csv.header import header_of, read_text
from framework.rows.formats.csv.resolve import resolve
from framework.rows.formats.csv.start import find_rows_start
from framework.rows.formats.source import Look, Source, UnreadHeader
from framework.rows.formats.text.encoding import decoded_head
from framework.rows.formats.text.reader import TextReader


class CsvFiles:
    """See SourceFormat."""

    reader = TextReader(CsvFormat())

    def look(self, source: Source) -> Look | None:
        """Return what a file's beginning says of it; None where its header may go on.

        Raises:
            UnreadHeader: the header cannot be read.
        """
        beginning, is_all = source.beginning, source.beginning.is_all
        encoding, text = decoded_head(beginning, source.spec.encodings, source.tried)
        options = resolve(text, is_all, replace(source.spec.csv, encoding=encoding))
        rest = None if options is None else read_text(text, is_all, options)
        if options is None or rest is None:
            return None
        try:
            header = header_of(rest, is_all, options)
            rows_start = None if header is None else find_rows_start(beginning, options)
        except ValueError as error:
            raise UnreadHeader(error, Look((), options, RowsStart(0, 1, "\n", False), rest, is_all)) from error
        return None if header is None or rows_start is None else Look(header, options, rows_start, rest, is_all)


FORMAT = CsvFiles()

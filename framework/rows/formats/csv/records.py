"""Records of CSV text, cut by the rules of RFC 4180, one by one: exact, and slow on big files.

A record ends at a line feed or CR LF outside quotes; in a file whose header ends in a lone
carriage return, at a carriage return. The other mark alone, outside quotes, breaks the file,
except at its very end: the last record may end in any run of both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from framework.model.csv_options import CsvOptions
from framework.rows.reasons import BAD_BYTES, BAD_QUOTING, UNCLOSED_QUOTE
from framework.rows.segments import MalformedRecord


class BrokenRecord(Exception):
    """A record after which no border can be trusted: its place in the split, from 1, and what is wrong."""

    def __init__(self, place: int, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


@dataclass
class Cut:
    """The sound records at the start of a text: where they end in it, and what they are.

    `good` are texts without their line end; `records` counts them and those of `malformed`. `blanks` has for each
    blank line the place of the record that follows it.
    """

    end: int = 0
    records: int = 0
    good: list[str] = field(default_factory=list)
    malformed: list[MalformedRecord] = field(default_factory=list)
    blanks: list[int] = field(default_factory=list)


class RecordCutter:
    """Cuts text into records by the options and the file's line end."""

    def __init__(self, options: CsvOptions, columns: int, line_end: str = "\n") -> None:
        delimiter = re.escape(options.delimiter)
        fields = rf'(?:"[^"]*+(?:""[^"]*+)*+"|[^"\r\n{delimiter}]*+)'
        record = rf"{fields}(?:{delimiter}{fields})*+"
        end = r"\r\n|\n" if line_end == "\n" else r"\r"
        self._inside = re.compile(rf"({record})(?:{end})")
        self._last = re.compile(rf"({record})(?:{end}|[\r\n]*+\Z)")
        self._start = re.compile(record)
        self._open_quote = re.compile(r'"[^"]*+(?:""[^"]*+)*+"?\Z')
        self._quoted = re.compile(r'"[^"]*"')
        self._delimiter = options.delimiter
        self._columns = columns

    def cut(self, text: str, before: int, is_all: bool) -> Cut:
        """Cut the complete records off the start of a text; with `is_all` the rest is a record too.

        `before` records precede the text.

        Raises:
            BrokenRecord: quoting is broken.
        """
        result = Cut()
        pattern = self._last if is_all else self._inside
        while result.end < len(text):
            found = pattern.match(text, result.end)
            if found is None:
                if not is_all and self._goes_on(text, result.end):
                    break
                raise BrokenRecord(before + result.records + 1, self._reason(text, result.end))
            result.end = found.end()
            if found[1]:
                result.records += 1
                self._take(found[1], before + result.records, result)
            else:
                result.blanks.append(before + result.records + 1)
        return result

    def _take(self, record: str, place: int, result: Cut) -> None:
        bare = record
        if '"' in record:
            bare = self._quoted.sub("", record)
        if bare.count(self._delimiter) + 1 == self._columns and "\0" not in record:
            result.good.append(record)
        else:
            result.malformed.append(MalformedRecord(place, record))

    def _goes_on(self, text: str, start: int) -> bool:
        """Return whether more text could make a sound record of what begins at `start`."""
        rest = self._sound_until(text, start)
        return not text[rest:].strip("\r\n") or self._is_open(text, start, rest)

    def _reason(self, text: str, start: int) -> str:
        return UNCLOSED_QUOTE if self._is_open(text, start, self._sound_until(text, start)) else BAD_QUOTING

    def _sound_until(self, text: str, start: int) -> int:
        begun = self._start.match(text, start)
        assert begun is not None
        return begun.end()

    def _is_open(self, text: str, start: int, quote: int) -> bool:
        """Return whether a field that begins with the quote at `quote` has not ended where the text ends."""
        begins_field = quote == start or text[quote - 1] == self._delimiter
        return begins_field and self._open_quote.match(text, quote) is not None


def broken_bytes(before: int) -> BrokenRecord:
    """Return the error for bytes that are not valid in the encoding, after this many records."""
    return BrokenRecord(before + 1, BAD_BYTES)

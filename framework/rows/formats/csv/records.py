"""Records of CSV text, cut by the rules of its grammar, one by one: exact, and slow on big files.

A record ends at a line feed or CR LF outside quotes; in a file whose header ends in a lone
carriage return, at a carriage return. The other mark alone, outside quotes, breaks the file,
except at its very end: the last record may end in any run of both.
"""

from __future__ import annotations

import re
from dataclasses import field

from framework.dataclass import dataclass
from framework.model.csv_options import CsvOptions
from framework.rows.formats.csv.grammar import grammar_of, plain_delimiter, plain_record
from framework.rows.formats.text.format import BrokenRecord
from framework.rows.reasons import BAD_QUOTING, UNCLOSED_QUOTE
from framework.rows.segments import MalformedRecord


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
    """Cuts text into records by the options and the file's line end.

    Good records are as they stand in the text where the options are plain, and else rewritten by RFC 4180 with
    `delimiter`, without what the options leave out.
    """

    def __init__(self, options: CsvOptions, columns: int, line_end: str = "\n") -> None:
        grammar = self._grammar = grammar_of(options)
        end = r"\r\n|\n" if line_end == "\n" else r"\r"
        comment = rf"{re.escape(options.comment)}[^{line_end}]*+" if options.comment else r"(?!)"
        begun, whole = grammar.record(is_final=False), grammar.record(is_final=True)
        self._inside = re.compile(rf"(?:{comment}|({begun}))(?:{end})")
        self._whole = re.compile(rf"(?:{comment}|({whole}))(?:{end})")
        self._last = re.compile(rf"(?:{comment}|({whole}))(?:{end}|[\r\n]*+\Z)")
        self._quoted = re.compile(r'"[^"]*"')
        self._options = options
        self._is_plain = options.is_plain
        self._columns = columns
        self.delimiter = plain_delimiter(options)

    def cut(self, text: str, before: int, is_all: bool, *, is_whole: bool = False) -> Cut:
        """Cut the complete records off the start of a text; with `is_all` the rest is a record too.

        `before` records precede the text. With `is_whole` it is known that it ends where a record does.

        Raises:
            BrokenRecord: quoting is broken.
        """
        result = Cut()
        pattern = self._last if is_all else self._whole if is_whole else self._inside
        while result.end < len(text):
            found = pattern.match(text, result.end)
            if found is None:
                if not is_all and self._goes_on(text, result.end):
                    break
                raise BrokenRecord(before + result.records + 1, self._reason(text, result.end))
            result.end = found.end()
            if found[1] is None or self._grammar.is_blank(found[1]):
                result.blanks.append(before + result.records + 1)
                continue
            result.records += 1
            has_end = result.end > found.end(1)
            good = self._plain(found[1]) if self._is_plain else self._rewritten(found[1], has_end)
            if good is not None:
                result.good.append(good)
            else:
                result.malformed.append(MalformedRecord(before + result.records, found[1]))
        return result

    def border(self, text: str) -> int:
        """Return where the last complete record of a text ends."""
        end = 0
        while (found := self._inside.match(text, end)) is not None:
            end = found.end()
        return end

    def _plain(self, record: str) -> str | None:
        bare = record
        if '"' in record:
            bare = self._quoted.sub("", record)
        is_good = bare.count(self._options.delimiter) + 1 == self._columns and "\0" not in record
        return record if is_good else None

    def _rewritten(self, record: str, has_end: bool) -> str | None:
        """Return a record by RFC 4180 with as many fields as there are columns; None where it is malformed."""
        fields = self._grammar.fields(record)
        # A record without a line end may have been cut off.
        if self._options.short_rows == "pad" and has_end:
            fields += [None] * (self._columns - len(fields))
        if self._options.long_rows == "ignore" and not any(fields[self._columns :]):
            del fields[self._columns :]
        return plain_record(fields, self.delimiter) if len(fields) == self._columns and "\0" not in record else None

    def _goes_on(self, text: str, start: int) -> bool:
        """Return whether more text could make a sound record of what begins at `start`."""
        if self._options.comment and text.startswith(self._options.comment, start):
            return True
        rest = text[self._grammar.end_of(text, start, is_final=False) :]
        return not rest.strip("\r\n") or rest == self._options.escape or self._grammar.is_open(text, start)

    def _reason(self, text: str, start: int) -> str:
        return UNCLOSED_QUOTE if self._grammar.is_open(text, start) else BAD_QUOTING

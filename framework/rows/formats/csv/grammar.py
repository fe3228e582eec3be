"""What a record and a field are under a file's options, as regular expressions over its text.

Strict quoting is RFC 4180: a field is quoted as a whole or not at all. Lenient quoting accepts, within one line, what
RFC 4180 does not: a quoted field ends at the first quote before a delimiter or a line end, and any other quote is part
of the text. Only a field whose quoting is sound goes on over several lines. Where a field begins with a quote that
nothing ends, quotes are text up to the end of the line: it takes no other line with it, and no time to search further.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

from framework.model.csv_options import CsvOptions

_BLANKS = " \t"
"""What is trimmed, unless the delimiter has it."""
_LINE_ENDS = r"\r\n"


class Grammar:
    """The records of one file. Make it by grammar_of."""

    def __init__(self, options: CsvOptions) -> None:
        self._options = options
        self._blanks = _blanks(options)
        self._blank = f"[{re.escape(self._blanks)}]*+" if self._blanks else ""
        # These are escaped as a class of characters takes them too.
        self._marks = "" if options.quoting == "none" else re.escape(options.quote)
        self._escape = re.escape(options.escape)
        # With what it stands before: CR LF is one line end.
        self._escaping = rf"{self._escape}(?:\r\n|[\s\S])"
        self._delimiter = re.escape(options.delimiter)
        self._special = re.compile(f"[{self._marks}{self._escape}]") if self._marks or self._escape else None
        escaped = re.escape(options.quote + options.escape + options.delimiter + "\r\n")
        self._escaped = re.compile(rf"{self._escape}([{escaped}])") if options.escape else None
        self._field = re.compile(self._named_field())
        # Behind a quote that nothing ends.
        self._plain_field = re.compile(f"(?P<text>{self._text('')})")
        self._start = re.compile(self.record(is_final=False))
        self._last = re.compile(self.record(is_final=True))
        # Complete fields, and then a quoted one that has no end.
        self._open = None
        if self._marks:
            self._open = re.compile(rf"(?:{self._one_field(False)}{self._delimiter})*+{self._open_field()}")

    def record(self, *, is_final: bool) -> str:
        """Return the expression of a record without its line end; one that `is_final` may end where the text does."""
        if self._options.quoting == "none":
            return self._line()
        field = self._one_field(is_final)
        if self._options.quoting == "strict":
            return f"{field}(?:{self._delimiter}{field})*+"
        # Atomic: where a field is sound, and its line end has not come yet, it is no text that ends before.
        return f"(?:{field}{self._delimiter})*+(?>{field}|{self._ends(is_final)[1]}{self._line()})"

    def fields(self, record: str) -> list[str | None]:
        """Return the values of a sound record: None for an unquoted empty field, `''` for a quoted one."""
        if self._special is None or self._special.search(record) is None:
            return [self._of_text(field) for field in record.split(self._options.delimiter)]
        found: list[str | None] = []
        position = 0
        field = self._field
        while True:
            match = field.match(record, position)
            assert match is not None
            found.append(self._value(match))
            if match["text"] and match["text"].lstrip(self._blanks or "\0").startswith(self._options.quote):
                field = self._plain_field
            if match.end() >= len(record):
                return found
            position = match.end() + len(self._options.delimiter)

    def end_of(self, text: str, start: int, *, is_final: bool) -> int:
        """Return where the longest text that is a record, or the beginning of one, ends."""
        match = (self._last if is_final else self._start).match(text, start)
        return start if match is None else match.end()

    def is_open(self, text: str, start: int) -> bool:
        """Return whether a record that begins there has a quoted field that does not end within the text."""
        return self._open is not None and self._open.match(text, start) is not None

    def is_blank(self, record: str) -> bool:
        """Return whether a line holds no record."""
        return not (record.strip(self._blanks) if self._blanks else record)

    def _one_field(self, is_final: bool) -> str:
        if self._options.quoting == "none":
            return self._text("")
        quoted = f"{self._blank}{self._marks}{self._inside()}{self._marks}{self._blank}"
        if self._options.quoting == "strict":
            return f"(?:{quoted}|{self._text(self._marks)})"
        end, guard = self._ends(is_final)
        text = f"(?!{self._blank}{self._marks}){self._text('')}"
        return f"(?>{quoted}{end}|{guard}{self._repaired('')}{end}|{text})"

    def _named_field(self) -> str:
        """Return the expression of a field, with the group that says how it is written; it may end with the text."""
        if self._options.quoting == "none":
            return f"(?P<text>{self._text('')})"
        quoted = f"{self._blank}{self._marks}(?P<quoted>{self._inside()}){self._marks}{self._blank}"
        end, _ = self._ends(True)
        text = f"(?P<text>{self._text(self._marks if self._options.quoting == 'strict' else '')})"
        repaired = f"|{self._repaired('?P<repaired>')}{end}" if self._options.quoting == "lenient" else ""
        return f"(?>{quoted}{end}{repaired}|{text})"

    def _ends(self, is_final: bool) -> tuple[str, str]:
        """Return that a field ends here, and that no more text could end the quoted field that begins here."""
        if is_final:
            return rf"(?={self._delimiter}|[{_LINE_ENDS}]|\Z)", ""
        return f"(?={self._delimiter}|[{_LINE_ENDS}])", f"(?!{self._open_field()})"

    def _inside(self) -> str:
        """Return what stands between the quotes of a field."""
        quote, escape = self._marks, self._escape
        if escape:
            return rf"[^{quote}{escape}]*+(?:{self._escaping}[^{quote}{escape}]*+)*+"
        return f"[^{quote}]*+(?:{quote}{quote}[^{quote}]*+)*+"

    def _open_field(self) -> str:
        """Return a quoted field that the text ends in, or right behind it in the midst of a delimiter."""
        delimiter = self._options.delimiter
        begun = "|".join(re.escape(delimiter[:size]) for size in range(1, len(delimiter)))
        behind = f"{self._marks}{self._blank}(?:{begun})?"
        cut_off = f"{self._escape}?" if self._escape else ""
        return rf"{self._blank}{self._marks}{self._inside()}{cut_off}(?:{behind})?\Z"

    def _text(self, without: str) -> str:
        """Return a field without quotes around it, and without some characters in it."""
        others = f"{without}{self._escape}{_LINE_ENDS}"
        is_one = len(self._options.delimiter) == 1
        run = f"[^{others}{self._delimiter}]*+" if is_one else f"(?:(?!{self._delimiter})[^{others}])*+"
        return rf"{run}(?:{self._escaping}{run})*+" if self._escape else run

    def _line(self) -> str:
        """Return the rest of a line."""
        run = f"[^{self._escape}{_LINE_ENDS}]*+"
        return rf"{run}(?:{self._escaping}{run})*+" if self._escape else run

    def _repaired(self, name: str) -> str:
        """Return a field that begins and ends with a quote in one line, with any quotes in between."""
        quote, escape = self._marks, self._escape
        inside = rf"(?:[^{_LINE_ENDS}{escape}]|{self._escaping})*?" if escape else f"[^{_LINE_ENDS}]*?"
        return f"{self._blank}{quote}({name or '?:'}{inside}){quote}{self._blank}"

    def _value(self, match: re.Match[str]) -> str | None:
        text = match["text"]
        if text is not None:
            return self._of_text(text)
        quote, quoted = self._options.quote, match[match.lastgroup or "quoted"]
        quoted = self._unescaped(quoted) if self._escape else quoted.replace(2 * quote, quote)
        return quoted.strip(self._blanks) if self._options.trim == "all" else quoted

    def _of_text(self, text: str) -> str | None:
        unescaped = self._unescaped(text)
        return (unescaped.strip(self._blanks) if self._blanks else unescaped) or None

    def _unescaped(self, text: str) -> str:
        """Return a text without the escapes before what needs one; any other escape is part of the text."""
        if self._escaped is None or self._options.escape not in text:
            return text
        return self._escaped.sub(r"\1", text)


@lru_cache(maxsize=64)
def grammar_of(options: CsvOptions) -> Grammar:
    """Return the grammar of files with these options, which name a delimiter."""
    return Grammar(options)


def plain_delimiter(options: CsvOptions) -> str:
    """Return the delimiter of records that are rewritten by RFC 4180."""
    return options.delimiter if len(options.delimiter) == 1 else ","


def marks_of_others(options: CsvOptions) -> tuple[bytes, ...]:
    """Return marks of which a text has one, in UTF-8 and between line feeds, if RFC 4180 would read it otherwise."""
    marks = []
    if options.quoting == "none":
        marks.append('"')
    elif options.quote != '"':
        marks += ['"', options.quote]
    if options.escape:
        marks += [options.escape, '""']
    if len(options.delimiter) > 1:
        # Every record is rewritten.
        marks.append("")
    if options.comment:
        marks += [f"\n{options.comment}", f"\r{options.comment}"]
    for blank, other in product(_blanks(options), (options.delimiter, '"', "\r", "\n")):
        marks += [blank + other, other + blank]
    return tuple(mark.encode("utf-8") for mark in marks)


def plain_record(fields: list[str | None], delimiter: str) -> str:
    """Return a record by RFC 4180: NULL is an unquoted empty field."""
    return delimiter.join("" if field is None else _plain_field(field, delimiter) for field in fields)


def _plain_field(field: str, delimiter: str) -> str:
    if field and '"' not in field and delimiter not in field and "\n" not in field and "\r" not in field:
        return field
    return '"' + field.replace('"', '""') + '"'


def _blanks(options: CsvOptions) -> str:
    return "" if options.trim == "none" else "".join(blank for blank in _BLANKS if blank not in options.delimiter)

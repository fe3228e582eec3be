"""Whether the beginning of a file looks like its feed: the delimiter, the header, the lines before it.

A fault comes with options under which the same text has none.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from framework.dataclass import dataclass
from framework.model.csv_options import DELIMITERS, CsvOptions
from framework.model.file_options import changed_options
from framework.model.words import counted
from framework.plan.column_names import clean_names
from framework.plan.fit import yaml_name
from framework.rows.formats.csv.header import records_of
from framework.rows.formats.csv.header_rule import DataCell, MostlyEmpty, is_surely_header, kind_of, looks_like_data
from framework.rows.formats.csv.resolve import MOST_RECORDS, resolve
from framework.rows.formats.text.lines import lines_end
from framework.spec.pipeline import ColumnsSpec

MOST_LINES_BEFORE = 20
_SEPARATOR_LINE = re.compile(r'"?sep=(\\t|[^"])"?[ \t]*', re.IGNORECASE)
_COMMENT_MARKS = ("#", "//", "--")
_LONGEST_LINE = 80
_MADE_UP = "column_"
_FEWEST_RECORDS = 3
"""This many records show that the spec is wrong, where one or two may be wrong themselves."""


@dataclass(frozen=True)
class FileStart:
    """The first text of a file, after skipped lines; whether it is the whole file; and the spec's options.

    `expected` are the columns that the table has from files, None where there is no table. Every file must have
    those that are `needed`. `null_values` mean NULL in every column. The first rows of a sheet are written as CSV:
    their delimiter and their comments are none of the file's.
    """

    text: str
    is_all: bool
    options: CsvOptions
    columns: ColumnsSpec
    expected: tuple[str, ...] | None
    needed: tuple[str, ...] = ()
    null_values: tuple[str, ...] = ()
    is_sheet: bool = False

    @cached_property
    def records(self) -> list[tuple[str, ...]]:
        """The first records, the header among them."""
        return self.records_at(self.options.delimiter)

    def records_at(self, delimiter: str) -> list[tuple[str, ...]]:
        """Return the first records as they read with a delimiter."""
        return records_of(self.text, self.is_all, replace(self.options, delimiter=delimiter), MOST_RECORDS + 1)

    def first_line(self) -> str:
        """Return the first line that is not blank."""
        return re.split(r"[\r\n]", self.text.lstrip("\r\n"), maxsplit=1)[0]

    def known(self, header: Sequence[str]) -> set[int]:
        """Return which fields of a header, from 0, are columns of the table, or of none and excluded."""
        if self.expected is None:
            return set()
        known = {*self.expected, *self.columns.exclude}
        return {place for place, name in enumerate(self._targets(header)) if name in known}

    def takes(self, header: Sequence[str]) -> bool:
        """Return whether a file with these headers has the columns it needs, and one of the table."""
        names = set(self._targets(header))
        return names.issuperset(self.needed) and (not self.expected or not names.isdisjoint(self.expected))

    def _targets(self, header: Sequence[str]) -> list[str]:
        return [self.columns.rename.get(name, name) for name in clean_names(header)]

    def read_with(self, options: CsvOptions) -> FileStart:
        """Return the start as it reads with options that skip as many lines or more, comments among them."""
        more = options.skip_lines - self.options.skip_lines
        if options.comment != self.options.comment:
            more = self.lines_above(options.comment) or 0
        end = lines_end(self.text, more)
        return replace(self, text="" if end is None else self.text[end:], options=options)

    def lines_above(self, comment: str) -> int | None:
        """Return how many lines stand above the header if lines that begin so are comments; None: not known."""
        try:
            resolved = resolve(self.text, self.is_all, replace(self.options, skip_lines=0, comment=comment))
        except ValueError:
            return None
        return None if resolved is None else resolved.skip_lines


@dataclass(frozen=True)
class Way:
    """Options under which the file loads, and of which files they are true."""

    condition: str
    options: CsvOptions


@dataclass(frozen=True)
class Misfit:
    """Why a file does not look like its feed, its first line, and the options that would fit, likely ones first."""

    reason: str
    first_line: str
    ways: tuple[Way, ...]

    def describe(self, options: CsvOptions, with_text: bool) -> str:
        """Return the reason and what to change of the feed's options; `with_text` lets it quote the first line."""
        lines = [self.reason]
        if with_text:
            cut = self.first_line[: _LONGEST_LINE - 3] + "..."
            lines.append(f"  first line: {(self.first_line if len(self.first_line) <= _LONGEST_LINE else cut)!r}")
        others = ", or write into the spec what is true of all files of the feed:" if self.ways else "."
        lines.append(f"Send the file as the feed has it{others}")
        lines += [f"  {_written(way.options, options)}  # {way.condition}" for way in self.ways]
        return "\n".join(lines)


def find_misfit(start: FileStart) -> Misfit | None:
    """Return how a file differs from its feed's options; None where it does not, or where that cannot be known."""
    for rule, ways in _RULES_OF_SHEETS if start.is_sheet else _RULES:
        reason = rule(start)
        if reason is not None:
            return Misfit(reason, start.first_line(), tuple(ways(start)))
    return None


def _separator_line(start: FileStart) -> str | None:
    if _SEPARATOR_LINE.fullmatch(start.first_line()):
        return "the first line is not a header: it sets the delimiter for Excel"
    return None


def _behind_separator(start: FileStart) -> Iterator[Way]:
    found = _SEPARATOR_LINE.fullmatch(start.first_line())
    assert found is not None
    delimiter = found[1].replace("\\t", "\t")
    yield from _and_then(start, replace(start.options, skip_lines=start.options.skip_lines + 1, delimiter=delimiter))


def _other_delimiter(start: FileStart) -> str | None:
    best = _best_delimiter(start)
    if best is None:
        return None
    delimiter, width = best
    first = "record" if start.options.header is False else "header"
    return (
        f"the {first} has one field at the delimiter {start.options.delimiter!r}, "
        f"and {width} at {delimiter!r}, as the records below it"
    )


def _with_delimiter(start: FileStart) -> Iterator[Way]:
    best = _best_delimiter(start)
    assert best is not None
    options = start.options
    names = options.names if len(options.names) == best[1] or options.header is not False else _names(start, best[1])
    yield from _and_then(start, replace(options, delimiter=best[0], names=names))
    records = start.records
    names = _names(start, 1)
    is_one_name = options.header is not False and start.expected is None and start.takes(names)
    if records and is_one_name and _agree(records, 1):
        yield Way("the first line is one name", replace(options, header=True, names=names))


def _best_delimiter(start: FileStart) -> tuple[str, int] | None:
    """Return another delimiter that the file agrees with, and into how many fields it splits the first record."""
    options = start.options
    # A header whose quoting is not sound at the feed's delimiter is none.
    records = start.records
    if len(options.names) == 1 or (records and (len(records[0]) > 1 or start.known(records[0]))):
        return None
    found = []
    for delimiter in DELIMITERS:
        split = start.records_at(delimiter) if delimiter != options.delimiter else []
        width = len(split[0]) if split else 0
        if width > 1 and _agree(split[1:], width):
            found.append((delimiter, width))
    return max(found, key=lambda each: each[1], default=None)


def _other_width(start: FileStart) -> str | None:
    """Return that the records of a file without a header do not have as many fields as the options name."""
    records, names = start.records, start.options.names
    width = len(records[0]) if records else 0
    if start.options.header is not False or len(records) < _FEWEST_RECORDS or width == len(names):
        return None
    if not _agree(records, width):
        return None
    return f"the records have {counted(width, 'field')}, and source.options.names has {len(names)}"


def _with_names(start: FileStart) -> Iterator[Way]:
    options = start.options
    width = len(start.records[0])
    made_up = (f"{_MADE_UP}{place}" for place in range(len(options.names) + 1, width + 1))
    names = (*options.names[:width], *made_up)
    if start.takes(names) and len(set(map(str.casefold, names))) == width:
        yield Way("check that each name is in its place", replace(options, names=names))


def _no_header(start: FileStart) -> str | None:
    """Return why the first record is no header, where the spec leaves that open."""
    if start.options.header != "auto":
        return None
    header, *below = start.records or [()]
    if not header:
        is_above_one = _header_below(start, is_sure=True) is not None
        return (
            "the first line is no header: its quoting is not sound, and one stands below it" if is_above_one else None
        )
    known = start.known(header)
    if 2 * len(known) > len(header):
        return None
    match looks_like_data(header, below, start.null_values, known):
        case DataCell(position, kind, is_alone):
            like = "" if is_alone else ", as are the values below it"
            return f"the first line looks like data: its field {position} is a value ({kind}){like}"
        case MostlyEmpty(empty, fields):
            return f"the first line is not a header: {empty} of its {fields} fields are empty"
    usual = Counter(map(len, below)).most_common(1)
    is_narrow = len(header) == 1 or (usual and usual[0][0] > len(header))
    if is_narrow and _header_below(start) is not None:
        return "the first line is no header: it has fewer fields than the lines below it"
    is_odd = header[0].lstrip().startswith(_COMMENT_MARKS) or not all(field.strip() for field in header)
    if is_odd and _header_below(start, is_sure=True) is not None:
        return "the first line is no header: it is a comment or a title above one"
    return None


def _ways(start: FileStart) -> Iterator[Way]:
    """Yield options under which a file whose first record is not a header would load."""
    options = start.options
    header, *below = start.records or [()]
    is_data = isinstance(looks_like_data(header, below, start.null_values), DataCell)
    behind = _header_below(start, is_sure=is_data or not header)
    if behind is not None and (mark := _comment_mark(start, behind)) is not None:
        yield Way(f"lines that begin with {mark} are comments", replace(options, comment=mark))
    elif behind is not None:
        yield Way("the header stands below the first line", behind)
    if header and _agree(below, len(header)):
        names = _names(start, len(header))
        if (is_data or behind is None) and start.takes(names):
            are_known = not names[0].startswith(_MADE_UP)
            condition = "check that each name is in its place" if are_known else "the names are yours to choose"
            all_files = "no file of the feed has a header, and all are then read without one"
            yield Way(f"{all_files}; {condition}", replace(options, header=False, names=names))
        if start.takes(header):
            yield Way("the first line is the header", replace(options, header=True))


def _comment_mark(start: FileStart, behind: CsvOptions) -> str | None:
    """Return the mark with which all lines above a header begin, blank ones aside; None where that is no comment."""
    more = behind.skip_lines - start.options.skip_lines
    if start.is_sheet or behind != replace(start.options, skip_lines=behind.skip_lines):
        return None
    return next((mark for mark in _COMMENT_MARKS if start.lines_above(mark) == more), None)


def _names(start: FileStart, width: int) -> tuple[str, ...]:
    """Return names for this many fields: known columns, if not all fit those that every file needs first."""
    known = start.expected or start.needed
    if len(known) > width:
        known = tuple(dict.fromkeys((*start.needed, *known)))[:width]
    return (*known, *(f"{_MADE_UP}{place}" for place in range(len(known) + 1, width + 1)))


def _and_then(start: FileStart, options: CsvOptions) -> Iterator[Way]:
    """Yield options, or with them what the file needs besides."""
    then = find_misfit(start.read_with(options))
    if then is None:
        yield Way("they are written so", options)
    else:
        yield from then.ways


def _header_below(start: FileStart, is_sure: bool = False) -> CsvOptions | None:
    """Return options that skip to a header that the records below agree with; None where there is none.

    With another delimiter than the feed's, or with `is_sure`, it must be one that cannot be data.
    """
    options = start.options
    may_be_other = not start.is_sheet and all(len(header) == 1 for header in start.records[:1])
    for delimiter in (options.delimiter, *(DELIMITERS if may_be_other else ())):
        for lines in range(1, MOST_LINES_BEFORE + 1):
            behind = replace(options, skip_lines=options.skip_lines + lines, delimiter=delimiter)
            header, *below = start.read_with(behind).records or [()]
            if len(header) < 2 or not _agree(below, len(header)):
                continue
            is_name = any(kind_of(cell) is None for cell in header)
            may_be = not is_sure and is_name and delimiter == options.delimiter and not looks_like_data(header, below)
            if may_be or is_surely_header(header, below):
                return behind
    return None


def _agree(records: Sequence[Sequence[str]], width: int) -> bool:
    """Return whether at least nine of ten records have this many fields."""
    return 10 * sum(len(record) == width for record in records) >= 9 * len(records)


def _written(options: CsvOptions, feed: CsvOptions) -> str:
    """Return the options as a spec has them, as far as they differ from the feed's."""
    pairs = [f"{name}: {_yaml(value)}" for name, value in changed_options(options, feed).items()]
    return f"source: {{options: {{{', '.join(pairs)}}}}}"


def _yaml(value: object) -> str:
    return f"[{', '.join(map(yaml_name, value))}]" if isinstance(value, tuple) else json.dumps(value)


_RULES_OF_SHEETS = (
    (_other_width, _with_names),
    (_no_header, _ways),
)
_RULES = (
    (_separator_line, _behind_separator),
    (_other_delimiter, _with_delimiter),
    *_RULES_OF_SHEETS,
)
"""Each returns why a file does not fit, and what would."""

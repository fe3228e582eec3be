"""The dialects of CSV in which the beginnings of sample files are regular records, the likeliest first.

Each is tried by the grammar with which rows are read, and judged by the check that a load makes of a header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from framework.model.csv_options import AUTO, DELIMITERS, CsvOptions
from framework.rows.formats.csv.header import sound_records
from framework.rows.formats.csv.header_rule import looks_like_data
from framework.rows.formats.csv.resolve import resolve
from framework.rows.formats.csv.shape import FileStart, find_misfit
from framework.rows.formats.text.lines import lines_end
from framework.spec.pipeline import ColumnsSpec

MOST_RECORDS = 200
MOST_LINES_BEFORE = 20
MOST_FOOTER_RECORDS = 3
_OTHER_DELIMITERS = ("||", "~", "^", "\x01", "\x1f", "¦", "::", "~|~", "|~|")
_MARKS = ("#", "//", "--")
_MOST_COMMENTS = 0.2
_FEWEST_REGULAR = 0.9


@dataclass(frozen=True)
class Text:
    """The first text of a file; `is_all` says that it is all of it."""

    text: str
    is_all: bool


@dataclass(frozen=True)
class _Fit:
    """Options resolved for one file, and its first records with them, the header among them."""

    options: CsvOptions
    records: Sequence[Sequence[str]]


def find_dialects(texts: Sequence[Text], encoding: str, delimiter: str | None = None) -> list[CsvOptions]:
    """Return the options with which all of the texts are regular, the likeliest first.

    With a `delimiter` it is the only one that is tried.

    Options that files decide by themselves, such as how many lines stand above the header, are those of the first.

    Raises:
        ValueError: there are none, or two delimiters fit alike.
    """
    bases = list(_bases(texts, encoding))
    found: list[CsvOptions] = []
    for delimiters in ((delimiter,),) if delimiter else (DELIMITERS, _OTHER_DELIMITERS):
        for base in bases if not found else ():
            fitting = [fit for each in delimiters if (fit := _common(texts, base, each)) is not None]
            found += _best(fitting) if len(fitting) > 1 else fitting
    if not found and len(texts) > 1 and (auto := _common(texts, CsvOptions(",", encoding), AUTO)) is not None:
        found = [auto]
    if found:
        return found
    plain = CsvOptions(",", encoding)
    if any(_is_fixed(each) for each in texts):
        raise ValueError(
            "the lines are equally long and have no delimiter: where fields of a fixed width begin cannot be seen, so "
            "write source.format: fixed and source.options.fields by hand"
        )
    if all(_is_single_column(each) for each in texts) and (common := _agreed(texts, plain, 1)) is not None:
        return [common]
    tried = ", ".join(repr(delimiter) for delimiter in DELIMITERS)
    raise ValueError(f"no delimiter of {tried} divides its first records into equally many fields below a header")


def _bases(texts: Sequence[Text], encoding: str) -> Iterator[CsvOptions]:
    """Yield ways of quoting with comments or without, the likeliest first."""
    whole = "\n".join(each.text for each in texts)
    marks = [mark for mark in _MARKS if any(_may_comment(each, mark) for each in texts)]
    for quoting in _quotings(whole, CsvOptions(",", encoding)):
        yield from (replace(quoting, comment=mark) for mark in marks)
        yield quoting


def _quotings(whole: str, plain: CsvOptions) -> Iterator[CsvOptions]:
    yield plain
    if re.search(r"(?m)(?:^|[,;|\t])'[^\r\n]*?'(?=$|[,;|\t\r])", whole):
        yield replace(plain, quote="'")
    if re.search(r'(?m)[,;|\t] +"|" +(?=$|[,;|\t\r])', whole):
        yield replace(plain, trim="unquoted")
    if re.search(r'\\["\\,;|\t]', whole):
        yield replace(plain, escape="\\")
    lenient, none = replace(plain, quoting="lenient"), replace(plain, quoting="none")
    needs_quotes = re.search(r'(?m)(?:^|[,;|\t])"[^"\r\n]*[,;|\t\r\n][^"]*"(?=$|[,;|\t\r])', whole)
    lines = whole.splitlines()
    is_dump = sum("\t" in line or "|" in line for line in lines) > 0.9 * len(lines)
    # Quotes that are text in a file of commas would be text in every value.
    yield from (none, lenient) if is_dump and not needs_quotes else (lenient,)


def _may_comment(text: Text, mark: str) -> bool:
    """Return whether lines that begin with a mark may be comments: at the top, or few further down."""
    lines = [line for line in text.text.splitlines()[:1000] if line.strip()]
    marked = [line.startswith(mark) for line in lines]
    if not any(marked) or (marked[0] and sum(marked) == 1):
        return False
    top = next((place for place, is_marked in enumerate(marked) if not is_marked), len(marked))
    if marked[0]:
        return 2 * sum(marked[top:]) <= len(lines[top:])
    # Without one at the top they may be rows, unless they have no fields.
    has_fields = any(delimiter in line for line in lines if line.startswith(mark) for delimiter in DELIMITERS)
    return not has_fields and sum(marked) <= _MOST_COMMENTS * len(lines)


def _common(texts: Sequence[Text], base: CsvOptions, delimiter: str) -> CsvOptions | None:
    """Return the options with a delimiter by which every text has several regular fields; None where one has not."""
    return _agreed(texts, replace(base, delimiter=delimiter), 2)


def _agreed(texts: Sequence[Text], options: CsvOptions, fewest: int) -> CsvOptions | None:
    fits: list[_Fit] = []
    for each in texts:
        fit = _fit(each, options, fewest)
        if fit is None:
            return None
        fits.append(fit)
    first = fits[0].options
    if any(fit.options.header != first.header for fit in fits):
        # A file of one line may be a header or a row: the others decide.
        return None
    return _for_all(fits)


def _for_all(fits: Sequence[_Fit]) -> CsvOptions | None:
    """Return options that hold for all files, where the lines above their headers differ in number too."""
    first = fits[0]
    if len({fit.options.skip_lines for fit in fits}) == 1 or first.options.comment:
        return first.options
    beginning = f"{first.records[0][0]}{first.options.delimiter}"
    if first.options.header is False or any(fit.records[0][0] != first.records[0][0] for fit in fits):
        return None
    return replace(first.options, skip_lines=0, skip_until=beginning)


def _fit(each: Text, options: CsvOptions, fewest: int) -> _Fit | None:
    """Return the options with the lines that stand above the header; None where the text is not regular so."""
    if options.comment or options.delimiter == AUTO:
        try:
            resolved = resolve(each.text, each.is_all, options)
        except ValueError:
            return None
        below = None if resolved is None else _fit_at(each, resolved, 0, fewest)
        if below is None:
            return None
        return _Fit(replace(below.options, skip_lines=0, delimiter=options.delimiter), below.records)
    found = (_fit_at(each, options, lines, fewest) for lines in range(MOST_LINES_BEFORE + 1))
    return next((fit for fit in found if fit is not None), None)


def _fit_at(each: Text, options: CsvOptions, lines: int, fewest: int) -> _Fit | None:
    """Return the fit of a text whose header, or whose first record, stands behind so many lines."""
    skipped = options.skip_lines + lines
    end = lines_end(each.text, skipped)
    if end is None or (lines and each.text[end : end + 1] in ("", "\r", "\n")):
        return None
    text = each.text[end:]
    records, is_sound = sound_records(text, each.is_all, options, MOST_RECORDS)
    has_end = each.is_all and len(records) < MOST_RECORDS
    if not is_sound or not records or not _is_regular(records, has_end, fewest):
        return None
    footer = _footer_of(records) if has_end else 0
    records = records[: len(records) - footer]
    if footer:
        text = "".join(text.rstrip("\r\n").splitlines(keepends=True)[:-footer])
    options = replace(options, skip_lines=skipped)
    fit = _judged(Text(text, each.is_all), options, records)
    if fit is None or not all(_is_above(line, fit) for line in each.text[:end].splitlines()[-lines:] if lines):
        return None
    return fit


def _judged(below: Text, options: CsvOptions, records: Sequence[Sequence[str]]) -> _Fit | None:
    """Return the fit of records whose first one a load would take for the header, or for a row without one."""
    misfit = find_misfit(FileStart(below.text, below.is_all, options, ColumnsSpec({}, ()), None))
    if misfit is None:
        return None if _is_title(records) else _Fit(options, records)
    for way in misfit.ways:
        is_headerless = way.options == replace(options, header=False, names=way.options.names)
        if is_headerless and (not options.skip_lines or len(records) > 1):
            return _Fit(way.options, records)
    return None


def _is_above(line: str, fit: _Fit) -> bool:
    """Return whether a line above the records is a title, and no row: it fills fewer fields than they have."""
    filled = sum(bool(cell.strip(' "')) for cell in line.split(fit.options.delimiter))
    most = 1 if fit.options.header is False else max(1, len(fit.records[0]) // 2)
    return filled <= most


def _footer_of(records: Sequence[Sequence[str]]) -> int:
    """Return how many of the last records have another number of fields than the first."""
    for place, record in enumerate(reversed(records[1:])):
        if len(record) == len(records[0]):
            return place
    return 0


def _is_regular(records: Sequence[Sequence[str]], has_end: bool, fewest: int) -> bool:
    """Return whether records have as many fields as the first, up to a footer of a few lines."""
    width = len(records[0])
    if width < fewest:
        return False
    below = records[1:]
    odd = [place for place, record in enumerate(below) if len(record) != width]
    if has_end and odd and odd[0] >= len(below) - MOST_FOOTER_RECORDS and odd[0] > 0:
        return True
    return len(odd) <= (1 - _FEWEST_REGULAR) * len(below)


def _is_title(records: Sequence[Sequence[str]]) -> bool:
    """Return whether the first record has empty fields and the second, which has none, looks like a header."""
    if len(records) < 3 or all(cell.strip() for cell in records[0]) or not all(cell.strip() for cell in records[1]):
        return False
    return len(records[0]) == len(records[1]) and looks_like_data(records[1], records[2:]) is None


def _best(fitting: Sequence[CsvOptions]) -> list[CsvOptions]:
    """Return the fit whose lines above the header are the fewest.

    Raises:
        ValueError: several have as few.
    """
    fewest = min(each.skip_lines for each in fitting)
    best = [each for each in fitting if each.skip_lines == fewest]
    if len(best) > 1:
        marks = " and ".join(repr(each.delimiter) for each in best)
        raise ValueError(f"the delimiters {marks} fit the file alike: name the right one with --delimiter")
    return best


def _is_single_column(each: Text) -> bool:
    return not any(delimiter in line for line in each.text.splitlines()[:50] for delimiter in DELIMITERS)


def _is_fixed(each: Text) -> bool:
    lines = [line for line in each.text.splitlines()[:100] if line]
    return len(lines) > 2 and len({*map(len, lines)}) == 1 and any(" " in line.strip() for line in lines)

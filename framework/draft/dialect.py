"""The dialects of CSV in which the beginnings of sample files are regular records, the likeliest first.

Each is tried by the grammar with which rows are read, and judged by the check that a load makes of a header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from framework.dataclass import dataclass
from framework.draft.titles import are_titles, doubt_about, header_of_filled, is_separator_line, may_be_title
from framework.model.csv_options import AUTO, DELIMITERS, CsvOptions
from framework.rows.formats.csv.header import sound_records
from framework.rows.formats.csv.header_rule import MostlyEmpty, looks_like_data
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


@dataclass(frozen=True)
class Known:
    """What is known of the files: their delimiter, and how many lines stand above the header; None where it is not."""

    delimiter: str | None = None
    skip_lines: int | None = None


NOTHING = Known()


def find_dialects(texts: Sequence[Text], encoding: str, known: Known = NOTHING) -> list[CsvOptions]:
    """Return the options with which all of the texts are regular, the likeliest first.

    Options that files decide by themselves, such as how many lines stand above the header, are those of the first.

    Raises:
        ValueError: there are none, or two delimiters fit alike, or a line may be a title or a header.
    """
    plain = CsvOptions(known.delimiter or ",", encoding, skip_lines=known.skip_lines or 0)
    finder = _Finder(texts, known.skip_lines is not None)
    bases = list(_bases(texts, plain))
    groups = ((known.delimiter,),) if known.delimiter else (DELIMITERS, _OTHER_DELIMITERS)
    for delimiters in groups:
        if found := _delimited(finder, bases, delimiters):
            return found
    auto = finder.agreed(replace(plain, delimiter=AUTO), 2) if len(texts) > 1 and known.delimiter is None else None
    if auto is not None:
        return [auto]
    delimiters = groups[0]
    is_fixed = known.delimiter is None and any(map(_is_fixed, texts))
    is_single = all(_is_single_column(each, replace(plain, delimiter=mark)) for each in texts for mark in delimiters)
    if is_single and not is_fixed and (common := finder.agreed(plain, 1)) is not None:
        return [common]
    raise ValueError(_why_none(texts, plain, delimiters, finder.is_named))


def _delimited(finder: _Finder, bases: Sequence[CsvOptions], delimiters: Sequence[str]) -> list[CsvOptions]:
    """Return the options with one of the delimiters that fit all texts; of those that fit alike the best."""
    found: list[CsvOptions] = []
    for base in bases:
        fitting = [fit for each in delimiters if (fit := finder.agreed(replace(base, delimiter=each), 2))]
        found += _best(fitting) if len(fitting) > 1 else fitting
    return found


def _why_none(texts: Sequence[Text], plain: CsvOptions, delimiters: Sequence[str], is_named: bool) -> str:
    for each in texts if not is_named else ():
        for mark in delimiters:
            records, _ = sound_records(each.text, each.is_all, replace(plain, delimiter=mark), MOST_RECORDS)
            if (doubt := doubt_about(records)) is not None:
                return doubt
    if len(delimiters) > 1 and any(map(_is_fixed, texts)):
        return (
            "the lines are equally long and have no delimiter: where fields of a fixed width begin cannot be seen, so "
            "write source.format: fixed and source.options.fields by hand"
        )
    if len(delimiters) == 1:
        return f"the delimiter {delimiters[0]!r} does not divide its first records into equally many fields"
    tried = ", ".join(map(repr, delimiters))
    return (
        f"no delimiter of {tried} divides its first records into equally many fields below a header: name what cannot "
        "be seen with --delimiter or --skip-lines"
    )


def _bases(texts: Sequence[Text], plain: CsvOptions) -> Iterator[CsvOptions]:
    """Yield ways of quoting with comments or without, the likeliest first."""
    whole = "\n".join(each.text for each in texts)
    marks = [mark for mark in _MARKS if any(_may_comment(each, mark) for each in texts)]
    for quoting in _quotings(whole, plain):
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


def _for_all(fits: Sequence[_Fit]) -> CsvOptions | None:
    """Return options that hold for all files, where the lines above their headers differ in number too."""
    first = fits[0]
    if len({fit.options.skip_lines for fit in fits}) == 1 or first.options.comment:
        return first.options
    beginning = f"{first.records[0][0]}{first.options.delimiter}"
    if first.options.header is False or any(fit.records[0][0] != first.records[0][0] for fit in fits):
        return None
    return replace(first.options, skip_lines=0, skip_until=beginning)


@dataclass(frozen=True)
class _Finder:
    """Finds what fits all texts. With `is_named` the lines above the header are those that the options skip."""

    texts: Sequence[Text]
    is_named: bool

    def agreed(self, options: CsvOptions, fewest: int) -> CsvOptions | None:
        """Return the options by which every text has so many regular fields; None where one has not."""
        fits: list[_Fit] = []
        for each in self.texts:
            fit = self._fit(each, options, fewest)
            if fit is None:
                return None
            fits.append(fit)
        first = fits[0].options
        if any(fit.options.header != first.header for fit in fits):
            # A file of one line may be a header or a row: the others decide.
            return None
        return _for_all(fits)

    def _fit(self, each: Text, options: CsvOptions, fewest: int) -> _Fit | None:
        """Return the options with the lines that stand above the header; None where the text is not regular so."""
        if options.comment or options.delimiter == AUTO:
            try:
                resolved = resolve(each.text, each.is_all, options)
            except ValueError:
                return None
            below = None if resolved is None else self._fit_at(each, resolved, 0, fewest)
            if below is None:
                return None
            changed = replace(below.options, skip_lines=options.skip_lines, delimiter=options.delimiter)
            return _Fit(changed, below.records)
        most = 0 if self.is_named else MOST_LINES_BEFORE
        found = (self._fit_at(each, options, lines, fewest) for lines in range(most + 1))
        return next((fit for fit in found if fit is not None), None)

    def _fit_at(self, each: Text, options: CsvOptions, lines: int, fewest: int) -> _Fit | None:
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
        if _is_doubled(records, options) or _has_real_quotes(Text(text, each.is_all), options, fewest):
            return None
        footer = _footer_of(records) if has_end else 0
        records = records[: len(records) - footer]
        if footer:
            text = "".join(text.rstrip("\r\n").splitlines(keepends=True)[:-footer])
        fit = self._judged(Text(text, each.is_all), replace(options, skip_lines=skipped), records)
        above = [_cells(line, options) for line in (each.text[:end].splitlines()[-lines:] if lines else ())]
        if fit is None or not are_titles(above, fit.records, fit.options.header is not False):
            return None
        return fit

    def _judged(self, below: Text, options: CsvOptions, records: Sequence[Sequence[str]]) -> _Fit | None:
        """Return the fit of records whose first one a load would take for the header, or for a row without one."""
        misfit = find_misfit(FileStart(below.text, below.is_all, options, ColumnsSpec({}, ()), None))
        if misfit is None:
            return None if may_be_title(records) and not self.is_named else _Fit(options, records)
        if isinstance(looks_like_data(records[0], records[1:]), MostlyEmpty):
            is_header = header_of_filled(records)
            if is_header or (is_header is None and self.is_named):
                return _Fit(replace(options, header=True), records)
            if is_header is None:
                return None
        for way in misfit.ways:
            is_headerless = way.options == replace(options, header=False, names=way.options.names)
            if is_headerless and (not options.skip_lines or len(records) > 1):
                return _Fit(way.options, records)
        return None


def _cells(line: str, options: CsvOptions) -> Sequence[str]:
    """Return the fields of a line above the records, none of one that sets the delimiter."""
    if is_separator_line(line):
        return ()
    records, is_sound = sound_records(line, True, options, 1)
    return records[0] if is_sound and records else line.split(options.delimiter)


def _is_doubled(records: Sequence[Sequence[str]], options: CsvOptions) -> bool:
    """Return whether the delimiter is half of a longer one: each second field is empty."""
    if options.delimiter != "|" or len(records[0]) < 3 or len(records[0]) % 2 == 0:
        return False
    return all(not cell for record in records for cell in record[1::2])


def _has_real_quotes(each: Text, options: CsvOptions, fewest: int) -> bool:
    """Return whether options overrule quotes that RFC 4180 reads well, and that hold the delimiter."""
    plain = replace(options, quoting="strict", quote='"', escape="", trim="none")
    if plain == options:
        return False
    records, is_sound = sound_records(each.text, each.is_all, plain, MOST_RECORDS)
    if not is_sound or not records or _is_regular(records, False, fewest):
        return False
    return any(options.delimiter in cell for record in records for cell in record)


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


def _is_single_column(each: Text, options: CsvOptions) -> bool:
    records, is_sound = sound_records(each.text, each.is_all, replace(options, skip_lines=0), MOST_RECORDS)
    return is_sound and all(len(record) == 1 for record in records)


def _is_fixed(each: Text) -> bool:
    lines = [line for line in each.text.splitlines()[:100] if line]
    if any(line.startswith('"') for line in lines):
        return False
    return len(lines) > 2 and len({*map(len, lines)}) == 1 and any(" " in line.strip() for line in lines)

"""Footers of sample files: last lines that are no rows, by the number of their fields or a word for a total."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from glob import escape

from framework.dataclass import dataclass
from framework.draft.encoding import first_text
from framework.draft.spec_text import sample
from framework.draft.starts import Start, about
from framework.load.first_look import Files
from framework.model.csv_options import CsvOptions
from framework.rows.formats.csv.header import sound_records
from framework.rows.formats.csv.header_rule import kind_of
from framework.rows.formats.csv.resolve import resolve

MOST_LINES = 10
_TAIL_BYTES = 64 * 1024
_WORDS = (
    r"(?:grand |sub)?totals?|sum|summen?|gesamt(?:summe|betrag)?|zwischensumme|total général|somme|totale|suma|trailer"
    r"|trl|eof|end|ende|fin|(?:row|record) ?count|anzahl|end of (?:file|report|data)"
)
_NUMBER = r"[-+]?\d[\d.,']*(?: ?(?:%|[A-Z]{3}|[€$£]))?"
_TOTAL = re.compile(rf"(?:{_WORDS})(?P<mark> ?[:=])?(?P<number> *{_NUMBER})?", re.IGNORECASE)
_COUNTS = re.compile(
    r"\(?[\d.,]+ (?:rows?|records?|zeilen|lignes|filas)(?: (?:affected|selected|betroffen))?\)?", re.IGNORECASE
)


@dataclass(frozen=True)
class Footer:
    """Options that leave out the footers of the files, how many lines these may be, and the first line of one."""

    options: CsvOptions
    lines: range
    shown: str


@dataclass(frozen=True)
class _Tail:
    """The last lines of a file: those of the footer, and the others. `blank` counts blank lines in and below it.

    `glob` matches the first line of the footer. Without a footer `is_odd` says that the last line may be one all the
    same: it is a single field. `like_total` is the last line where it is a row that begins with a word for a total.
    """

    footer: Sequence[str]
    others: Sequence[str]
    blank: int
    glob: str = ""
    is_known: bool = False
    is_odd: bool = False
    like_total: str = ""


@dataclass(frozen=True)
class Ends:
    """How the files end: with a footer or with none.

    With `is_odd` one ends with a single field, which may be a footer or a row that was cut off. `like_total` is a last
    row that begins with a word for a total, an empty text where there is none.
    """

    footer: Footer | None = None
    is_odd: bool = False
    like_total: str = ""


def find_footer(
    files: Files, starts: Sequence[Start], options: CsvOptions, encodings: tuple[str, ...], *, may_show: bool
) -> Ends:
    """Return how the files end.

    A footer is left out by a pattern, which files without one survive; by its number of lines only where all of several
    files have as many. Unless it `may_show` a word of the files, the pattern has only words that totals are known by.

    Raises:
        SourceFileError: there are footers, and no pattern for them.
    """
    pairs = [(start, tail) for start in starts if (tail := _tail(files, start, options, encodings)) is not None]
    tails = [tail for _, tail in pairs]
    found = [(start, tail) for start, tail in pairs if tail.footer]
    is_odd = any(tail.is_odd for tail in tails)
    if not found:
        return Ends(None, is_odd, next((tail.like_total for tail in tails if tail.like_total), ""))
    fewest = sum(len(tail.footer) for tail in tails)
    lines = range(fewest, fewest + sum(tail.blank for tail in tails) + 1)
    start, first = found[0]
    globs = {tail.glob for _, tail in found}
    may_write = may_show or all(tail.is_known for _, tail in found)
    if (
        len(globs) == 1
        and may_write
        and not any(fnmatchcase(line, first.glob) for tail in tails for line in tail.others)
    ):
        return Ends(Footer(replace(options, footer_from=first.glob), lines, first.footer[0]), is_odd)
    counts = {len(tail.footer) for tail in tails}
    if len(tails) > 1 and len(counts) == 1:
        return Ends(Footer(replace(options, footer_lines=counts.pop()), lines, first.footer[0]), is_odd)
    with about(start.url):
        shown = f" {sample(first.footer[0])}" if may_show else ""
        why = "the footers of the files differ" if len(globs) > 1 else "rows begin like it"
        why = why if may_write else "its text may not be written with --no-samples"
        raise ValueError(f"a line at its end{shown} looks like a footer, and no pattern can leave it out: {why}")


def _tail(files: Files, start: Start, options: CsvOptions, encodings: tuple[str, ...]) -> _Tail | None:
    """Return the end of a file; None where it cannot be seen."""
    every = _last_lines(files, start, options, encodings)
    if every is None:
        return None
    lines = [line for line in every if line.strip() and not (options.comment and line.startswith(options.comment))]
    options, width = _resolved(start, options, encodings)
    is_row = (place for place, line in enumerate(reversed(lines)) if not _is_footer(line, options, width, lines))
    footer = next(is_row, 0)
    if not footer or footer >= min(len(lines) - 1, MOST_LINES):
        is_odd, like_total = _is_odd(lines, options, width), _like_total(lines, options, width)
        return _Tail((), lines, 0, is_odd=is_odd, like_total=like_total)
    first = lines[-footer]
    below = every[len(every) - every[::-1].index(first) - 1 :]
    filled = [cell.strip() for cell in _fields(first, options) if cell.strip()]
    is_known = _TOTAL.fullmatch(filled[0]) is not None or _COUNTS.fullmatch(filled[0]) is not None
    return _Tail(lines[-footer:], lines[:-footer], len(below) - footer, _glob(first, options.delimiter), is_known)


def _last_lines(files: Files, start: Start, options: CsvOptions, encodings: tuple[str, ...]) -> Sequence[str] | None:
    """Return the last lines of a file, or all; None for a large file that is packed."""
    if start.beginning.is_all:
        _, text = first_text(start.beginning, encodings)
    elif start.beginning.packing is None and not options.encoding.startswith("utf-16"):
        size = start.file.size_bytes
        end = files.store.read_range(start.file, size - _TAIL_BYTES, size, lambda size_bytes: None)
        end = end[end.find(b"\n") + 1 :]
        try:
            text = end.decode(encodings[0])
        except ValueError:
            text = end.decode(encodings[-1], "replace")
    else:
        return None
    return re.split(r"\r\n|\r|\n", text)


def _is_odd(lines: Sequence[str], options: CsvOptions, width: int) -> bool:
    return width > 1 and bool(lines) and len(_fields(lines[-1], options)) == 1


def _like_total(lines: Sequence[str], options: CsvOptions, width: int) -> str:
    """Return a last line that is a row by its fields and begins with a word for a total; an empty text for others."""
    filled = [cell.strip() for cell in (_fields(lines[-1], options) if len(lines) > 1 else ()) if cell.strip()]
    return lines[-1] if len(filled) == width > 1 and _TOTAL.fullmatch(filled[0]) else ""


def _resolved(start: Start, options: CsvOptions, encodings: tuple[str, ...]) -> tuple[CsvOptions, int]:
    """Return the options of one file, and how many fields its first record has."""
    _, text = first_text(start.beginning, encodings)
    resolved = resolve(text, start.beginning.is_all, options)
    assert resolved is not None
    lines = text.splitlines(keepends=True)[resolved.skip_lines :]
    records, _ = sound_records("".join(lines), start.beginning.is_all, resolved, 1)
    return resolved, len(records[0]) if records else 0


def _fields(line: str, options: CsvOptions) -> Sequence[str]:
    """Return the fields of a line, none where it is no record by itself."""
    records, is_sound = sound_records(line, True, options, 2)
    return records[0] if is_sound and len(records) == 1 else ()


def _is_footer(line: str, options: CsvOptions, width: int, lines: Sequence[str]) -> bool:
    fields = _fields(line, options)
    filled = [cell.strip() for cell in fields if cell.strip()]
    if not filled:
        return False
    if len(fields) != width:
        is_total = _TOTAL.fullmatch(filled[0]) or _COUNTS.fullmatch(filled[0])
        # One word may be a row that was cut off.
        return is_total is not None or (len(filled) == 1 and " " in filled[0])
    total = _TOTAL.fullmatch(filled[0])
    if width == 1:
        # Among texts it is a text.
        above = [each for each in lines[1:] if each != line]
        return total is not None and bool(above) and all(kind_of(each.strip(' "')) for each in above)
    # A word with a number may be a name.
    is_alone = total is not None and (total["mark"] is not None or total["number"] is None)
    return is_alone and (len(filled) < width or width == 2)


def _glob(line: str, delimiter: str) -> str:
    """Return the glob of lines like the first one of a footer: as exact as what differs from file to file allows."""
    cells = line.split(delimiter)
    place = next((place for place, cell in enumerate(cells) if cell.strip(' "')), 0)
    total = _TOTAL.fullmatch(cells[place].strip(' "'))
    if total is not None and total["mark"]:
        end = line.index(total["mark"]) + len(total["mark"])
        return f"{escape(line[:end])}*"
    if total is not None and len(cells) > place + 1:
        field = delimiter.join(cells[: place + 1])
        return f"{_any_digits(field)}{escape(delimiter)}*"
    if line.startswith("(") and line.endswith(")") and _COUNTS.fullmatch(line):
        # The parenthesis, and the words up to the end of the line, are enough for a count of any length.
        return re.sub(r"[\d.,]+", "[0-9]*", line, count=1)
    return _any_digits(line)


def _any_digits(text: str) -> str:
    return re.sub("[0-9]", "[0-9]", escape(text))

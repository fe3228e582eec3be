"""Footers of sample files: last lines that are no rows, by the number of their fields or a word for a total."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from glob import escape

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
    same: it is a single field.
    """

    footer: Sequence[str]
    others: Sequence[str]
    blank: int
    glob: str = ""
    is_known: bool = False
    is_odd: bool = False


@dataclass(frozen=True)
class Ends:
    """How the files end: with a footer, with none, or with a single field that may be a footer or a row cut off."""

    footer: Footer | None
    is_odd: bool


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
    if not found:
        return Ends(None, any(tail.is_odd for tail in tails))
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
        return Ends(Footer(replace(options, footer_from=first.glob), lines, first.footer[0]), False)
    counts = {len(tail.footer) for tail in tails}
    if len(tails) > 1 and len(counts) == 1:
        return Ends(Footer(replace(options, footer_lines=counts.pop()), lines, first.footer[0]), False)
    with about(start.url):
        shown = f" {sample(first.footer[0])}" if may_show else ""
        why = "the footers of the files differ" if len(globs) > 1 else "rows begin like it"
        why = why if may_write else "its text may not be written with --no-samples"
        raise ValueError(f"a line at its end{shown} looks like a footer, and no pattern can leave it out: {why}")


def _tail(files: Files, start: Start, options: CsvOptions, encodings: tuple[str, ...]) -> _Tail | None:
    """Return the end of a file; None where it cannot be seen: of a large packed file."""
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
    every = re.split(r"\r\n|\r|\n", text)
    lines = [line for line in every if line.strip()]
    options, width = _resolved(start, options, encodings)
    footer = 0
    for line in reversed(lines[-MOST_LINES:]):
        if options.comment and line.startswith(options.comment):
            continue
        if not _is_footer(line, options, width, lines):
            break
        footer += 1
    if not footer or footer >= min(len(lines) - 1, MOST_LINES):
        return _Tail((), lines, 0, is_odd=bool(lines) and width > 1 and len(_fields(lines[-1], options)) == 1)
    below = every[len(every) - every[::-1].index(lines[-footer]) - 1 :]
    first = lines[-footer]
    filled = [cell.strip() for cell in _fields(first, options) if cell.strip()]
    is_known = _TOTAL.fullmatch(filled[0]) is not None or _COUNTS.fullmatch(filled[0]) is not None
    return _Tail(lines[-footer:], lines[:-footer], len(below) - footer, _glob(first, options.delimiter), is_known)


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

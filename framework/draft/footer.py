"""Footers of sample files: last lines that are no rows, by the number of their fields or a word for a total."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from framework.draft.encoding import first_text
from framework.draft.starts import Start
from framework.load.first_look import Files
from framework.model.csv_options import AUTO, CsvOptions
from framework.rows.formats.csv.header import sound_records
from framework.rows.formats.csv.resolve import resolve

MOST_LINES = 10
_TAIL_BYTES = 64 * 1024
_WORDS = (
    r"(?:grand |sub)?totals?|sum|summen?|gesamt(?:summe|betrag)?|zwischensumme|total général|somme|totale|suma|trailer"
    r"|trl|eof|end|ende|fin|(?:row|record) ?count|anzahl|end of (?:file|report|data)"
)
_COUNTS = r"\(?[\d.,]+ (?:rows?|records?|zeilen|lignes|filas)\)?"
_TOTALS = re.compile(rf"(?:{_WORDS})(?:[ :.=-].*)?|{_COUNTS}", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class _Tail:
    """The last lines of a file: those of the footer, and the others. `blank` counts blank lines in and below it."""

    footer: Sequence[str]
    others: Sequence[str]
    blank: int


def find_footer(
    files: Files, starts: Sequence[Start], options: CsvOptions, encodings: tuple[str, ...], *, may_show: bool
) -> tuple[CsvOptions, range] | None:
    """Return options that leave out the footers of the files, and how many lines these may be.

    None where the files have no footers, or not alike. Unless they `may_show` a word of the files, it is one of those
    that totals are known by.
    """
    if options.delimiter == AUTO:
        return None
    tails = [tail for start in starts if (tail := _tail(files, start, options, encodings)) is not None]
    with_footer = [tail for tail in tails if tail.footer]
    if not with_footer:
        return None
    fewest = sum(len(tail.footer) for tail in tails)
    lines = range(fewest, fewest + sum(tail.blank for tail in tails) + 1)
    words = {found[0] if (found := _WORD.match(tail.footer[0])) else "" for tail in with_footer}
    word = words.pop()
    may_show = may_show or re.fullmatch(_WORDS, word, re.IGNORECASE) is not None
    if word and may_show and not words and not any(line.startswith(word) for tail in tails for line in tail.others):
        return replace(options, footer_from=f"{word}*"), lines
    counts = {len(tail.footer) for tail in tails}
    return (replace(options, footer_lines=counts.pop()), lines) if len(counts) == 1 else None


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
    width = _width(start, options, encodings)
    footer = 0
    for line in reversed(lines[-MOST_LINES:]):
        if options.comment and line.startswith(options.comment):
            continue
        if not _is_footer(line, options, width):
            break
        footer += 1
    if not footer or footer >= min(len(lines) - 1, MOST_LINES):
        return _Tail((), lines, 0)
    below = every[len(every) - every[::-1].index(lines[-footer]) - 1 :]
    return _Tail(lines[-footer:], lines[:-footer], len(below) - footer)


def _width(start: Start, options: CsvOptions, encodings: tuple[str, ...]) -> int:
    _, text = first_text(start.beginning, encodings)
    resolved = resolve(text, start.beginning.is_all, options)
    assert resolved is not None
    lines = text.splitlines(keepends=True)[resolved.skip_lines :]
    records, _ = sound_records("".join(lines), start.beginning.is_all, resolved, 1)
    return len(records[0]) if records else 0


def _is_footer(line: str, options: CsvOptions, width: int) -> bool:
    records, is_sound = sound_records(line, True, options, 2)
    if not is_sound or len(records) != 1:
        return False
    filled = [cell.strip() for cell in records[0] if cell.strip()]
    if filled and _TOTALS.fullmatch(filled[0]):
        return len(filled) < len(records[0]) or len(records[0]) < 3 or len(records[0]) != width
    # One word may be a row that was cut off.
    return len(records[0]) != width and len(filled) == 1 and " " in filled[0]

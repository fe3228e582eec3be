"""The header of a CSV file, read from its first text."""

from __future__ import annotations

from dataclasses import replace

from framework.model.csv_options import CsvOptions
from framework.model.words import counted
from framework.rows.formats.csv.grammar import grammar_of
from framework.rows.formats.recognise import BrokenFile
from framework.rows.formats.text.lines import LINE, lines_end


def read_text(text: str, is_all: bool, options: CsvOptions) -> str | None:
    """Return a file's first text behind the lines that are skipped; None where it may end within them.

    `is_all` says that it is the whole text of the file.

    Raises:
        ValueError: it holds no record though it should.
    """
    end = lines_end(text, options.skip_lines)
    if end is None and not is_all:
        return None
    rest = "" if end is None else text[end:]
    if is_all and options.header is not False and not rest.strip():
        if options.skip_lines:
            raise ValueError(
                f"there is no header after the skipped lines (source.options.skip_lines: {options.skip_lines})"
            )
        raise BrokenFile("the file is empty: " + ("it has only blank lines" if rest else "not even a header"))
    return rest


def header_of(text: str, is_all: bool, options: CsvOptions) -> tuple[str, ...] | None:
    """Return the raw names of the fields of a file whose text begins so; None: its header goes on beyond the text.

    Blank lines before the header are passed over. A name is as the file has it, blanks and case included, quotes taken
    off; the options' names replace it.

    Raises:
        ValueError: the header's quoting is not sound, or the options name another number of fields.
    """
    if options.header is False:
        return options.names
    start = len(text) - len(text.lstrip("\r\n"))
    found = _record_at(text, is_all, _as_first(options), start)
    if found is None:
        return None
    names, _ = found
    if any("\0" in name for name in names):
        raise BrokenFile("the header holds a NUL character")
    if options.names and len(options.names) != len(names):
        found_columns = counted(len(names), "column")
        raise ValueError(f"the header has {found_columns}, and source.options.names has {len(options.names)}")
    return options.names or names


def records_of(text: str, is_all: bool, options: CsvOptions, most: int) -> list[tuple[str, ...]]:
    """Return the fields of the first records of a text, the header among them.

    They end where the text is cut off, or the quoting is not sound. Comments below the first record are none.
    """
    return sound_records(text, is_all, options, most)[0]


def sound_records(text: str, is_all: bool, options: CsvOptions, most: int) -> tuple[list[tuple[str, ...]], bool]:
    """Return the same records, and whether the quoting is sound up to the last of them and behind it."""
    records: list[tuple[str, ...]] = []
    as_first = _as_first(options)
    position = 0
    while len(records) < most:
        while position < len(text) and text[position] in "\r\n":
            position += 1
        if records and options.comment and text.startswith(options.comment, position):
            line = LINE.match(text, position)
            if line is None:
                break
            position = line.end()
            continue
        try:
            found = _record_at(text, is_all, as_first, position) if position < len(text) else None
        except ValueError:
            return records, False
        if found is None:
            break
        records.append(found[0])
        position = found[1]
    return records, True


def record_end(text: str, options: CsvOptions, is_all: bool, start: int) -> int | None:
    """Return where the line end of the record at a place begins; None: not within the text.

    Raises:
        BrokenFile: its quoting is not sound.
    """
    found = _record_at(text, is_all, _as_first(options), start)
    return None if found is None else found[1]


def _as_first(options: CsvOptions) -> CsvOptions:
    """Return options for the first line, which is a record, however it begins."""
    return replace(options, comment="")


def _record_at(text: str, is_all: bool, options: CsvOptions, start: int) -> tuple[tuple[str, ...], int] | None:
    """Return the fields of the record at a place and where its line end begins; None: not within the text."""
    grammar = grammar_of(options)
    end = grammar.end_of(text, start, is_final=is_all)
    if (end < len(text) and text[end] in "\r\n") or (end == len(text) and is_all):
        return tuple(field or "" for field in grammar.fields(text[start:end])), end
    if end == len(text) or (not is_all and text[end:] == options.escape):
        return None
    field = len(grammar.fields(text[start:end]))
    if grammar.is_open(text, start):
        if is_all:
            raise BrokenFile("a quote in the header is never closed")
        return None
    if text[end - 1 : end] == options.quote and end > start:
        raise BrokenFile(f"header field {field}: text follows the closing quote")
    raise BrokenFile(f"header field {field}: a quote stands inside an unquoted name")

"""What the beginning of a file shows, of fields with a fixed width: whether its lines can be such records."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from framework.model.clean_name import clean_name
from framework.model.file_options import FixedOptions
from framework.model.files import RowsStart
from framework.model.words import counted
from framework.rows.formats.fixed.fields import BLANKS, cut_fields, end_of
from framework.rows.formats.fixed.format import FixedFormat
from framework.rows.formats.recognise import Beginning, BrokenFile
from framework.rows.formats.source import Look, Source
from framework.rows.formats.text.encoding import decoded_head, mark_size, marks_stand_alone
from framework.rows.formats.text.footer import BrokenFooter, Footer
from framework.rows.formats.text.reader import TextReader

_MOST_LINES = 100
_LONGEST_SURPLUS = 64 * 1024
"""In characters: the end of the first line is looked for so far behind its last field."""
_LEAST_PREFIX = 3
"""A name that a field cuts off has as many characters or more, or it may be a value."""
_TABS = 'where tabs part the fields, set source.format: csv and source.options.delimiter: "\\t"'


class FixedFiles:
    """See SourceFormat."""

    reader = TextReader(FixedFormat())

    def look(self, source: Source) -> Look | None:
        """Return what a file's beginning says of it; None where its first line may go on.

        Raises:
            ValueError: its lines cannot have such fields.
        """
        beginning, is_all = source.beginning, source.beginning.is_all
        encoding, text = decoded_head(beginning, source.spec.encodings, source.tried)
        options = replace(source.spec.fixed, encoding=encoding)
        if not is_all and "\n" not in text and len(text) <= end_of(options) + _LONGEST_SURPLUS:
            return None
        line_end = "\r" if "\r" in text and "\n" not in text else "\n"
        skipped = _lines_end(text, options.skip_lines, line_end)
        rest = "" if skipped is None else text[skipped:]
        if is_all and not rest.strip(BLANKS + "\r\n"):
            raise _empty(rest, options)
        has_line_end = line_end in rest
        if not has_line_end and len(rest) > end_of(options) + _LONGEST_SURPLUS:
            raise ValueError(
                f"its first line does not end within {len(rest):,} characters, and the fields end at character "
                f"{end_of(options):,}: send it with a line end behind each record"
            )
        if not is_all and not has_line_end:
            return None
        lines = _first_lines(rest, is_all, line_end, options)
        _require_fit(rest, lines, line_end, options)
        start = _rows_start(beginning, text[:skipped], line_end, options)
        header = tuple(field.name for field in options.fields)
        return Look(header, options, replace(start, line_length=_common_length(lines, options)), rest, is_all)


def _lines_end(text: str, count: int, line_end: str) -> int | None:
    """Return where the first lines of a text end, None where it has fewer."""
    end = 0
    for _ in range(count):
        end = text.find(line_end, end) + 1
        if not end:
            return None
    return end


def _empty(rest: str, options: FixedOptions) -> ValueError:
    if options.skip_lines:
        return ValueError(
            f"there is no record after the skipped lines (source.options.skip_lines: {options.skip_lines})"
        )
    return BrokenFile("the file is empty: " + ("it has only blank lines" if rest else "it has no record"))


def _first_lines(rest: str, is_all: bool, line_end: str, options: FixedOptions) -> list[str]:
    """Return the first lines that are not blank, each with its line end; the file's last line may have none."""
    if is_all:
        with suppress(BrokenFooter):
            rest = b"".join(Footer(options, line_end).records(iter([rest.encode("utf-8")]))).decode("utf-8")
    lines = [line + line_end for line in rest.split(line_end)]
    lines[-1] = lines[-1].removesuffix(line_end)
    if not is_all:
        lines.pop()
    return [line for line in lines if line.strip(BLANKS + "\r\n")]


def _common_length(lines: Sequence[str], options: FixedOptions) -> int:
    """Return how many characters each line with a line end has, 0 where they differ or chance makes them equal."""
    lengths = [len(line.rstrip("\r\n")) for line in lines if line.endswith(("\n", "\r"))]
    is_common = len(set(lengths)) == 1 and (len(lengths) > 1 or lengths[0] >= end_of(options))
    return lengths[0] if is_common else 0


def _require_fit(rest: str, lines: Sequence[str], line_end: str, options: FixedOptions) -> None:
    """Check that the first lines may be records.

    Raises:
        ValueError: they are too short, names of the fields, or parted by tabs.
    """
    first = [line.rstrip("\r\n") for line in lines[:_MOST_LINES]]
    if not first:
        return
    if _names_fields(first[0], options):
        before = rest[: rest.index(lines[0])]
        above = options.skip_lines + before.count(line_end) + 1
        raise ValueError(f"its first line has the names of the fields: set source.options.skip_lines: {above}")
    has_tabs = any("\t" in line for line in first)
    longest = max(len(line.rstrip(BLANKS)) for line in first)
    nearest = min(options.fields, key=lambda field: field.last)
    if len(options.fields) > 1 and longest < nearest.last:
        which = "its only line has" if len(first) == 1 else f"its first {len(first)} lines have"
        raise ValueError(
            f"{which} at most {counted(longest, 'character')}, and the field {nearest.name} ends at character "
            f"{nearest.last:,}: set source.options.fields to the places in its lines"
            + (f", or, {_TABS}" if has_tabs else "")
        )
    if len(first) > 1 and all(_is_parted_by_tabs(line, options) for line in first):
        raise ValueError(f"each of its first lines has {counted(len(options.fields) - 1, 'tab')}: {_TABS}")


def _names_fields(line: str, options: FixedOptions) -> bool:
    """Return whether a line has the names of most fields in their places, as far as the places hold them."""
    found = 0
    for text, field in zip(cut_fields(line, options), options.fields, strict=True):
        name, cleaned = clean_name(field.name, 1), "" if text is None else clean_name(text, 1)
        is_cut_off = len(text or "") == field.width >= _LEAST_PREFIX and name.startswith(cleaned)
        found += text is not None and (cleaned == name or is_cut_off)
    return 2 * found > len(options.fields)


def _is_parted_by_tabs(line: str, options: FixedOptions) -> bool:
    """Return whether a line has as many tabs as stand between its fields, and not all of them between their places."""
    places = (line[field.first - 1 : field.last] for field in options.fields)
    return line.count("\t") == len(options.fields) - 1 and any("\t" in place for place in places)


def _rows_start(beginning: Beginning, before: str, line_end: str, options: FixedOptions) -> RowsStart:
    """Return where the rows begin; `before` is the text of the skipped lines."""
    line = 1 + options.skip_lines
    is_one_piece = options.has_footer or beginning.packing is not None or line_end == "\r"
    if is_one_piece or not marks_stand_alone(options.encoding, ","):
        return RowsStart(len(before.encode("utf-8")), line, line_end, False)
    mark = mark_size(beginning.content, options.encoding)
    # A character of Latin-1 is a byte.
    skipped = _lines_end(beginning.content[mark:].decode("latin-1"), options.skip_lines, line_end)
    assert skipped is not None
    return RowsStart(mark + skipped, line, line_end, True)


FORMAT = FixedFiles()

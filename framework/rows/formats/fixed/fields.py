"""The fields of one line, cut in Python: of the first lines of a file, and of lines that are malformed."""

from __future__ import annotations

from framework.model.file_options import FixedOptions
from framework.model.words import counted
from framework.rows.reasons import nul_reason

BLANKS = " \t"
"""Left out around a field. Other blanks, such as a no-break space, are characters of it."""


def end_of(options: FixedOptions) -> int:
    """Return the place of the last character that a field has."""
    return max(field.last for field in options.fields)


def last_begin(options: FixedOptions) -> int:
    """Return the place where the last field of a line begins."""
    return max(field.first for field in options.fields)


def cut_fields(line: str, options: FixedOptions) -> tuple[str | None, ...]:
    """Return the fields of a line, None for an empty one."""
    return tuple(line[field.first - 1 : field.last].strip(BLANKS) or None for field in options.fields)


def surplus(line: str, options: FixedOptions) -> str:
    """Return what stands behind the last field, empty where it is nothing but blanks."""
    return line[end_of(options) :].strip(BLANKS)


def fault(line: str, options: FixedOptions) -> str | None:
    """Return why a line is malformed; None where a NUL in a field is all of it."""
    if surplus(line, options):
        characters = counted(len(line.rstrip(BLANKS)), "character")
        return f"the line has {characters}, and the fields end at character {end_of(options):,}"
    for character, name in (("\r", "carriage return"), ("\n", "line feed")):
        if character in line:
            return f"the line holds a {name}, which does not end it"
    if any("\0" in (field or "") for field in cut_fields(line, options)):
        return None
    return f"the line {nul_reason()}"

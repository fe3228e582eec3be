"""The reasons why a row is bad or a file is broken."""

from __future__ import annotations

from collections.abc import Sequence

from framework.model.column_type import Kind
from framework.model.csv_options import CsvOptions
from framework.model.files import FileLayout
from framework.model.notation import PLAIN_NUMBERS
from framework.model.staging import StagingColumn

UNCLOSED_QUOTE = "a quoted field is not closed where its record ends"
BAD_QUOTING = (
    "the quoting is not RFC 4180: a quote stands inside an unquoted field, text follows a "
    "closing quote, or a carriage return or line feed outside quotes ends no record"
)
BAD_BYTES = "the bytes are not valid in the file's encoding"
NO_LAST_LINE_END = (
    "the last line has no line end, and expect.last_line_end is true: the file may have been cut off. "
    "Send it again, or, if it is whole, set expect.last_line_end: false"
)
BORDERS_UNKNOWN = "The borders of its rows cannot be trusted, so no row of such a file is loaded. Send it again."


def misfit_reason(column: StagingColumn, length_bytes: int) -> str:
    """Return why a text of that length is not a value of the column; the text itself is left out."""
    if column.type.kind is Kind.CHAR and length_bytes <= (column.type.length_bytes or 0):
        return f"holds characters that are not ASCII, which {column.type.sql} cannot store"
    if column.type.kind in (Kind.CHAR, Kind.VARCHAR):
        return f"has {length_bytes} bytes, more than {column.type.sql} holds"
    return f"is not a value of {column.type.sql}{in_notation(column)}"


def in_notation(column: StagingColumn) -> str:
    """Return the words that follow `is not a value of` a type where the spec describes the column's texts."""
    notation, kind = column.notation, column.type.kind
    if formats := notation.formats_of(kind):
        return f" in the format {' or '.join(each.pattern for each in formats)}"
    if kind is Kind.BOOLEAN and notation.booleans:
        return " among types.parse.booleans"
    is_number = column.type.is_exact_number or kind in (Kind.REAL, Kind.DOUBLE)
    return " as types.parse describes numbers" if is_number and notation.numbers != PLAIN_NUMBERS else ""


def null_key_reason() -> str:
    """Return why a NULL makes the row bad."""
    return "stands in an upsert key, which needs a value"


def no_text_reason() -> str:
    """Return why bytes make the row bad that the file does not call a text."""
    return "holds bytes that are no text in UTF-8"


def nul_reason() -> str:
    """Return why a text with a NUL makes the row bad."""
    return "holds a NUL character, which no warehouse column can store"


def no_json_reason() -> str:
    """Return why the text of an object or array makes the row bad."""
    return "holds NaN or an infinity within an object or array, which JSON does not have"


def field_count_reason(found: object, expected: object) -> str:
    """Return the reason of a record with more or fewer fields than its file's header names."""
    return f"the record has {found} field{'' if found == 1 else 's'}, the header names {expected}"


def row_reason(faults: Sequence[tuple[str | None, str]]) -> str:
    """Return the reason of a whole row from its faults, each a column and a reason: the first is that of `column`."""
    first, *others = faults
    return "; ".join([first[1], *(f"{column} {reason}" for column, reason in others)])


def broken_record(layout: FileLayout, ordinal: int | None, reason: str) -> str:
    """Return the line that names a broken file, the record where it breaks and why."""
    place = "the header" if ordinal is None else f"record {ordinal}"
    other = other_options(reason, layout)
    return f"{layout.url}: {place}: {reason}" + (f"; if the file is sound, {other}" if other else "")


def other_options(reason: str, layout: FileLayout) -> str | None:
    """Return how to change the options that may be why a file looks broken; None where the file itself is."""
    if reason == BAD_BYTES:
        return f"set source.options.encoding to its encoding, which is not {layout.encoding}"
    is_strict = isinstance(layout.options, CsvOptions) and layout.options.quoting == "strict"
    if reason == BAD_QUOTING and is_strict:
        return (
            "set source.options to how its quotes are: quoting: lenient, quoting: none, or escape with the character "
            "before them"
        )
    return None

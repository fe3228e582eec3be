"""The lines of a message on bad rows: one per column and kind of fault, with their number and the first row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from framework.dataclass import dataclass
from framework.load.failures.hints import describe_text, is_number_of
from framework.load.failures.remedies import Refused
from framework.model.column_type import Kind
from framework.model.measurements import BadRow
from framework.model.staging import StagingColumn
from framework.model.text import FLOAT
from framework.model.words import share
from framework.rows.reasons import in_notation, no_json_reason, no_text_reason, nul_reason

_LONGEST_SAMPLE = 80
_INTEGER = ("is not an integer", "are not integers")
_NUMBER = ("is not a number", "are not numbers")
_PREDICATES = {
    Kind.SMALLINT: _INTEGER,
    Kind.INTEGER: _INTEGER,
    Kind.BIGINT: _INTEGER,
    Kind.DECIMAL: ("is not a decimal", "are not decimals"),
    Kind.REAL: _NUMBER,
    Kind.DOUBLE: _NUMBER,
    Kind.BOOLEAN: ("is not a boolean", "are not booleans"),
    Kind.DATE: ("is not a date", "are not dates"),
    Kind.TIME: ("is not a time of day", "are not times of day"),
    Kind.TIMESTAMP: ("is not a timestamp", "are not timestamps"),
    Kind.TIMESTAMPTZ: ("is not a timestamp with an offset", "are not timestamps with an offset"),
    Kind.SUPER: ("is not JSON that a SUPER holds", "are not JSON that a SUPER holds"),
}


@dataclass(frozen=True)
class Wording:
    """The wording of lines on bad rows: `place` names a row's place, `with_text` allows quoting its value."""

    place: Callable[[BadRow], str]
    with_text: bool


@dataclass(frozen=True)
class Malformed:
    """The malformed records of some files: their number, the number of all records, and examples.

    `fields` are the field counts of the first record that differs from its header, and of the header; None where
    no such record is known. `delimiter` is None where the files are no CSV.
    """

    count: int
    rows: int
    examples: Sequence[BadRow]
    fields: tuple[int, int] | None
    delimiter: str | None


def quoted(value: object) -> str:
    """Return a value in quotes, shortened if it is long."""
    if isinstance(value, str) and len(value) > _LONGEST_SAMPLE:
        value = value[: _LONGEST_SAMPLE - 3] + "..."
    return repr(value)


def misfit_lines(refused: Refused, wording: Wording) -> Iterator[str]:
    """Yield the lines on the refused values of a column: one on numbers that do not fit, one on other texts."""
    measured, examples = refused.measured, refused.examples
    column_type, notation = refused.column.type, refused.column.notation.numbers
    numbers = [bad for bad in examples if is_number_of(column_type, bad.text or "", notation)]
    others = [bad for bad in examples if bad not in numbers]
    wider = measured.wider if column_type.is_exact_number else 0
    if measured.misfits > wider:
        yield _misfit_line(refused, measured.misfits - wider, others, wording)
    if wider:
        yield _misfit_line(refused, wider, numbers, wording)


def _misfit_line(refused: Refused, count: int, examples: Sequence[BadRow], wording: Wording) -> str:
    column = refused.column
    is_one = count == 1
    line = f"{share(count, refused.values, 'value')} of {column.name} {_predicate(column, examples)[not is_one]}"
    if not examples:
        return line
    first = examples[0]
    text = first.text or ""
    if wording.with_text:
        line += f"{':' if is_one else ', e.g.'} {quoted(text)}"
    of_text = {
        nul_reason(): "a NUL character",
        no_text_reason(): "no text in UTF-8",
        no_json_reason(): "NaN or an infinity, which JSON does not have",
    }
    hint = of_text.get(first.reason) or describe_text(column.type, text, column.notation)
    line += f" ({hint})" if hint else ""
    return f"{line}, {'' if is_one else 'first '}in {wording.place(first)}"


def _predicate(column: StagingColumn, examples: Sequence[BadRow]) -> tuple[str, str]:
    """Return the predicate for one value, and for several."""
    texts = [bad.text or "" for bad in examples]
    do_not_fit = f"fit into {column.type.sql}"
    if column.type.is_text or (texts and is_number_of(column.type, texts[0], column.notation.numbers)):
        return f"does not {do_not_fit}", f"do not {do_not_fit}"
    if column.exact and texts and all(re.fullmatch(FLOAT, text) for text in texts):
        return f"would be rounded by {column.type.sql}", f"would be rounded by {column.type.sql}"
    one, several = _PREDICATES[column.type.kind]
    notation = in_notation(column)
    return one + notation, several + notation


def null_line(column: StagingColumn, count: int, rows: int, is_key: bool, first: str | None) -> str:
    """Return the line on rows without a required value. `first` is the place of the first one."""
    why = "which load.keys names" if is_key else "which is NOT NULL in the table"
    line = f"{share(count, rows, 'row')} {'has' if count == 1 else 'have'} no {column.name}, {why}"
    return line if first is None else f"{line}, {'' if count == 1 else 'first '}in {first}"


def malformed_line(malformed: Malformed, wording: Wording) -> str:
    """Return the line on records whose field count differs from the header's, that hold a NUL, or that are none."""
    if malformed.delimiter is None:
        first = next((f", first in {wording.place(bad)}: {bad.reason}" for bad in malformed.examples), "")
        return f"{share(malformed.count, malformed.rows, 'record')} cannot be read{first}"
    wrong = [bad for bad in malformed.examples if bad.column is None]
    nul = [bad for bad in malformed.examples if bad.column is not None]
    is_one = malformed.count == 1
    faults = [f"{'has' if is_one else 'have'} another number of fields than the header"] if wrong or not nul else []
    faults += [f"{'holds' if is_one else 'hold'} a NUL character, which no column can store"] if nul else []
    line = f"{share(malformed.count, malformed.rows, 'record')} {' or '.join(faults)}"
    for bad in (*wrong[:1], *nul[:1]):
        line += f", {'' if is_one else 'first '}in {wording.place(bad)}"
        line += _fields(malformed) if bad.column is None else f", column {bad.column}"
    return line


def _fields(malformed: Malformed) -> str:
    found, expected = malformed.fields or (0, 0)
    too_many = f"a {malformed.delimiter!r} in a text without quotes?"
    cause = too_many if found > expected else "cut off, or a line break without quotes?"
    return f": {found} instead of {expected} ({cause})"

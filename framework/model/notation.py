"""How texts write numbers, booleans and days, where it is not as model/text.py has it: `types.parse` of a spec.

A text in a notation is rewritten to the plain one, which the type's expression and the cast then judge. The expressions
are read alike by DuckDB (RE2) and Python, as those of model/text.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field
from typing import Literal

from framework.dataclass import dataclass
from framework.model.column_type import Kind
from framework.model.date_format import DateFormat
from framework.model.text import literal

Negative = Literal["leading", "trailing", "parentheses"]
BLANKS = " \u00a0\u202f"
"""One of them may stand between a number and its mark or percent sign; as `thousands` they are alike."""


@dataclass(frozen=True)
class NumberNotation:
    """How numbers are written.

    `thousands` is None where digits are not grouped. A number has one of the marks in `currency`, each of which stands
    for a currency of its own, or none. With `percent` each has a percent sign, and is a hundredth of what stands before
    it.
    """

    decimal: str = "."
    thousands: str | None = None
    negatives: tuple[Negative, ...] = ("leading",)
    currency: tuple[str, ...] = ()
    percent: bool = False

    @property
    def expression(self) -> str:
        """The regular expression of the texts that are numbers."""
        forms = [self._marked(self._number)]
        for where in self.negatives:
            forms += _NEGATIVE[where](self._marked(self._number))
            forms += [form for negative in _NEGATIVE[where](self._number) for form in self._outer(negative)]
        return "|".join(dict.fromkeys(forms))

    @property
    def exponent_expression(self) -> str:
        """The regular expression of the texts that are numbers with an exponent."""
        point = literal(self.decimal)
        return rf"-?(?:(?:0|[1-9][0-9]*)(?:{point}[0-9]+)?|{point}[0-9]+)[eE][-+]?[0-9]{{1,4}}"

    @property
    def separators(self) -> tuple[str, ...]:
        """The characters that group digits."""
        if self.thousands is None:
            return ()
        return tuple(BLANKS) if self.thousands in BLANKS else (self.thousands,)

    @property
    def _number(self) -> str:
        point = literal(self.decimal)
        whole = "0|[1-9][0-9]*"
        if self.thousands is not None:
            whole += f"|[1-9][0-9]{{0,2}}(?:{_any_of(self.separators)}[0-9]{{3}})+"
        sign = f"{_BLANK}%" if self.percent else ""
        return f"(?:(?:{whole})(?:{point}[0-9]+)?|{point}[0-9]+){sign}"

    def _marked(self, number: str) -> str:
        return "(?:" + "|".join([number, *self._outer(number)]) + ")"

    def _outer(self, number: str) -> Iterator[str]:
        """Yield the forms of a number with a mark before or behind it."""
        if self.currency:
            mark = _any_of(self.currency)
            yield f"{mark}{_BLANK}{number}"
            yield f"{number}{_BLANK}{mark}"


PLAIN_NUMBERS = NumberNotation()


@dataclass(frozen=True)
class Notation:
    """How the texts of a column write values.

    `null_values` are texts that mean NULL, quoted or not; an unquoted empty field always does. `booleans` are pairs of
    texts, true first; without any they are true and false. `formats` are those of dates, times and timestamps, tried in
    order; of days, or of times of day alone, they are ISO 8601 where no format describes such.
    """

    null_values: tuple[str, ...] = ()
    numbers: NumberNotation = field(default=PLAIN_NUMBERS)
    booleans: tuple[tuple[str, str], ...] = ()
    formats: tuple[DateFormat, ...] = ()

    @property
    def day_formats(self) -> tuple[DateFormat, ...]:
        """The formats of dates and timestamps."""
        return tuple(each for each in self.formats if not each.is_time_of_day)

    @property
    def time_formats(self) -> tuple[DateFormat, ...]:
        """The formats of a time of day alone."""
        return tuple(each for each in self.formats if each.is_time_of_day)

    def formats_of(self, kind: Kind) -> tuple[DateFormat, ...]:
        """Return the formats of a kind of column; none where its texts are ISO 8601, or no dates and times."""
        if kind is Kind.TIME:
            return self.time_formats
        return self.day_formats if kind in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ) else ()

    def as_fields(self) -> dict[str, object]:
        """Return the fields of `types.parse` that describe the notation."""
        return {
            "null_values": self.null_values,
            **vars(self.numbers),
            "booleans": self.booleans,
            "formats": tuple(each.pattern for each in self.formats),
            "locale": self.formats[0].locale if self.formats else DateFormat.locale,
        }


PLAIN = Notation()


def _any_of(texts: Iterable[str]) -> str:
    # The longest first: a mark may be the start of another.
    return "(?:" + "|".join(literal(text) for text in sorted(texts, key=len, reverse=True)) + ")"


_BLANK = f"[{BLANKS}]?"
_NEGATIVE = {
    "leading": lambda number: [f"-{number}"],
    "trailing": lambda number: [f"{number}-"],
    "parentheses": lambda number: [rf"\({number}\)"],
}

"""Formats of dates, timestamps and times of day as specs write them: `dd/MM/yyyy HH:mm`.

One notation, the same in every engine. Letters outside quotes are fields, everything else stands for itself; `''` is a
quote. EPOCH_S and EPOCH_MS are formats too: seconds and milliseconds since 1970 in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property

from framework.dataclass import dataclass
from framework.model.months import MONTHS
from framework.model.text import literal

EPOCH_S, EPOCH_MS = "epoch_s", "epoch_ms"
_EPOCHS = {EPOCH_S: r"-?[0-9]{1,11}(?:\.[0-9]{1,6})?", EPOCH_MS: r"-?[0-9]{1,14}(?:\.[0-9]{1,3})?"}
_FIELDS = {
    "yyyy": "[0-9]{4}",
    "yy": "[0-9]{2}",
    "MM": "(?:0[1-9]|1[0-2])",
    "M": "(?:[1-9]|1[0-2])",
    "dd": "(?:0[1-9]|[12][0-9]|3[01])",
    "d": "(?:[1-9]|[12][0-9]|3[01])",
    "HH": "(?:[01][0-9]|2[0-3])",
    "H": "(?:[0-9]|1[0-9]|2[0-3])",
    "hh": "(?:0[1-9]|1[0-2])",
    "h": "(?:[1-9]|1[0-2])",
    "a": r"(?:[AaPp][Mm]|[AaPp]\.[Mm]\.)",
    "mm": "[0-5][0-9]",
    "ss": "[0-5][0-9]",
    "SSS": "[0-9]{3}",
    "SSSSSS": "[0-9]{6}",
    "X": "(?:Z|[-+](?:0[0-9]|1[0-4]))",
    "XX": "(?:Z|[-+](?:0[0-9]|1[0-4])[0-5][0-9])",
    "XXX": "(?:Z|[-+](?:0[0-9]|1[0-4]):[0-5][0-9])",
}
_NAMED = ("MMM", "MMMM")
_SHORT = ("M", "d", "H", "h")
"""Fields of one digit or two."""
_PIECE = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']")
_TRIED = tuple(
    datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day, hours=hour, minutes=14, seconds=15, microseconds=123456)
    for year in (2012, 1012)
    for day in range(366)
    for hour in (3, 16)
)


@dataclass(frozen=True)
class DateFormat:
    """A format, checked. `locale` is the language of its names of months.

    Raises:
        ValueError: a field is unknown or comes twice, a quote is not closed, the fields make no time, or a text could
            be read in two ways.
    """

    pattern: str
    locale: str = "en"

    def __post_init__(self) -> None:
        if not self.is_epoch:
            _require_time(self.pattern, [letters for letters, _ in self._pieces if letters])
            _require_one_reading(self.pattern, self._pieces)

    @property
    def is_epoch(self) -> bool:
        """Whether texts count seconds or milliseconds."""
        return self.pattern in _EPOCHS

    @property
    def has_time(self) -> bool:
        """Whether the format has a time of day."""
        return self.is_epoch or not {"H", "h"}.isdisjoint(self.fields)

    @property
    def is_time_of_day(self) -> bool:
        """Whether the format has a time of day and no day."""
        return not self.is_epoch and "y" not in self.fields

    @property
    def has_offset(self) -> bool:
        """Whether the format has an offset from UTC."""
        return "X" in self.fields

    @property
    def is_of_digits(self) -> bool:
        """Whether texts are whole numbers too, such as those of `yyyyMMdd`."""
        return self.is_epoch or all(_is_of_digits(letters) for letters, _ in self._pieces)

    @cached_property
    def expression(self) -> str:
        """The regular expression of the texts that the format describes."""
        if self.is_epoch:
            return _EPOCHS[self.pattern]
        return "".join(self._of_field(letters) if letters else literal(plain) for letters, plain in self._pieces)

    @cached_property
    def grouped_expression(self) -> str:
        """`expression` with a group for each of `fields`."""
        return "".join(f"({self._of_field(letters)})" if letters else literal(plain) for letters, plain in self._pieces)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The letters of the fields, in order."""
        return () if self.is_epoch else tuple(letters[0] for letters, _ in self._pieces if letters)

    @property
    def has_two_digit_year(self) -> bool:
        """Whether years are 2000 to 2099."""
        return any(letters == "yy" for letters, _ in self._pieces)

    @property
    def has_short(self) -> bool:
        """Whether a field may have one digit."""
        return any(letters in _SHORT for letters, _ in self._pieces)

    @property
    def has_names(self) -> bool:
        """Whether months are written as names."""
        return any(letters in _NAMED for letters, _ in self._pieces)

    @cached_property
    def _pieces(self) -> tuple[tuple[str, str], ...]:
        return tuple(_pieces(self.pattern))

    def _of_field(self, letters: str) -> str:
        if letters == "MMMM":
            return "(?i:" + "|".join(names[0] for names in MONTHS[self.locale]) + ")"
        if letters == "MMM":
            short = sorted({name for names in MONTHS[self.locale] for name in names[1:]}, key=len, reverse=True)
            return "(?i:(?:" + "|".join(short) + r")\.?)"
        return _FIELDS[letters]

    def conflicting_text(self, other: DateFormat) -> str | None:
        """Return a text that both formats accept and take for different times; None where there is none.

        Each day of two leap years, with two times of day, is written in either format and read in the other. The digits
        of these years are months and days too.
        """
        for writer, reader in ((self, other), (other, self)):
            for text in writer._tried_texts:
                read = reader._read(text)
                if read is not None and read != writer._read(text):
                    return text
        return None

    @cached_property
    def _tried_texts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(self._written, _TRIED)))

    def _written(self, at: datetime) -> str:
        if self.is_epoch:
            return str(int(at.timestamp()) * (1 if self.pattern == EPOCH_S else 1000))
        names = MONTHS[self.locale][at.month - 1]
        values = {
            "yyyy": f"{at.year:04}",
            "yy": f"{at.year % 100:02}",
            "MM": f"{at.month:02}",
            "M": f"{at.month}",
            "MMM": names[1],
            "MMMM": names[0],
            "dd": f"{at.day:02}",
            "d": f"{at.day}",
            "HH": f"{at.hour:02}",
            "H": f"{at.hour}",
            "hh": f"{at:%I}",
            "h": f"{at:%I}".lstrip("0"),
            "a": f"{at:%p}",
            "mm": f"{at.minute:02}",
            "ss": f"{at.second:02}",
            "SSS": f"{at.microsecond // 1000:03}",
            "SSSSSS": f"{at.microsecond:06}",
            "X": "Z",
            "XX": "Z",
            "XXX": "Z",
        }
        return "".join(values[letters] if letters else plain for letters, plain in self._pieces)

    def _read(self, text: str) -> tuple[object, ...] | None:
        """Return what the fields of a text say, in an order of their own; None for a text of another format."""
        if self.is_epoch:
            return (self.pattern, text) if re.fullmatch(self.expression, text) else None
        found = re.fullmatch(self.grouped_expression, text)
        if found is None:
            return None
        read = dict(zip(self.fields, found.groups(), strict=True))
        hour = read.get("H") or read.get("h") or "0"
        half = read.get("a", "").lower()[:1]
        rest = tuple(int(read.get(field, "0")) for field in "msS")
        return (*self._read_day(read), int(hour), half, *rest)

    def _read_day(self, read: Mapping[str, str]) -> tuple[object, ...]:
        if self.is_time_of_day:
            return (None, None, None)
        month = read["M"].lower().rstrip(".")
        numbers = [number for number, names in enumerate(MONTHS[self.locale], 1) if month in names]
        return (read["y"][-2:], numbers[0] if numbers else int(month), int(read["d"]))


def _pieces(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield the pieces of a pattern: the letters of a field, or a text that stands for itself."""
    position = 0
    while position < len(pattern):
        piece = _PIECE.match(pattern, position)
        if piece is None:
            raise ValueError(f"{pattern!r}: the quote at position {position + 1} is not closed")
        position = piece.end()
        if piece[2] is not None:
            yield piece[0], ""
        else:
            yield "", piece[0] if piece[1] is None else piece[1].replace("''", "'") or "'"


def _is_of_digits(letters: str) -> bool:
    return bool(letters) and letters not in _NAMED and letters[0] not in "aX"


def _require_time(pattern: str, fields: list[str]) -> None:
    seen: set[str] = set()
    for letters in fields:
        if letters not in _FIELDS and letters not in _NAMED:
            known = ", ".join((*_FIELDS, *_NAMED))
            raise ValueError(f"{pattern!r}: {letters!r} is not a field; the fields are {known}")
        if letters[0] in seen:
            raise ValueError(f"{pattern!r}: the field {letters[0]!r} comes twice")
        seen.add(letters[0])
    has_day, has_time = not seen.isdisjoint("yMd"), {"H", "m"} <= seen or {"h", "m"} <= seen
    if not {"y", "M", "d"} <= seen and (has_day or not has_time):
        raise ValueError(f"{pattern!r}: a format names year, month and day (yyyy, MM, dd), or hour and minute (HH, mm)")
    if ("h" in seen) != ("a" in seen) or {"h", "H"} <= seen:
        raise ValueError(f"{pattern!r}: hours are HH, or hh with AM or PM (a)")
    if seen & {"m", "s", "S", "X"} and not seen & {"h", "H"}:
        raise ValueError(f"{pattern!r}: a time of day begins with its hours (HH)")
    if not has_day and "X" in seen:
        raise ValueError(f"{pattern!r}: a time of day without a day has no offset from UTC")


def _require_one_reading(pattern: str, pieces: Iterable[tuple[str, str]]) -> None:
    """Refuse a format with two fields of one digit or two between which all are digits.

    1 is a value of each field and 11 one of both, so that `111` of `dM` has two readings. Of one such field, the number
    of digits says how many are its own.
    """
    short: list[str] = []
    for letters, plain in pieces:
        if letters in _SHORT:
            short.append(letters)
        elif not _is_of_digits(letters) and not plain.isdigit():
            short.clear()
        if len(short) == 2:
            both = f"{short[0]!r} and {short[1]!r}"
            raise ValueError(f"{pattern!r}: nothing shows which of {both} has one digit and which has two")

"""The notations in which the texts of a column may be values: numbers, dates, booleans, words for NULL.

Only candidates come from here. What all rows say of each of them decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from framework.dataclass import dataclass
from framework.load.failures.hints import date_formats, is_null_marker, number_notations
from framework.model.date_format import DateFormat
from framework.model.notation import PLAIN, Notation, NumberNotation

_ISO = "yyyy-MM-dd"
_YEARS = ("yyyy", "yy")
_ORDERS = ("dd{0}MM{0}{1}", "d{0}M{0}{1}", "MM{0}dd{0}{1}", "M{0}d{0}{1}")
_MARKS = ("/", "-", ".")
_CLOCKS = ("", " HH:mm", " HH:mm:ss", " H:mm", " H:mm:ss", " h:mm a", " hh:mm a", " h:mm:ss a", " hh:mm:ss a")
_NAMED = (
    *("d MMM yyyy", "d. MMM yyyy", "d-MMM-yyyy", "d MMMM yyyy", "d. MMMM yyyy", "MMMM d, yyyy", "MMM d, yyyy"),
    *("dd-MMM-yy", "dd MMM yy", "d-MMM-yy", "dd MMM yyyy", "dd-MMM-yyyy", "dd. MMM yyyy", "dd. MMMM yyyy"),
)
_WITH_OFFSET = ("yyyy-MM-dd'T'HH:mm:ssXX", "yyyy-MM-dd'T'HH:mmXXX", "yyyy/MM/dd HH:mm:ss", "yyyyMMdd'T'HHmmss")
_TIMES_OF_DAY = ("HH:mm", "HH:mm:ss", "H:mm", "H:mm:ss", "h:mm a", "hh:mm a", "h:mm:ss a", "hh:mm:ss a")
_LOCALES = ("en", "de", "es", "fr", "it", "nl", "pt")
_PAIRS = (
    *(("Ja", "Nein"), ("Yes", "No"), ("Oui", "Non"), ("Sí", "No"), ("Si", "No"), ("Sì", "No"), ("Sim", "Não")),
    *(
        ("Wahr", "Falsch"),
        ("Vrai", "Faux"),
        ("Verdadero", "Falso"),
        ("Vero", "Falso"),
        ("On", "Off"),
        ("True", "False"),
    ),
    # Not S and N, nor O and N, which are points of the compass too.
    *(("J", "N"), ("Y", "N"), ("T", "F")),
)
_KNOWN_CURRENCIES = frozenset({"EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "SEK", "NOK", "DKK", "PLN", "CZK"})
_LATEST_SHORT_YEAR = 40
"""A year of two digits counts from 2000: one above this may have been meant to be of the century before."""


@dataclass(frozen=True)
class Way:
    """A notation in which all texts are values, and why it is one, without quoting a value."""

    notation: Notation
    why: str


def ways_of(texts: Collection[str]) -> tuple[list[Way], tuple[str, ...]]:
    """Return the notations in which all of the texts are values, and which of them are words for NULL.

    Where the notations are several, one text is a different value in each. Texts that are values without any are no
    reason for one.
    """
    markers = tuple(text for text in texts if is_null_marker(text))
    values = [text for text in texts if not is_null_marker(text)]
    if not values:
        return [], markers
    found = [*_booleans(values), *_dates(values), *_numbers(values)]
    if markers and not found:
        found = [Way(PLAIN, "")]
    return [replace(way, notation=replace(way.notation, null_values=markers)) for way in found], markers


def number_context(settled: Mapping[str, Notation]) -> tuple[str, str | None] | None:
    """Return the decimal and the thousands mark that settled columns agree on; None where none is known."""
    marks = {
        (notation.numbers.decimal, notation.numbers.thousands)
        for notation in settled.values()
        if notation.numbers.decimal == "," or notation.numbers.thousands
    }
    decimals = {decimal for decimal, _ in marks}
    groups = {thousands for _, thousands in marks if thousands}
    return (decimals.pop(), groups.pop() if groups else None) if len(decimals) == 1 and len(groups) < 2 else None


def in_context(ways: Sequence[Way], context: tuple[str, str | None]) -> list[Way]:
    """Return the ways of writing numbers that agree with what other columns of the files show."""
    decimal, thousands = context

    def agrees(numbers: NumberNotation) -> bool:
        return numbers.decimal == decimal and numbers.thousands in (None, thousands or numbers.thousands)

    return [way for way in ways if agrees(way.notation.numbers)]


def _booleans(values: Sequence[str]) -> Iterator[Way]:
    """Yield the pair whose two words, each in one spelling or several, are all the texts."""
    for true, false in _PAIRS:
        spelled = {text: text.casefold() for text in values}
        if set(spelled.values()) != {true.casefold(), false.casefold()}:
            continue
        trues = sorted(text for text, folded in spelled.items() if folded == true.casefold())
        falses = sorted(text for text, folded in spelled.items() if folded == false.casefold())
        count = max(len(trues), len(falses))
        pairs = tuple((trues[min(n, len(trues) - 1)], falses[min(n, len(falses) - 1)]) for n in range(count))
        yield Way(replace(PLAIN, booleans=pairs), "true or false in words")
        return


def _dates(values: Sequence[str]) -> Iterator[Way]:
    if not all(any(map(str.isdigit, text)) and 4 <= len(text) <= 40 for text in values):
        return
    iso = [text for text in values if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)]
    others = [text for text in values if text not in set(iso)]
    if not others:
        return
    seen: set[tuple[str, str]] = set()
    for pattern, locale in _formats_of(others):
        if (pattern, locale) not in seen and not _has_old_years(pattern, others):
            seen.add((pattern, locale))
            patterns = (pattern, _ISO) if iso else (pattern,)
            formats = tuple(DateFormat(each, locale) for each in patterns)
            what = "times of day" if formats[0].is_time_of_day else "dates"
            yield Way(replace(PLAIN, formats=formats), f"{what} as {' and '.join(patterns)}")


def _formats_of(texts: Sequence[str]) -> list[tuple[str, str]]:
    found = [(pattern, "en") for pattern in date_formats(texts)]
    if found:
        return found
    if any(any(map(str.isalpha, text)) for text in texts):
        for locale in _LOCALES:
            named = [f"{day}{clock}" for day in _NAMED for clock in _CLOCKS]
            if found := [(each, locale) for each in _fitting(named, texts, locale)]:
                return _tightest(found)
    days = [
        order.format(mark, year) + clock for order in _ORDERS for mark in _MARKS for year in _YEARS for clock in _CLOCKS
    ]
    return _tightest([(each, "en") for each in _fitting([*days, *_WITH_OFFSET, *_TIMES_OF_DAY], texts, "en")])


def _fitting(patterns: Sequence[str], texts: Sequence[str], locale: str) -> Iterator[str]:
    for pattern in patterns:
        expression = re.compile(DateFormat(pattern, locale).expression)
        if all(expression.fullmatch(text) for text in texts):
            yield pattern


def _tightest(found: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the formats but for those that are another one with fewer zeros demanded."""

    def bare(pattern: str) -> str:
        return re.sub(r"(dd|MM|HH|hh)(?![A-Za-z])", lambda run: run[0][0], pattern)

    longest: dict[str, tuple[str, str]] = {}
    for pattern, locale in found:
        known = longest.get(bare(pattern))
        if known is None or len(pattern) > len(known[0]):
            longest[bare(pattern)] = (pattern, locale)
    return list(longest.values())


def _has_old_years(pattern: str, texts: Sequence[str]) -> bool:
    """Return whether years of two digits may be of the last century, which the format does not know."""
    if "yyyy" in pattern or "yy" not in pattern:
        return False
    place = 0 if pattern.startswith("yy") else -1
    years = (re.findall(r"[0-9]+", text.split(" ")[0] if "MMM" not in pattern else text)[place] for text in texts)
    return any(int(year) > _LATEST_SHORT_YEAR for year in years)


def _numbers(values: Sequence[str]) -> Iterator[Way]:
    if not all(any(map(str.isdigit, text)) for text in values):
        return
    for numbers in number_notations(values):
        if any(mark.isalpha() and mark not in _KNOWN_CURRENCIES for mark in numbers.currency):
            continue
        if _are_codes(numbers, values):
            continue
        yield Way(replace(PLAIN, numbers=numbers), _described(numbers))


def _are_codes(numbers: NumberNotation, values: Sequence[str]) -> bool:
    """Return whether texts may be identifiers: all of them in parentheses, or in as many groups of three digits."""
    if numbers.negatives != ("leading",) and all(re.fullmatch(r"\([0-9]+\)|[0-9]+-", text) for text in values):
        return True
    is_grouped = numbers.thousands is not None and all(numbers.decimal not in text for text in values)
    return is_grouped and len(values) > 1 and len(set(map(len, values))) == 1 and len(values[0]) > len("999,999")


def _described(numbers: NumberNotation) -> str:
    parts = []
    if numbers.decimal == ",":
        parts.append("decimal comma")
    if numbers.thousands:
        name = {".": "points", ",": "commas", " ": "blanks"}.get(numbers.thousands, "apostrophes")
        parts.append(f"{name} between thousands")
    parts += ["a currency"] if numbers.currency else []
    parts += ["percent"] if numbers.percent else []
    parts += [f"negatives {' or '.join(numbers.negatives)}"] if numbers.negatives != ("leading",) else []
    return ", ".join(parts)

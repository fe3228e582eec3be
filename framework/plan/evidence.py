"""What the values of a new column showed, in a few words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from framework.model.measurements import ColumnProfile
from framework.model.words import counted
from framework.plan.infer_type import describe_kind, infer
from framework.plan.type_reason import DecidedBy

_MOST_CHARACTERS = 40
_FORMS = (
    (r"[-+]?0[0-9]+(?:[.,][0-9]*)?", "leading zeros"),
    (r"\+[0-9][0-9.,]*", "a plus sign"),
    (r"[-+]?[0-9]+,[0-9]+", "a comma"),
    (r"[-+]?[0-9]{1,3}(?:[., '\u2019\u00a0\u202f][0-9]{3})+(?:[.,][0-9]+)?", "thousands separators"),
    (r"[-+]?[0-9.,]+ ?%", "a percent sign"),
    (r"[$€£¥] ?[-+]?[0-9][0-9.,]*|[-+]?[0-9][0-9.,]* ?[$€£¥]", "a currency"),
    (r"\s+[-+0-9.]+\s*|[-+0-9.]+\s+", "blanks around it"),
)
"""What keeps a text from being a number that loses nothing, in words."""


def evidence_of(profile: ColumnProfile, decided_by: DecidedBy, with_values: bool) -> str | None:
    """Return how many a column's values are, or how large; None where there is none. `with_values`: may name some.

    Where the values have not decided themselves, it begins with what they are.
    """
    kind = infer(profile)
    match kind:
        case "empty":
            return None
        case "integer" | "double":
            found = _range(profile, with_values)
        case "text":
            found = ", ".join(_of_texts(profile, with_values))
        case _:
            found = counted(profile.values, "value")
    return found if decided_by == "values" else f"{describe_kind(kind)}, {found}"


def _range(profile: ColumnProfile, with_values: bool) -> str:
    if profile.scale:
        return f"up to {counted(profile.integer_digits, 'digit')} before and {profile.scale} after the point"
    if profile.smallest is None or profile.largest is None or not with_values:
        return f"up to {counted(profile.integer_digits, 'digit')}"
    if profile.smallest == profile.largest:
        return f"each is {profile.smallest}"
    return f"from {profile.smallest} to {profile.largest}"


def _of_texts(profile: ColumnProfile, with_values: bool) -> Iterator[str]:
    """Yield what keeps texts from being values of a narrower type: how many would be, and what another is like."""
    mixture = _mixture(profile)
    if mixture:
        yield mixture
    example = profile.example or ""
    shown = repr(example[:_MOST_CHARACTERS]) if with_values else "another" if mixture else "a value"
    form = next((words for expression, words in _FORMS if re.fullmatch(expression, example)), None)
    if form is not None:
        yield f"{shown} has {form}"
        return
    if mixture and example and with_values:
        yield f"{shown} does not"
    yield f"the longest has {counted(profile.longest_bytes, 'byte')}"


def _mixture(profile: ColumnProfile) -> str:
    """Return how many of the texts would be values of a narrower type; nothing where none would."""
    classes = {
        "numbers": profile.numbers + profile.exponents,
        "dates or timestamps": profile.dates + profile.timestamps + profile.zoned,
        "booleans": profile.booleans,
        "times of day": profile.times,
    }
    words, count = max(classes.items(), key=lambda item: item[1])
    return f"{count:,} of {counted(profile.values, 'value')} look like {words}" if count else ""

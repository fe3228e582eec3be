"""What the values of a new column showed, in a few words."""

from __future__ import annotations

from framework.model.measurements import ColumnProfile
from framework.model.words import counted
from framework.plan.infer_type import describe_kind, infer
from framework.plan.type_reason import DecidedBy


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
            found = f"{_mixture(profile)}the longest has {counted(profile.longest_bytes, 'byte')}"
        case _:
            found = counted(profile.values, "value")
    return found if decided_by == "values" else f"{describe_kind(kind)}, {found}"


def _range(profile: ColumnProfile, with_values: bool) -> str:
    if profile.scale:
        return f"up to {counted(profile.integer_digits, 'digit')} before and {profile.scale} after the point"
    if profile.smallest is None or profile.largest is None or not with_values:
        return f"up to {counted(profile.integer_digits, 'digit')}"
    if profile.smallest == profile.largest:
        return f"all {profile.smallest}"
    return f"from {profile.smallest} to {profile.largest}"


def _mixture(profile: ColumnProfile) -> str:
    """Return how many of the texts would be values of a narrower type, with a comma; nothing where none would."""
    classes = {
        "numbers": profile.numbers + profile.exponents,
        "dates or timestamps": profile.dates + profile.timestamps + profile.zoned,
        "booleans": profile.booleans,
        "times of day": profile.times,
    }
    words, count = max(classes.items(), key=lambda item: item[1])
    return f"{count:,} of {counted(profile.values, 'value')} look like {words}, " if count else ""

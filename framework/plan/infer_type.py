"""The type of a column that neither the table nor the spec decides."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from framework.dataclass import dataclass
from framework.model.column_type import (
    INTEGER_RANGES,
    MAX_PRECISION,
    MAX_SCALE,
    MAX_VARCHAR_BYTES,
    ColumnType,
    Kind,
    decimal,
    varchar,
)
from framework.model.file_options import Nested
from framework.model.measurements import ColumnProfile
from framework.plan.type_reason import OF_FILE, TypeReason
from framework.spec.pipeline import DECIMAL_FIT, InferredKind, TypeRule

SHORTEST_VARCHAR_BYTES = 256
VARCHAR_RESERVE_BYTES = 10
_DIGITS_OF_DOUBLE = 15
"""So many significant digits a DOUBLE always keeps."""
_MOST_DECIMAL_PLACES = 18
_PLACES = (2, 4, 6, 10, 18)
_SHORT_PRECISION = 18
"""Up to 19 digits Redshift stores a DECIMAL in 64 bits, beyond it in 128. Source:
https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html"""


@dataclass(frozen=True)
class SettledType:
    """A type, and why."""

    type: ColumnType
    reason: TypeReason


def varchar_for(longest_bytes: int) -> ColumnType:
    """Return the VARCHAR for texts of up to this many bytes: at least 256, with room for ten more."""
    wanted = max(SHORTEST_VARCHAR_BYTES, longest_bytes + VARCHAR_RESERVE_BYTES)
    return varchar(min(wanted, MAX_VARCHAR_BYTES))


def integer_for(smallest: int, largest: int) -> ColumnType:
    """Return INTEGER, BIGINT or DECIMAL(38,0), the first that holds both numbers."""
    for kind in (Kind.INTEGER, Kind.BIGINT):
        low, high = INTEGER_RANGES[kind]
        if low <= smallest and largest <= high:
            return ColumnType(kind)
    return decimal(MAX_PRECISION, 0)


def fitting_decimal(integer_digits: int, scale: int) -> ColumnType | None:
    """Return a decimal with room for numbers like those with so many digits; None where they have too many."""
    for places in _PLACES:
        precision = _SHORT_PRECISION if integer_digits + places <= _SHORT_PRECISION else MAX_PRECISION
        if scale <= places and integer_digits <= precision - places:
            return decimal(precision, places)
    return None


def infer(profile: ColumnProfile) -> InferredKind:
    """Name what all values of a column are; anything mixed is text.

    A column of whole numbers and fractions is `double`, the name specs use for numbers with a
    point; no value passes through a float for it. Times with and without an offset are a mixture, and so are numbers of
    several currencies.
    """
    if profile.values == 0:
        return "empty"
    if profile.nested:
        # SUPER holds other values beside objects and arrays.
        return "nested"
    if profile.mixes_currencies:
        return "text"
    # Before numbers: where a format such as yyyyMMdd describes all values, the spec has said that they are dates.
    if profile.dates == profile.values:
        return "date"
    if profile.times == profile.values:
        return "time"
    if profile.integers == profile.values and profile.smallest is not None:
        return "integer"
    if profile.numbers + profile.exponents == profile.values and (
        profile.exponents == 0 or profile.numbers > profile.integers
    ):
        # Without a number with a point beside them, texts such as 12e4 may be codes.
        return "double"
    if profile.booleans == profile.values:
        return "boolean"
    if profile.timestamps + profile.dates == profile.values:
        return "timestamp"
    if profile.zoned == profile.values:
        return "timestamptz"
    return "text"


def settle_file_type(name: str, own: ColumnType, rules: Sequence[TypeRule], is_key: bool) -> SettledType:
    """Return the type of a new column to which its files give one: the first matching rule's, else theirs.

    Rules about what values look like do not apply.
    """
    for rule in rules:
        if rule.inferred is None and rule.type != DECIMAL_FIT and _matches(rule, name, "empty", is_key):
            return SettledType(rule.type, rule_reason(rule))
    return SettledType(own, OF_FILE)


def settle_type(
    name: str, profile: ColumnProfile, rules: Sequence[TypeRule], is_key: bool, nested: Nested = "super"
) -> SettledType:
    """Return the type of a new column: the first matching rule's, else the narrowest that loses nothing.

    With `nested: text`, a column with objects or arrays is text. A rule's number type that cannot hold what the profile
    saw is passed over, so that the values still load.
    """
    kind = infer(profile)
    if kind == "nested" and nested == "text":
        kind = "text"
    for rule in rules:
        if not _matches(rule, name, kind, is_key):
            continue
        if rule.type == DECIMAL_FIT:
            wanted = fitting_decimal(profile.integer_digits, profile.scale) if kind in ("integer", "double") else None
        else:
            wanted = rule.type if _holds(rule.type, profile, kind) else None
        if wanted is not None:
            return SettledType(wanted, rule_reason(rule))
    reason = (
        "the numbers are of several currencies" if profile.mixes_currencies else f"all values are {describe_kind(kind)}"
    )
    return SettledType(_natural_type(profile, kind, is_key), TypeReason("values", reason))


def _matches(rule: TypeRule, name: str, kind: InferredKind, is_key: bool) -> bool:
    return (
        (rule.name is None or fnmatchcase(name, rule.name))
        and (rule.inferred is None or rule.inferred == kind)
        and (rule.key is None or rule.key == is_key)
    )


def _holds(column_type: ColumnType, profile: ColumnProfile, kind: InferredKind) -> bool:
    """Return whether the profiled numbers fit; texts that do not fit a rule's type are bad rows."""
    if kind not in ("integer", "double") or not column_type.is_exact_number:
        return True
    if column_type.is_integer:
        low, high = INTEGER_RANGES[column_type.kind]
        if profile.scale or profile.smallest is None or profile.largest is None:
            return False
        return low <= profile.smallest and profile.largest <= high
    return profile.integer_digits <= column_type.integer_digits and profile.scale <= (column_type.scale or 0)


def _natural_type(profile: ColumnProfile, kind: InferredKind, is_key: bool) -> ColumnType:
    match kind:
        case "integer":
            assert profile.smallest is not None
            assert profile.largest is not None
            return integer_for(profile.smallest, profile.largest)
        case "double":
            is_whole = is_key and not profile.exponents
            return (_whole_key(profile) if is_whole else None) or _natural_number(profile)
        case "boolean" | "date" | "time" | "timestamp" | "timestamptz":
            return ColumnType(Kind(kind))
        case "nested":
            return ColumnType(Kind.SUPER)
        case "text" | "empty":
            return varchar_for(profile.longest_bytes)


def _whole_key(profile: ColumnProfile) -> ColumnType | None:
    """Return the type of a key whose fractions are all zero; None where there is another fraction."""
    if profile.scale or profile.smallest is None or profile.largest is None:
        return None
    low, high = INTEGER_RANGES[Kind.BIGINT]
    return integer_for(min(profile.smallest, low), max(profile.largest, high))


def _natural_number(profile: ColumnProfile) -> ColumnType:
    """DOUBLE where a float keeps every digit, an exact decimal beyond, text where neither does.

    Of numbers that a float keeps though they have more digits, those with up to 18 after the point are decimals.
    """
    precision = profile.integer_digits + profile.scale
    is_long = profile.scale > _MOST_DECIMAL_PLACES or profile.exponents > 0
    if precision <= _DIGITS_OF_DOUBLE or (is_long and profile.inexact == 0):
        return ColumnType(Kind.DOUBLE)
    if precision <= MAX_PRECISION and profile.scale <= MAX_SCALE:
        return decimal(precision, profile.scale)
    return varchar_for(profile.longest_bytes)


def rule_reason(rule: TypeRule) -> TypeReason:
    """Return the reason of a column whose type a rule decides."""
    parts = []
    if rule.name is not None:
        parts.append(f"the name {rule.name}")
    if rule.inferred is not None:
        parts.append(describe_kind(rule.inferred))
    if rule.key is not None:
        parts.append("keys" if rule.key else "other columns than keys")
    return TypeReason("rule", f"rule for {', '.join(parts) or 'every column'}", place=rule.place)


def describe_kind(kind: InferredKind) -> str:
    """Return in words what the values of a column are."""
    words = {
        "integer": "whole numbers",
        "double": "numbers",
        "boolean": "true or false",
        "date": "dates",
        "time": "times of day",
        "timestamp": "timestamps",
        "timestamptz": "timestamps with an offset",
        "nested": "objects or arrays",
        "text": "text",
        "empty": "NULL",
    }
    return words[kind]

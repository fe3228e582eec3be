r"""Which text is a value of which type: one regular expression per type, written once.

A value reaches an engine's cast only after its type's expression has accepted the whole text.
The expressions use what DuckDB's (RE2) and Python's engines read alike: no look-around,
`[0-9]` instead of `\d`. They say what text means; ranges (2^31, 30 February) are the cast's.

`00501`, `+49` and ` 7` are no numbers: as numbers they would lose what the text says. A zero
fraction, a zero's sign and zeros beyond the microseconds carry no value: a column of a known type takes them.
"""

from __future__ import annotations

import re

from framework.model.column_type import ColumnType, Kind

INTEGER = r"-?(?:0|[1-9][0-9]*)"
"""A whole number without a point; a new column of such texts is a column of integers."""
WHOLE = rf"{INTEGER}(?:\.0+)?|-?\.0+"
"""A number whose fraction, if it has one, is zero."""
NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|-?\.[0-9]+"
"""A number in plain notation. Trailing zeros of a fraction carry no value."""
EXPONENT = r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|\.[0-9]+)[eE][-+]?[0-9]{1,4}"
"""A number with an exponent. It may be a code: a new column takes it for a number only beside numbers with a point."""
FLOAT = r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
NOT_ZERO = r"[^eE]*[1-9].*"
"""Texts of FLOAT that are not zero, whatever a cast returns for them."""
FAR_EXPONENT = r".*[eE][-+]?0*[1-9][0-9]{3,}"
"""A number whose exponent no float has, be it zero."""
BOOLEAN = r"[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]"
DATE = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6}0*)?)?"
TIMESTAMP = rf"{DATE}[ T]{TIME}"
_OFFSET = r"(?:Z|[-+](?:0[0-9]|1[0-4])(?::?[0-5][0-9]|(?::[0-5][0-9]){2})?)"
"""As PostgreSQL writes it: `+02`, `+05:30`, and with seconds where a zone had some once."""
TIMESTAMPTZ = rf"{TIMESTAMP} ?{_OFFSET}"
ASCII = r"[\x01-\x7f]*"
"""The texts that CHAR can hold. Source: https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html"""
ANY = r"(?s).*"


def literal(text: str) -> str:
    """Return the regular expression of a text.

    Of letters that are not ASCII, RE2 takes no escape.
    """
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def accepted_text(column_type: ColumnType) -> str:
    """Return the regular expression that a text must match, as a whole, to be cast to the type.

    For DECIMAL it also bounds the digits before the point and, trailing zeros aside, after it,
    so that a cast never rounds. For DATE and TIMESTAMP it is the ISO form, used where the spec
    names no format; a DATE text is also a TIMESTAMP, at midnight. What is JSON, which a SUPER holds, no regular
    expression can say.
    """
    match column_type.kind:
        case Kind.SMALLINT | Kind.INTEGER | Kind.BIGINT:
            return WHOLE
        case Kind.DECIMAL:
            return _decimal_text(column_type.integer_digits, column_type.scale or 0)
        case Kind.REAL | Kind.DOUBLE:
            return FLOAT
        case Kind.BOOLEAN:
            return BOOLEAN
        case Kind.DATE:
            return DATE
        case Kind.TIMESTAMP:
            return rf"{DATE}(?:[ T]{TIME})?"
        case Kind.TIMESTAMPTZ:
            return TIMESTAMPTZ
        case Kind.TIME:
            return TIME
        case Kind.CHAR:
            return ASCII
        case Kind.VARCHAR | Kind.SUPER:
            return ANY


def _decimal_text(integer_digits: int, scale: int) -> str:
    if scale == 0:
        return rf"-?(?:0|[1-9][0-9]{{0,{integer_digits - 1}}})(?:\.0+)?|-?\.0+"
    whole = "0" if integer_digits == 0 else f"(?:0|[1-9][0-9]{{0,{integer_digits - 1}}})"
    fraction = rf"\.[0-9]{{1,{scale}}}0*"
    return rf"-?{whole}(?:{fraction})?|-?{fraction}"

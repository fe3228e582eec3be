r"""Which text is a value of SUPER, as a DuckDB expression: JSON by RFC 8259 within the limits of Redshift.

The text is staged as it is: DuckDB's functions for JSON are asked about it and write none of it, because they read
numbers as doubles. Each look is made only where a cheaper one finds reason for it.
"""

from __future__ import annotations

from framework.model.column_type import (
    MAX_SUPER_BYTES,
    MAX_SUPER_NESTING,
    MAX_SUPER_NUMBER_CHARACTERS,
    MAX_SUPER_STRING_BYTES,
)
from framework.model.text import FAR_EXPONENT, NOT_ZERO

_STRING = r"""'"(?:[^"\\]|\\.)*"'"""
_FORGIVEN = r"'(?i),[ \t\r\n]*[\]}]|nan|inf'"
r"""What DuckDB takes for JSON and RFC 8259 does not: a comma before a bracket, and words for what is no number."""
_NUL, _BACKSLASHES = r"'\u0000'", r"'\\'"
_MAY_BE_FAR = r"'[0-9][eE][-+]?[0-9]{3}|[0-9.]{200}'"
r"""A number without such a part is within the range of a DOUBLE, and short."""
_NUMBER = r"'[0-9.]+(?:[eE][-+]?[0-9]+)?'"
_LEAF = r"(?:\[\]|\{\})"
_LEVELS = 3


def is_super(text: str, cast: str) -> str:
    """Return the condition that a text is a value of SUPER; never NULL for a text. `cast` is the text's cast to JSON.

    Keys that an object has twice are refused, because the warehouse would keep one of them.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/r_SUPER_type.html
    """
    return (
        f"case when {cast} is null or strlen({text}) > {MAX_SUPER_BYTES} then false "
        f"when {is_forgiven(text)} then false "
        f"when {_has_nul(text)} then false "
        f"when {_is_too_deep(text)} then false "
        f"when {_has_long_string(text)} then false "
        f"when {_has_far_number(text)} then false "
        f"else not ({has_duplicate_key(text)}) end"
    )


def _if_so(reason: str, fault: str) -> str:
    """Return the condition that both hold. DuckDB computes both sides of an AND, and those of a CASE where needed."""
    return f"case when {reason} then {fault} else false end"


def _without_strings(text: str) -> str:
    return f"regexp_replace({text}, {_STRING}, '0', 'g')"


def is_forgiven(text: str) -> str:
    """Return the condition that DuckDB takes a text for JSON and RFC 8259 does not, such as `[NaN]`."""
    found = f"regexp_matches({text}, {_FORGIVEN})"
    return _if_so(found, f"regexp_matches({_without_strings(text)}, {_FORGIVEN})")


def _has_nul(text: str) -> str:
    r"""Return the condition that a string holds `\u0000`, in which the backslash is not itself behind one."""
    return _if_so(f"contains({text}, {_NUL})", f"contains(replace({text}, {_BACKSLASHES}, ''), {_NUL})")


def _is_too_deep(text: str) -> str:
    """Return the condition on nesting. A text with few brackets cannot be; of others the innermost levels are cut off.

    Each step cuts three levels off, of all rows; of a text that is broad and not deep nothing is left soon.
    """
    opened = f"strlen({text}) - strlen(replace(replace({text}, '[', ''), '{{', ''))"
    brackets = rf"regexp_replace({_without_strings(text)}, '[^\[\]{{}}]+', '', 'g')"
    levels = _LEAF
    for _ in range(_LEVELS - 1):
        levels = rf"(?:\[{levels}*\]|\{{{levels}*\}})"
    # Once for each three levels, and for the ones that are left.
    steps, rest = divmod(MAX_SUPER_NESTING, _LEVELS)
    cut = f"lambda left_over, step: regexp_replace(left_over, '{levels}', '', 'g')"
    cut_one = f"lambda left_over, step: regexp_replace(left_over, '{_LEAF}', '', 'g')"
    remaining = f"list_reduce(range({steps}), {cut}, {brackets})"
    return _if_so(f"{opened} > {MAX_SUPER_NESTING}", f"list_reduce(range({rest}), {cut_one}, {remaining}) <> ''")


def _has_long_string(text: str) -> str:
    """Return the condition that a string, or a key, has too many bytes once its escapes are read."""
    long = f"lambda token: strlen(token) > {MAX_SUPER_STRING_BYTES + 2}"
    tokens = f"list_filter(regexp_extract_all({text}, {_STRING}), {long})"
    longest = f"lambda token: strlen(json_extract_string(token, '$')) > {MAX_SUPER_STRING_BYTES}"
    return _if_so(f"strlen({text}) > {MAX_SUPER_STRING_BYTES}", f"len(list_filter({tokens}, {longest})) > 0")


def _has_far_number(text: str) -> str:
    """Return the condition that a number is beyond the range of a DOUBLE, or has too many characters.

    The warehouse would refuse some of them in COPY, and with them the whole load.
    """
    as_double = "try_cast(number as double)"
    is_lost = f"{as_double} = 0 and regexp_full_match(number, '{NOT_ZERO}')"
    far = (
        f"lambda number: case when strlen(number) > {MAX_SUPER_NUMBER_CHARACTERS} then true "
        f"when regexp_full_match(number, '{FAR_EXPONENT}') then true "
        f"else not coalesce(isfinite({as_double}), false) or ({is_lost}) end"
    )
    numbers = f"regexp_extract_all({_without_strings(text)}, {_NUMBER})"
    return _if_so(f"regexp_matches({text}, {_MAY_BE_FAR})", f"len(list_filter({numbers}, {far})) > 0")


def has_duplicate_key(text: str) -> str:
    """Return the condition that an object, at whatever depth, has a key twice, however it is written."""
    repeated = "lambda keys: len(keys) > 1 and len(keys) <> list_unique(keys)"
    objects = f"list_append(json_keys({text}, '$..*'), json_keys({text}))"
    return _if_so(f"contains({text}, '{{')", f"len(list_filter({objects}, {repeated})) > 0")

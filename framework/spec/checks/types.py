"""Checks of `types`: the types themselves, formats and rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from framework.model.clean_name import folded
from framework.model.column_type import ColumnType, Kind, parse_type
from framework.model.date_format import DateFormat
from framework.model.months import MONTHS
from framework.spec.document import Finding, Path, field_name
from framework.spec.fields import mapping_at, mapping_list, text_at, text_field, text_list
from framework.spec.pipeline import is_fit

_NUMBER_KINDS = frozenset(
    {Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT, Kind.DECIMAL, Kind.REAL, Kind.DOUBLE},
)
_FIELDS_OF_KINDS = (
    (_NUMBER_KINDS, ("decimal", "thousands", "negatives", "currency", "percent")),
    (frozenset({Kind.BOOLEAN}), ("booleans",)),
    (frozenset({Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ}), ("formats", "locale")),
)
_MARKS_OF_NUMBERS = "-+()%"
_POINTS = (".", ",")
"""What stands in numbers even where the notation has no use for it."""


def type_findings(document: object) -> Iterator[Finding]:
    """Yield the problems of the types that a spec declares, and of how it says that texts write values."""
    parse = mapping_at(document, "types", "parse")
    yield from _parse_findings(("types", "parse"), parse, parse, None)
    for name, declared in mapping_at(document, "types", "columns").items():
        path: Path = ("types", "columns", name)
        if isinstance(declared, dict):
            for _, text in text_field(declared, "type"):
                yield from _type_findings((*path, "type"), text)
            column_type = _type_or_none(text_at(declared, "type"))
            yield from _parse_findings(path, declared, {**parse, **declared}, column_type)
        elif isinstance(declared, str):
            yield from _type_findings(path, declared)
    for path, rule in mapping_list(document, "types", "rules"):
        for inner, text in text_field(rule, "type"):
            if not is_fit(text):
                yield from _type_findings((*path, *inner), text)
        yield from _rule_findings(path, rule)


def _type_findings(path: Path, text: str) -> Iterator[Finding]:
    try:
        parse_type(text)
    except ValueError as error:
        fix = "Write a type such as varchar(64), decimal(18,2), bigint or timestamp."
        yield Finding(path, "spec/column-type", f"{field_name(path)}: {error}", fix)


def _parse_findings(
    path: Path, own: Mapping[str, object], parse: Mapping[str, object], column_type: ColumnType | None
) -> Iterator[Finding]:
    """Yield the problems of what a column or, where it has no type, the table says of texts.

    `parse` is what holds for it: its own fields, and those of the table that it does not replace.
    """
    for kinds, fields in _FIELDS_OF_KINDS:
        for field in fields:
            if field in own and column_type is not None and column_type.kind not in kinds:
                message = f"{field_name((*path, field))}: {column_type} has no use for it"
                yield Finding((*path, field), "spec/parse", message, "Leave it out, or change the type.", at_key=True)
    yield from _number_findings(path, own, parse)
    yield from _boolean_findings(path, own, parse)
    yield from _format_findings(path, own, parse, column_type)


def _number_findings(path: Path, own: Mapping[str, object], parse: Mapping[str, object]) -> Iterator[Finding]:
    decimal, thousands = text_at(parse, "decimal") or ".", text_at(parse, "thousands")
    for field, mark in (("decimal", decimal), ("thousands", thousands)):
        if field in own and mark is not None and (mark.isalnum() or mark in _MARKS_OF_NUMBERS):
            message = f"{field_name((*path, field))}: {mark!r} has another meaning in a number"
            yield Finding((*path, field), "spec/parse", message, "Write the character between digits.")
    if decimal == thousands and ("decimal" in own or "thousands" in own):
        field = "thousands" if "thousands" in own else "decimal"
        message = f"{field_name((*path, field))}: decimal and thousands are both {decimal!r}"
        fix = "Write both: one number cannot have one character for two things."
        yield Finding((*path, field), "spec/parse", message, fix)
    for place, mark in text_list(own, "currency"):
        is_point = mark in (*_POINTS, decimal, thousands)
        if is_point or any(each.isdigit() or each in _MARKS_OF_NUMBERS for each in mark) or mark != mark.strip():
            message = f"{field_name((*path, 'currency'))}: {mark!r} is not a currency sign"
            fix = "Leave out digits, signs and blanks around it: a blank may always stand between it and the number."
            yield Finding((*path, *place), "spec/parse", message, fix)
    # A column of percentages has no use for the currencies of the others.
    if parse.get("percent") is True and own.get("currency"):
        field = "percent" if own.get("percent") is True else "currency"
        message = f"{field_name((*path, field))}: a percentage has no currency"
        yield Finding((*path, field), "spec/parse", message, "Keep one of the two.", at_key=True)


def _boolean_findings(path: Path, own: Mapping[str, object], parse: Mapping[str, object]) -> Iterator[Finding]:
    null_values = [text for _, text in text_list(parse, "null_values")]
    meaning: dict[str, int] = {}
    pairs = own.get("booleans")
    for number, pair in enumerate(pairs if isinstance(pairs, list) else []):
        for place, text in enumerate(pair if isinstance(pair, list) else []):
            if not isinstance(text, str):
                continue
            where = (*path, "booleans", number, place)
            if meaning.setdefault(text, place) != place:
                message = f"{field_name((*path, 'booleans'))}: {text!r} is both true and false"
                yield Finding(where, "spec/parse", message, "Let each text mean one of them.")
            elif text in null_values:
                message = f"{field_name((*path, 'booleans'))}: {text!r} is NULL by null_values"
                yield Finding(where, "spec/parse", message, "Let each text mean one thing.")
            elif path == ("types", "parse") and text.lstrip("+-.")[:1].isdigit():
                message = f"types.parse.booleans: {text!r} may be a number or a day in other columns"
                fix = "Write it for the columns that hold it: types.columns.<name>.booleans."
                yield Finding(where, "spec/parse", message, fix)


def _format_findings(
    path: Path, own: Mapping[str, object], parse: Mapping[str, object], column_type: ColumnType | None
) -> Iterator[Finding]:
    """Yield the problems of formats, each by itself, for its type, and beside those before it."""
    locale = text_at(parse, "locale")
    sound: list[DateFormat] = []
    for place, pattern in text_list(own, "formats"):
        where = (*path, *place)
        try:
            each = DateFormat(pattern, locale if locale in MONTHS else "en")
        except ValueError as error:
            yield Finding(where, "spec/format", f"{field_name(where)}: {error}", "Write, say, dd/MM/yyyy HH:mm.")
            continue
        problem = _use_problem(each, column_type, is_of_table=path == ("types", "parse"))
        if problem is not None:
            yield Finding(where, "spec/format", f"{field_name(where)}: {pattern!r} {problem[0]}", problem[1])
        for earlier in sound:
            text = earlier.conflicting_text(each)
            if text is not None:
                message = f"{field_name(where)}: {text} is another time in {earlier.pattern!r} than in {pattern!r}"
                yield Finding(where, "spec/format", message, "Keep the one that the files have.")
                break
        sound.append(each)


def _use_problem(each: DateFormat, column_type: ColumnType | None, is_of_table: bool) -> tuple[str, str] | None:
    """Return why a format cannot be used for a type, or the table, and what to do; None where it can."""
    if each.is_epoch and is_of_table:
        return "describes every column of whole numbers", "Write it for a column: types.columns.<name>.formats."
    if each.is_time_of_day and each.is_of_digits and is_of_table:
        return "describes numbers of other columns too", "Write it for a column: types.columns.<name>.formats."
    kind = None if column_type is None else column_type.kind
    if each.is_time_of_day:
        has_no_day = kind not in (None, Kind.TIME)
        return ("has no day, which the column needs", "Make the column a time.") if has_no_day else None
    if kind is Kind.TIME:
        fix = f"Make the column a {'timestamp' if each.has_time else 'date'}."
        return "holds a day, which a time would lose", fix
    if kind is Kind.DATE and each.has_time:
        return "holds a time of day, which a date would lose", "Make the column a timestamp."
    if kind in (Kind.DATE, Kind.TIMESTAMP) and each.has_offset:
        return f"holds an offset, which a {kind.value} would lose", "Make the column a timestamptz."
    if kind is Kind.TIMESTAMPTZ and not each.has_offset and not each.is_epoch:
        return "has no offset from UTC (XXX), which a timestamptz needs", "Make the column a timestamp."
    return None


def _type_or_none(text: str | None) -> ColumnType | None:
    try:
        return parse_type(text) if text is not None else None
    except ValueError:
        return None


def _rule_findings(path: Path, rule: object) -> Iterator[Finding]:
    if text_at(rule, "only") and text_at(rule, "unless"):
        message = "types.rules: a rule with both only and unless matches nothing"
        yield Finding((*path, "unless"), "spec/rule", message, "Keep one of the two.", at_key=True)
    inferred, type_text = text_at(rule, "inferred"), text_at(rule, "type")
    if type_text is not None and is_fit(type_text) and inferred not in (None, "integer", "double"):
        message = f"types.rules: {type_text} is for numbers, and the rule is for inferred: {inferred}"
        yield Finding((*path, "type"), "spec/rule", message, "Write it for inferred: double.")
    name = text_at(rule, "name")
    if name is not None and name != folded(name):
        message = f"types.rules: {name!r} matches nothing, because cleaned names are lower case, without Latin accents"
        yield Finding((*path, "name"), "spec/upper-case", message, f"Write {folded(name)!r}.")

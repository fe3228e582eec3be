"""Checks of `types`: the types themselves, formats and rules."""

from __future__ import annotations

import re
from collections.abc import Iterator

from framework.model.clean_name import folded
from framework.model.column_type import ColumnType, Kind, parse_type
from framework.model.date_format import format_expression
from framework.spec.document import Finding, Path, field_name
from framework.spec.fields import mapping_at, mapping_list, text_at, text_field

_QUOTED = re.compile(r"'(?:[^']|'')*'")
_TIME_FIELDS = re.compile("[HmsS]")


def type_findings(document: object) -> Iterator[Finding]:
    """Yield the problems of the types that a spec declares."""
    for name, declared in mapping_at(document, "types", "columns").items():
        path: Path = ("types", "columns", name)
        if isinstance(declared, dict):
            yield from _declared_findings(path, declared)
        elif isinstance(declared, str):
            yield from _type_findings(path, declared)
    for path, rule in mapping_list(document, "types", "rules"):
        for inner, text in text_field(rule, "type"):
            yield from _type_findings((*path, *inner), text)
        yield from _rule_findings(path, rule)


def _type_findings(path: Path, text: str) -> Iterator[Finding]:
    try:
        parse_type(text)
    except ValueError as error:
        fix = "Write a type such as varchar(64), decimal(18,2), bigint or timestamp."
        yield Finding(path, "spec/column-type", f"{field_name(path)}: {error}", fix)


def _declared_findings(path: Path, declared: dict[str, object]) -> Iterator[Finding]:
    for _, text in text_field(declared, "type"):
        yield from _type_findings((*path, "type"), text)
    for _, pattern in text_field(declared, "format"):
        yield from _format_findings((*path, "format"), pattern, text_at(declared, "type"))


def _format_findings(path: Path, pattern: str, type_text: str | None) -> Iterator[Finding]:
    try:
        format_expression(pattern)
    except ValueError as error:
        yield Finding(path, "spec/format", f"{field_name(path)}: {error}", "Write, say, dd/MM/yyyy HH:mm.")
        return
    column_type = _type_or_none(type_text)
    if column_type is None:
        return
    if column_type.kind not in (Kind.DATE, Kind.TIMESTAMP):
        message = f"{field_name(path)}: only date and timestamp take a format, not {column_type}"
        yield Finding(path, "spec/format", message, "Leave the format out, or change the type.")
    elif column_type.kind is Kind.DATE and _TIME_FIELDS.search(_QUOTED.sub("", pattern)):
        message = f"{field_name(path)}: {pattern!r} holds a time of day, which a date would lose"
        yield Finding(path, "spec/format", message, "Make the column a timestamp.")


def _type_or_none(text: str | None) -> ColumnType | None:
    try:
        return parse_type(text) if text is not None else None
    except ValueError:
        return None


def _rule_findings(path: Path, rule: object) -> Iterator[Finding]:
    if text_at(rule, "only") and text_at(rule, "unless"):
        message = "types.rules: a rule with both only and unless matches nothing"
        yield Finding((*path, "unless"), "spec/rule", message, "Keep one of the two.", at_key=True)
    name = text_at(rule, "name")
    if name is not None and name != folded(name):
        message = f"types.rules: {name!r} matches nothing, because cleaned names are lower case, without Latin accents"
        yield Finding((*path, "name"), "spec/upper-case", message, f"Write {folded(name)!r}.")

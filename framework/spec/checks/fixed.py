"""Checks of the options of files whose fields have a fixed width."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from framework.model.clean_name import clean_name
from framework.spec.document import Finding, Path
from framework.spec.fields import mapping_at, text_at

_OPTIONS = ("source", "options")
_FIELDS = (*_OPTIONS, "fields")
_RULE = "spec/fields"
_EXAMPLE = "Write, for example, fields: {id: [1, 8], name: [9, 40]}."
MOST_FIELDS = 1600
"""Redshift takes no more columns.
Source: https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_usage.html"""


class _Field(NamedTuple):
    first: int
    last: int
    name: str

    @property
    def path(self) -> Path:
        return (*_FIELDS, self.name)


def fixed_findings(document: object) -> Iterator[Finding]:
    """Yield the problems of fields with a fixed width, and of what does not go with them."""
    written_format, options = text_at(document, "source", "format"), mapping_at(document, *_OPTIONS)
    fields = options.get("fields")
    if fields is None:
        if written_format == "fixed":
            message = "source.options.fields is missing: nothing else says where a field begins and ends"
            yield Finding(("source", "format"), _RULE, message, _EXAMPLE)
        return
    if written_format not in (None, "auto", "fixed"):
        message = f"source.options.fields is for files with a fixed width, and source.format is {written_format}"
        yield Finding(_FIELDS, _RULE, message, "Set source.format: fixed, or leave fields out.", at_key=True)
        return
    if isinstance(fields, dict):
        yield from _field_findings(fields)
    if isinstance(options.get("skip_lines"), dict):
        message = "source.options.skip_lines: until finds a header, and files with a fixed width have none"
        yield Finding((*_OPTIONS, "skip_lines"), "spec/options", message, "Write how many lines to skip.", at_key=True)
    for name, value in (("names", options.get("names")), ("header", options.get("header") not in (None, "auto"))):
        if value:
            message = f"source.options.{name}: the fields of files with a fixed width have the names of fields"
            yield Finding((*_OPTIONS, name), "spec/options", message, "Leave it out.", at_key=True)


def _field_findings(fields: dict[object, object]) -> Iterator[Finding]:
    if not fields:
        yield Finding(_FIELDS, _RULE, "source.options.fields has no field", _EXAMPLE)
    if len(fields) > MOST_FIELDS:
        message = f"source.options.fields has {len(fields):,} fields, and a table at most {MOST_FIELDS:,} columns"
        yield Finding(_FIELDS, _RULE, message, "Leave out what no reader needs.", at_key=True)
    sound: list[_Field] = []
    named: dict[str, str] = {}
    for name, place in fields.items():
        if not isinstance(name, str):
            continue
        other = named.setdefault(clean_name(name, 1), name)
        if other != name:
            message = f"source.options.fields: {name!r} and {other!r} are one column, {clean_name(name, 1)!r}"
            fix = "Give each field a name of its own."
            yield Finding((*_FIELDS, name), "spec/duplicate-column", message, fix, at_key=True)
        match place:
            case [int() | float() as first, int() | float() as last] if first <= last:
                sound.append(_Field(int(first), int(last), name))
            case [int() | float() as first, int() | float() as last]:
                message = f"source.options.fields.{name} ends at character {last}, before it begins at {first}"
                yield Finding((*_FIELDS, name), _RULE, message, f"Write its first and its last: [{last}, {first}].")
    for before, field in pairwise(sorted(sound)):
        if field.first <= before.last:
            message = f"source.options.fields.{field.name} begins at character {field.first}, in {before.name}"
            fix = f"{before.name} ends at {before.last}: part the two."
            yield Finding(field.path, _RULE, message, fix)

"""Validation by the JSON Schemas in `schemas/`: mistakes in plain words, and defaults."""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from framework.resources import read_text
from framework.spec.document import Finding, Path, field_name

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

JsonSchema = Mapping[str, Any]

_TYPE_WORDS = {
    "string": "text",
    "null": "null",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_MOST_CHARACTERS = 60
"""The most of a text that a message quotes: it may be a whole file that is no spec."""
_BOOLEAN_WORDS = {"yes", "no", "on", "off", "y", "n", "true", "false"}


@functools.cache
def json_schema(name: str) -> JsonSchema:
    """Return a schema by its name: `pipeline`, `environments` or `feed_tests`."""
    schema: JsonSchema = json.loads(read_text(f"schemas/{name}.schema.json"))
    return schema


def schema_findings(value: object, name: str) -> list[Finding]:
    """Return all that the schema refuses in a document, at most one finding per path."""
    findings: dict[Path, Finding] = {}
    for error in _validator(name).iter_errors(value):
        for finding in _findings(error, name):
            findings.setdefault(finding.path, finding)
    return list(findings.values())


def with_defaults(value: object, schema: JsonSchema) -> Any:
    """Return the value with every default that the schema states for what it leaves out.

    A mapping that is left out counts as empty. What has another shape than the schema
    describes is returned as it is.
    """
    if isinstance(value, list):
        return [with_defaults(entry, schema.get("items", {})) for entry in value]
    if not isinstance(value, dict):
        return value
    properties: JsonSchema = schema.get("properties", {})
    others = schema.get("additionalProperties") or {}
    filled = {key: with_defaults(entry, properties.get(key, others)) for key, entry in value.items()}
    for key, field_schema in properties.items():
        if key in filled:
            continue
        if "default" in field_schema:
            filled[key] = with_defaults(field_schema["default"], field_schema)
        elif field_schema.get("type") == "object" and key not in schema.get("required", ()):
            filled[key] = with_defaults({}, field_schema)
    return filled


def closest(name: str, names: Collection[str]) -> str | None:
    """Return the name that the given one is most likely a slip of."""
    matches = difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.6)
    return matches[0] if matches else None


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    # Its import takes as long as checking fifty specs; what only renders SQL need not wait for it.
    from jsonschema import Draft202012Validator, validators

    kind = validators.extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
    validator: Draft202012Validator = kind(json_schema(name))
    return validator


def _pattern(validator: object, pattern: str, value: object, schema: object) -> Iterator[ValidationError]:
    """Hold a text against a pattern as JSON Schema means it: `$` is the end, for Python also before a line break."""
    from jsonschema import ValidationError

    if isinstance(value, str) and not re.search(pattern.replace("$", r"\Z"), value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _findings(error: ValidationError, name: str) -> Iterator[Finding]:
    path: Path = tuple(error.absolute_path)
    describe = _DESCRIPTIONS.get(str(error.validator))
    if describe is not None:
        yield from describe(path, error.instance, error.validator_value, error.schema, name)
    else:
        yield Finding(path, f"spec/{error.validator}", f"{field_name(path)}: {error.message}")


def _unknown_fields(path: Path, found: Any, _: Any, schema: Any, name: str) -> Iterator[Finding]:
    known = schema.get("properties", {})
    for key in found:
        if key not in known:
            message = f"{key!r} is not a field of {field_name(path)}"
            replacement = schema.get("replacedFields", {}).get(key)
            fix = _home_of(key, known, name) if replacement is None else f"Write {replacement} instead."
            yield Finding((*path, key), "spec/unknown-field", message, fix, at_key=True)


def _home_of(key: str, known: JsonSchema, name: str) -> str:
    """Return a suggestion where an unknown field belongs."""
    slip = closest(key, known)
    if slip is not None:
        return f"Did you mean {slip!r}?"
    homes = [home for home in _homes(json_schema(name), ()) if home[-1] == key]
    if homes:
        return f"It belongs under {field_name(homes[0][:-1])}."
    return f"The fields are {', '.join(known)}."


def _homes(schema: JsonSchema, path: Path) -> Iterator[Path]:
    for key, field_schema in schema.get("properties", {}).items():
        yield (*path, key)
        yield from _homes(field_schema, (*path, key))


def _missing_fields(path: Path, found: Any, required: Any, schema: Any, name: str) -> Iterator[Finding]:
    for key in required:
        if key not in found:
            example = json.dumps(schema["properties"][key]["examples"][0])
            message = f"{field_name((*path, key))} is missing"
            yield Finding((*path, key), "spec/required", message, f"Add it, such as {key}: {example}")


def _wrong_type(path: Path, found: Any, expected: Any, schema: Any, name: str) -> Iterator[Finding]:
    # Schemas have null first where it is the default: editors would fail to write it as text.
    types = [expected] if isinstance(expected, str) else sorted(expected, key="null".__eq__)
    words = " or ".join(_TYPE_WORDS[each] for each in types)
    fix = ""
    if found is None and path:
        fix = "Leave the field out, or give it a value; the word null as text stands in quotes."
    elif "string" in types and not isinstance(found, list | dict):
        fix = "Put the value in quotes, so that it is text."
    elif types == ["boolean"] and isinstance(found, str) and found.lower() in _BOOLEAN_WORDS:
        fix = "Write true or false, without quotes."
    elif "array" in types and isinstance(found, str):
        fix = f"Write a list: [{found}]"
    message = f"{field_name(path)} is {_shown(found)}, but should be {words}"
    yield Finding(path, "spec/type", message, fix)


def _not_listed(path: Path, found: Any, allowed: Any, schema: Any, name: str) -> Iterator[Finding]:
    values = ", ".join(_shown(value) for value in allowed)
    slip = closest(found, [value for value in allowed if isinstance(value, str)]) if isinstance(found, str) else None
    fix = f"Did you mean {slip!r}? " if slip else ""
    message = f"{field_name(path)} is {_shown(found)}"
    yield Finding(path, "spec/enum", message, f"{fix}Possible: {values}.")


def _wrong_pattern(path: Path, found: Any, pattern: Any, schema: Any, name: str) -> Iterator[Finding]:
    message = f"{field_name(path)} is {_shown(found)}, which is not allowed"
    yield Finding(path, "spec/pattern", message, f"The value {schema['patternErrorMessage']}.")


def _too_short(path: Path, found: Any, least: Any, schema: Any, name: str) -> Iterator[Finding]:
    yield Finding(path, "spec/empty", f"{field_name(path)} is empty", "Give it a value, or leave it out.")


def _out_of_range(path: Path, found: Any, limit: Any, schema: Any, name: str) -> Iterator[Finding]:
    size = len(found) if isinstance(found, str | list) else found
    least = schema.get("minimum", schema.get("minItems", 0))
    most = schema.get("maximum", schema.get("maxLength", schema.get("maxItems")))
    message = f"{field_name(path)} is {size}" if size is found else f"{field_name(path)} has a length of {size}"
    allowed = f"{least} and more" if most is None else f"{least} to {most}"
    yield Finding(path, "spec/range", message, f"Allowed are {allowed}.")


def _shown(value: object) -> str:
    """Return a value as a message names it, which is how YAML writes it; of a long text its beginning."""
    match value:
        case None:
            return "null"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case str():
            return repr(value if len(value) <= _MOST_CHARACTERS else f"{value[:_MOST_CHARACTERS]}…")
    return json.dumps(value)


_DESCRIPTIONS: Mapping[str, Callable[[Path, Any, Any, Any, str], Iterator[Finding]]] = {
    "additionalProperties": _unknown_fields,
    "required": _missing_fields,
    "type": _wrong_type,
    "enum": _not_listed,
    "pattern": _wrong_pattern,
    "minLength": _too_short,
    "minProperties": _too_short,
    "minimum": _out_of_range,
    "minItems": _out_of_range,
    "maximum": _out_of_range,
    "maxLength": _out_of_range,
    "maxItems": _out_of_range,
}

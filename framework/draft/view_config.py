"""Views of an older JSON file as a spec has them. See docs/init.md for the forms that are known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from framework.errors import SpecError

_NAMES = ("name", "view", "view_name")
_SCHEMAS = ("schema", "view_schema", "schema_name")
_DEFINITIONS = ("definition", "sql", "query", "view_sql", "select")
_BINDINGS = ("late_binding", "no_schema_binding", "with_no_schema_binding")
_LISTS = ("views", "view_config")


def read_view_config(text: str, shown: str) -> list[dict[str, object]]:
    """Return the views of a JSON text as fields of a spec, in their order.

    Raises:
        SpecError: the text is not of a known form; it names every key that is not known.
    """
    try:
        document = json.loads(text, object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{shown} is no JSON: {error}") from error
    views = [_view(fields, place, shown) for place, fields in _entries(document, shown)]
    if not views:
        raise SpecError(f"{shown} has no view")
    return views


def _distinct(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise ValueError(f"the key {twice!r} comes twice in one object")
    return found


def _entries(document: object, shown: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield each view with its place for messages."""
    match document:
        case list():
            for number, each in enumerate(document, start=1):
                yield f"view {number}", _fields(each, f"view {number}", shown)
        case {**entry} if len(entry) == 1 and (key := next(iter(entry))) in _LISTS:
            yield from _entries(entry[key], shown)
        case dict() if _is_view(document):
            yield "the view", document
        case dict():
            for name, each in document.items():
                fields = {"definition": each} if isinstance(each, str) else _fields(each, repr(name), shown)
                yield repr(name), fields if any(key in fields for key in _NAMES) else {"name": name, **fields}
        case _:
            raise SpecError(f"{shown} is neither a list nor an object of views")


def _is_view(document: Mapping[str, object]) -> bool:
    """Return whether an object is one view: its texts are a name and a definition."""
    return any(isinstance(document.get(key), str) for key in _NAMES) and any(key in document for key in _DEFINITIONS)


def _fields(value: object, place: str, shown: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise SpecError(f"{shown}: {place} is no object with a name and a definition")
    return value


def _view(fields: Mapping[str, object], place: str, shown: str) -> dict[str, object]:
    known = (*_NAMES, *_SCHEMAS, *_DEFINITIONS, *_BINDINGS)
    if unknown := [key for key in fields if key not in known]:
        listed = ", ".join(map(repr, unknown))
        raise SpecError(f"{shown}: {place} has keys that are not known: {listed}. Known are {', '.join(known)}")
    name = _text(_one_of(fields, _NAMES, place, shown), f"{place}: the name", shown)
    schema = _one_of(fields, _SCHEMAS, place, shown)
    if schema is None and name.count(".") == 1:
        schema, _, name = name.partition(".")
    definition = _one_of(fields, _DEFINITIONS, place, shown)
    if isinstance(definition, list) and all(isinstance(line, str) for line in definition):
        definition = "\n".join(definition)
    view: dict[str, object] = {} if schema is None else {"schema": _text(schema, f"{place}: the schema", shown)}
    text = _text(definition, f"{place}: the definition", shown)
    view |= {"name": name, "definition": text.strip().rstrip(";").rstrip()}
    binding = _one_of(fields, _BINDINGS, place, shown)
    if binding not in (None, True, False):
        raise SpecError(f"{shown}: {place}: late binding is {binding!r}, and must be true or false")
    return view | ({"late_binding": True} if binding else {})


def _one_of(fields: Mapping[str, object], keys: Sequence[str], place: str, shown: str) -> object:
    found = [key for key in keys if key in fields]
    if len(found) > 1:
        raise SpecError(f"{shown}: {place} has {' and '.join(map(repr, found))}, which mean the same: leave one out")
    return fields[found[0]] if found else None


def _text(value: object, what: str, shown: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise SpecError(f"{shown}: {what} is missing, or is no text")
    return value

"""The array that holds the records of JSON documents, where there is one such array."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from framework.draft.starts import Start
from framework.rows.formats.text.encoding import marked_encoding

_MOST_KEYS = 4


def records_option(starts: Sequence[Start]) -> dict[str, object]:
    """Return `source.options.records` where each file is one object, and one array of objects stands in it.

    The array has the same place in all files. Files of more than the first bytes are not seen whole, and have none.
    """
    places = {_place(start) for start in starts}
    (place,) = places if len(places) == 1 else ("",)
    return {"records": place} if place else {}


def _place(start: Start) -> str:
    content = start.beginning.content
    if not start.beginning.is_all:
        return ""
    try:
        document = json.loads(content.decode(marked_encoding(content) or "utf-8").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return ""
    found = list(_arrays(document, ())) if isinstance(document, dict) else []
    return ".".join(found[0]) if len(found) == 1 and not any("." in key for key in found[0]) else ""


def _arrays(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the paths to arrays of objects, those within records aside."""
    match value:
        case dict() if len(path) < _MOST_KEYS:
            for key, each in value.items():
                yield from _arrays(each, (*path, key))
        case [dict(), *_] if path and all(isinstance(each, dict) for each in value):
            yield path

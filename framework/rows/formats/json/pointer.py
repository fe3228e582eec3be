"""JSON pointers to the fields of records, and the names of these fields."""

from __future__ import annotations

_EMPTY_KEY = "empty key"


def pointer(key: str, above: str = "") -> str:
    """Return the JSON pointer to a key, by RFC 6901."""
    return f"{above}/{key.replace('~', '~0').replace('/', '~1')}"


def name_of(path: str) -> str:
    """Return the name of the field that a path leads to: its keys, with dots between them.

    An empty key has a name of its own: a field without one would be named by its place, which says nothing in JSON.
    """
    return ".".join(key.replace("~1", "/").replace("~0", "~") or _EMPTY_KEY for key in path.split("/")[1:])

"""Readers of a document that may have any shape; values of an unexpected shape are ignored.

The JSON Schema reports wrong shapes. The other checks ignore them, so that all mistakes of a spec
are reported together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from framework.spec.document import Path

Text = tuple[Path, str]
"""A text and its path."""


def value_at(document: object, path: Path) -> object:
    """Return the value at a path of field names; None where there is none."""
    for step in path:
        document = document.get(step) if isinstance(document, dict) else None
    return document


def mapping_at(document: object, *path: str) -> Mapping[str, object]:
    """Return the mapping at a path; empty where there is none."""
    value = value_at(document, path)
    return value if isinstance(value, dict) else {}


def text_at(document: object, *path: str) -> str | None:
    """Return the text at a path; None where there is none."""
    value = value_at(document, path)
    return value if isinstance(value, str) else None


def text_field(document: object, *path: str) -> Iterator[Text]:
    """Yield the text at a path with the path, or nothing."""
    value = text_at(document, *path)
    if value is not None:
        yield path, value


def text_list(document: object, *path: str) -> list[Text]:
    """Return the texts of the list at a path."""
    value = value_at(document, path)
    entries = value if isinstance(value, list) else []
    return [((*path, index), entry) for index, entry in enumerate(entries) if isinstance(entry, str)]


def text_entries(document: object, *path: str) -> list[Text]:
    """Return the texts directly in the mapping at a path, in its order."""
    entries = mapping_at(document, *path).items()
    return [((*path, key), entry) for key, entry in entries if isinstance(entry, str)]


def mapping_list(document: object, *path: str) -> list[tuple[Path, Mapping[str, object]]]:
    """Return the mappings of the list at a path."""
    value = value_at(document, path)
    entries = value if isinstance(value, list) else []
    return [((*path, index), entry) for index, entry in enumerate(entries) if isinstance(entry, dict)]

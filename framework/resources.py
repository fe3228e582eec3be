"""Texts shipped with the code: `templates/`, `schemas/`, and a project of specs and environments."""

from __future__ import annotations

import functools
import importlib.resources
from importlib.resources.abc import Traversable


@functools.cache
def read_text(path: str) -> str:
    """Return a shipped text by its path, such as `schemas/pipeline.schema.json`.

    Raises:
        FileNotFoundError: nothing of that name ships with the code.
    """
    resource = _find(path)
    if resource is None or not resource.is_file():
        raise FileNotFoundError(f"{path} does not ship with the installed feedway")
    return resource.read_text(encoding="utf-8")


def list_files(folder: str) -> list[str]:
    """Return the names of the files directly in a shipped folder, such as `templates/sql`, in order.

    Raises:
        FileNotFoundError: nothing of that name ships with the code.
    """
    resource = _find(folder)
    if resource is None or not resource.is_dir():
        raise FileNotFoundError(f"{folder}/ does not ship with the installed feedway")
    return sorted(entry.name for entry in resource.iterdir() if entry.is_file())


def roots() -> tuple[Traversable, Traversable]:
    """Return the place of shipped texts: inside the package in a wheel, beside it in a checkout."""
    package = importlib.resources.files("framework")
    # Folders and zip files both have a parent, which the Traversable protocol does not declare.
    beside: Traversable = getattr(package, "parent")  # noqa: B009
    return package, beside


def _find(path: str) -> Traversable | None:
    for root in roots():
        resource = root.joinpath(*path.split("/"))
        if resource.is_file() or resource.is_dir():
            return resource
    return None

"""Texts shipped with the code: `templates/`, `schemas/`, `docs/`, and a project of specs and environments."""

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
    for root in roots():
        resource = root.joinpath(*path.split("/"))
        if resource.is_file():
            return resource.read_text(encoding="utf-8")
    raise FileNotFoundError(f"{path} does not ship with the installed feedway")


def docs_folder() -> str:
    """Return the folder of this machine with the documentation of this version, which messages call `docs/`."""
    package, beside = (root.joinpath("docs") for root in roots())
    return str(package if package.is_dir() else beside)


def roots() -> tuple[Traversable, Traversable]:
    """Return the place of shipped texts: inside the package in a wheel, beside it in a checkout."""
    package = importlib.resources.files("framework")
    # Folders and zip files both have a parent, which the Traversable protocol does not declare.
    beside: Traversable = getattr(package, "parent")  # noqa: B009
    return package, beside

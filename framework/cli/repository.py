"""Paths as services that show a repository know them: from its root."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def repository_root(folder: Path, environ: Mapping[str, str]) -> Path:
    """Return the root of the repository that holds a folder; the folder itself where it is in none.

    Source: https://docs.github.com/en/actions/reference/workflows-and-actions/variables (GITHUB_WORKSPACE)
    """
    workspace = environ.get("GITHUB_WORKSPACE")
    if workspace and folder.is_relative_to(root := Path(workspace).resolve()):
        return root
    return next((each for each in (folder, *folder.parents) if _is_repository(each)), folder)


def path_in_repository(file: str, folder: Path, root: Path) -> str:
    """Return the path of a project's file from the root; of one outside, its full path; an address as it is."""
    if "://" in file:
        return file
    path = folder / file
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _is_repository(folder: Path) -> bool:
    # A folder that may not be searched holds no repository that its user has checked out.
    with suppress(PermissionError):
        return (folder / ".git").exists()
    return False

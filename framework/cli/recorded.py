"""What may be shown of the messages of past loads, by the project's specs of now."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from framework.cli.selection import read_feed
from framework.load.status.recorded import Shown, shown_by
from framework.spec.project import Project


def shown_by_feed(project: Project) -> Callable[[str], Shown]:
    """Return what shows the messages of a pipeline by its name; each spec is read once."""
    return cache(lambda pipeline: shown_by(read_feed(project, pipeline).spec))

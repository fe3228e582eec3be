"""Files below a feed's prefix that match no feed: a wrong pattern, or a wrong folder. Each is reported once."""

from __future__ import annotations

import json
from collections.abc import Sequence

from framework.lake.pending import is_file_of
from framework.load.services import Services
from framework.model.load_warning import LoadWarning
from framework.model.words import counted, listed
from framework.spec.pipeline import PipelineSpec


def new_unmatched(spec: PipelineSpec, services: Services, keys: Sequence[str]) -> list[str]:
    """Return the keys that match no other feed and were not reported by an earlier load."""
    lake = services.lake
    others = [source for name, source in services.sources().items() if name != spec.pipeline] if keys else []
    left = [key for key in keys if not any(is_file_of(lake, source, key) for source in others)]
    known = lake.get(_memory(spec, services)) if left else None
    reported = frozenset(json.loads(known)) if known else frozenset()
    return [key for key in left if key not in reported]


def remember_unmatched(spec: PipelineSpec, services: Services, keys: Sequence[str]) -> None:
    """Store these files, all that are unmatched now, as reported."""
    services.lake.put(_memory(spec, services), json.dumps(sorted(keys)))


def unmatched_warning(spec: PipelineSpec, keys: Sequence[str]) -> LoadWarning:
    """Return the warning for files that do not match the feed."""
    return LoadWarning(
        "unmatched-file",
        None,
        f"{counted(len(keys), 'file does', 'files do')} not match source.pattern {spec.source.pattern!r} and will not "
        f"be loaded: {listed(keys)}. Correct the pattern, or list names that are not for the feed in source.ignore",
    )


def _memory(spec: PipelineSpec, services: Services) -> str:
    return services.lake.key(f"logs/{spec.pipeline}/unmatched.json")

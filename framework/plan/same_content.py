"""Warnings of files with the same bytes as one that was loaded under another name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from framework.model.files import CORRECTION_MARK, FileIdentity, SourceFile
from framework.model.load_warning import LoadWarning
from framework.model.measurements import Measurements
from framework.model.observation import LoadHistory, Observation, PastLoad


def same_content(files: Sequence[SourceFile], seen: Measurements, observed: Observation) -> Iterator[LoadWarning]:
    """Yield a warning for each file with rows whose ETag and size a loaded file of another name has.

    Files that were uploaded in parts, or are encrypted by a key, may have different ETags for the same bytes.
    """
    rows = {file.ordinal: file.rows_read for file in seen.files}
    loaded = _loaded_content(observed)
    for ordinal, file in enumerate(files):
        identity = file.identity
        is_delivery = not identity.etag.startswith(CORRECTION_MARK)
        if not rows.get(ordinal) or not is_delivery or observed.history_of(identity).generation:
            continue
        content = (identity.etag, identity.size_bytes)
        if content in loaded:
            message = f"{file.url} has the same bytes as {loaded[content]}. Its rows are loaded all the same."
            yield LoadWarning("same-content", None, message, (file.key,))
        loaded.setdefault(content, f"{identity.key}, which is loaded with it")


def with_loads(observed: Observation, loads: Mapping[FileIdentity, PastLoad]) -> Observation:
    """Return the observation with the files that a run has loaded since."""
    history = dict(observed.history)
    for identity, load in loads.items():
        before = observed.history_of(identity)
        history[identity] = LoadHistory((*before.loads, load), before.failures)
    return replace(observed, history=history)


def _loaded_content(observed: Observation) -> dict[tuple[str, int], str]:
    """Return, by ETag and size, the first file that was loaded with rows, and when."""
    first: dict[tuple[str, int], tuple[datetime, str]] = {}
    for identity, history in observed.history.items():
        for load in history.loads:
            if load.rows_read:
                described = (load.loaded_at, f"{identity.key}, {loaded_on(load.loaded_at, load.run_id)}")
                content = (identity.etag, identity.size_bytes)
                first[content] = min(described, first.get(content, described))
    return {content: description for content, (_, description) in first.items()}


def loaded_on(at: datetime, run_id: str) -> str:
    """Return when a file was loaded, and by which run, in words."""
    return f"loaded on {at:%Y-%m-%dT%H:%M:%SZ} by run {run_id}"

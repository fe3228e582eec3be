"""Files with the same bytes as one that was loaded under another name."""

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

    The ETags of files that were uploaded in parts, or encrypted by a key, may differ although their bytes do not.
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
    """Return an observation that knows the files that a run has loaded since, too."""
    history = dict(observed.history)
    for identity, load in loads.items():
        before = observed.history_of(identity)
        history[identity] = LoadHistory((*before.loads, load), before.failures)
    return replace(observed, history=history)


def _loaded_content(observed: Observation) -> dict[tuple[str, int], str]:
    """Return which file was the first to be loaded with rows, and when, by ETag and size."""
    first: dict[tuple[str, int], tuple[datetime, str]] = {}
    for identity, history in observed.history.items():
        for load in history.loads:
            if load.rows_read:
                told = (load.loaded_at, f"{identity.key}, {loaded_on(load.loaded_at, load.run_id)}")
                content = (identity.etag, identity.size_bytes)
                first[content] = min(told, first.get(content, told))
    return {content: told for content, (_, told) in first.items()}


def loaded_on(at: datetime, run_id: str) -> str:
    """Return when a file was loaded, and by which run, in words."""
    return f"loaded on {at:%Y-%m-%dT%H:%M:%SZ} by run {run_id}"

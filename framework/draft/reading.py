"""Reads all rows of the sample files by a spec, as a load would read them, into a folder of this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from framework.dataclass import dataclass
from framework.draft.scratch import ScratchStore
from framework.errors import UndecodableFileError
from framework.load.first_look import (
    Feed,
    Files,
    FirstLook,
    read_starts,
    require_shape,
    wrong_encodings,
)
from framework.load.layouts import read_layouts, with_paths
from framework.log.run_log import RunLog
from framework.model.files import SourceBatch, SourceFile
from framework.model.observation import Observation
from framework.rows.engine import SplitEngine
from framework.rows.executor import Executor
from framework.rows.protocol import SourceRows
from framework.spec.pipeline import PipelineSpec

_NOTHING_OBSERVED = Observation(None, frozenset(), frozenset())
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Samples:
    """The sample files of a feed, where they are, and what reads them.

    `scratch` is an empty folder. Questions about the rows take up to `memory_bytes` beside the executor's.
    """

    files: Files
    sources: Sequence[SourceFile]
    executor: Executor
    log: RunLog
    scratch: str
    memory_bytes: int


def read_rows(samples: Samples, spec: PipelineSpec, use: Callable[[SourceBatch, SourceRows], _Found]) -> _Found:
    """Return what `use` makes of the batch of all files, and of its rows.

    A file that turns out not to be valid in its encoding is read once more in the next one of the spec.

    Raises:
        SourceFileError: a file cannot be read as the spec says.
    """
    feed = Feed(spec, None, {})
    while True:
        looks = read_starts(feed, samples.files, samples.sources)
        require_shape(spec, None, looks)
        batch = _batch(samples, spec, looks)
        contents = {look.file: look.content for look in looks if look.content is not None}
        engine = SplitEngine(samples.executor, ScratchStore(samples.files.store))
        try:
            with engine.open(batch, samples.log.progress, contents) as rows:
                if all(layout.columns for layout in batch.files):
                    return use(batch, rows)
                named = _batch(samples, spec, with_paths(spec, None, looks, rows))
                return use(named, rows.named(named))
        except UndecodableFileError as error:
            feed = replace(feed, tried={**feed.tried, **wrong_encodings(feed, batch, error)})


def _batch(samples: Samples, spec: PipelineSpec, looks: Sequence[FirstLook]) -> SourceBatch:
    return read_layouts(spec, samples.files, looks, _NOTHING_OBSERVED, samples.log)

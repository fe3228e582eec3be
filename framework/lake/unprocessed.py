"""Which files of the folder that all pipelines share were set aside by one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from framework.lake.archive_names import names_before
from framework.lake.identity import METADATA_LOST
from framework.lake.parallel import at_once
from framework.lake.pending import is_file_of
from framework.lake.s3 import Lake, LakeObject
from framework.model.files import SourceFile
from framework.spec.pipeline import PipelineSpec

FOLDER = "data/unprocessed/"
MOST_COUNTED = 1000
"""So many files are looked at to count them: each costs a call, at the end of every run."""


@dataclass(frozen=True)
class Unprocessed:
    """A pipeline's unprocessed files in the order of their arrival; and those that may be its own, with the doubt."""

    files: tuple[SourceFile, ...]
    unsure: tuple[tuple[SourceFile, str], ...]


@dataclass(frozen=True)
class UnprocessedCount:
    """How many unprocessed files each pipeline has; at least, where there are more than were looked at."""

    files: Mapping[str, int]
    is_minimum: bool
    folder: str


def count_unprocessed(lake: Lake, specs: Sequence[PipelineSpec]) -> UnprocessedCount:
    """Return how many unprocessed files are surely these pipelines'. One call where no name is one of theirs."""
    own = (found.key for found in _listed(lake) if any(_may_be_of(lake, spec, found.key) for spec in specs))
    keys = list(islice(own, MOST_COUNTED + 1))
    described = at_once(lake.describe, keys[:MOST_COUNTED])
    owned = Counter(
        spec.pipeline for file in described for spec in specs if file is not None and doubt_of(lake, spec, file) is None
    )
    return UnprocessedCount(owned, len(keys) > MOST_COUNTED, lake.url(lake.key(FOLDER)))


def _may_be_of(lake: Lake, spec: PipelineSpec, key: str) -> bool:
    """Return whether an unprocessed file may have arrived as one of the pipeline's, by its name alone."""
    prefix = lake.key(spec.source.prefix)
    return any(is_file_of(lake, spec.source, prefix + name) for name in names_before(key.rpartition("/")[2]))


def list_unprocessed(lake: Lake, spec: PipelineSpec) -> Unprocessed:
    """Return the unprocessed files of a pipeline.

    A file is the pipeline's when it arrived where the spec takes files from and no other pipeline
    has moved it. One that does not say where it arrived may be anybody's.
    """
    files, unsure = [], []
    for file in describe_unprocessed(lake):
        doubt = doubt_of(lake, spec, file)
        if doubt is None:
            files.append(file)
        elif doubt:
            unsure.append((file, doubt))
    return Unprocessed(tuple(in_order_of_arrival(files, spec)), tuple(unsure))


def describe_unprocessed(lake: Lake) -> list[SourceFile]:
    """Return all unprocessed files of the lake, whose ever they are."""
    keys = [found.key for found in _listed(lake)]
    return [file for file in at_once(lake.describe, keys) if file is not None]


def _listed(lake: Lake) -> Iterator[LakeObject]:
    return (found for found in lake.list_objects(lake.key(FOLDER)) if not found.key.endswith("/"))


def doubt_of(lake: Lake, spec: PipelineSpec, file: SourceFile) -> str | None:
    """Say why an unprocessed file is not surely the pipeline's; None where it is, empty where it is surely not."""
    if file.moved_by not in (None, spec.pipeline):
        return ""
    taken = is_file_of(lake, spec.source, file.identity.key)
    if file.identity.key != file.key:
        if taken:
            return None
        told = f"it arrived as {file.identity.key}, which source.prefix and source.pattern of {spec.path} do not take"
        return told if file.moved_by == spec.pipeline else ""
    name = file.key.rpartition("/")[2]
    if not is_file_of(lake, spec.source, lake.key(spec.source.prefix) + name):
        return ""
    return (
        f"it does not say where it arrived: {METADATA_LOST}. "
        "To load it as a new file, copy it to the folder where the feed's files arrive"
    )


def in_order_of_arrival(files: Sequence[SourceFile], spec: PipelineSpec) -> list[SourceFile]:
    """Return moved files in the order in which the spec would have loaded them."""
    if spec.source.order == "name":
        return sorted(files, key=lambda file: file.identity.key)
    return sorted(files, key=lambda file: (file.arrived_at, file.identity.key))

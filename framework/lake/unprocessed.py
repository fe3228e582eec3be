"""The files that a pipeline has set aside, in the folder that all pipelines share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from framework.dataclass import dataclass
from framework.lake.archive_names import names_before
from framework.lake.bucket import LakeObject
from framework.lake.identity import METADATA_LOST
from framework.lake.lake import Lake
from framework.lake.pending import is_file_of
from framework.model.files import SourceFile
from framework.parallel import map_parallel
from framework.spec.pipeline import PipelineSpec

FOLDER = "data/unprocessed/"
MOST_COUNTED = 1000
"""Maximum number of files that are described: each costs a call, at the end of every run. All are listed."""


@dataclass(frozen=True)
class UnprocessedFiles:
    """A pipeline's unprocessed files in order of arrival; and files that may be its own, with the reason for doubt."""

    files: tuple[SourceFile, ...]
    doubtful: tuple[tuple[SourceFile, str], ...]

    def unmatched_of(self, pipeline: str) -> list[tuple[SourceFile, str]]:
        """Return those that the pipeline has set aside, and that its spec does not match any more."""
        return [(file, doubt) for file, doubt in self.doubtful if file.moved_by == pipeline]


@dataclass(frozen=True)
class UnprocessedOfFeeds:
    """The newest MOST_COUNTED unprocessed files that may be some pipelines', and the address of their folder.

    `left` are the keys of older ones, which were not described.
    """

    files: tuple[SourceFile, ...]
    left: tuple[str, ...]
    folder: str

    def of(self, lake: Lake, spec: PipelineSpec) -> UnprocessedFiles:
        """Return those of one of the pipelines: see `list_unprocessed`."""
        return _divided(lake, spec, self.files)

    def is_minimum_of(self, lake: Lake, spec: PipelineSpec) -> bool:
        """Return whether a file that was not described may be one of the pipelines', by its name."""
        return any(_may_be_of(lake, spec, key) for key in self.left)


def unprocessed_of_feeds(lake: Lake, specs: Sequence[PipelineSpec], *, of_any_name: bool = False) -> UnprocessedOfFeeds:
    """Return the unprocessed files that may be these pipelines'. No call but the listing where no name matches one.

    With `of_any_name` it is all of them, those of other names last: a spec may have changed since it matched its file.
    """
    newest = sorted(_listed(lake), key=lambda found: found.modified_at, reverse=True)
    keys = [each.key for each in newest]
    if not of_any_name or len(keys) > MOST_COUNTED:
        own = [key for key in keys if any(_may_be_of(lake, spec, key) for spec in specs)]
        keys = [*own, *sorted(set(keys).difference(own))] if of_any_name else own
    described = map_parallel(lake.describe, keys[:MOST_COUNTED])
    files = tuple(file for file in described if file is not None)
    return UnprocessedOfFeeds(files, tuple(keys[MOST_COUNTED:]), lake.url(lake.key(FOLDER)))


def _may_be_of(lake: Lake, spec: PipelineSpec, key: str) -> bool:
    """Return whether an unprocessed file may have arrived as one of the pipeline's, by its name alone."""
    prefix = lake.key(spec.source.prefix)
    return any(is_file_of(lake, spec.source, prefix + name) for name in names_before(key.rpartition("/")[2]))


def list_unprocessed(lake: Lake, spec: PipelineSpec) -> UnprocessedFiles:
    """Return the unprocessed files of a pipeline.

    A file is the pipeline's when it arrived where the spec takes files from and no other pipeline
    has moved it. A file whose metadata does not name its arrival may be any pipeline's.
    """
    return _divided(lake, spec, describe_unprocessed(lake))


def _divided(lake: Lake, spec: PipelineSpec, described: Sequence[SourceFile]) -> UnprocessedFiles:
    """Return which of some files are the pipeline's, and which may be."""
    files, doubtful = [], []
    for file in described:
        doubt = doubt_of(lake, spec, file)
        if doubt is None:
            files.append(file)
        elif doubt:
            doubtful.append((file, doubt))
    return UnprocessedFiles(tuple(in_order_of_arrival(files, spec)), tuple(doubtful))


def describe_unprocessed(lake: Lake) -> list[SourceFile]:
    """Return all unprocessed files of the lake, of every pipeline."""
    keys = [found.key for found in _listed(lake)]
    return [file for file in map_parallel(lake.describe, keys) if file is not None]


def _listed(lake: Lake) -> Iterator[LakeObject]:
    return (found for found in lake.list_objects(lake.key(FOLDER)) if not found.key.endswith("/"))


def doubt_of(lake: Lake, spec: PipelineSpec, file: SourceFile) -> str | None:
    """Return why an unprocessed file may not belong to the pipeline; None where it does, empty where it does not."""
    if file.moved_by not in (None, spec.pipeline):
        return ""
    taken = is_file_of(lake, spec.source, file.identity.key)
    if file.identity.key != file.key:
        if taken:
            return None
        doubt = f"it arrived as {file.identity.key}, which source.prefix and source.pattern of {spec.path} do not match"
        return doubt if file.moved_by == spec.pipeline else ""
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

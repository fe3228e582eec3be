"""Which files of the folder that all pipelines share were set aside by one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from framework.lake.at_once import at_once
from framework.lake.identity import METADATA_LOST
from framework.lake.pending import is_file_of
from framework.lake.s3 import Lake
from framework.schema.values import SourceFile
from framework.spec.pipeline import PipelineSpec

FOLDER = "data/unprocessed/"


@dataclass(frozen=True)
class Unprocessed:
    """A pipeline's unprocessed files in the order of their arrival; and those that may be its own, with the doubt."""

    files: tuple[SourceFile, ...]
    unsure: tuple[tuple[SourceFile, str], ...]


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
    keys = [found.key for found in lake.list_objects(lake.key(FOLDER)) if not found.key.endswith("/")]
    return [file for file in at_once(lake.describe, keys) if file is not None]


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

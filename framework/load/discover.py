"""The files that a run loads, grouped into loads and in order; and superseded files."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import field, replace

from framework.dataclass import dataclass
from framework.errors import Section, SpecError
from framework.lake.identity import METADATA_LOST
from framework.lake.pending import is_file_of, list_arrived
from framework.lake.unprocessed import list_unprocessed
from framework.load.request import (
    Arriving,
    Corrections,
    LoadRequest,
    OneFile,
    Pending,
    Replacement,
    Unprocessed,
    is_again,
)
from framework.load.services import Services
from framework.model.files import SourceFile
from framework.model.words import listed
from framework.plan.audit import LoadFile
from framework.plan.merge import MAX_FILES_PER_LOAD
from framework.spec.pipeline import PipelineSpec
from framework.spec.project import control_schema_problem


@dataclass(frozen=True)
class Worklist:
    """Files to load, grouped by load and in order; superseded files; the ETags with which all of them arrived.

    Each file is as it was listed: an object written there later is another file.

    `doubtful` are unprocessed files that may not belong to the pipeline, with the reason; they stay where they are.
    `unmatched` are the keys of files below the prefix that the pattern does not match. `replaced` is the file set aside
    which the others are loaded instead of. `listed_at` is a time of the monotonic clock.
    """

    loads: list[tuple[LoadFile, ...]]
    older: list[SourceFile]
    etags: list[str]
    doubtful: tuple[tuple[SourceFile, str], ...] = ()
    unmatched: tuple[str, ...] = ()
    replaced: LoadFile | None = None
    listed_at: float = field(default_factory=time.monotonic)


def discover(spec: PipelineSpec, services: Services, request: LoadRequest) -> Worklist:
    """Return the pending files as loads, the unprocessed ones, or those that are asked for.

    Raises:
        SpecError: the file that is asked for does not exist or may not belong to the pipeline; or the target or
            a view of the spec is in the control schema.
    """
    if problem := control_schema_problem(spec, services.environment):
        raise SpecError(str(problem))
    match request:
        case Pending():
            return _pending_work(spec, services)
        case Replacement():
            return _replacing_work(spec, services, request)
        case Arriving(files=files):
            return _arrived_work(spec, list(files))
        case Unprocessed(key=key):
            return _unprocessed_work(spec, services, key)
        case OneFile(key=key):
            return _work_of_one(spec, services, key, is_again=is_again(request))
        case Corrections(key=key, address=address):
            work = _work_of_one(spec, services, key, is_again=False)
            ((file,),) = work.loads
            return replace(work, loads=[(replace(file, source=replace(file.source, sent_as=address)),)])


def _work_of_one(spec: PipelineSpec, services: Services, asked: str, *, is_again: bool) -> Worklist:
    lake = services.lake
    key = lake.key_of(asked)
    file = lake.describe(key)
    if file is None:
        raise SpecError(f"{lake.url(key)} is not there. Give the key of an object in the lake.").about(Section.ASKED)
    if not is_again:
        _refuse_unknown_origin(file, services)
    _refuse_another_pipelines(file, spec, services)
    _refuse_what_does_not_arrive(file, spec, services)
    return Worklist([(LoadFile(file),)], [], [file.identity.etag])


def _pending_work(spec: PipelineSpec, services: Services) -> Worklist:
    arrived = list_arrived(services.lake, spec.source)
    work = _arrived_work(spec, [services.lake.arrived(found) for found in arrived.pending])
    return replace(work, unmatched=tuple(arrived.unmatched))


def _replacing_work(spec: PipelineSpec, services: Services, request: Replacement) -> Worklist:
    """Return the pending file that replaces one that was set aside, with the arrival of that one."""
    ((replaced,),) = _unprocessed_work(spec, services, request.instead_of).loads
    lake, arrived = services.lake, list_arrived(services.lake, spec.source)
    key = replaced.source.identity.key if request.key is None else lake.key_of(request.key)
    for found in arrived.pending:
        if found.key == key:
            file = replace(lake.arrived(found), arrived_at=replaced.source.arrived_at)
            return Worklist([(LoadFile(file),)], [], [file.identity.etag], replaced=replaced)
    others = [found.key for found in arrived.pending]
    there = f"{listed(others)} may be other files: name one that is to be loaded instead with --file KEY. "
    skipping = services.program.command("skip", replaced.source.key)
    raise SpecError(
        f"{lake.url(key)} is not pending, so no file replaces {replaced.source.url}, which stays. "
        f"{there if others else ''}Send a correct one under the same name; or, if one is loaded already, archive this "
        f"one with: {skipping}"
    ).about(Section.ASKED)


def _arrived_work(spec: PipelineSpec, files: list[SourceFile]) -> Worklist:
    return _work(spec, files, 1 if spec.source.batch == "file" else MAX_FILES_PER_LOAD)


def _work(spec: PipelineSpec, files: list[SourceFile], size: int) -> Worklist:
    etags = [file.identity.etag for file in files]
    older = files[:-1] if spec.load.mode.replaces_table else []
    wanted = [LoadFile(file) for file in files[len(older) :]]
    loads = [tuple(wanted[start : start + size]) for start in range(0, len(wanted), size)]
    return Worklist(loads, older, etags)


def _unprocessed_work(spec: PipelineSpec, services: Services, asked: str | None) -> Worklist:
    """Return one load per unprocessed file, so that a file at fault does not block the others."""
    lake = services.lake
    found = list_unprocessed(lake, spec)
    if asked is None:
        return replace(_work(spec, list(found.files), 1), doubtful=found.doubtful)
    key = lake.key_of(asked)
    for file, reason in found.doubtful:
        if key in (file.key, file.identity.key):
            raise SpecError(f"{file.url} may not belong to {spec.pipeline}: {reason}.").about(Section.ASKED)
    files = [file for file in found.files if key in (file.key, file.identity.key)]
    if not files:
        there = _all_there_are([file.key for file in found.files])
        raise SpecError(f"{lake.url(key)} is not an unprocessed file of {spec.pipeline}. {there}").about(Section.ASKED)
    return _work(spec, files, 1)


def _all_there_are(keys: Sequence[str]) -> str:
    return f"There is {listed(keys)}." if keys else "There is none at all."


def _has_lost_identity(file: SourceFile, services: Services) -> bool:
    """Return whether a file was moved, and does not say where it arrived."""
    is_moved = any(file.key.startswith(services.lake.key(f"data/{folder}/")) for folder in ("archive", "unprocessed"))
    return is_moved and file.identity.key == file.key


def _refuse_unknown_origin(file: SourceFile, services: Services) -> None:
    """Refuse a moved file without its identity: whether it is loaded cannot be known."""
    if _has_lost_identity(file, services):
        raise SpecError(
            f"{file.url} does not say where it arrived: {METADATA_LOST}, "
            f"so whether it is loaded cannot be known. Add --again to load it whatever the ledger says, "
            f"or copy it to the pipeline's prefix to load it as a new file."
        ).about(Section.ASKED)


def _refuse_what_does_not_arrive(file: SourceFile, spec: PipelineSpec, services: Services) -> None:
    """Refuse an object that arrived where the pipeline takes no files from: another feed's, or Feedway's own."""
    if not _has_lost_identity(file, services) and not is_file_of(services.lake, spec.source, file.identity.key):
        raise SpecError(
            f"{file.url} does not match source.prefix {spec.source.prefix!r} and source.pattern "
            f"{spec.source.pattern!r} of {spec.pipeline}: loading it would move it from where it is. "
            f"Copy it to {services.lake.url(services.lake.key(spec.source.prefix))} to load it."
        ).about(Section.ASKED)


def _refuse_another_pipelines(file: SourceFile, spec: PipelineSpec, services: Services) -> None:
    """Refuse a file that another pipeline has set aside or archived: all of them share these folders."""
    if file.moved_by in (None, spec.pipeline):
        return
    raise SpecError(
        f"{file.url} is a file of {file.moved_by}, which has moved it here. To load it with {spec.pipeline} too, "
        f"copy it to {services.lake.url(services.lake.key(spec.source.prefix))}."
    ).about(Section.ASKED)

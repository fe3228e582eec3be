"""`land`: puts files of this machine into a feed's inbox, each under a name that is free there."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from framework.cli.incoming import inbox_key, incoming_files
from framework.cli.output import Output
from framework.cli.wiring import open_services
from framework.dataclass import dataclass
from framework.errors import SourceFileError, SpecError
from framework.lake.lake import Lake
from framework.lake.local import open_local
from framework.model.program import Program
from framework.model.words import counted, size, visible
from framework.parallel import map_parallel
from framework.spec.pipeline import PipelineSpec
from framework.spec.project import Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `land` takes."""
    parser.add_argument("name", metavar="NAME", help="the pipeline")
    parser.add_argument("files", metavar="FILE", nargs="+", help="a file of this machine")


@dataclass(frozen=True)
class Landed:
    """A local file and the object that was made of it."""

    pipeline: str
    file: str
    url: str
    size_bytes: int

    def __str__(self) -> str:
        return f"{visible(self.url)}  {size(self.size_bytes)}"


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Put the files into the inbox, and print their addresses; after a failure, of those that are there.

    Raises:
        SpecError: a file cannot arrive, or its name is taken; nothing was landed.
        SourceFileError: a file was changed meanwhile.
        WarehouseError: S3 refused, or could not be reached.
    """
    environment = project.environment(arguments.env)
    spec = project.pipeline(arguments.name)
    paths = incoming_files(spec, arguments.files, environment.lake.prefix, "landed")
    landed: list[Landed] = []
    with open_services(project.folder, environment, output, arguments.job_id) as services:
        lake = services.lake
        _require_free(lake, spec, paths, output.program)
        try:
            # What was landed before a failure is in the list.
            landed.extend(_land(lake, spec, path, output) for path in paths)
        finally:
            if landed:
                _print(landed, output.program.command("run", spec.pipeline), output)
    return 0


def _require_free(lake: Lake, spec: PipelineSpec, paths: Sequence[Path], program: Program) -> None:
    """Check that no object has the name of a file.

    Raises:
        SpecError: lists those that have.
    """
    keys = [lake.key(inbox_key(spec, path)) for path in paths]
    taken = [key for key, head in zip(keys, map_parallel(lake.head, keys), strict=True) if head is not None]
    if taken:
        lines = [f"{visible(lake.url(key))} is there already" for key in taken]
        loading = program.command("run", spec.pipeline)
        skipping = program.command("skip", taken[0])
        advice = f"Load what is there with: {loading}; or archive it with: {skipping}; or rename the file."
        raise SpecError("\n  ".join(["nothing was landed:", *lines, advice]))


def _land(lake: Lake, spec: PipelineSpec, path: Path, output: Output) -> Landed:
    key = lake.key(inbox_key(spec, path))
    with open_local(path) as content:
        before = os.fstat(content.fileno())
        if not lake.put_new(key, content, _progress(spec, path, before.st_size, output)):
            raise SpecError(
                f"{path} was not landed: another process has put {visible(lake.url(key))} there meanwhile. Rename the "
                "file, and land it again."
            )
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise SourceFileError(
            f"{path} was changed while it was landed, so {visible(lake.url(key))} may hold a part of it. When the file "
            f"is complete, archive that object with: {output.program.command('skip', key)}; then land the file again."
        )
    return Landed(spec.pipeline, str(path), lake.url(key), before.st_size)


def _progress(spec: PipelineSpec, path: Path, size_bytes: int, output: Output) -> Callable[[int], None]:
    """Return what hears of the bytes sent, in threads of the upload, and shows them."""
    sent = 0

    def heard(number: int) -> None:
        nonlocal sent
        sent += number
        output.display.work(visible(path.name), "land", {"bytes_read": sent, "bytes_total": size_bytes})

    return heard


def _print(landed: Sequence[Landed], loading: str, output: Output) -> None:
    document: dict[str, object] = {"landed": [asdict(each) for each in landed], "command": loading}
    end = f"{landed[0].pipeline}: {counted(len(landed), 'file')} landed; load with: {loading}"
    output.document(document, lambda: "\n".join([*map(str, landed), end]))

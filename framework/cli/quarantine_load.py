"""The load whose bad rows a command line asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from framework.cli.audit_options import SHOWN_ID
from framework.dataclass import dataclass
from framework.errors import SpecError
from framework.load.quarantine.contents import QuarantinedRow, StoredRows, folder_of, stored_rows
from framework.load.quarantine.left import count_corrected, read_left
from framework.load.quarantine.marks import CorrectedRows, read_corrected_rows
from framework.load.services import Services
from framework.model.words import listed
from framework.spec.project import Project, instead
from framework.warehouse.audit import HistoryQuery
from framework.warehouse.session import WarehouseSession
from framework.warehouse.unsettled import QuarantinedFile, read_quarantined_files

_MOST_FILES = 1000
"""Source files of one load."""
_RUN = re.compile("[0-9a-f]{4,32}")


@dataclass(frozen=True)
class QuarantinedLoad:
    """A load with bad rows: its files with such rows, and the one that was asked for, if any."""

    files: Sequence[QuarantinedFile]
    file: QuarantinedFile | None
    url: str
    corrected: CorrectedRows
    rows_there: StoredRows

    @property
    def asked(self) -> Sequence[QuarantinedFile]:
        """The files that were asked for."""
        return self.files if self.file is None else [self.file]

    @property
    def pipeline(self) -> str:
        """The name of its pipeline."""
        return self.files[0].pipeline

    @property
    def short_run(self) -> str:
        """The start of its run_id."""
        return self.files[0].run_id[:SHOWN_ID]

    @property
    def rows(self) -> int:
        """The number of bad rows of the files that were asked for."""
        return sum(file.rows for file in self.asked)

    @property
    def named(self) -> str:
        """The names of the files that were asked for, as a message has them."""
        return listed([file.name for file in self.asked])

    @property
    def rows_corrected(self) -> int:
        """How many of these were loaded corrected."""
        done = count_corrected(self.rows_there, self.corrected)
        return sum(done[file] for file in self.asked)

    def stored(self) -> Iterator[QuarantinedRow]:
        """Yield the bad rows of the files that were asked for, in order."""
        return self.rows_there.rows() if self.file is None else self.rows_there.of(self.file)

    def is_corrected(self, row: QuarantinedRow) -> bool:
        """Return whether a row was loaded corrected."""
        return self.corrected.has(self.pipeline, row)


@dataclass(frozen=True)
class Asked:
    """The pipeline, and the source file or the load, that a command line names; None for the newest."""

    pipeline: str
    file: str | None
    run: str | None


@contextmanager
def open_load(
    asked: Asked, project: Project, services: Services, warehouse: WarehouseSession
) -> Iterator[QuarantinedLoad]:
    """Yield the newest load that fits what is asked for and has bad rows left; else the newest that had some.

    Raises:
        SpecError: there is none, several begin with the run asked for, or its bad rows were deleted.
    """
    lake = services.lake
    found = _find(asked, services, warehouse)
    if not found:
        everything = HistoryQuery((asked.pipeline,), ("SUCCESS",), with_bad_rows=True)
        raise SpecError(_nothing(asked, project, services, read_quarantined_files(warehouse, everything)))
    runs = list(dict.fromkeys(file.run_id for file in found))
    if asked.run is not None and len(runs) > 1:
        raise SpecError(f"--run {asked.run}: several loads begin so: {', '.join(runs[:5])}. Write more characters")
    first = found[0] if len(runs) == 1 else _first_left(found, services, warehouse)
    query = HistoryQuery((asked.pipeline,), ("SUCCESS",), run_id=first.run_id, with_bad_rows=True, rows=_MOST_FILES)
    files = read_quarantined_files(warehouse, query)
    corrected = read_corrected_rows(lake, warehouse, files)
    url = lake.url(folder_of(lake, files[0]))
    with stored_rows(lake, files) as stored:
        if not stored.are_there:
            raise SpecError(f"{url} is empty: the bad rows of load {first.run_id} were deleted")
        yield QuarantinedLoad(files, None if asked.file is None else first, url, corrected, stored)


def _first_left(found: Sequence[QuarantinedFile], services: Services, warehouse: WarehouseSession) -> QuarantinedFile:
    """Return the first file with rows that were not loaded corrected; the first one where there is none."""
    left = {(file.run_id, file.key) for file in read_left(services.lake, warehouse, found)}
    return next((file for file in found if (file.run_id, file.key) in left), found[0])


def _find(asked: Asked, services: Services, warehouse: WarehouseSession) -> list[QuarantinedFile]:
    """Return the files with bad rows that fit, newest first."""
    lake = services.lake
    if asked.run is not None and not _RUN.fullmatch(asked.run):
        raise SpecError(
            f"--run {asked.run}: a run_id has 32 characters of 0-9 and a-f, of which the first 4 are enough"
        )
    query = HistoryQuery((asked.pipeline,), ("SUCCESS",), run_id=asked.run, with_bad_rows=True)
    if asked.file is None:
        return read_quarantined_files(warehouse, query)
    name = asked.file.removeprefix(lake.url(""))
    found = read_quarantined_files(warehouse, replace(query, file_name=name))
    if not found and "/" in name:
        # The key under which it is now.
        moved = lake.describe(lake.key_of(name))
        found = (
            []
            if moved is None
            else read_quarantined_files(warehouse, replace(query, source_filename=moved.identity.key))
        )
    return found


def _nothing(asked: Asked, project: Project, services: Services, others: Sequence[QuarantinedFile]) -> str:
    """Return why nothing is found, with the nearest names."""
    known = project.pipeline_names()
    if not others and asked.pipeline not in known:
        return f"there is no pipeline {asked.pipeline!r}. {instead(asked.pipeline, known)}"
    if not others:
        replay = services.program.command("replay", asked.pipeline)
        return (
            f"{asked.pipeline}: no load has left bad rows in quarantine. A file that was refused because of its rows "
            f"was not loaded and still has them all: correct it, or the spec, and load it with: {replay}"
        )
    if asked.file is not None:
        names = dict.fromkeys(file.name for file in others)
        return f"no load of {asked.pipeline} has left bad rows of {asked.file!r}. {instead(asked.file, names)}"
    runs = [file.run_id[:SHOWN_ID] for file in others]
    return f"no load {asked.run} of {asked.pipeline} has left bad rows. {instead(str(asked.run), dict.fromkeys(runs))}"

"""The files that were loaded without bad rows: what `quarantine list` prints."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial

from framework.cli.audit_options import SHOWN_ID
from framework.cli.tables import narrowed_table
from framework.dataclass import dataclass
from framework.lake.lake import Lake
from framework.load.quarantine.contents import folder_of, stored_rows
from framework.load.quarantine.left import count_corrected
from framework.load.quarantine.marks import CorrectedRows, read_corrected_rows
from framework.log.redaction import without_values
from framework.model.program import Program
from framework.model.words import visible
from framework.parallel import map_parallel
from framework.warehouse.audit import HistoryQuery
from framework.warehouse.session import WarehouseSession
from framework.warehouse.unsettled import QuarantinedFile, read_quarantined_files

_MOST_FAULTS = 20
"""The most different faults that a listed file has."""
_SHOWN_FAULTS = 3
_OPTIONAL = ("corrected", "superseded")
"""Columns that are shown where one of the files has such rows."""
_FEWEST_OF_WHY = 24
"""Columns; with less room the reasons get lines of their own."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with some rows of a file; `column` is None for whole records."""

    column: str | None
    reason: str
    rows: int

    def __str__(self) -> str:
        column = "" if self.column is None else f"{self.column}: "
        return f"{column}{self.reason} ({self.rows:,})"


@dataclass(frozen=True)
class ListedFile:
    """A file that was loaded without its bad rows, of which `corrected_rows` were loaded since.

    `superseded_rows` were corrected too, and kept out by a newer row with their key.

    `faults` are the most frequent ones, each of the first column at fault of its rows. `address` is the folder of the
    load's bad rows.
    """

    pipeline: str
    source_file: str
    run_id: str
    loaded_at: str
    rows: int
    corrected_rows: int
    superseded_rows: int
    faults: Sequence[Fault]
    address: str


@dataclass(frozen=True)
class Listing:
    """The newest files with bad rows; whether there are more."""

    files: Sequence[ListedFile]
    has_more: bool

    def as_dict(self) -> dict[str, object]:
        """Return the document of the command (schemas/output/quarantine_list.schema.json)."""
        return {"quarantine": [asdict(file) for file in self.files], "has_more": self.has_more}


def list_files(names: Sequence[str], most: int, lake: Lake, warehouse: WarehouseSession) -> Listing:
    """Return the newest files with bad rows of some pipelines, or of all where none is named."""
    query = HistoryQuery(tuple(names), ("SUCCESS",), with_bad_rows=True, rows=most + 1)
    found = read_quarantined_files(warehouse, query)
    loads: dict[str, list[QuarantinedFile]] = {}
    for file in found[:most]:
        loads.setdefault(file.run_id, []).append(file)
    corrected = read_corrected_rows(lake, warehouse, found[:most])
    listed = map_parallel(partial(_of_load, lake, corrected), list(loads.values()))
    return Listing([file for of_load in listed for file in of_load], len(found) > most)


def _of_load(lake: Lake, corrected: CorrectedRows, files: Sequence[QuarantinedFile]) -> list[ListedFile]:
    """Return the files of one load; none where its bad rows were deleted."""
    faults: dict[QuarantinedFile, Counter[tuple[str | None, str]]] = {file: Counter() for file in files}
    with stored_rows(lake, files) as stored:
        if not stored.are_there:
            return []
        for file, row in stored.by_file():
            faults[file][row.column, without_values(row.first_reason)] += 1
        done = count_corrected(stored, corrected)
    superseded = {file: min(done[file], corrected.superseded(file)) for file in files}
    return [_listed(lake, file, faults[file], done[file], superseded[file]) for file in files]


def _listed(
    lake: Lake, file: QuarantinedFile, faults: Counter[tuple[str | None, str]], done: int, superseded: int
) -> ListedFile:
    """Return a file with the number of its rows that are `done` with, and how many of these were superseded."""
    return ListedFile(
        pipeline=file.pipeline,
        source_file=file.key,
        run_id=file.run_id,
        loaded_at=file.loaded_at,
        rows=file.rows,
        corrected_rows=done - superseded,
        superseded_rows=superseded,
        faults=[Fault(column, reason, rows) for (column, reason), rows in faults.most_common(_MOST_FAULTS)],
        address=lake.url(folder_of(lake, file)),
    )


def list_text(listing: Listing, width: int | None, program: Program) -> str:
    """Return the files as a table that fits the width, and the command that shows the rows of one."""
    files = listing.files
    if not files:
        return "no bad rows are in quarantine"
    rows = [_cells(file) for file in files]
    columns = [name for name in rows[0] if name not in _OPTIONAL or any(row[name] for row in rows)]
    # Where there is no room for the address, JSON and `show` have it.
    fitted = _fitted([columns, [name for name in columns if name != "address"]], rows, width)
    longest = max(len(str(row["why"])) for row in rows)
    if width is not None and _width_of_column(fitted, "why") < min(longest, _FEWEST_OF_WHY):
        fitted = _with_why_below([name for name in fitted.splitlines()[0].split() if name != "why"], rows, width)
    more = [f"these are the newest {len(files)}: see more with --rows N"] if listing.has_more else []
    show = program.command("quarantine", "show", files[0].pipeline, "--run", files[0].run_id[:SHOWN_ID])
    return "\n".join([fitted, *more, f"see rows with: {show}"])


def _fitted(forms: Iterable[Sequence[str]], rows: Sequence[Mapping[str, object]], width: int | None) -> str:
    return narrowed_table(((columns, rows) for columns in forms), width, cut=("pipeline", "file", "why"))


def _width_of_column(table: str, name: str) -> int:
    """Return the width of a column of a table, by the line below its names."""
    names, line = (text.split() for text in table.splitlines()[:2])
    return len(line[names.index(name)])


def _with_why_below(shown: Sequence[str], rows: Sequence[Mapping[str, object]], width: int) -> str:
    """Return the rows as a table in which the reasons of each stand below it, whole."""
    name, line, *lines = _fitted([shown], rows, width).splitlines()
    found = [name, line]
    for text, row in zip(lines, rows, strict=True):
        why = textwrap.wrap(visible(str(row["why"])), width, initial_indent="  ", subsequent_indent="    ")
        found += [text, *why]
    return "\n".join(found)


def _cells(file: ListedFile) -> dict[str, object]:
    faults = [str(fault) for fault in file.faults[:_SHOWN_FAULTS]]
    more = len(file.faults) - len(faults)
    return {
        "run": file.run_id[:SHOWN_ID],
        "loaded": file.loaded_at[:16],
        "pipeline": file.pipeline,
        "file": file.source_file.rpartition("/")[2],
        "rows": file.rows,
        "corrected": file.corrected_rows,
        "superseded": file.superseded_rows,
        "why": "; ".join([*faults, *([f"{more} more"] if more else [])]),
        "address": file.address,
    }

"""Rows that cannot be loaded: kept in quarantine within the spec's budget, or refused with their file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NoReturn

from framework.bookkeeping import Books
from framework.errors import PipelineError, SourceFileError
from framework.frames.lines import physical_lines
from framework.frames.protocol import SourceRows
from framework.schema.measured import unconvertible_values
from framework.schema.values import (
    BadRow,
    FileLayout,
    FileMeasurement,
    Measurements,
    SourceBatch,
    SourceFile,
    StagingColumn,
)
from framework.spec.pipeline import BadRowsSpec, CsvOptions, PipelineSpec
from framework.warehouse.control import Duplicates

REPORTED_BAD_ROWS = 20
_LONGEST_SAMPLE = 80


@dataclass(frozen=True)
class StagedRows:
    """The rows of a batch that is open, the columns they were staged with, and what was seen of them."""

    batch: SourceBatch
    rows: SourceRows
    columns: tuple[StagingColumn, ...]
    seen: Measurements


def put_bad_rows_aside(books: Books, staged: StagedRows, writes: bool) -> str | None:
    """Write the bad rows to quarantine and return its address; None where no row is bad.

    They are there before the merge begins, so that no row of a loaded file is ever in neither
    place. Without `writes` the address is only where they would go.

    Raises:
        SourceFileError: a file holds more of them than its budget; it says which rows.
        PipelineError: not all of them were written.
    """
    bad = [file for file in staged.seen.files if file.rows_bad]
    budget = books.spec.bad_rows
    if bad and all_conflicts_in_quarantine(books.spec, staged):
        budget = replace(budget, action="quarantine")
    over = {file: excess for file in bad if (excess := over_budget(budget, file)) is not None}
    if over:
        _refuse(books, staged, over)
    if not bad:
        return None
    if writes:
        _write(books, staged, bad)
    return books.quarantine_url


def all_conflicts_in_quarantine(spec: PipelineSpec, staged: StagedRows) -> bool:
    """Say whether all bad rows are so for values that evolution.type_conflicts sends to quarantine.

    Of a load of several files this is told of all together: a row that is bad otherwise, in one of
    them, refuses those that hold bad rows.
    """
    seen = staged.seen
    if seen.malformed_rows or any(measured.null_keys for measured in seen.columns.values()):
        return False
    for column in staged.columns:
        measured = seen.columns.get(column.name)
        if measured is None or not measured.misfits:
            continue
        conflicts = unconvertible_values(spec, column.name, column.type, measured)
        if spec.evolution.of(column.name).type_conflicts != "quarantine" or conflicts < measured.misfits:
            return False
    return True


def over_budget(budget: BadRowsSpec, file: FileMeasurement) -> str | None:
    """Say which budget the bad rows of a file that has some exceed; None where they keep to it.

    It follows their count in a message, and is empty where the spec allows for none.
    """
    if budget.action == "reject_file":
        return ""
    if budget.max_rows is not None and file.rows_bad > budget.max_rows:
        return f", and the budget is {budget.max_rows} (bad_rows.max_rows)"
    if budget.max_fraction is not None:
        # As it is written: the float of 0.1 is a little more than a tenth.
        allowed = Fraction(str(budget.max_fraction)) * file.rows_read
        if file.rows_bad > allowed:
            return f", and the budget is {int(allowed)} (bad_rows.max_fraction {budget.max_fraction})"
    return None


def _write(books: Books, staged: StagedRows, bad: Sequence[FileMeasurement]) -> None:
    books.open_quarantine()
    expected = sum(file.rows_bad for file in bad)
    ordinals = [file.ordinal for file in bad]
    written = staged.rows.quarantine(staged.columns, ordinals, books.quarantine_url.removesuffix("/"))
    if written != expected:
        raise PipelineError(
            f"{books.quarantine_url}: {expected} rows are bad and {written} were written; nothing is loaded. "
            f"Please report this with the file; with bad_rows.action: reject_file it is refused as a whole."
        )
    for file in bad:
        books.log.warning(
            "bad rows are in quarantine",
            step="stage",
            file=staged.batch.files[file.ordinal].file.url,
            rows=file.rows_bad,
            of=file.rows_read,
            to=books.quarantine_url,
        )


def _refuse(books: Books, staged: StagedRows, over: Mapping[FileMeasurement, str]) -> NoReturn:
    layouts = [staged.batch.files[file.ordinal] for file in over]
    samples = staged.rows.read_bad_rows(staged.columns, [file.ordinal for file in over], REPORTED_BAD_ROWS)
    lines = [
        f"{layout.file.url}: {file.rows_bad} of {file.rows_read} rows cannot be loaded{excess}"
        for layout, (file, excess) in zip(layouts, over.items(), strict=True)
    ]
    numbers = _line_numbers(books, layouts, staged.batch.options, samples)
    with_text = books.spec.bad_rows.log_samples
    lines += [f"  {describe_bad_row(sample, numbers[sample.file, sample.row], with_text)}" for sample in samples]
    untold = sum(file.rows_bad for file in over) - len(numbers)
    if untold:
        lines.append(f"  and {untold} more")
    way_out = "raise the budget" if books.spec.bad_rows.action == "quarantine" else "set bad_rows.action: quarantine"
    lines.append(
        "Nothing was loaded. Correct the rows and send the file again, give the column a type that holds them "
        f"(types.columns, or text by evolution.type_conflicts: to_text), or {way_out} to load the other rows."
    )
    raise SourceFileError("\n".join(lines), [layout.file.key for layout in layouts])


def _line_numbers(
    books: Books, layouts: Sequence[FileLayout], options: CsvOptions, samples: Sequence[BadRow]
) -> dict[tuple[str, int], int]:
    """Return the line on which each sampled row begins, by file and row. Reads the files up to there."""
    numbers: dict[tuple[str, int], int] = {}
    for layout in layouts:
        wanted = {sample.row for sample in samples if sample.file == layout.name}
        if wanted:
            with closing(books.services.lake.read(layout.file)) as pieces:
                found = physical_lines(pieces, layout, options, wanted)
            numbers |= {(layout.name, row): line for row, line in found.items()}
    return numbers


def describe_bad_row(row: BadRow, line: int, with_text: bool) -> str:
    """Return one line that says what is wrong with a row; `with_text` lets it quote the row."""
    place = f"{row.file} row {row.row}, line {line}"
    if row.column is None:
        return f"{place}: {row.reason}"
    place = f"{place}, column {row.column}"
    if not with_text and row.text is not None:
        return f"{place}: {row.reason}"
    return f"{place}: {'NULL' if row.text is None else _quoted(row.text)} {row.reason}"


def refused_duplicates(books: Books, files: Sequence[SourceFile], found: Duplicates) -> SourceFileError:
    """Return the error for files with several rows of one key, where the spec refuses them."""
    keys = books.spec.load.keys
    at_fault = [file for ordinal, file in enumerate(files) if ordinal in found.rows_by_file]
    counted = f"{found.keys}, in {sum(found.rows_by_file.values())} rows"
    lines = [f"{at_fault[0].url}: load.duplicates is reject; keys ({', '.join(keys)}) of several rows: {counted}"]
    if len(files) > 1:
        lines += [f"  {file.url}: {found.rows_by_file[files.index(file)]} of these rows" for file in at_fault]
    if books.spec.bad_rows.log_samples:
        for values, rows in found.samples:
            pairs = zip(keys, values, strict=True)
            lines.append("  " + ", ".join(f"{key} {_quoted(value)}" for key, value in pairs) + f": {rows} rows")
        if found.keys > len(found.samples):
            lines.append(f"  and {found.keys - len(found.samples)} more keys")
    lines.append("No row was loaded. Send each key once, or let one row of each win with load.duplicates: deduplicate.")
    return SourceFileError("\n".join(lines), [file.key for file in at_fault])


def _quoted(value: object) -> str:
    if isinstance(value, str) and len(value) > _LONGEST_SAMPLE:
        value = value[: _LONGEST_SAMPLE - 3] + "..."
    return repr(value)

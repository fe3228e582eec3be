"""The errors for files that are refused because of their rows: which are bad, why, and what would load them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NoReturn

from framework.dataclass import dataclass
from framework.errors import Section, SourceFileError
from framework.load.failures.complaints import (
    Malformed,
    Wording,
    malformed_line,
    misfit_lines,
    null_line,
    quoted,
)
from framework.load.failures.remedies import Refused, Remedy, larger_budget, remedies
from framework.load.request import Corrections
from framework.load.run import Run
from framework.load.staged_rows import StagedRows
from framework.log.redaction import without_values
from framework.model.csv_options import CsvOptions
from framework.model.file_options import FixedOptions, JsonOptions, ParquetOptions
from framework.model.measurements import FIRST_BAD_ROWS, BadRow, FileMeasurement
from framework.model.words import counted, share
from framework.plan.audit import LoadFile
from framework.plan.schema_changes import NewColumn
from framework.rows.formats.csv.grammar import grammar_of
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.staging_tables import Duplicates

READ_BAD_ROWS = 100
"""Number of bad rows read again for examples; as many of its own for a column without an example among them."""
MOST_BAD_ROWS = 10_000
REPORTED_FAULTS = 20
MOST_FOOTER_ROWS = 5
"""Up to so many bad rows at a file's end may be a footer."""


@dataclass(frozen=True)
class _Faults:
    """What is wrong with the rows of refused files: some bad rows by column; those of malformed records under None."""

    staged: StagedRows
    examples: Mapping[str | None, Sequence[BadRow]]

    def of(self, column: str | None) -> Sequence[BadRow]:
        """Return the examples of a column."""
        return self.examples.get(column, ())

    @property
    def all(self) -> list[BadRow]:
        """All examples."""
        return [bad for found in self.examples.values() for bad in found]

    @cached_property
    def refused(self) -> list[Refused]:
        """The columns with values that are refused."""
        return [
            Refused(
                None if isinstance(column.change, NewColumn) else column.current_type,
                column.staged,
                self.staged.seen.columns[column.name],
                [bad for bad in self.of(column.name) if bad.text is not None],
                self.staged.seen.values.get(column.name),
            )
            for column in self.staged.plan.columns
            if self.staged.seen.columns[column.name].misfits
        ]


def refuse(run: Run, staged: StagedRows, over: Mapping[FileMeasurement, str]) -> NoReturn:
    """Refuse the files that are over their budget, each with the end of the sentence that says so.

    Raises:
        SourceFileError: always; the message names some of the rows.
    """
    layouts = [staged.batch.files[file.ordinal] for file in over]
    lines = [
        f"{layout.file.url}: {share(file.rows_bad, file.rows_read, 'row')} cannot be loaded{excess}"
        for layout, (file, excess) in zip(layouts, over.items(), strict=True)
    ]
    faults = _Faults(staged, _examples(staged, [file.ordinal for file in over]))
    run.progress.found_bad_rows(_first_rows(faults))
    complaints = list(_complaints(run, faults, with_text=run.spec.bad_rows.log_samples))
    # The keys of objects that JSON holds, which a reason may quote, are often values.
    first = next(_complaints(run, faults, with_text=False), "see the log")
    brief = without_values(f"{lines[0]}: {first}")
    lines += [f"  {complaint}" for complaint in complaints[:REPORTED_FAULTS]]
    if len(complaints) > REPORTED_FAULTS:
        lines.append(f"  and {len(complaints) - REPORTED_FAULTS} more, of other columns")
    ways_out: list[Remedy] = []
    if isinstance(run.request, Corrections):
        lines.append(f"Correct these rows in {run.request.address}, and replay it again with the same command.")
    else:
        ways_out = _ways_out(run.spec, faults)
        if staged.seen.rows_staged:
            ways_out.append(larger_budget(run.spec.bad_rows, list(over)))
        elif not ways_out:
            ways_out += _for_some_rows(run.spec, faults, list(over))
        lines.append(f"Correct the rows and send the file again{', or change the spec:' if ways_out else '.'}")
    lines += [f"  {way_out}" for way_out in ways_out]
    keys = [layout.file.key for layout in layouts]
    raise SourceFileError("\n".join(lines), keys, needs_new_file=not ways_out, brief=brief).about(Section.BAD_ROWS)


def _ways_out(spec: PipelineSpec, faults: _Faults) -> list[Remedy]:
    """Return the changes that load the values of each column; none where a row would stay bad for another reason."""
    seen = faults.staged.seen
    footer = list(_as_footer(faults))
    if any(column.null_keys for column in seen.columns.values()):
        return footer
    if seen.malformed_rows:
        return footer if faults.refused else [*_other_records(faults), *footer]
    of_columns = [remedies(spec, column) for column in faults.refused]
    if not all(of_columns):
        return footer
    return [*(way_out for of_column in of_columns[:REPORTED_FAULTS] for way_out in of_column), *footer]


def _for_some_rows(spec: PipelineSpec, faults: _Faults, files: Sequence[FileMeasurement]) -> Iterator[Remedy]:
    """Yield the change that loads rows without another fault, where no row is good and others have one that stays."""
    found = {each.column.name: remedies(spec, each) for each in faults.refused}
    first = {name: of_column[0] for name, of_column in found.items() if of_column and of_column[0].removed is None}
    rows = {name: {(bad.file, bad.row) for bad in of_column} for name, of_column in faults.examples.items()}
    stay_bad = {row for name, of_column in rows.items() if name not in first for row in of_column}
    if any(rows[name] - stay_bad for name in first if name in rows):
        fields = {field: value for remedy in first.values() for field, value in remedy.fields.items()}
        yield Remedy({**fields, **larger_budget(spec.bad_rows, files).fields}, "rows without another fault load")


def _as_footer(faults: _Faults) -> Iterator[Remedy]:
    """Yield the option that leaves out the bad rows, where they are the last of the load's file and words."""
    staged = faults.staged
    layout, seen = staged.batch.files[0], staged.seen.files[0]
    is_known = len(staged.batch.files) == 1 and not layout.members and staged.batch.sample_rows is None
    is_few = 0 < seen.rows_bad <= MOST_FOOTER_ROWS and seen.rows_bad < seen.rows_read
    options = layout.options
    if isinstance(options, JsonOptions | ParquetOptions) or options.footer_lines or options.footer_from:
        return
    if not is_known or not is_few:
        return
    rows = {bad.row for bad in faults.all if (bad.text or "")[:1].isalpha()}
    if rows == set(range(seen.rows_read - seen.rows_bad + 1, seen.rows_read + 1)):
        yield Remedy({"source.options.footer_lines": str(seen.rows_bad)}, "if the last lines are no rows")


def _other_records(faults: _Faults) -> Iterator[Remedy]:
    """Yield the options that load records with too few or too many fields, where they load all of them."""
    staged, malformed = faults.staged, faults.of(None)
    if len(malformed) < staged.seen.malformed_rows or any(bad.column is not None for bad in malformed):
        return
    changes: dict[str, str] = {}
    for bad in malformed:
        layout = staged.batch.part_named(bad.file)
        if not isinstance(layout.options, CsvOptions):
            return
        fields = grammar_of(layout.options).fields(bad.text or "")
        if len(fields) < len(layout.columns) and layout.options.short_rows == "reject":
            changes["source.options.short_rows"] = "pad"
        elif len(fields) > len(layout.columns) and not any(fields[len(layout.columns) :]):
            changes["source.options.long_rows"] = "ignore"
        else:
            return
    effects = {"pad": "their other fields are NULL", "ignore": "their surplus fields are empty"}
    yield Remedy(changes, " and ".join(effects[value] for value in changes.values()))


def _examples(staged: StagedRows, files: Sequence[int]) -> dict[str | None, list[BadRow]]:
    """Return some bad rows of each column, in order; those of malformed records under None.

    The files are read again where the first bad rows have none of a column.
    """
    seen = staged.seen
    faulty = [each for each in staged.columns if seen.columns[each.name].misfits or seen.columns[each.name].null_keys]
    found: dict[str | None, list[BadRow]] = {}
    for bad in staged.rows.read_bad_rows(staged.columns, files, READ_BAD_ROWS):
        found.setdefault(None if _is_malformed(staged, bad) else bad.column, []).append(bad)
    late = [column for column in faulty if column.name not in found]
    if late or (seen.malformed_rows and None not in found):
        limit = READ_BAD_ROWS + min(seen.malformed_rows, MOST_BAD_ROWS)
        for bad in staged.rows.read_bad_rows(late, files, limit):
            name = None if _is_malformed(staged, bad) else bad.column
            if name is None or any(column.name == name for column in late):
                found.setdefault(name, []).append(bad)
    return found


def _first_rows(faults: _Faults) -> dict[str, tuple[BadRow, ...]]:
    """Return the first bad rows among examples by the key of their source file, each with its first fault."""
    first: dict[str, dict[tuple[str, int], BadRow]] = {}
    batch = faults.staged.batch
    order = {part.name: number for number, part in enumerate(part for file in batch.files for part in file.parts)}
    for bad in sorted(faults.all, key=lambda bad: (order[bad.file], bad.row)):
        of_file = first.setdefault(batch.part_named(bad.file).file.key, {})
        if len(of_file) < FIRST_BAD_ROWS:
            of_file.setdefault((bad.file, bad.row), bad.in_short)
    return {key: tuple(of_file.values()) for key, of_file in first.items()}


def _is_malformed(staged: StagedRows, bad: BadRow) -> bool:
    """Return whether a record itself is bad: in text without types of its own, a NUL makes it so."""
    options = staged.batch.part_named(bad.file).options
    return bad.column is None or (isinstance(options, CsvOptions | FixedOptions) and "\0" in (bad.text or ""))


def _complaints(run: Run, faults: _Faults, *, with_text: bool) -> Iterator[str]:
    """Yield a line for each fault, over all files of the load; `with_text` lets it quote a value."""
    staged, seen = faults.staged, faults.staged.seen
    is_one_file = len(staged.batch.files) == 1 and not staged.batch.files[0].members

    def place(bad: BadRow) -> str:
        if isinstance(run.request, Corrections):
            return run.request.places[bad.row - 1]
        file = "" if is_one_file else f"{bad.file}, "
        line = "" if bad.line is None else f", line {bad.line}"
        return f"{file}row {bad.row}{line}"

    wording = Wording(place, with_text)
    rows = sum(file.rows_read for file in seen.files)
    if seen.malformed_rows:
        malformed = faults.of(None)
        first = staged.batch.part_named(malformed[0].file) if malformed else staged.batch.files[0]
        delimiter = first.options.delimiter if isinstance(first.options, CsvOptions) else None
        fields = None if delimiter is None else _field_counts(staged, malformed)
        yield malformed_line(Malformed(seen.malformed_rows, rows, malformed, fields, delimiter), wording)
    for column in staged.columns:
        count = seen.columns[column.name].null_keys
        if count:
            nulls = [place(bad) for bad in faults.of(column.name) if bad.text is None]
            yield null_line(column, count, rows, column.name in run.spec.load.keys, next(iter(nulls), None))
    for each in faults.refused:
        yield from misfit_lines(each, wording)


def _field_counts(staged: StagedRows, malformed: Sequence[BadRow]) -> tuple[int, int] | None:
    """Return the field counts of the first record that differs from its header, and of the header."""
    first = next((bad for bad in malformed if bad.column is None), None)
    if first is None:
        return None
    layout = staged.batch.part_named(first.file)
    assert isinstance(layout.options, CsvOptions)
    return len(grammar_of(layout.options).fields(first.text or "")), len(layout.columns)


def refused_duplicates(spec: PipelineSpec, files: Sequence[LoadFile], found: Duplicates) -> SourceFileError:
    """Return the error for files with several rows of one key, where the spec refuses them."""
    keys = spec.load.keys
    sources = [file.source for file in files]
    at_fault = [file for ordinal, file in enumerate(sources) if ordinal in found.rows_by_file]
    of_rows, of_keys = counted(sum(found.rows_by_file.values()), "row"), counted(found.keys, "key")
    lines = [f"{at_fault[0].url}: {of_rows} share {of_keys} ({', '.join(keys)}), and load.duplicates is reject"]
    if len(files) > 1:
        lines += [f"  {file.url}: {found.rows_by_file[sources.index(file)]} of these rows" for file in at_fault]
    if spec.bad_rows.log_samples:
        for values, rows in found.samples:
            pairs = zip(keys, values, strict=True)
            lines.append("  " + ", ".join(f"{key} {quoted(value)}" for key, value in pairs) + f": {rows} rows")
        if found.keys > len(found.samples):
            lines.append(f"  and {found.keys - len(found.samples)} more keys")
    lines.append("No row was loaded. Send each key once, or let one row of each win with load.duplicates: deduplicate.")
    return SourceFileError("\n".join(lines), [file.key for file in at_fault]).about(Section.KEYS)

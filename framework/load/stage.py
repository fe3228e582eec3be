"""Staging: from a load's files to Parquet and measurements. The only part of a load that touches rows.

`run` writes staging files; `plan` uses this module too, and only measures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from framework.dataclass import dataclass
from framework.errors import Section, SourceFileError, UndecodableFileError
from framework.load.first_look import (
    Feed,
    FirstLook,
    read_starts,
    require_shape,
    wrong_encodings,
)
from framework.load.layouts import read_layouts, require_known_column, with_paths
from framework.load.planning import Answer, from_warehouse
from framework.load.quarantine.budget import quarantine_bad_rows
from framework.load.quarantine.folder import empty_quarantine
from framework.load.request import accepted_by
from framework.load.run import Run, Step
from framework.load.staged_rows import StagedRows
from framework.model.file_options import changed_options
from framework.model.files import SourceBatch
from framework.model.measurements import BadRow, ColumnMeasurement, Measurements
from framework.model.observation import Observation
from framework.model.words import counted
from framework.plan.audit import LoadFile
from framework.plan.columns import ColumnPlan, columns_to_profile, plan_columns
from framework.plan.fit import file_columns, refuse_too_many
from framework.plan.load_input import Staged
from framework.plan.lookups import FindFilledColumns
from framework.plan.measured import apply_measurements, with_samples
from framework.plan.missing import emptied_columns, lost_values
from framework.plan.schema_changes import Widening
from framework.rows.protocol import SourceRows
from framework.spec.pipeline import PipelineSpec

MAX_STAGING_PASSES = 3
MAX_SAMPLED_ROWS = 100
"""Maximum number of bad rows that are read for a value that explains why a column changes."""
MAX_SEARCHED_BYTES = 256 * 1024**2
"""The most bytes of files that are read once more for a text that explains why a VARCHAR column grows."""


@dataclass(frozen=True)
class StagingPlace:
    """The place for staging files: `destination` is an empty `s3://` prefix, None to measure only.

    `sample_rows`: see SourceBatch.
    """

    destination: str | None = None
    sample_rows: int | None = None

    def below(self, name: str) -> str | None:
        """Return an address below the destination; None where nothing is written."""
        return None if self.destination is None else f"{self.destination}{name}"


@dataclass(frozen=True)
class Staging:
    """The result of staging, and the observation it was made on; `number` counts the passes of the run."""

    staged: Staged
    observed: Observation
    number: int

    def serves(self, files: Sequence[LoadFile], observed: Observation) -> bool:
        """Return whether staging the files on this observation would have the same result."""
        same_files = [layout.file for layout in self.staged.batch.files] == [file.source for file in files]
        before = self.observed
        return same_files and (before.table, before.spellings) == (observed.table, observed.spellings)


def stage_again(run: Run, files: Sequence[LoadFile], observed: Observation, before: Staging | None) -> Staging:
    """Return the staged files; reuses an earlier result that would be the same."""
    run.progress.enter(Step.PREPARE)
    answer = from_warehouse(run)
    if before is not None and before.serves(files, observed):
        # Other rows may have come into the target since.
        _refuse_emptied_columns(run.spec, before.staged.batch, observed, before.staged.columns, answer)
        return before
    empty_quarantine(run)
    number = 1 if before is None else before.number + 1
    place = StagingPlace(run.lake.url(f"{run.prefix}plan-{number}/"))
    return Staging(stage(run, files, observed, place, answer), observed, number)


def stage(run: Run, files: Sequence[LoadFile], observed: Observation, place: StagingPlace, answer: Answer) -> Staged:
    """Return the files' rows as staged, or only measured.

    A file that turns out not to be valid in its encoding is read once more in the next one of the spec.

    Raises:
        SourceFileError: a file cannot be loaded as it is, or holds bad rows.
        SchemaChangeError: the spec does not allow what the files bring.
    """
    tried: dict[str, str] = {}
    while True:
        looks, batch = _read_batch(run, files, observed, tried)
        batch = replace(batch, sample_rows=place.sample_rows)
        try:
            return _stage(run, looks, batch, observed, place, answer)
        except UndecodableFileError as error:
            at_fault = wrong_encodings(Feed(run.spec, observed.source_format, tried), batch, error)
            run.log.info("bytes are not valid in the encoding; the next one is tried", step="stage", files=at_fault)
            tried |= at_fault


def _stage(
    run: Run, looks: Sequence[FirstLook], batch: SourceBatch, observed: Observation, place: StagingPlace, answer: Answer
) -> Staged:
    spec = run.spec
    engine = run.services.frames(batch)
    run.progress.chose(engine.name)
    contents = {look.file: look.content for look in looks if look.content is not None}
    with engine.open(batch, run.progress.watch, contents) as rows:
        if not all(layout.columns for layout in batch.files):
            rows, batch = _named(run, looks, batch, rows, observed)
        names = file_columns(spec, batch)
        refuse_too_many(spec, observed.table, batch.files[0].file.url, names)
        unknown = columns_to_profile(spec, observed.table, batch)
        profiles = rows.profile(unknown) if unknown else {}
        if unknown:
            run.log.info("profiled the columns without a type", step="profile", columns=list(unknown))
        columns = plan_columns(spec, observed.table, batch, profiles, run.names.started_at)
        _refuse_emptied_columns(spec, batch, observed, columns, answer)
        columns, seen = _stage_until_settled(run, batch, rows, columns, place)
        if place.destination is not None and not seen.staging_files:
            # Otherwise nobody would find what the run leaves if it crashes.
            run.lake.put(f"{run.prefix}without-rows", run.run_id)
        checked = StagedRows(batch, rows, columns, seen)
        quarantine = quarantine_bad_rows(run, checked, writes=place.destination is not None)
    if place.sample_rows is None or not seen.rows_staged:
        _refuse_too_few_rows(run, batch, seen)
    return Staged(batch, columns, seen, quarantine)


def _named(
    run: Run, looks: Sequence[FirstLook], batch: SourceBatch, rows: SourceRows, observed: Observation
) -> tuple[SourceRows, SourceBatch]:
    """Return the rows and the batch of files whose records name their fields, with these as columns."""
    looks = with_paths(run.spec, observed.table, looks, rows)
    named = read_layouts(run.spec, run.files, looks, observed, run.log)
    named = replace(named, sample_rows=batch.sample_rows)
    if not accepted_by(run.request).new_columns:
        require_known_column(run.spec, observed.table, looks, named)
    return rows.named(named), named


def _read_batch(
    run: Run, files: Sequence[LoadFile], observed: Observation, tried: Mapping[str, str]
) -> tuple[Sequence[FirstLook], SourceBatch]:
    spec = run.spec
    feed = Feed(spec, observed.source_format, tried)
    looks = read_starts(feed, run.files, [file.source for file in files])
    require_shape(spec, observed.table, looks)
    batch = read_layouts(spec, run.files, looks, observed, run.log)
    if batch.files[0].columns and not accepted_by(run.request).new_columns:
        require_known_column(spec, observed.table, looks, batch)
    for url, options in decided_options(spec, batch).items():
        run.log.info("the file decides its options", step="stage", file=url, options=options)
    return looks, batch


def decided_options(spec: PipelineSpec, batch: SourceBatch) -> dict[str, dict[str, object]]:
    """Return by address the options that files decide themselves, as far as the spec lets them."""
    found: dict[str, dict[str, object]] = {}
    for part in (part for layout in batch.files for part in layout.parts):
        name = part.options.format
        of_format = {"format": name} if spec.source.format == "auto" and name != "csv" else {}
        options = of_format | changed_options(part.options, spec.source.options_of(name))
        # What a line begins with is decided by how many lines stand above it.
        if "skip_until" in options:
            options = {**options, "skip_until": None, "skip_lines": vars(part.options)["skip_lines"]}
        if options.pop("is_lines", False):
            options["records"] = "one per line"
        if options:
            found[part.url] = {name: value for name, value in options.items() if value is not None}
    return found


def _stage_until_settled(
    run: Run, batch: SourceBatch, rows: SourceRows, columns: ColumnPlan, place: StagingPlace
) -> tuple[ColumnPlan, Measurements]:
    """Stage until the types hold all values: one pass, or a second where a number exceeds its type."""
    for attempt in range(MAX_STAGING_PASSES):
        below = place.below(f"rows-{attempt}")
        seen = rows.stage(columns.staged, below)
        run.log.info(
            "staged" if below else "measured",
            step="stage",
            staging_pass=attempt + 1,
            rows=seen.rows_staged,
            rows_not_fitting=seen.rows_bad,
            **({"footer_lines": seen.footer_lines} if seen.footer_lines else {}),
            phase_seconds=dict(rows.phase_seconds),
        )
        decided = apply_measurements(run.spec, columns, seen)
        if decided.staged == columns.staged:
            return _with_long_texts(run.spec, batch, rows, decided), seen
        columns = _with_samples(run.spec, rows, columns, decided, seen)
    raise SourceFileError(f"{batch.files[0].file.url}: the types did not settle in {MAX_STAGING_PASSES} passes")


def _with_samples(
    spec: PipelineSpec, rows: SourceRows, measured: ColumnPlan, decided: ColumnPlan, seen: Measurements
) -> ColumnPlan:
    """Return the plan with the first value of each column that is staged as another type because of its values.

    Of a column that grows it is left out where other values fit no type at all: the first may be one of them.
    """
    changed = [
        before
        for before, after in zip(measured.staged, decided.staged, strict=True)
        if before.type != after.type and (after.type.is_text or _all_grow(seen.columns[before.name]))
    ]
    if not changed or not spec.bad_rows.log_samples:
        return decided
    files = [file.ordinal for file in seen.files if file.rows_bad]
    return with_samples(decided, _first_texts(rows.read_bad_rows(changed, files, MAX_SAMPLED_ROWS)))


def _all_grow(seen: ColumnMeasurement) -> bool:
    return seen.misfits == seen.wider


def _with_long_texts(spec: PipelineSpec, batch: SourceBatch, rows: SourceRows, decided: ColumnPlan) -> ColumnPlan:
    """Return the plan with the first text that is too long, of each VARCHAR column that grows.

    Such texts are staged as they are, so that finding one takes another pass: only small files are worth it.
    """
    grown = [
        replace(column.staged, type=column.current_type)
        for column in decided.columns
        if isinstance(column.change, Widening) and column.may_widen and column.current_type.is_text
    ]
    size_bytes = sum(layout.file.size_bytes for layout in batch.files)
    if not grown or not spec.bad_rows.log_samples or size_bytes > MAX_SEARCHED_BYTES:
        return decided
    files = [layout.ordinal for layout in batch.files]
    return with_samples(decided, _first_texts(rows.read_bad_rows(grown, files, MAX_SAMPLED_ROWS, staged=False)))


def _first_texts(found: Sequence[BadRow]) -> dict[str, BadRow]:
    """Return the first bad row with a text of each column."""
    return {bad.column: bad for bad in reversed(found) if bad.column is not None and bad.text is not None}


def _refuse_emptied_columns(
    spec: PipelineSpec, batch: SourceBatch, observed: Observation, columns: ColumnPlan, answer: Answer
) -> None:
    """Reject a replacement that lacks columns in which the table holds values, unless the spec has a policy."""
    names = tuple(fill.column for fill in columns.fills if fill.unless_filled)
    filled = (answer(observed, FindFilledColumns(names)).filled or frozenset()) if names else frozenset()
    if lost := [column.name for column in columns.kept if column.name in filled]:
        assert observed.table is not None
        raise lost_values(spec, [column for column in observed.table.columns if column.name in lost])
    if filled:
        in_order = [name for name in names if name in filled]
        raise emptied_columns(spec, in_order, batch.files[0].file, columns.warnings)


def _refuse_too_few_rows(run: Run, batch: SourceBatch, seen: Measurements) -> None:
    spec, expect = run.spec, run.spec.expect
    if accepted_by(run.request).shrink or seen.rows_staged >= expect.min_rows:
        return
    found = f"the load has {counted(seen.rows_staged, 'good row')}"
    is_default = 0 < expect.min_rows == spec.load.mode.fewest_rows
    default = f", by default for load.mode {spec.load.mode.name}" if is_default else ""
    raise SourceFileError(
        f"{batch.files[0].file.url}: {found}, and expect.min_rows is {expect.min_rows}{default}. "
        "Send the file with its rows.",
        accept_with="--allow-shrink",
    ).about(Section.REPLACEMENT)

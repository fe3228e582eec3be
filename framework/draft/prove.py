"""The proof of a proposal: all rows staged with the types that the first load would give them, and the keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from framework.dataclass import dataclass
from framework.draft.keys import KeyColumn, Keys, check_keys, guess_keys
from framework.draft.proposal import Proposal
from framework.draft.reading import Samples, read_rows
from framework.draft.scratch import Scratch, open_scratch
from framework.draft.settle import Settled, Settling, composed
from framework.draft.texts import Texts
from framework.errors import SourceFileError, SpecError
from framework.model.clean_name import clean_name
from framework.model.column_type import Kind
from framework.model.files import SourceBatch
from framework.model.measurements import Measurements
from framework.model.staging import FromFile
from framework.model.words import counted
from framework.plan.columns import ColumnPlan, PlannedColumn, columns_to_profile, plan_columns
from framework.plan.schema_changes import NewColumn
from framework.rows.protocol import SourceRows

_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""The run date of rows that are loaded nowhere."""
_SETTLED_FORMATS = ("csv", "excel")
"""Formats whose texts may be values of any type; JSON and Parquet say themselves what is a text."""


@dataclass(frozen=True)
class Proof:
    """A proposal that holds for all rows. `columns` are those of the files, `file_columns` the names in each file."""

    proposal: Proposal
    settled: Mapping[str, Settled]
    columns: tuple[PlannedColumn, ...]
    keys: Keys
    rows: int
    file_columns: tuple[tuple[str, ...], ...]


def prove(samples: Samples, texts: Texts, asked_keys: Sequence[str]) -> Proof:
    """Return the proposal with notations and keys; without `asked_keys` they are guessed.

    Raises:
        SourceFileError: there is no row, or one does not fit the types.
        SpecError: the keys that were asked for do not identify a row.
    """

    def use(batch: SourceBatch, rows: SourceRows) -> Proof:
        proposal, settled = _settled(samples, texts, batch, rows)
        own = tuple(part.columns for layout in batch.files for part in layout.parts)
        _require_related(batch)
        proposal = replace(proposal, fills_with_null=len(set(map(frozenset, own))) > 1)
        plan = _planned(proposal, batch, rows)
        if any(map(_is_by_rule_of_fractions, plan.columns)):
            proposal = replace(proposal, fits_decimals=True)
            plan = _planned(proposal, batch, rows)
        seen = _staged(samples, plan, batch, rows)
        with open_scratch(samples.scratch, samples.memory_bytes, seen.staging_files) as scratch:
            keys = _keys((proposal.name, asked_keys), batch, plan, scratch)
        with_keys = replace(proposal, keys=keys.names, rejects_duplicates=not asked_keys)
        plan = _planned(with_keys, batch, rows)
        if rows.stage(plan.staged, None).rows_bad:
            raise SourceFileError(f"{samples.sources[0].url}: not all values of {', '.join(keys.names)} fit its type")
        columns = tuple(column for column in plan.columns if isinstance(column.staged.value, FromFile))
        return Proof(with_keys, settled, columns, keys, seen.rows_staged, own)

    return read_rows(samples, texts.proposal.spec(), use)


def _require_related(batch: SourceBatch) -> None:
    """Refuse a file that has no column of any other one.

    Raises:
        SourceFileError: names it.
    """
    files = [(file.url, set(file.columns)) for layout in batch.files for file in layout.parts]
    for place, (url, names) in enumerate(files):
        others = [other for _, other in (*files[:place], *files[place + 1 :])]
        if others and not names & set().union(*others):
            raise SourceFileError(f"{url}: it has no column in common with the other files, so it is of another feed")


def _settled(
    samples: Samples, texts: Texts, batch: SourceBatch, rows: SourceRows
) -> tuple[Proposal, Mapping[str, Settled]]:
    if batch.files[0].options.format not in _SETTLED_FORMATS:
        return texts.proposal, {}
    with open_scratch(samples.scratch, samples.memory_bytes, texts.seen.staging_files) as scratch:
        settled = Settling(rows, scratch, texts.names).settle()
    return composed(texts.proposal, settled, rows), settled


def _planned(proposal: Proposal, batch: SourceBatch, rows: SourceRows) -> ColumnPlan:
    spec = proposal.spec()
    unknown = columns_to_profile(spec, None, batch)
    return plan_columns(spec, None, batch, rows.profile(unknown) if unknown else {}, _NEVER)


def _is_by_rule_of_fractions(column: PlannedColumn) -> bool:
    reason = column.change.reason if isinstance(column.change, NewColumn) else None
    return reason is not None and reason.decided_by == "rule" and column.target_type.kind is Kind.DECIMAL


def _staged(samples: Samples, plan: ColumnPlan, batch: SourceBatch, rows: SourceRows) -> Measurements:
    """Stage all rows with their types into the scratch folder.

    Raises:
        SourceFileError: there is none, or one does not fit.
    """
    seen = rows.stage(plan.staged, f"{samples.scratch}/typed")
    if seen.rows_bad:
        bad = rows.read_bad_rows(plan.staged, [file.ordinal for file in seen.files if file.rows_bad], 1)[0]
        url = batch.part_named(bad.file).url
        raise SourceFileError(f"{url}: row {bad.row} has no value for {bad.column}: {bad.reason}")
    if not seen.rows_staged:
        url = samples.sources[0].url
        raise SourceFileError(f"{url}: there is no row, and without rows columns show no types{_why_none(batch)}")
    return seen


def _why_none(batch: SourceBatch) -> str:
    is_csv = batch.files[0].options.format == "csv"
    return ". A single line is taken for the header, and may be a row: a sample needs both" if is_csv else ""


def _keys(asked: tuple[str, Sequence[str]], batch: SourceBatch, plan: ColumnPlan, scratch: Scratch) -> Keys:
    """Return the keys that were asked for, or guessed ones. `asked` has the feed's name too.

    Raises:
        SpecError: those that were asked for do not identify a row.
    """
    pipeline, names = asked
    everywhere = set.intersection(*(set(part.columns) for layout in batch.files for part in layout.parts))
    of_files = [column for column in plan.columns if isinstance(column.staged.value, FromFile)]
    nulls = scratch.nulls([column.name for column in of_files])
    columns = [KeyColumn(each.name, each.target_type, nulls[each.name]) for each in of_files if each.name in everywhere]
    if not names:
        found = guess_keys(pipeline, columns, scratch.rows, scratch.repeated)
        return replace(found, why=found.why + _in_several_files(found.names, batch, scratch))
    known = [column.name for column in of_files]
    names = tuple(name if name in known else clean_name(name, 1) for name in names)
    if twice := [name for name in names if names.count(name) > 1]:
        raise SpecError(f"--keys names {twice[0]!r} twice. No spec was written")
    by_name = {column.name: column for column in columns}
    repeated = scratch.repeated(names) if by_name.keys() >= set(names) else 0
    if fault := check_keys(names, by_name, known, repeated):
        raise SpecError(f"--keys {','.join(names)}: {fault}. No spec was written")
    return Keys(names, "given with --keys: a value in every row, none twice in a file")


def _in_several_files(names: Sequence[str], batch: SourceBatch, scratch: Scratch) -> str:
    count = scratch.shared(names) if names and len(batch.files) > 1 else 0
    found = counted(count, "key comes", "keys come")
    return f"; {found} in several files, of which the last one to load wins" if count else ""

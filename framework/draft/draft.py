"""From sample files to the text of a spec. Every row of every file is read; nothing is decided by a sample.

1. Beginnings (starts.py, dialect.py): format, encoding, and the dialects in which the first records are regular.
2. Texts (texts.py): the first dialect in which all rows are sound, staged as texts into a folder of this machine.
3. Values (settle.py): the notation in which all texts of a column are values; where two fit, the column stays text.
4. Proof: the rows are staged with the types that the first load would give the columns. None may be bad.
5. Keys (keys.py): the columns that identify a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from framework.draft.comments import Findings, comments_of, head_of
from framework.draft.differences import differences_of
from framework.draft.keys import KeyColumn, Keys, check_keys, guess_keys
from framework.draft.naming import pattern_of
from framework.draft.proposal import Proposal
from framework.draft.reading import Samples, read_rows
from framework.draft.scratch import Scratch, open_scratch
from framework.draft.settle import Settled, Settling, composed
from framework.draft.starts import read_starts
from framework.draft.texts import Asked, Texts, read_texts, require_western, with_trim
from framework.errors import SourceFileError, SpecError
from framework.model.clean_name import clean_name
from framework.model.files import SourceBatch
from framework.model.staging import FromFile
from framework.model.words import counted
from framework.plan.columns import ColumnPlan, PlannedColumn, columns_to_profile, plan_columns
from framework.rows.protocol import SourceRows

_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""The run date of rows that are loaded nowhere."""
_SETTLED_FORMATS = ("csv", "excel")
"""Formats whose texts may be values of any type; JSON and Parquet say themselves what is a text."""


@dataclass(frozen=True)
class DraftRequest:
    """What to draft: the feed's name, and the folder in the lake where its files arrive.

    `keys` are columns that identify a row, without any they are guessed. Without `with_samples` no cell of a file is in
    the text.
    """

    name: str
    prefix: str
    keys: Sequence[str] = ()
    views: Sequence[Mapping[str, object]] = ()
    with_samples: bool = True
    asked: Asked = field(default_factory=Asked)


@dataclass(frozen=True)
class DraftedColumn:
    """A column of the table that the first load would create, and the reason for its type."""

    name: str
    type: str
    reason: str


@dataclass(frozen=True)
class Draft:
    """A spec, and what was decided for it."""

    text: str
    format: str
    rows: int
    files: tuple[str, ...]
    columns: tuple[DraftedColumn, ...]
    keys: tuple[str, ...]
    why_keys: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Proof:
    """All rows with the types of their columns."""

    proposal: Proposal
    settled: Mapping[str, Settled]
    columns: tuple[PlannedColumn, ...]
    keys: Keys
    rows: int
    file_columns: tuple[tuple[str, ...], ...]


def draft_feed(request: DraftRequest, samples: Samples) -> Draft:
    """Return the spec of a feed with such files.

    Raises:
        SourceFileError: a file cannot become part of a feed; the message says why in one line.
        SpecError: the keys are no keys, or the views no views.
    """
    starts = read_starts(samples.files, samples.sources)
    names = [file.key.rpartition("/")[2] for file in samples.sources]
    first = Proposal(request.name, request.prefix, pattern_of(names), starts.members, views=request.views)
    first.spec()
    texts = read_texts(samples, starts, first, request.asked)
    texts = with_trim(samples, texts)
    letters = require_western(samples, texts) if request.asked.encoding is None else []
    proof = _prove(samples, texts, request, starts.format)
    findings = Findings(
        proposal=proof.proposal,
        settled=proof.settled,
        keys=proof.keys,
        types={column.name: column.target_type for column in proof.columns},
        differences=differences_of(samples, proof.proposal, proof.columns, proof.file_columns),
        letters=letters,
        with_samples=request.with_samples,
    )
    comments = comments_of(findings)
    text = head_of(names, proof.rows) + proof.proposal.text(comments)
    return Draft(
        text=text,
        format=starts.format,
        rows=proof.rows,
        files=tuple(file.url for file in samples.sources),
        columns=tuple(_drafted(column) for column in proof.columns if isinstance(column.staged.value, FromFile)),
        keys=proof.proposal.keys,
        why_keys=proof.keys.why,
        notes=tuple(
            ": ".join(filter(None, (".".join(path), line))) for path, lines in comments.items() for line in lines
        ),
    )


def _prove(samples: Samples, texts: Texts, request: DraftRequest, name: str) -> _Proof:
    def use(batch: SourceBatch, rows: SourceRows) -> _Proof:
        proposal, settled = texts.proposal, dict[str, Settled]()
        if name in _SETTLED_FORMATS:
            with open_scratch(samples.scratch, samples.memory_bytes, texts.seen.staging_files) as scratch:
                is_semicolon = proposal.options.get("delimiter") == ";"
                settled = dict(Settling(rows, scratch, texts.names, is_semicolon).settle())
            proposal = composed(proposal, settled, rows)
        plan = _planned(proposal, batch, rows)
        seen = rows.stage(plan.staged, f"{samples.scratch}/typed")
        if not seen.rows_staged and not seen.rows_bad:
            raise SourceFileError(f"{samples.sources[0].url}: there is no row, and without rows columns show no types")
        if seen.rows_bad:
            bad = rows.read_bad_rows(plan.staged, [file.ordinal for file in seen.files if file.rows_bad], 1)[0]
            raise SourceFileError(f"{bad.file}: row {bad.row} has no value for {bad.column}: {bad.reason}")
        with open_scratch(samples.scratch, samples.memory_bytes, seen.staging_files) as scratch:
            keys = _keys(request, batch, plan, scratch, seen.rows_staged)
        own = tuple(part.columns for layout in batch.files for part in layout.parts)
        proposal = replace(
            proposal,
            keys=keys.names,
            rejects_duplicates=not request.keys,
            fills_with_null=len(set(map(frozenset, own))) > 1,
        )
        final = _planned(proposal, batch, rows)
        if rows.stage(final.staged, None).rows_bad:
            keys = Keys((), f"the values of {', '.join(keys.names)} do not fit the type of a key")
            proposal, final = replace(proposal, keys=()), plan
        return _Proof(proposal, settled, final.columns, keys, seen.rows_staged, own)

    return read_rows(samples, texts.proposal.spec(), use)


def _planned(proposal: Proposal, batch: SourceBatch, rows: SourceRows) -> ColumnPlan:
    spec = proposal.spec()
    unknown = columns_to_profile(spec, None, batch)
    return plan_columns(spec, None, batch, rows.profile(unknown) if unknown else {}, _NEVER)


def _keys(request: DraftRequest, batch: SourceBatch, plan: ColumnPlan, scratch: Scratch, rows: int) -> Keys:
    """Return the keys that were asked for, or guessed ones.

    Raises:
        SpecError: those that were asked for do not identify a row.
    """
    everywhere = set.intersection(*(set(part.columns) for layout in batch.files for part in layout.parts))
    of_files = [column for column in plan.columns if isinstance(column.staged.value, FromFile)]
    common = [column for column in of_files if column.name in everywhere]
    nulls = scratch.nulls([column.name for column in common]) if rows else {}
    columns = [KeyColumn(column.name, column.target_type, nulls.get(column.name, 0)) for column in common]
    if not request.keys:
        found = guess_keys(request.name, columns, rows, scratch.repeated)
        return replace(found, why=found.why + _in_several_files(found.names, batch, scratch))
    known = {column.name for column in of_files}
    names = tuple(name if name in known else clean_name(name, 1) for name in request.keys)
    by_name = {column.name: column for column in columns}
    repeated = scratch.repeated(names) if rows and by_name.keys() >= set(names) else 0
    if fault := check_keys(names, by_name, [column.name for column in of_files], repeated):
        raise SpecError(f"--keys {','.join(request.keys)}: {fault}. No spec was written")
    return Keys(names, "given with --keys: a value in every row, none twice in a file")


def _in_several_files(names: Sequence[str], batch: SourceBatch, scratch: Scratch) -> str:
    count = scratch.shared(names) if names and len(batch.files) > 1 else 0
    found = counted(count, "key comes", "keys come")
    return f"; {found} in several files, of which the last one to load wins" if count else ""


def _drafted(column: PlannedColumn) -> DraftedColumn:
    reason = getattr(column.change, "reason", "")
    return DraftedColumn(column.name, column.target_type.sql, str(reason))

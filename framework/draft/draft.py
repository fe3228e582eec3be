"""From sample files to the text of a spec. Every row of every file is read; nothing is decided by a sample.

1. Beginnings (starts.py, dialect.py): format, encoding, and the dialects in which the first records are regular.
2. Texts (texts.py): the first dialect in which all rows are sound, staged as texts into a folder of this machine.
3. Values (settle.py): the notation in which all texts of a column are values; where two fit, the column stays text.
4. Proof (prove.py): the rows are staged with the types that the first load would give the columns. None may be bad.
5. Keys (keys.py): the columns that identify a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from framework.dataclass import dataclass
from framework.draft.comments import Findings, comments_of, head_of
from framework.draft.differences import differences_of
from framework.draft.naming import pattern_of
from framework.draft.proposal import Proposal
from framework.draft.prove import Proof, prove
from framework.draft.reading import Samples
from framework.draft.spec_text import Path
from framework.draft.starts import read_starts
from framework.draft.texts import Asked, Texts, read_texts, require_western, with_trim
from framework.errors import SpecError

_ASKED_BY = (
    ("source.options.encoding", "--encoding"),
    ("source.options.delimiter", "--delimiter"),
    ("source.options.skip_lines", "--skip-lines"),
    ("source", "--from"),
    ("views", "--views"),
)
"""The options of `init` by the fields of a spec that they fill; the others come from NAME."""


@dataclass(frozen=True)
class DraftRequest:
    """What to draft: the feed's name, and the folder in the lake where its files arrive.

    `keys` are columns that identify a row; without any they are guessed.
    """

    name: str
    prefix: str
    keys: Sequence[str]
    views: Sequence[Mapping[str, object]]
    asked: Asked


@dataclass(frozen=True)
class DraftedColumn:
    """A column of the table that the first load would create, and the reason for its type."""

    name: str
    type: str
    reason: str


@dataclass(frozen=True)
class Draft:
    """A spec, and what was decided for it. `notes` are the comments, each behind the path of its field."""

    text: str
    format: str
    rows: int
    files: tuple[str, ...]
    columns: tuple[DraftedColumn, ...]
    keys: tuple[str, ...]
    why_keys: str
    notes: tuple[str, ...]


def draft_feed(request: DraftRequest, samples: Samples) -> Draft:
    """Return the spec of a feed with such files.

    Raises:
        SourceFileError: a file cannot become part of a feed; the message says why in its first line.
        SpecError: the name is none of a feed, the keys are no keys, or the views no views.
    """
    names = [file.key.rpartition("/")[2] for file in samples.sources]
    first = Proposal(request.name, request.prefix, pattern_of(names), views=request.views)
    _require_allowed(replace(first, options=request.asked.options()))
    starts = read_starts(samples.files, samples.sources)
    texts = with_trim(samples, read_texts(samples, starts, first, request.asked))
    proof = prove(samples, texts, request.keys)
    comments = comments_of(_findings(request, samples, texts, proof))
    return Draft(
        text=head_of(names, proof.rows) + proof.proposal.text(comments),
        format=starts.format,
        rows=proof.rows,
        files=tuple(file.url for file in samples.sources),
        columns=tuple(
            DraftedColumn(column.name, column.target_type.sql, getattr(column.change, "reason", ""))
            for column in proof.columns
        ),
        keys=proof.proposal.keys,
        why_keys=proof.keys.why,
        notes=tuple(_note(path, text) for path, texts_of in comments.items() for text in texts_of),
    )


def _require_allowed(asked: Proposal) -> None:
    """Check what was asked for before a file is read.

    Raises:
        SpecError: names the option that is not allowed, for there is no spec yet.
    """
    try:
        asked.spec()
    except SpecError as error:
        problem = error.problems[0]
        option = next((option for field, option in _ASKED_BY if problem.message.startswith(field)), "NAME")
        raise SpecError(f"{option}: {problem.message}. {problem.fix}".rstrip()) from error


def _findings(request: DraftRequest, samples: Samples, texts: Texts, proof: Proof) -> Findings:
    return Findings(
        proposal=proof.proposal,
        settled=proof.settled,
        keys=proof.keys,
        differences=differences_of(samples, proof.proposal, proof.columns, proof.file_columns),
        letters=require_western(samples, texts) if request.asked.encoding is None else [],
        ends=texts.ends,
        with_samples=request.asked.may_show,
    )


def _note(path: Path, text: str) -> str:
    return f"{'.'.join(path)}: {text.strip()}" if path else text.strip()

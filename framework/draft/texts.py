"""The options with which all rows of the sample files are sound: candidates by their beginnings, proof by every row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field, replace

from framework.dataclass import dataclass
from framework.draft.dialect import Known, Text, find_dialects
from framework.draft.encoding import FALLBACK, encodings_for, first_text, is_western
from framework.draft.footer import Ends, find_footer
from framework.draft.json_records import records_option
from framework.draft.proposal import Proposal, written_options
from framework.draft.reading import Samples, read_rows
from framework.draft.scratch import open_scratch
from framework.draft.sheet import sheet_options
from framework.draft.starts import Start, Starts, about
from framework.errors import SchemaChangeError, SourceFileError, SpecError
from framework.model.column_type import MAX_VARCHAR_BYTES, varchar
from framework.model.csv_options import CsvOptions
from framework.model.files import FileLayout, SourceBatch
from framework.model.measurements import BadRow, Measurements
from framework.model.notation import PLAIN
from framework.model.staging import FILE_COLUMN, ROW_COLUMN, FromFile, StagingColumn
from framework.model.words import counted, share
from framework.plan.column_names import clean_names
from framework.plan.fit import MAX_COLUMNS, file_columns, refuse_too_many
from framework.plan.infer_type import infer
from framework.rows.protocol import SourceRows

_MOST_BAD_ROWS = 50
_MOST_TEXTS = 500
_RESERVED = {FILE_COLUMN: "source_file", ROW_COLUMN: "source_row"}
_METADATA = {"run_date": "loaded_at", "file_name": "loaded_from"}


@dataclass(frozen=True)
class Asked:
    """What the caller knows of the files: their encoding, their delimiter and how many lines stand above the header.

    None where the files show it.

    Unless they `may_show` cells, options hold none.
    """

    encoding: str | None = None
    delimiter: str | None = None
    skip_lines: int | None = None
    may_show: bool = True

    def options(self) -> dict[str, object]:
        """Return what is known as `source.options` has it."""
        known = {"encoding": self.encoding, "delimiter": self.delimiter, "skip_lines": self.skip_lines}
        return {name: value for name, value in known.items() if value is not None}


@dataclass(frozen=True)
class Texts:
    """All rows as texts: the proposal by which they are read, and the names of their columns in order.

    `bad` are the first bad rows, and `at_fault` is the address of their file. `guessed` are the ordinals of files that
    were read in FALLBACK. `ends` says which lines at their ends are no rows.
    """

    proposal: Proposal
    names: tuple[str, ...]
    seen: Measurements
    bad: tuple[BadRow, ...]
    at_fault: str
    is_csv: bool
    guessed: tuple[int, ...]
    ends: Ends = field(default_factory=Ends)


def read_texts(samples: Samples, starts: Starts, proposal: Proposal, asked: Asked) -> Texts:
    """Return how all rows of the files are read as texts, with no row that cannot be.

    Raises:
        SourceFileError: they cannot.
    """
    proposal = replace(proposal, members=starts.members)
    if starts.format != "csv":
        if asked.delimiter is not None:
            raise SpecError(f"--delimiter is for CSV, and the format of the files is {starts.format}")
        if asked.skip_lines is not None and starts.format != "excel":
            raise SpecError(f"--skip-lines is for CSV and Excel, and the format of the files is {starts.format}")
        written = asked.options()
        written |= _of_sheet(samples, proposal, asked) if starts.format == "excel" else {}
        written |= records_option(starts.all) if starts.format == "json" else {}
        texts = _read(samples, replace(proposal, options=written), 0)
        _require_sound(texts)
        return texts
    encodings = _encodings(starts.all, asked)
    failures: list[SourceFileError] = []
    for number, options in enumerate(_dialects(starts.all, encodings, asked)):
        try:
            texts = _read_dialect(samples, (starts, asked), proposal, (options, encodings), number)
        except SourceFileError as error:
            failures.append(error)
            continue
        return texts
    raise failures[0]


def _of_sheet(samples: Samples, proposal: Proposal, asked: Asked) -> dict[str, object]:
    known_lines = {} if asked.skip_lines is None else {"skip_lines": asked.skip_lines}
    spec = replace(proposal, options=known_lines).spec()
    return sheet_options(samples, spec, is_named=asked.skip_lines is not None)


def _encodings(starts: Sequence[Start], asked: Asked) -> tuple[str, ...]:
    if asked.encoding is not None:
        return (asked.encoding,)
    found: dict[str, None] = {}
    for start in starts:
        with about(start.url):
            found |= dict.fromkeys(encodings_for(start.beginning))
    # UTF-16 is no text in other encodings, and others are none in it.
    return tuple(sorted(found, key=lambda name: (name == FALLBACK, name.startswith("utf-16"))))


def _dialects(starts: Sequence[Start], encodings: tuple[str, ...], asked: Asked) -> list[CsvOptions]:
    texts = []
    for start in starts:
        with about(start.url):
            try:
                texts.append(Text(first_text(start.beginning, encodings)[1], start.beginning.is_all))
            except ValueError as error:
                tried = " and ".join(encodings)
                advice = "name its encoding with --encoding, such as windows-1250"
                raise ValueError(f"it is no text in {tried}: {advice}") from error
    with about(starts[0].url):
        return find_dialects(texts, encodings[0], Known(asked.delimiter, asked.skip_lines))


def _read_dialect(
    samples: Samples,
    source: tuple[Starts, Asked],
    proposal: Proposal,
    dialect: tuple[CsvOptions, tuple[str, ...]],
    number: int,
) -> Texts:
    """Return the rows in a dialect, its footer and its ragged rows seen to."""
    starts, asked = source
    options, encodings = dialect

    def read(candidate: CsvOptions, attempt: int) -> Texts:
        # The first bytes of a file may be ASCII, and the rest no UTF-8.
        tried = (*encodings, FALLBACK) if encodings == ("utf-8",) and asked.encoding is None else encodings
        written = written_options(candidate, tried)
        texts = _read(samples, replace(proposal, options=written), f"{number}-{attempt}")
        if texts.guessed or tried == encodings:
            return texts
        return replace(texts, proposal=replace(texts.proposal, options=written_options(candidate, encodings)))

    texts = read(options, 0)
    ends = find_footer(samples.files, starts.all, options, encodings, may_show=asked.may_show)
    if ends.footer is not None:
        options = ends.footer.options
        texts = read(options, 1)
        if texts.seen.footer_lines not in ends.footer.lines:
            raise SourceFileError(f"{starts.all[0].url}: lines like its footer stand among its rows")
    # A last line of one field is a footer that is not known, or a row that was cut off: NULL would hide it.
    if texts.seen.malformed_rows and _is_ragged(texts) and not ends.is_odd:
        texts = read(replace(options, short_rows="pad", long_rows="ignore"), 2)
    _require_sound(texts)
    return replace(texts, ends=ends)


def _read(samples: Samples, proposal: Proposal, number: object) -> Texts:
    """Stage all rows as texts below a folder of their own in the scratch folder."""

    def use(batch: SourceBatch, rows: SourceRows) -> Texts | Proposal:
        found = dict.fromkeys(name for layout in batch.files for name in layout.columns)
        clashing = _without_clashes(proposal, tuple(found))
        if clashing != proposal:
            return clashing
        headers = {clean for part in parts_of(batch) for clean in clean_names(part.header)}
        rename = {name: other for name, other in _RESERVED.items() if name in headers}
        names = file_columns(proposal.spec(), batch)
        _require_few(proposal, batch.files[0].file.url, names)
        columns = [StagingColumn(name, varchar(MAX_VARCHAR_BYTES), FromFile()) for name in names]
        seen = rows.stage(columns, f"{samples.scratch}/texts-{number}")
        files = [file.ordinal for file in seen.files if file.rows_bad]
        bad = rows.read_bad_rows(columns, files, _MOST_BAD_ROWS) if files else ()
        at_fault = batch.part_named(bad[0].file).url if bad else ""
        parts = [part for part in parts_of(batch) if isinstance(part.options, CsvOptions)]
        guessed = dict.fromkeys(part.ordinal for part in parts if part.encoding == FALLBACK)
        return Texts(replace(proposal, rename=rename), names, seen, bad, at_fault, bool(parts), tuple(guessed))

    proposal = replace(proposal, rename=_RESERVED)
    result = read_rows(samples, proposal.spec(), use)
    return _read(samples, result, number) if isinstance(result, Proposal) else result


def _require_few(proposal: Proposal, url: str, names: Sequence[str]) -> None:
    """Refuse more columns than a table takes.

    Raises:
        SourceFileError: there are too many.
    """
    try:
        refuse_too_many(proposal.spec(), None, url, names)
    except SchemaChangeError as error:
        raise SourceFileError(
            f"{url}: it has {counted(len(names), 'column')}, and with those that Feedway adds these are too many: "
            f"Redshift takes {MAX_COLUMNS}. Leave columns out of the file"
        ) from error


def parts_of(batch: SourceBatch) -> list[FileLayout]:
    """Return the layouts of the files that hold the rows."""
    return [part for layout in batch.files for part in layout.parts]


def _without_clashes(proposal: Proposal, names: Sequence[str]) -> Proposal:
    """Return the proposal with other names for what would have the name of a column of the files."""
    metadata = dict(proposal.metadata)
    for own, other in _METADATA.items():
        if metadata.get(own, own) in names:
            metadata[own] = next(name for name in _names_like(other) if name not in names)
    return replace(proposal, metadata=metadata)


def _names_like(name: str) -> Iterable[str]:
    yield name
    yield from (f"{name}_{number}" for number in range(2, 2000))


def _is_ragged(texts: Texts) -> bool:
    """Return whether malformed rows are only short or long by fields at their ends, and no row is broken in two."""
    rows = [(bad.file, bad.row) for bad in texts.bad if bad.column is None]
    neighbours = any((file, row + 1) in rows for file, row in rows)
    read = sum(file.rows_read for file in texts.seen.files)
    return not neighbours and 10 * texts.seen.malformed_rows <= read


def _require_sound(texts: Texts) -> None:
    if not texts.seen.rows_bad:
        return
    bad = texts.bad[0]
    read = sum(file.rows_read for file in texts.seen.files)
    where = f"row {bad.row}" + (f" (line {bad.line})" if bad.line else "")
    column = f"column {bad.column}: " if bad.column else ""
    raise SourceFileError(
        f"{texts.at_fault}: {share(texts.seen.rows_bad, read, 'row')} cannot be read as the others, first {where}: "
        f"{column}{bad.reason}"
    )


def require_western(samples: Samples, texts: Texts) -> list[str]:
    """Return a word with letters beyond ASCII of files that are read in FALLBACK, none where no file needs it.

    Raises:
        SourceFileError: the letters make no sense in it.
    """
    if not texts.guessed:
        return []
    with open_scratch(samples.scratch, samples.memory_bytes, texts.seen.staging_files) as scratch:
        found = [*texts.names, *scratch.other_than_ascii(texts.names, texts.guessed, _MOST_TEXTS)]
    if not is_western(found):
        raise SourceFileError(
            f"{samples.sources[0].url}: the files are not UTF-8, and their letters make no sense in {FALLBACK}: "
            "name their encoding with --encoding, such as windows-1250, koi8-r, shift_jis or gb18030"
        )
    return [text for text in found if not text.isascii()][:1]


def with_trim(samples: Samples, texts: Texts) -> Texts:
    """Return the texts without the blanks around values, where blanks keep a column from being more than text."""
    if not texts.is_csv:
        return texts
    with open_scratch(samples.scratch, samples.memory_bytes, texts.seen.staging_files) as scratch:
        padded = [name for name in texts.names if scratch.padded(name)]
    if not padded:
        return texts
    best, most = texts, _typed(samples, texts)
    for number, trim in enumerate(("unquoted", "all")):
        changed = replace(texts.proposal, options={**texts.proposal.options, "trim": trim})
        try:
            trimmed = _read(samples, changed, f"trim-{number}")
        except SourceFileError:
            continue
        if not trimmed.seen.rows_bad and (typed := _typed(samples, trimmed)) > most:
            best, most = replace(trimmed, ends=texts.ends), typed
    return best


def _typed(samples: Samples, texts: Texts) -> int:
    """Return how many columns are more than text."""

    def use(batch: SourceBatch, rows: SourceRows) -> int:
        profiles = rows.profile(dict.fromkeys(texts.names, PLAIN))
        return sum(infer(profile) not in ("text", "empty") for profile in profiles.values())

    return read_rows(samples, texts.proposal.spec(), use)

"""Loads a corrected quarantine file without overwriting later rows: `replay NAME --quarantine FILE`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

from framework.dataclass import dataclass
from framework.errors import SourceFileError, SpecError
from framework.lake.heartbeat import run_prefix
from framework.lake.lake import Lake
from framework.lake.pending import is_file_of
from framework.load.invocation import Invocation
from framework.load.pipeline import load_pipeline, open_pipeline
from framework.load.quarantine.corrected_file import CorrectedRow, read_corrected
from framework.load.quarantine.left import read_rows_left_out
from framework.load.quarantine.marks import Mark, put_mark, rows_loaded_before
from framework.load.request import Corrections
from framework.load.result import LoadResult
from framework.load.services import Services
from framework.model.csv_options import CsvOptions
from framework.model.files import CORRECTION_MARK, FileIdentity
from framework.model.words import counted, listed
from framework.plan.column_names import clean_names
from framework.spec.pipeline import BadRowsSpec, ColumnsSpec, ExpectSpec, PipelineSpec
from framework.warehouse.session import WarehouseSession

_LONGEST_KEY_BYTES = 1024
"""Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""


@dataclass(frozen=True)
class CorrectedFile:
    """The corrected rows of one delivery of a source file, in its order, as the CSV file they are loaded from.

    `numbers` are those of the rows in the file of corrections.
    """

    name: str
    etag: str
    header: tuple[str, ...]
    rows: tuple[int, ...]
    numbers: tuple[int, ...]
    content: bytes


def replay_quarantine(spec: PipelineSpec, services: Services, address: str) -> list[LoadResult]:
    """Load the rows of a corrected quarantine file; one result per source file they came from.

    `address` is a local file or `s3://` address. Each part is a file of its own to the ledger, so
    that the same corrections load once. The part of the file that came last loads first: of its
    rows and older ones with the same key, its own stay.

    Raises:
        SpecError: the file is not there, or the pipeline replaces its whole table.
        SourceFileError: the file has no row, or is no quarantine file of this pipeline; nothing was loaded.
    """
    if spec.load.mode.replaces_table:
        raise SpecError(
            f"{spec.path}: load.mode is {spec.load.mode.name}, so the table holds what one file held. "
            "Correct the rows in that file and send it whole."
        )
    with _local_copy(services, address) as path:
        files = corrected_files(read_corrected(path, address), address)
    if not files:
        raise SourceFileError(f"{address} has no row, so there is nothing to load.")
    _require_own(spec, services, files, address)
    log = services.open_log(services.new_run_id(), spec.pipeline)
    warehouse = WarehouseSession(services.warehouse, spec.pipeline, log)
    _require_quarantined(spec, services.lake, warehouse, files, address)
    if spec.load.mode.only_adds:
        _refuse_loaded(spec, services, warehouse, files, address)
    results: list[LoadResult] = []
    with Invocation(services) as invocation:
        invocation.begin()
        prefix = run_prefix(services.lake, spec.pipeline, invocation.id, services.new_run_id())
        for number, file in reversed(list(enumerate(files))):
            request = _request(services, f"{prefix}corrected/{number}.csv", address, file)
            results += _load(spec, invocation, file, request)
    return results


def _request(services: Services, key: str, address: str, file: CorrectedFile) -> Corrections:
    numbers = zip(file.numbers, file.rows, strict=True)
    places = tuple(f"row {number}, which is row {row} of {file.name}" for number, row in numbers)
    return Corrections(services.lake.url(key), address, places)


def _load(spec: PipelineSpec, invocation: Invocation, file: CorrectedFile, request: Corrections) -> list[LoadResult]:
    """Put corrections into the lake under a key of the replay's own, and load them as rows of their source file.

    Before that a mark names their rows, so that the quarantine shows which are loaded.
    """
    services = invocation.services
    identity = _identity(spec, services, file)
    put_mark(services.lake, spec.pipeline, _mark(spec, services, file))
    services.lake.put_as(services.lake.key_of(request.key), file.content, identity, services.now())
    opening = open_pipeline(_spec_of(spec, file), invocation, request)
    loads = load_pipeline(opening, invocation)
    return [_of_source(result, identity.key, file) for of_load in loads for result in of_load]


def _of_source(result: LoadResult, key: str, file: CorrectedFile) -> LoadResult:
    """Return a result as one of the source file, with the numbers that rows have there."""
    bad = tuple(replace(each, row=file.rows[each.row - 1], line=None) for each in result.bad_rows)
    return replace(result, source_file=key, bad_rows=bad)


def corrected_files(rows: Sequence[CorrectedRow], address: str) -> list[CorrectedFile]:
    """Return the rows as one CSV file for each source file, in the order in which the files come.

    Raises:
        SourceFileError: a row occurs twice, or cannot be written as a record.
    """
    groups: dict[tuple[str, str, tuple[str, ...]], dict[int, CorrectedRow]] = {}
    for row in rows:
        group = groups.setdefault((row.file, row.etag, row.header), {})
        if row.row in group:
            raise SourceFileError(
                f"{address}: row {row.row} of {row.file} occurs twice. Where these are the bad rows of "
                f"different loads, replay each load's by itself."
            )
        if len(row.record) != len(row.header):
            raise SourceFileError(
                f"{address}: row {row.row} of {row.file} has {counted(len(row.record), 'field')}, and its header names "
                f"{len(row.header)}. Correct its record."
            )
        if row.record == (None,):
            raise SourceFileError(
                f"{address}: row {row.row} of {row.file} is empty. Correct its record, or leave it out."
            )
        group[row.row] = row
    return [
        CorrectedFile(
            name,
            etag,
            header,
            tuple(group),
            tuple(row.number for row in group.values()),
            _csv([header, *(row.record for row in group.values())]),
        )
        for (name, etag, header), group in ((file, dict(sorted(found.items()))) for file, found in groups.items())
    ]


def _require_own(spec: PipelineSpec, services: Services, files: Sequence[CorrectedFile], address: str) -> None:
    """Refuse rows of another pipeline, and columns that no file of this one can have.

    Raises:
        SourceFileError: there are such.
    """
    lake = services.lake
    others = lake.url(lake.key("data/quarantine/"))
    if address.startswith(others) and not address.startswith(f"{others}{spec.pipeline}/"):
        owner = address.removeprefix(others).partition("/")[0]
        raise SourceFileError(f"{address} holds bad rows of {owner}. Replay it with that pipeline.")
    for file in files:
        key = lake.key(spec.source.prefix) + file.name
        if len(key.encode("utf-8")) > _LONGEST_KEY_BYTES:
            raise SourceFileError(
                f"{address}: no file can have the name {file.name[:80]!r}…, which is too long. "
                "Leave the file column as quarantine has it."
            )
        if not is_file_of(lake, spec.source, key):
            raise SourceFileError(
                f"{address}: {file.name!r} does not match source.pattern of {spec.pipeline}, which is "
                f"{spec.source.pattern!r}. Replay the rows with the pipeline they came from."
            )
        named = set(spec.columns.rename.values())
        for name in file.header:
            if name not in named and clean_names((name,)) != (name,):
                raise SourceFileError(
                    f"{address}: no column of {file.name} is called {name!r}. Leave the header as quarantine has it."
                )
        if len(set(file.header)) < len(file.header):
            raise SourceFileError(f"{address}: the header of {file.name} names a column twice. Leave it as it was.")


def _require_quarantined(
    spec: PipelineSpec, lake: Lake, warehouse: WarehouseSession, files: Sequence[CorrectedFile], address: str
) -> None:
    """Refuse rows that no load of the target has left out: good rows, and those that belong to another table.

    The target decides and not the pipeline's name, so that the rows of a renamed pipeline stay correctable.

    Raises:
        SourceFileError: there are such.
    """
    left_out = read_rows_left_out(lake, warehouse, [file.etag for file in files])
    for file in files:
        of_delivery = left_out.get(file.etag, {})
        if str(spec.target.table) not in of_delivery:
            others = sorted({each.pipeline for each in of_delivery.values()})
            advice = "Leave the columns file and etag as quarantine has them."
            if others:
                advice = f"Replay them with a pipeline that has: {listed(others)}."
            raise SourceFileError(
                f"{address}: no load of {spec.target.table} has left bad rows of this delivery of {file.name}. {advice}"
            )
        known = of_delivery[str(spec.target.table)].rows
        for number, row in zip(file.numbers, file.rows, strict=True):
            if known is not None and (file.name, row) not in known:
                raise SourceFileError(
                    f"{address}: row {number} is to be row {row} of {file.name}, which is not in quarantine. "
                    "Leave the columns file, row and etag as quarantine has them."
                )


def _refuse_loaded(
    spec: PipelineSpec, services: Services, warehouse: WarehouseSession, files: Sequence[CorrectedFile], address: str
) -> None:
    """Refuse rows that were loaded corrected before, in other company: nothing but a key would keep them out.

    Raises:
        SourceFileError: there are such.
    """
    for file in files:
        before = rows_loaded_before(services.lake, warehouse, spec.pipeline, _mark(spec, services, file))
        if before:
            here = {row: str(number) for row, number in zip(file.rows, file.numbers, strict=True)}
            numbers, places = listed([here[row] for row in before]), listed(list(map(str, before)))
            raise SourceFileError(
                f"{address}: {counted(len(before), 'row was', 'rows were')} loaded corrected before, row {places} of "
                f"{file.name}, and load.mode {spec.load.mode.name} would load them twice. "
                f"Delete row {numbers} of {address}, and replay it again with the same command; quarantine export "
                "leaves such rows out."
            )


def _mark(spec: PipelineSpec, services: Services, file: CorrectedFile) -> Mark:
    return Mark(file.name, file.etag, file.rows, _identity(spec, services, file).etag)


def _csv(records: Sequence[Sequence[str | None]]) -> bytes:
    """Write records so that NULL is an unquoted empty field and every text is quoted."""
    return "".join(",".join(map(_field, record)) + "\n" for record in records).encode("utf-8")


def _field(field: str | None) -> str:
    return "" if field is None else '"' + field.replace('"', '""') + '"'


def _identity(spec: PipelineSpec, services: Services, file: CorrectedFile) -> FileIdentity:
    """Return the identity of corrections: the delivery they belong to, and what they are."""
    key = services.lake.key(spec.source.prefix + file.name)
    corrections = hashlib.sha256(f"{file.etag}\n".encode() + file.content).hexdigest()
    return FileIdentity(services.lake.bucket, key, f"{CORRECTION_MARK}{corrections[:32]}", len(file.content))


def _spec_of(spec: PipelineSpec, file: CorrectedFile) -> PipelineSpec:
    """Return the spec by which corrections are read: their names are the target's, and a bad row refuses them all."""
    options = CsvOptions(",", "utf-8", header=True)
    names = dict(zip(clean_names(file.header), file.header, strict=True))
    return replace(
        spec,
        expect=ExpectSpec(None, 0, Fraction(1), last_line_end=False),
        source=replace(spec.source, format="csv", compression="none", encodings=(options.encoding,), csv=options),
        columns=ColumnsSpec(names, spec.columns.exclude),
        bad_rows=BadRowsSpec("reject_file", None, None, spec.bad_rows.log_samples),
    )


@contextmanager
def _local_copy(services: Services, address: str) -> Iterator[Path]:
    """Yield a local copy of the file, under a fixed name without special characters."""
    with TemporaryDirectory(prefix="feedway-quarantine-") as folder:
        path = Path(folder) / "corrected"
        if address.startswith("s3://"):
            _fetch(services.lake, address, path)
        elif Path(address).is_file():
            copyfile(address, path)
        else:
            raise SpecError(f"{address} is not there. Give a local file, or the s3:// address of one in the lake.")
        yield path


def _fetch(lake: Lake, address: str, path: Path) -> None:
    key = address.removeprefix(lake.url(""))
    file = lake.describe(key) if key not in (address, "") else None
    if file is None:
        raise SpecError(f"{address} is not in the lake {lake.url(lake.prefix)}.")
    with path.open("wb") as copy:
        copy.writelines(lake.read(file))

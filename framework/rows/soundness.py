"""Whether a batch's files are there and sound, by what the tasks report of their splits."""

from __future__ import annotations

from collections.abc import Iterable

from framework.errors import Section, SourceFileError, UndecodableFileError
from framework.log.redaction import without_values
from framework.model.files import SourceBatch
from framework.rows.job import Fault, SplitReport
from framework.rows.reasons import BAD_BYTES, BORDERS_UNKNOWN, broken_record, other_options


def require_there(batch: SourceBatch, reports: Iterable[SplitReport]) -> None:
    """Check that every file is the one that was listed.

    Raises:
        SourceFileError: names those that are not.
    """
    gone = {report.file: report.fault.reason for report in reports if report.fault and report.fault.kind == "gone"}
    if gone:
        keys = [batch.files[file].file.key for file in gone]
        raise SourceFileError("\n".join(dict.fromkeys(gone.values())), keys)


def require_sound(batch: SourceBatch, reports: Iterable[SplitReport]) -> None:
    """Check that no file is broken; `reports` are in order.

    Raises:
        SourceFileError: names every broken file, and its first broken record.
    """
    first: dict[int, tuple[Fault, int]] = {}
    records: dict[tuple[int, int], int] = {}
    for report in reports:
        part = (report.file, report.part)
        before = records.get(part, 0)
        records[part] = before + report.records
        if report.fault is not None:
            first.setdefault(report.file, (report.fault, before))
    if not first:
        return
    lines, are_sound, may_load = [], True, True
    for file, (fault, before) in first.items():
        at_fault = batch.files[file].parts[fault.part]
        is_record, is_sound = fault.kind == "record", fault.kind in ("last line end", "spec")
        whole = f"{at_fault.url}: {fault.reason}."
        lines.append(broken_record(at_fault, before + fault.place, fault.reason) if is_record else whole)
        are_sound &= is_sound
        may_load &= is_sound or (is_record and other_options(fault.reason, at_fault) is not None)
    lines += [] if are_sound else [BORDERS_UNKNOWN]
    keys = [batch.files[file].file.key for file in first]
    if all(fault.reason == BAD_BYTES for fault, _ in first.values()):
        urls = [batch.files[file].parts[fault.part].url for file, (fault, _) in first.items()]
        raise UndecodableFileError("\n".join(lines), keys, urls)
    message = "\n".join(lines)
    # A reason may be DuckDB's, which quotes values.
    raise SourceFileError(message, keys, needs_new_file=not may_load, brief=without_values(lines[0])).about(
        Section.BROKEN_FILE
    )

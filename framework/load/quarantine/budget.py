"""The budget for bad rows: within it they go to quarantine, above it their file is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from framework.errors import PipelineError
from framework.load.failures.refused_rows import refuse
from framework.load.request import Corrections
from framework.load.run import Run
from framework.load.staged_rows import StagedRows
from framework.model.measurements import FileMeasurement
from framework.plan.widen_type import unconvertible_values
from framework.spec.pipeline import BadRowsSpec, PipelineSpec


def quarantine_bad_rows(run: Run, staged: StagedRows, *, writes: bool) -> str | None:
    """Write the bad rows to quarantine and return its address; None where no row is bad.

    They are written before the merge begins, so that each row of a loaded file is always in one of
    the two places. Without `writes` only the address is returned.

    Raises:
        SourceFileError: a file has more bad rows than its budget; the message names some.
        PipelineError: not all of them were written.
    """
    bad = [file for file in staged.seen.files if file.rows_bad]
    budget = run.spec.bad_rows
    # Corrections that are still bad are in quarantine already.
    if bad and not isinstance(run.request, Corrections) and all_conflicts_in_quarantine(run.spec, staged):
        budget = replace(budget, action="quarantine")
    over = {file: excess for file in bad if (excess := over_budget(budget, file)) is not None}
    if over:
        refuse(run, staged, over)
    if not bad:
        return None
    if writes:
        _write(run, staged, bad)
    return run.quarantine_url


def all_conflicts_in_quarantine(spec: PipelineSpec, staged: StagedRows) -> bool:
    """Return whether all bad rows have values that evolution.type_conflicts sends to quarantine.

    The files of a load are judged together: a row that is bad for another reason, in one of them,
    refuses all files with bad rows.
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
    """Return the budget that a file's bad rows exceed, as the end of a sentence; None where they do not.

    The text is empty where the spec allows no bad row.
    """
    if budget.action == "reject_file":
        return ""
    if budget.max_rows is not None and file.rows_bad > budget.max_rows:
        return f", and the budget is {budget.max_rows} (bad_rows.max_rows)"
    if budget.max_fraction is not None:
        # From its text: the float 0.1 is a little more than a tenth.
        allowed = Fraction(str(budget.max_fraction)) * file.rows_read
        if file.rows_bad > allowed:
            return f", and the budget is {int(allowed)} (bad_rows.max_fraction {budget.max_fraction})"
    return None


def _write(run: Run, staged: StagedRows, bad: Sequence[FileMeasurement]) -> None:
    run.leftovers.wrote_bad_rows()
    expected = sum(file.rows_bad for file in bad)
    ordinals = [file.ordinal for file in bad]
    written = staged.rows.quarantine(staged.columns, ordinals, run.quarantine_url.removesuffix("/"))
    if written.rows != expected:
        raise PipelineError(
            f"{run.quarantine_url}: {expected} rows are bad and {written.rows} were written; nothing is loaded. "
            f"Please report this with the file; with bad_rows.action: reject_file it is refused as a whole."
        )
    run.progress.found_bad_rows({staged.batch.files[each].file.key: first for each, first in written.first.items()})
    for file in bad:
        run.log.warning(
            "bad rows are in quarantine",
            step="stage",
            file=staged.batch.files[file.ordinal].file.url,
            rows=file.rows_bad,
            of=file.rows_read,
            to=run.quarantine_url,
        )

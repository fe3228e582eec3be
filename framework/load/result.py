"""The result of a source file in a load."""

from __future__ import annotations

from typing import Literal

from framework.dataclass import dataclass
from framework.errors import PipelineError
from framework.log.redaction import safe_message
from framework.model.load_warning import LoadWarning
from framework.model.measurements import BadRow


@dataclass(frozen=True)
class RecordCounts:
    """Rows of one source file; of a SUCCESS, read = inserted + updated + deduplicated + rejected."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    deduplicated: int = 0
    rejected: int = 0


NO_RECORDS = RecordCounts()


@dataclass(frozen=True)
class NextStep:
    """The place of a failed load's files and the command that continues, in words.

    `retries` are the arguments of the commands that load the files once the cause is corrected, `command` is the one
    that the words name.
    """

    words: str
    retries: tuple[tuple[str, ...], ...] = ()
    command: str = ""

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class LoadFailure:
    """A load's failure. `error` is the exception itself, which the command raises at its end."""

    type: str
    step: str
    message: str
    error: BaseException
    next_step: NextStep | None = None

    @property
    def full_message(self) -> str:
        """The message, followed by the next step."""
        return self.message if self.next_step is None else f"{self.message}\n{self.next_step}"


@dataclass(frozen=True)
class LoadResult:
    """The result of one source file in one load. REFUSED: the file stays where it is, and nothing is recorded.

    `source_file` is None where a load failed before it knew a file; where there was not even a load, `run_id` is too.
    `quarantine` is the address of the bad rows that a file has loaded without. `bad_rows` are the first of these, or of
    those for which it was rejected; they have no text where the spec keeps values out of messages. `views` are those
    that the load has created, replaced or restored.
    """

    pipeline: str
    source_file: str | None
    run_id: str | None
    status: Literal["SUCCESS", "FAILED", "SKIPPED", "REFUSED"]
    engine: str | None
    seconds: float
    counts: RecordCounts = NO_RECORDS
    schema_changes: tuple[dict[str, str | None], ...] = ()
    quarantine: str | None = None
    reason: str | None = None
    failure: LoadFailure | None = None
    warnings: tuple[LoadWarning, ...] = ()
    views: tuple[str, ...] = ()
    bad_rows: tuple[BadRow, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return the result as `run --output json` prints it (schemas/output/run.schema.json)."""
        failure = self.failure
        return {
            "pipeline": self.pipeline,
            "source_file": self.source_file,
            "run_id": self.run_id,
            "status": self.status,
            "engine": self.engine,
            "records_read": self.counts.read,
            "records_inserted": self.counts.inserted,
            "records_updated": self.counts.updated,
            "records_deleted": self.counts.deleted,
            "records_deduplicated": self.counts.deduplicated,
            "records_rejected": self.counts.rejected,
            "quarantine": self.quarantine,
            "bad_rows": [_bad_row(bad) for bad in self.bad_rows],
            "schema_changes": list(self.schema_changes),
            "warnings": [warning.as_dict() for warning in self.warnings],
            "seconds": round(self.seconds, 3),
            "reason": self.reason,
            "error": None
            if failure is None
            else {"type": failure.type, "step": failure.step, "message": failure.full_message},
        }


def _bad_row(bad: BadRow) -> dict[str, object]:
    return {
        "file": bad.file,
        "row": bad.row,
        "line": bad.line,
        "column": bad.column,
        "reason": bad.reason,
        "value": bad.text,
    }


def failed_early(
    pipeline: str, error: PipelineError, step: str = "discover", next_step: NextStep | None = None
) -> LoadResult:
    """Return the result of a pipeline that failed before a load began."""
    failure = LoadFailure(type(error).__name__, step, safe_message(error), error, next_step)
    return LoadResult(pipeline, None, None, "FAILED", None, 0.0, failure=failure)

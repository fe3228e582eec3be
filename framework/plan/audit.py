"""The JOB_STS row of a file, as a value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from framework.dataclass import dataclass
from framework.model.files import SourceFile
from framework.model.load_warning import LoadWarning
from framework.model.names import TableName, literal, staging_table
from framework.model.observation import AuditRow, AuditStatus
from framework.plan.table_copy import copy_table
from framework.spec.pipeline import PipelineSpec

MAX_MESSAGE_BYTES = 4096
MAX_WARNINGS_BYTES = 4096
FILES_WITH_WARNINGS = 12
"""Maximum number of files whose warnings fit one statement; of more files, JOB_STS has only their count."""
COUNTED_WARNINGS_BYTES = 100


@dataclass(frozen=True)
class LoadFile:
    """A source file of a load, and as which of its generations it is loaded: 1 unless it was loaded before."""

    source: SourceFile
    generation: int = 1


@dataclass(frozen=True)
class RunNames:
    """The names of one run and of its tables. `started_at` is UTC."""

    spec: PipelineSpec
    run_id: str
    job_id: str | None
    invocation_id: str
    started_at: datetime
    control_schema: str

    @property
    def staging(self) -> TableName:
        """The table that COPY fills."""
        return staging_table(self.control_schema, self.run_id)

    @property
    def copy(self) -> TableName:
        """The copy that takes the target's place, where one is needed."""
        return copy_table(self.spec.target.table, self.run_id)

    def audit_row(
        self,
        file: LoadFile,
        status: AuditStatus,
        ended_at: datetime | None = None,
        message: str | None = None,
        warnings: str | None = None,
    ) -> AuditRow:
        """Return a file's JOB_STS row. A started load has no end yet, and the merge takes its own."""
        source = file.source
        return AuditRow(
            run_id=self.run_id,
            job_id=self.job_id,
            invocation_id=self.invocation_id,
            pipeline=self.spec.pipeline,
            started_at=self.started_at,
            ended_at=ended_at,
            source=source.identity,
            source_modified_at=source.arrived_at,
            generation=file.generation,
            target=self.spec.target.table,
            status=status,
            error_message=None if message is None else _shortened(message),
            spec_sha256=self.spec.sha256,
            warnings=warnings,
        )


def warnings_of(file: SourceFile, warnings: Sequence[LoadWarning], files_of_load: int) -> str | None:
    """Return the warnings about a file as the JSON array that JOB_STS keeps, None where there are none."""
    most = MAX_WARNINGS_BYTES if files_of_load <= FILES_WITH_WARNINGS else COUNTED_WARNINGS_BYTES
    return warnings_text([warning for warning in warnings if warning.concerns(file.key)], most)


def warnings_text(warnings: Sequence[LoadWarning], max_bytes: int = MAX_WARNINGS_BYTES) -> str | None:
    """Return warnings as a JSON array, None where there are none.

    Those that would not fit as a SQL literal of so many bytes are counted in a last one with the rule `more`.
    """
    for kept in range(len(warnings), -1, -1):
        shown = [warning.as_dict() for warning in warnings[:kept]]
        if kept < len(warnings):
            left_out = f"{len(warnings) - kept} not shown: see the log"
            shown.append(LoadWarning("more", None, left_out).as_dict())
        text = json.dumps(shown, ensure_ascii=False).replace("\0", " ")
        if len(literal(text).encode("utf-8")) <= max_bytes:
            break
    return text if warnings else None


def _shortened(message: str) -> str:
    """Cut a message to what JOB_STS holds, at a character."""
    return message.replace("\0", " ").encode("utf-8", "replace")[:MAX_MESSAGE_BYTES].decode("utf-8", "ignore")

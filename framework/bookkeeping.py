"""What surrounds the rows of a load: audit rows, moving files, dead runs' remains, the log's export."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from framework.errors import PipelineError
from framework.lake.alive import dead_runs, staging_prefix
from framework.names import TableName, literal, staging_table
from framework.plan.wider_copy import copy_table
from framework.redaction import told
from framework.results import Services
from framework.run_log import RunLog
from framework.schema.table import AuditRow
from framework.schema.values import LoadWarning, SourceFile
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.control import drop_staging, read_run_counts, write_audit
from framework.warehouse.session import WarehouseSession

MAX_MESSAGE_BYTES = 4096
MAX_WARNINGS_BYTES = 4096


class Books:
    """The books of one run. Nothing here decides; everything is safe to repeat."""

    def __init__(self, spec: PipelineSpec, services: Services, run_id: str) -> None:
        self.spec = spec
        self.services = services
        self.log: RunLog = services.open_log(run_id, spec.pipeline)
        self.warehouse = WarehouseSession(services.warehouse, spec.pipeline, self.log)
        self.started_at: datetime = services.now()
        self.prefix = staging_prefix(services.lake, spec.pipeline, run_id)
        self.staging = staging_table(services.warehouse.settings.control_schema, run_id)
        self.generations: dict[str, int] = {}
        self.harmless: set[str] = set()
        """Loaded files, by the sha256 of their identity, that come after none that are still to be loaded."""
        self.views_to_drop: set[TableName] = set()
        """Views that the warehouse has refused to replace, so that they are dropped and created."""
        self.has_copy = False
        """Whether a copy of the target stands that has not taken its place."""
        self._has_quarantine = False
        self.warnings: list[LoadWarning] = []
        """What was found of the load's files beside its plan, each once."""

    @property
    def run_id(self) -> str:
        """The run_id of the load."""
        return self.log.run_id

    @property
    def manifest_key(self) -> str:
        """The key under which the load lists its staging files for COPY."""
        return f"{self.prefix}manifest.json"

    @property
    def quarantine_url(self) -> str:
        """The address below which the run keeps its bad rows."""
        return self.services.lake.url(self._own_quarantine)

    @property
    def _quarantine(self) -> str:
        return self.services.lake.key(f"data/quarantine/{self.spec.pipeline}/")

    @property
    def _own_quarantine(self) -> str:
        return f"{self._quarantine}{self.started_at:%Y/%m}/{self.run_id}/"

    def empty_own_quarantine(self) -> None:
        """Take out the bad rows of an earlier plan: the load may have fewer files by now."""
        if self._has_quarantine:
            self._has_quarantine = False
            self.services.lake.delete_below(self._own_quarantine)

    def open_quarantine(self) -> None:
        """Make room for the run's bad rows: those of an earlier plan of it go."""
        self._has_quarantine = True
        self.services.lake.delete_below(self._own_quarantine)

    def require_quarantine(self) -> None:
        """See that the run's bad rows, if it has some, are still where it put them.

        Raises:
            PipelineError: another run has taken this one for dead, and cleared them away.
        """
        if self._has_quarantine and not any(self.services.lake.list_objects(self._own_quarantine)):
            raise PipelineError(
                f"{self.quarantine_url}: the bad rows have gone. This run gave no sign of life for so long that "
                f"another took it for dead and cleared them away. Nothing was loaded."
            )

    def audit_row(
        self,
        file: SourceFile,
        status: Literal["STARTED", "SUCCESS", "FAILED", "SKIPPED"],
        message: str | None = None,
        warnings: str | None = None,
    ) -> AuditRow:
        """Return a file's JOB_STS row; a started load has no end yet."""
        return AuditRow(
            run_id=self.run_id,
            job_id=self.services.job_id,
            pipeline=self.spec.pipeline,
            started_at=self.started_at,
            ended_at=None if status == "STARTED" else self.services.now(),
            source=file.identity,
            source_modified_at=file.arrived_at,
            generation=self.generations.get(file.key, 1),
            target=self.spec.target.table,
            status=status,
            error_message=None if message is None else _shortened(message),
            spec_sha256=self.spec.sha256,
            warnings=warnings,
        )

    def write(
        self,
        status: Literal["STARTED", "FAILED", "SKIPPED"],
        files: Sequence[SourceFile],
        message: str | None = None,
    ) -> None:
        """Append one audit row per file, all with the same message: see `write_each`."""
        self.write_each(status, dict.fromkeys(files, message))

    def write_each(
        self, status: Literal["STARTED", "FAILED", "SKIPPED"], messages: Mapping[SourceFile, str | None]
    ) -> None:
        """Append one audit row per file, with its message; of a failure at the first attempt or not at all.

        When the warehouse is out of reach, waiting for it again and again would hold up the message.
        """
        rows = [self.audit_row(file, status, message) for file, message in messages.items()]
        attempts = 1 if status == "FAILED" else None
        write_audit(self.warehouse, rows, attempts)

    def warn(self, warning: LoadWarning) -> None:
        """Add a warning to the load's results, JOB_STS rows and log; the same one only once."""
        if warning not in self.warnings:
            self.warnings.append(warning)
            self.log_warning(warning)

    def log_warning(self, warning: LoadWarning) -> None:
        """Enter a warning into the log."""
        self.log.warning(warning.message, rule=warning.rule, column=warning.column)

    def move(self, file: SourceFile, folder: Literal["archive", "unprocessed"]) -> str | None:
        """Move a file to `data/{folder}/{year}/{month}/`; return its new key, None if it stays.

        A file that is there already stays, and so does one that is another file by now.
        """
        lake = self.services.lake
        home = f"data/{folder}/"
        if file.key.startswith(lake.key(home)):
            return None
        moved = lake.move(file, f"{home}{self.started_at:%Y/%m}", self.run_id, self.spec.pipeline)
        if moved is None:
            self.log.warning("the file has gone or was replaced meanwhile; nothing was moved", file=file.url)
        else:
            self.log.info("file moved", file=file.url, to=lake.url(moved))
        return moved

    def recover(self, dead_after_seconds: int) -> int:
        """Clear away what dead runs of the pipeline left, once none of their statements runs any more.

        Returns how many statements had to be waited for.
        """
        lake, warehouse = self.services.lake, self.warehouse
        awaited = 0
        for dead in dead_runs(lake, self.spec.pipeline, self.run_id, dead_after_seconds):
            waited = warehouse.await_run(self.spec.pipeline, dead)
            awaited += waited
            staging = staging_table(warehouse.control_schema, dead)
            drop_staging(warehouse, [staging, copy_table(self.spec.target.table, dead)])
            self._empty_quarantine(self._quarantine, dead)
            lake.delete_below(staging_prefix(lake, self.spec.pipeline, dead))
            self.log.warning("cleared away what a dead run left", dead_run_id=dead, statements_awaited=waited)
        return awaited

    def _empty_quarantine(self, below: str, run_id: str, attempts: int | None = None) -> None:
        """Delete the bad rows of a run that has loaded nothing: the file still is where it was, with all its rows."""
        lake = self.services.lake
        kept = [found.key for found in lake.list_objects(below) if f"/{run_id}/" in found.key]
        if kept and not read_run_counts(self.warehouse, run_id, attempts):
            lake.delete(kept)

    def clean_up(self, has_staging_table: bool, has_loaded: bool) -> None:
        """Delete the run's staging files and table, and where nothing was loaded its bad rows.

        What cannot be deleted now, a later run clears away.
        """
        try:
            own = [self.staging] if has_staging_table else []
            own += [copy_table(self.spec.target.table, self.run_id)] if self.has_copy else []
            if own:
                drop_staging(self.warehouse, own, attempts=1)
            if self._has_quarantine and not has_loaded:
                self._empty_quarantine(self._own_quarantine, self.run_id, attempts=1)
            self.services.lake.delete_below(self.prefix)
        except PipelineError as error:
            self.log.warning("staging could not be deleted; a later run does it", error=str(error))

    def export_log(self) -> None:
        """Put the log into the lake. Failing to do so hides nothing: it is only told."""
        key = self.services.lake.key(f"logs/{self.spec.pipeline}/{self.started_at:%Y/%m}/{self.run_id}.jsonl")
        try:
            self.services.lake.put(key, self.log.text())
        except PipelineError as error:
            self.log.error("the log could not be exported", key=key, error=str(error))

    def tell_failure(self, step: str, error: BaseException, details: Mapping[str, object]) -> None:
        """Enter why the load failed into the log."""
        self.log.error("load failed", step=step, error_type=type(error).__name__, error=told(error), **details)


def warnings_text(warnings: Sequence[LoadWarning], max_bytes: int = MAX_WARNINGS_BYTES) -> str | None:
    """Return warnings as the JSON array that JOB_STS keeps, None where there are none.

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

"""Every error Feedway raises on purpose, by who can put it right.

PipelineError (1)              base; anything else that escapes is a bug, shown with its traceback
  SpecError (2)                edit the spec or the command line; lists every problem with its place
  SourceFileError (3)          fix or resend the files
  SchemaChangeError (4)        the table's owner must decide
  MachineError (5)             the machine that runs the load must be put right: its disk is full
  WarehouseError (5)           Redshift or S3 refused: statement id, SQL, its own words
    TransientWarehouseError    may succeed later; the only class that is retried
    AlreadyLoaded              another run has loaded the file; never reaches the user as an error
    Overtaken                  another run has loaded a later file; never reaches the user as an error
    TargetChanged              the target is not as it was planned for; the load is planned again

The number is the exit code of a command that ends in the error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

_MISSING_TABLE = re.compile(r"\b(?:relation|schema)\b.* does not exist")


class PipelineError(Exception):
    """A load or command that could not do what was asked, for a reason the message states.

    `is_outage` says that nothing can be loaded now, whatever the file.
    """

    exit_code = 1
    is_outage = False


@dataclass(frozen=True)
class Problem:
    """One mistake in a file that people write.

    `line` and `column` count from 1; both are 0 where the whole file is meant.
    `rule` names the check, in the form `spec/unknown-field`. A warning keeps nothing from running.
    """

    file: str
    line: int
    column: int
    rule: str
    message: str
    fix: str
    severity: Literal["error", "warning"] = "error"

    def as_dict(self) -> dict[str, object]:
        """Return the problem as `validate --output json` prints it."""
        return asdict(self)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        mark = "warning: " if self.severity == "warning" else ""
        return f"{place}: {mark}{self.message} ({self.rule}). {self.fix}".rstrip()


class SpecError(PipelineError):
    """A spec, an environment or a command line that cannot be used as written."""

    exit_code = 2

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        self.problems = tuple(problems)
        lines = [message, *(f"  {problem}" for problem in self.problems)]
        super().__init__("\n".join(lines))


class SourceFileError(PipelineError):
    """A source file that cannot be loaded as it is.

    `keys` are the object keys at fault; empty means every file of the load. `accept_with` is the option by which `run`
    and `replay` load such a file as it is; None where there is none. `needs_new_file` says that no spec and no option
    makes the file load: another one has to be sent.
    """

    exit_code = 3

    def __init__(
        self, message: str, keys: Sequence[str] = (), accept_with: str | None = None, *, needs_new_file: bool = False
    ) -> None:
        self.keys = tuple(keys)
        self.accept_with = accept_with
        self.needs_new_file = needs_new_file
        super().__init__(message)


class SchemaChangeError(PipelineError):
    """A change of the target table that Feedway may not or cannot make."""

    exit_code = 4


class MachineError(PipelineError):
    """The machine that runs the load cannot go on: its disk is full or broken. Always an outage."""

    exit_code = 5
    is_outage = True


class WarehouseError(PipelineError):
    """The warehouse or the lake refused, or could not be reached."""

    exit_code = 5

    def __init__(
        self,
        message: str,
        *,
        statement_id: str | None = None,
        sql: str | None = None,
        failed_index: int | None = None,
        warehouse_message: str | None = None,
        is_outage: bool = False,
    ) -> None:
        """Keep what the warehouse said.

        `failed_index` is the position, from 0, of the refused statement in its batch, where known.
        """
        self.statement_id = statement_id
        self.sql = sql
        self.failed_index = failed_index
        self.warehouse_message = warehouse_message
        self.is_outage = is_outage
        super().__init__(message)

    @property
    def is_missing_table(self) -> bool:
        """Whether a statement was refused for a table or schema that does not exist; a missing database is none."""
        return self.failed_index is not None and _MISSING_TABLE.search(self.warehouse_message or "") is not None


class TransientWarehouseError(WarehouseError):
    """A failure that may pass: throttling, a lost connection, a conflict with another transaction."""


class AlreadyLoaded(WarehouseError):
    """The ledger holds the file already; the merge stopped itself before it changed anything."""


class Overtaken(WarehouseError):
    """A file that comes after this one was loaded meanwhile; the merge stopped itself before it changed anything."""


class TargetChanged(WarehouseError):
    """The target has columns that the plan does not know; the merge stopped itself before it changed anything."""

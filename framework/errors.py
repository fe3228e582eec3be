"""Every error Feedway raises on purpose, by who can put it right.

PipelineError (1)              base; anything else that escapes is a bug, shown with its traceback
  SpecError (2)                edit the spec or the command line; lists every problem with its place
  SourceFileError (3)          fix or resend the files
    UndecodableFileError       their bytes are not valid in the encoding tried; the spec may name another
  SchemaChangeError (4)        the table's owner must decide
  MachineError (5)             the machine that runs the load must be put right: its disk is full
  WarehouseError (5)           Redshift or S3 refused: statement id, SQL, its own words
    TransientWarehouseError    may succeed later; the only class that is retried

The number is the exit code of a command that ends in the error. `Section` names the sections of the docs to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import asdict
from enum import Enum, StrEnum, auto
from typing import Literal, Self

from framework.dataclass import dataclass

Severity = Literal["error", "warning"]


class Section(StrEnum):
    """The sections of the documentation that help with a failed load, by the kind of failure.

    `spec/rules.py` has those of the rules that specs are checked by.
    """

    ASKED = "docs/commands.md#know-what-is-refused"
    BAD_ROWS = "docs/loading.md#handle-bad-rows"
    BROKEN_FILE = "docs/loading.md#files-without-usable-rows"
    BUG = "docs/operations.md#ask-for-help"
    COLUMNS = "docs/loading.md#columns-that-differ"
    ENCODING = "docs/files.md#encoding"
    FILE = "docs/loading.md#check-what-a-file-must-look-like"
    KEYS = "docs/loading.md#decide-which-row-wins"
    MISSING_VIEW = "docs/operations.md#restore-a-missing-view"
    ORDER = "docs/commands.md#load-an-older-file"
    OUTAGE = "docs/operations.md#respond-to-an-outage-or-a-refusal"
    REFUSED_FILE = "docs/operations.md#continue-with-a-refused-file"
    REPLACEMENT = "docs/loading.md#guard-a-replacement"
    SCHEMA_DRIFT = "docs/loading.md#handle-schema-drift"
    SPEC = "docs/spec.md#write-a-spec"
    TABLE_COPY = "docs/loading.md#columns-that-cannot-be-replaced"
    VALUES = "docs/loading.md#values-that-do-not-fit"
    VIEWS = "docs/loading.md#views-on-the-table"


class PipelineError(Exception):
    """A load or command that could not do what was asked, for a reason the message states.

    `is_outage` says that nothing can be loaded now, whatever the file. `brief` replaces the message's first line where
    no content of a file may be shown, as in notifications; None where the first line has none. `section` is that of the
    class, unless the error is about something more specific.
    """

    exit_code = 1
    is_outage = False
    section = Section.BUG

    def __init__(self, *args: object, brief: str | None = None) -> None:
        self.brief = brief
        super().__init__(*args)

    def about(self, section: Section) -> Self:
        """Return the error, with the section of the documentation that helps with it."""
        self.section = section
        return self


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
    severity: Severity = "error"

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
    section = Section.SPEC

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        self.problems = tuple(problems)
        lines = [message, *(f"  {problem}" for problem in self.problems)]
        super().__init__("\n".join(lines), brief=f"{message} {self.problems[0]}" if self.problems else None)


class SourceFileError(PipelineError):
    """A source file that cannot be loaded as it is.

    `keys` are the object keys at fault; empty means every file of the load. `accept_with` is the option by which `run`
    and `replay` load such a file as it is; None where there is none. `needs_new_file` says that no spec and no option
    makes the file load: another one has to be sent.
    """

    exit_code = 3
    section = Section.REFUSED_FILE

    def __init__(
        self,
        message: str,
        keys: Sequence[str] = (),
        accept_with: str | None = None,
        *,
        needs_new_file: bool = False,
        brief: str | None = None,
    ) -> None:
        self.keys = tuple(keys)
        self.accept_with = accept_with
        self.needs_new_file = needs_new_file
        super().__init__(message, brief=brief)


class UndecodableFileError(SourceFileError):
    """Files whose bytes are not valid in the encoding they were read in; another one may fit.

    `urls` names them, or the members of archives.
    """

    section = Section.ENCODING

    def __init__(self, message: str, keys: Sequence[str], urls: Sequence[str]) -> None:
        super().__init__(message, keys)
        self.urls = tuple(urls)


class SchemaChangeError(PipelineError):
    """A change of the target table that Feedway may not or cannot make."""

    exit_code = 4
    section = Section.SCHEMA_DRIFT


class MachineError(PipelineError):
    """The machine that runs the load cannot go on: its disk is full or broken. Always an outage."""

    exit_code = 5
    section = Section.OUTAGE
    is_outage = True


class OnRefusal(Enum):
    """The meaning of a refused statement for its load."""

    FAIL = auto()
    """The load fails, with the warehouse's message."""
    REPLAN = auto()
    """The target is not as observed: replan."""
    REPLAN_IF_CHANGED = auto()
    """Replan if the target, observed again, is not what the load was planned for; otherwise the load fails."""
    ALREADY_LOADED = auto()
    """The ledger holds one of the files."""
    SUPERSEDED = auto()
    """The ledger holds a file that comes after one of these."""
    DUPLICATE_KEYS = auto()
    """Several rows of the load have one key, and the spec rejects that."""
    ROW_COUNT_MISMATCH = auto()
    """The staging table does not hold the rows that were staged."""
    BRINGS_NEW_KEYS = auto()
    """The file lacks a column that new rows need, and brings keys that the target does not have."""
    SHRINKS_TABLE = auto()
    """The load would leave fewer of the table's rows than the spec allows."""
    NOT_COPIED = auto()
    """COPY has not loaded the staging files; the load errors of its query may have the reason."""
    ROWS_DO_NOT_FIT = auto()
    """The target does not accept the rows; `cause` is the reason."""
    VIEW_NOT_REPLACED = auto()
    """The view cannot be replaced in place: the next plan drops and creates it; otherwise as BAD_VIEW."""
    BAD_VIEW = auto()
    """As REPLAN_IF_CHANGED; otherwise the view's definition is at fault."""
    BAD_GRANT = auto()
    """As REPLAN_IF_CHANGED; otherwise a privilege of the spec is at fault."""
    TABLE_IN_USE = auto()
    """As REPLAN_IF_CHANGED; otherwise something that cannot be dropped depends on the table."""
    VIEW_NAME_TAKEN = auto()
    """Another view has the name of the one to restore."""


class Cause(Enum):
    """Why the warehouse refused a statement, as far as Feedway acts on it."""

    MISSING_RELATION = auto()
    """A table or schema does not exist."""
    MISSING_DATABASE = auto()
    MISSING_COLUMN = auto()
    MISSING_GRANTEE = auto()
    """A user, group or role does not exist."""
    COLUMN_EXISTS = auto()
    MISSING_VIEW = auto()
    """A view that was observed is not there any more, or the user cannot see it."""
    VALUE_TOO_LONG = auto()
    NULL_NOT_ALLOWED = auto()
    NOT_PERMITTED = auto()
    """The user may not run the statement, or the warehouse cannot run such a query."""
    OTHER = auto()


SQL_MARK = "\nSQL: "
"""Separates what a message has of a refusal from the statement, which may be long and stands last."""


@dataclass(frozen=True)
class AtFault:
    """The column and the staging file that the text of a refusal names, None where it names none."""

    column: str | None = None
    file: str | None = None


@dataclass(frozen=True)
class RefusedStatement:
    """Which statement of a transaction the warehouse refused, and the meaning of that.

    `index` is its position in the transaction, from 0; None where the warehouse refused the whole submission.
    `query_id` is its id in the warehouse's system views, None where it has none.
    """

    index: int | None = None
    meaning: OnRefusal = OnRefusal.FAIL
    query_id: int | None = None
    at_fault: AtFault = AtFault()


NOTHING_REFUSED = RefusedStatement()
"""Of an error that no statement is to blame for."""


class WarehouseError(PipelineError):
    """The warehouse or the lake refused, or could not be reached.

    `statement_id` is that of the Data API, None where it did not accept the submission. `warehouse_message` is the
    warehouse's own text.
    """

    exit_code = 5
    section = Section.OUTAGE

    def __init__(
        self,
        message: str,
        *,
        statement_id: str | None = None,
        refused: RefusedStatement = NOTHING_REFUSED,
        cause: Cause = Cause.OTHER,
        warehouse_message: str | None = None,
        is_outage: bool = False,
        brief: str | None = None,
    ) -> None:
        self.statement_id = statement_id
        self.refused = refused
        self.cause = cause
        self.warehouse_message = warehouse_message
        self.is_outage = is_outage
        super().__init__(message, brief=brief)

    @property
    def reason(self) -> str:
        """The warehouse's own message, for a message of ours to quote; the whole message where it sent none."""
        return self.warehouse_message or str(self)

    @property
    def first_line(self) -> str:
        """The first line of the reason, without the hints that follow it, which suggest CASCADE."""
        return self.reason.strip().partition("\n")[0]

    def explained(self, lines: Sequence[str]) -> WarehouseError:
        """Return the error with lines in its message, before the statement."""
        message, mark, statement = str(self).partition(SQL_MARK)
        error = copy(self)
        error.args = ("\n".join([message, *lines]) + mark + statement,)
        return error


class TransientWarehouseError(WarehouseError):
    """A failure that may pass: throttling, a lost connection, a conflict with another transaction."""

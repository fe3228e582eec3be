"""What a check found, as a value; and how a check says that something is not ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Literal

from framework.dataclass import dataclass
from framework.errors import MachineError, PipelineError, SpecError, WarehouseError
from framework.log.aws_errors import answer_of, is_skew_fault

Status = Literal["ok", "failed", "skipped"]
WRONG_ENVIRONMENT = SpecError.exit_code
WRONG_SERVICE = WarehouseError.exit_code
WRONG_MACHINE = MachineError.exit_code


@dataclass(frozen=True)
class Outcome:
    """The outcome of one item.

    `found` is what was found or is wrong, or why the item was skipped; `remedy` what to do where it failed, else None.
    `exit_code` is that of the class of errors, 0 where the item has not failed.
    """

    item: str
    status: Status
    found: str
    remedy: str | None = None
    exit_code: int = 0

    def as_dict(self) -> dict[str, object]:
        """Return the outcome as `check --output json` prints it."""
        return asdict(self)


class NotReady(Exception):
    """Something that loads need is missing or wrong.

    `because_of` names an item of which this is only a consequence, where that has failed.
    """

    def __init__(self, found: str, remedy: str, exit_code: int, because_of: str | None = None) -> None:
        self.found = found
        self.remedy = remedy
        self.exit_code = exit_code
        self.because_of = because_of
        super().__init__(found)


@contextmanager
def advising(advice: Callable[[PipelineError], str], because_of: str | None = None) -> Iterator[None]:
    """Turn an error of a call into NotReady: the service's answer, and the advice for it."""
    try:
        yield
    except PipelineError as error:
        consequence_of = "clock" if is_skew_fault(error) else because_of
        raise NotReady(answer_of(error), advice(error), error.exit_code, consequence_of) from error


def failure(item: str, error: PipelineError) -> Outcome:
    """Return the outcome of an item for an error whose own message has the advice, after its first sentence."""
    found, _, advice = " ".join(str(error).split()).partition(". ")
    remedy = advice or "Correct the cause, and run check again"
    return Outcome(item, "failed", found.rstrip("."), remedy.rstrip("."), error.exit_code)


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """Return the exit code of the first item that failed; 0 where none has."""
    return next((each.exit_code for each in outcomes if each.status == "failed"), 0)

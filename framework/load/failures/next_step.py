"""The place of a failed load's files, what to correct first, and the command that continues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from framework.errors import PipelineError, SourceFileError
from framework.lake.lake import Lake
from framework.lake.unprocessed import FOLDER as UNPROCESSED_FOLDER
from framework.load.request import Arriving, Corrections, LoadRequest, OneFile, Pending, Unprocessed, accepted_by
from framework.load.result import NextStep
from framework.model.failure import FailureKind
from framework.model.program import Program

_FIXES = {
    "KeyboardInterrupt": "Nothing: the load was interrupted.",
    "Terminated": "Nothing: the load was interrupted.",
    "SpecError": "Correct the spec.",
    "SourceFileError": "Change the spec as the message says.",
    "UndecodableFileError": "Change the spec as the message says.",
    "SchemaChangeError": "Have the table's owner make the change, or change the spec, as the message says.",
    "MachineError": "Correct the machine that runs the loads.",
    "WarehouseError": "Correct what the warehouse or S3 refused.",
    "TransientWarehouseError": "Wait until the warehouse and S3 answer.",
}
"""What has to be done before a load can succeed, by the class of the error that ended it."""


@dataclass(frozen=True)
class FailedLoad:
    """A load that failed, and the keys under which its files are now."""

    pipeline: str
    program: Program
    request: LoadRequest
    kind: FailureKind
    keys: Sequence[str]


def kind_of(error: BaseException, step: str) -> FailureKind:
    """Return the kind of an error that a load raised in a step."""
    is_outage = isinstance(error, PipelineError) and error.is_outage
    if not isinstance(error, SourceFileError):
        return FailureKind(type(error).__name__, step, is_outage=is_outage)
    return FailureKind(type(error).__name__, step, error.needs_new_file, error.accept_with, is_outage)


def fix_of(kind: FailureKind) -> str:
    """Return what has to be done before the command that continues can succeed."""
    if kind.needs_new_file:
        return "Have a correct file sent: no row can be loaded from this one."
    if kind.accept_with:
        return f"Check the file and the spec, as the message says. If both are right, {kind.accept_with} loads it."
    if kind.is_outage:
        return "Wait until the warehouse, S3 and this machine work again, or correct what the message names."
    return _FIXES.get(kind.type, "Report the failure, which is not expected, with the log of the load.")


def next_step(load: FailedLoad, lake: Lake) -> NextStep:
    """Return the place of the files and the command to run, and the commands that retry."""
    set_aside = [key for key in load.keys if key.startswith(lake.key(UNPROCESSED_FOLDER))]
    command = load.program.command(*_continuing(load, set_aside))
    return NextStep(f"{_in_words(load, lake, set_aside)}: {command}", _retries(load, set_aside), command)


def _retries(load: FailedLoad, set_aside: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the arguments of the commands that load the files, as they would have loaded."""
    others = [again(load.request, load.pipeline)] if len(set_aside) < len(load.keys) or not load.keys else []
    if load.kind.needs_new_file or not set_aside:
        return tuple(others)
    alone = ("--file", set_aside[0]) if len(set_aside) == 1 else ()
    return (*others, ("replay", load.pipeline, *alone))


def _continuing(load: FailedLoad, set_aside: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments of the one command that continues."""
    if not set_aside:
        return again(load.request, load.pipeline, load.kind.accept_with)
    if load.kind.needs_new_file:
        return ("run", load.pipeline, "--instead-of", set_aside[0])
    if len(set_aside) > 1:
        return ("replay", load.pipeline)
    options = [load.kind.accept_with] if load.kind.accept_with else []
    return ("replay", load.pipeline, "--file", set_aside[0], *options)


def _in_words(load: FailedLoad, lake: Lake, set_aside: Sequence[str]) -> str:
    """Return where the files are, and what leads over to the command."""
    if not set_aside:
        return f"{_where_they_stay(load.keys, 'The', lake)}Continue with"
    others = _where_they_stay([key for key in load.keys if key not in set_aside], "The other", lake)
    key = set_aside[0]
    if len(set_aside) > 1:
        where = f"{others}{len(set_aside)} files are now below {lake.url(key.rpartition('/')[0])}/."
        if load.kind.needs_new_file:
            return f"{where} When correct ones have come, load them instead, for the first with"
        return f"{where} Continue with"
    where = f"{others}The file {'at fault ' if others else ''}is now at {lake.url(key)}."
    if load.kind.needs_new_file:
        return f"{where} When a correct one has come, load it instead with"
    return f"{where} {'To load it as it is' if load.kind.accept_with else 'Continue with'}"


def _where_they_stay(keys: Sequence[str], article: str, lake: Lake) -> str:
    if len(keys) > 1:
        return f"{article} {len(keys)} files stay where they are. "
    return f"{article} file stays at {lake.url(keys[0])}. " if keys else ""


def out_of_order(pipeline: str, program: Program, key: str) -> NextStep:
    """Return the command that loads a file after newer ones."""
    command = program.command("run", pipeline, "--file", key, "--out-of-order")
    return NextStep(f"To load it all the same: {command}", command=command)


def again(request: LoadRequest, pipeline: str, accept_with: str | None = None) -> tuple[str, ...]:
    """Return the arguments of the command that repeats a request for one pipeline whose files stay where they are.

    `accept_with` is an option that is added where the request names a file.
    """
    match request:
        case Pending(instead_of=str(key)):
            return ("run", pipeline, "--instead-of", key)
        case Pending() | Corrections() | Arriving():
            return ("run", pipeline)
        case Unprocessed(key=None, accepted=accepted):
            return ("replay", pipeline, *(("--out-of-order",) if accepted.out_of_order else ()))
        case Unprocessed(key=str(key)):
            verb, is_again = "replay", False
        case OneFile(key=key, again=is_again):
            verb = "run"
    accepted = accepted_by(request)
    options = {
        "--again": is_again,
        "--out-of-order": accepted.out_of_order,
        "--allow-shrink": accepted.shrink,
        "--allow-new-columns": accepted.new_columns,
    }
    if accept_with:
        options[accept_with] = True
    return (verb, pipeline, "--file", key, *(name for name, is_set in options.items() if is_set))

"""The place of a failed load's files, what to correct first, and the command that continues."""

from __future__ import annotations

from collections.abc import Sequence

from framework.dataclass import dataclass
from framework.errors import PipelineError, SourceFileError
from framework.lake.lake import Lake
from framework.lake.unprocessed import FOLDER as UNPROCESSED_FOLDER
from framework.load.request import (
    Arriving,
    Corrections,
    LoadRequest,
    OneFile,
    Pending,
    Replacement,
    Unprocessed,
    accepted_by,
)
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

_ACCEPTED = {
    "--allow-shrink": "where load.mode is replace, the rows that it lacks leave the table",
    "--allow-new-columns": "the table gets all its columns as new ones, and the others are empty in its rows",
}
"""What an option does that loads a file which was refused."""


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
        accepted = f"If both are right, {kind.accept_with} loads it: {_ACCEPTED[kind.accept_with]}."
        return f"Check the file and the spec, as the message says, and have a correct file sent. {accepted}"
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
    if load.kind.needs_new_file or load.kind.accept_with or not set_aside:
        return tuple(others)
    alone = ("--file", set_aside[0]) if len(set_aside) == 1 else ()
    return (*others, ("replay", load.pipeline, *alone))


def _continuing(load: FailedLoad, set_aside: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments of the one command that continues."""
    if not set_aside:
        return again(load.request, load.pipeline)
    if load.kind.needs_new_file or load.kind.accept_with:
        return ("run", load.pipeline, "--instead-of", set_aside[0])
    if len(set_aside) > 1:
        return ("replay", load.pipeline)
    return ("replay", load.pipeline, "--file", set_aside[0])


def _in_words(load: FailedLoad, lake: Lake, set_aside: Sequence[str]) -> str:
    """Return where the files are, and what leads over to the command."""
    if not set_aside:
        accepted = _accepting(load, *again(load.request, load.pipeline)) if isinstance(load.request, OneFile) else ""
        return f"{_where_they_stay(load.keys, 'The', lake)}{accepted}Continue with"
    others = _where_they_stay([key for key in load.keys if key not in set_aside], "The other", lake)
    key = set_aside[0]
    if len(set_aside) > 1:
        where = f"{others}{len(set_aside)} files are now below {lake.url(key.rpartition('/')[0])}/."
        if load.kind.needs_new_file or load.kind.accept_with:
            return f"{where} When correct ones have come under their names, load them instead, for the first with"
        return f"{where} Continue with"
    where = f"{others}The file {'at fault ' if others else ''}is now at {lake.url(key)}."
    accepted = _accepting(load, "replay", load.pipeline, "--file", key)
    if load.kind.needs_new_file or accepted:
        return f"{where} {accepted}When a correct one has come under its name, load it instead with"
    return f"{where} Continue with"


def _accepting(load: FailedLoad, *words: str) -> str:
    """Return which command loads a refused file as it is, and what it does; nothing where no option does."""
    option = load.kind.accept_with
    if option is None:
        return ""
    return f"If it is right as it is, {load.program.command(*words, option)} loads it: {_ACCEPTED[option]}. "


def _where_they_stay(keys: Sequence[str], article: str, lake: Lake) -> str:
    if len(keys) > 1:
        return f"{article} {len(keys)} files stay where they are. "
    return f"{article} file stays at {lake.url(keys[0])}. " if keys else ""


def out_of_order(request: LoadRequest, pipeline: str, program: Program, key: str) -> NextStep:
    """Return the command that loads a file after newer ones."""
    words = again(request, pipeline) if isinstance(request, Replacement) else ("run", pipeline, "--file", key)
    command = program.command(*words, "--out-of-order")
    if isinstance(request, Replacement | Unprocessed):
        skipping = program.command("skip", request.instead_of if isinstance(request, Replacement) else key)
        what = "the one that was set aside" if isinstance(request, Replacement) else "it"
        return NextStep(f"To archive {what}: {skipping}\nTo load it all the same: {command}", command=skipping)
    return NextStep(f"To load it all the same: {command}", command=command)


def again(request: LoadRequest, pipeline: str) -> tuple[str, ...]:
    """Return the arguments of the command that repeats a request for one pipeline whose files stay where they are."""
    is_again = False
    match request:
        case Pending() | Corrections() | Arriving():
            return ("run", pipeline)
        case Unprocessed(key=None, accepted=accepted):
            return ("replay", pipeline, *(("--out-of-order",) if accepted.out_of_order else ()))
        case Unprocessed(key=str(key)):
            words: tuple[str, ...] = ("replay", pipeline, "--file", key)
        case OneFile(key=key, again=is_again):
            words = ("run", pipeline, "--file", key)
        case Replacement(instead_of=replaced, key=named):
            words = ("run", pipeline, "--instead-of", replaced, *(("--file", named) if named else ()))
    accepted = accepted_by(request)
    options = {
        "--again": is_again,
        "--out-of-order": accepted.out_of_order,
        "--allow-shrink": accepted.shrink,
        "--allow-new-columns": accepted.new_columns,
    }
    return (*words, *(name for name, is_set in options.items() if is_set))

"""The place of a failed load's files, and the command that continues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from framework.errors import SourceFileError
from framework.lake.lake import Lake
from framework.lake.unprocessed import FOLDER as UNPROCESSED_FOLDER
from framework.load.request import Arriving, Corrections, LoadRequest, OneFile, Pending, Unprocessed, accepted_by
from framework.load.result import NextStep
from framework.model.program import Program


@dataclass(frozen=True)
class FailedLoad:
    """A load that failed, and the keys under which its files are now."""

    pipeline: str
    program: Program
    request: LoadRequest
    error: BaseException
    keys: Sequence[str]

    @property
    def needs_new_file(self) -> bool:
        """Whether the file at fault cannot load, whatever the spec says."""
        return isinstance(self.error, SourceFileError) and self.error.needs_new_file

    @property
    def accept_with(self) -> str | None:
        """The option that loads the file as it is, if there is one."""
        return self.error.accept_with if isinstance(self.error, SourceFileError) else None


def next_step(load: FailedLoad, lake: Lake) -> NextStep:
    """Return the place of the files and the command to run, and the commands that retry."""
    set_aside = [key for key in load.keys if key.startswith(lake.key(UNPROCESSED_FOLDER))]
    return NextStep(_in_words(load, lake, set_aside), _retries(load, set_aside))


def _retries(load: FailedLoad, set_aside: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the arguments of the commands that load the files, as they would have loaded."""
    others = [again(load.request, load.pipeline)] if len(set_aside) < len(load.keys) or not load.keys else []
    if load.needs_new_file or not set_aside:
        return tuple(others)
    alone = ("--file", set_aside[0]) if len(set_aside) == 1 else ()
    return (*others, ("replay", load.pipeline, *alone))


def _in_words(load: FailedLoad, lake: Lake, set_aside: Sequence[str]) -> str:
    if not set_aside:
        continued = load.program.command(*again(load.request, load.pipeline, load.accept_with))
        return f"{_where_they_stay(load.keys, 'The', lake)}Continue with: {continued}"
    others = _where_they_stay([key for key in load.keys if key not in set_aside], "The other", lake)
    key = set_aside[0]
    if len(set_aside) > 1:
        where = f"{others}{len(set_aside)} files are now below {lake.url(key.rpartition('/')[0])}/."
        if load.needs_new_file:
            skipping = load.program.command("skip", key)
            return f"{where} When correct ones have been loaded, archive each; the first of them with: {skipping}"
        return f"{where} Continue with: {load.program.command('replay', load.pipeline)}"
    where = f"{others}The file {'at fault ' if others else ''}is now at {lake.url(key)}."
    if load.needs_new_file:
        return f"{where} When a correct one has been loaded, archive it with: {load.program.command('skip', key)}"
    options = [load.accept_with] if load.accept_with else []
    continued = load.program.command("replay", load.pipeline, "--file", key, *options)
    return f"{where} {'To load it as it is' if load.accept_with else 'Continue with'}: {continued}"


def _where_they_stay(keys: Sequence[str], article: str, lake: Lake) -> str:
    if len(keys) > 1:
        return f"{article} {len(keys)} files stay where they are. "
    return f"{article} file stays at {lake.url(keys[0])}. " if keys else ""


def out_of_order(pipeline: str, program: Program, key: str) -> NextStep:
    """Return the command that loads a file after newer ones."""
    continued = program.command("run", pipeline, "--file", key, "--out-of-order")
    return NextStep(f"To load it all the same: {continued}")


def again(request: LoadRequest, pipeline: str, accept_with: str | None = None) -> tuple[str, ...]:
    """Return the arguments of the command that repeats a request for one pipeline whose files stay where they are.

    `accept_with` is an option that is added where the request names a file.
    """
    match request:
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

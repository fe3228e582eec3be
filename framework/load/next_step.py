"""The place of a failed load's files, and the command that continues."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from framework.errors import SourceFileError
from framework.lake.lake import Lake
from framework.lake.unprocessed import FOLDER as UNPROCESSED_FOLDER
from framework.load.request import Corrections, LoadRequest, OneFile, Pending, Unprocessed, accepted_by
from framework.spec.environment import Environment

DEFAULT_ENVIRONMENT = "sandbox"


def command(environment: Environment, *words: str) -> str:
    """Return the arguments of `run.py`, quoted for a shell."""
    chosen = () if environment.name == DEFAULT_ENVIRONMENT else ("--env", environment.name)
    return shlex.join((*chosen, *words))


@dataclass(frozen=True)
class FailedLoad:
    """A load that failed, and the keys under which its files are now."""

    pipeline: str
    environment: Environment
    request: LoadRequest
    error: BaseException
    keys: Sequence[str]


def next_step(load: FailedLoad, lake: Lake) -> str:
    """Return one or two sentences: the place of the files, and the command to run."""
    set_aside = [key for key in load.keys if key.startswith(lake.key(UNPROCESSED_FOLDER))]
    if not set_aside:
        return f"{_where_they_stay(load.keys, 'The', lake)}Continue with: {command(load.environment, *_again(load))}"
    others = _where_they_stay([key for key in load.keys if key not in set_aside], "The other", lake)
    key = set_aside[0]
    needs_new_file = isinstance(load.error, SourceFileError) and load.error.needs_new_file
    if len(set_aside) > 1:
        where = f"{others}{len(set_aside)} files are now below {lake.url(key.rpartition('/')[0])}/."
        if needs_new_file:
            skipping = command(load.environment, "skip", key)
            return f"{where} When correct ones have been loaded, archive each; the first of them with: {skipping}"
        return f"{where} Continue with: {command(load.environment, 'replay', load.pipeline)}"
    where = f"{others}The file {'at fault ' if others else ''}is now at {lake.url(key)}."
    if needs_new_file:
        return f"{where} When a correct one has been loaded, archive it with: {command(load.environment, 'skip', key)}"
    accept_with = load.error.accept_with if isinstance(load.error, SourceFileError) else None
    options = [accept_with] if accept_with else []
    continued = command(load.environment, "replay", load.pipeline, "--file", key, *options)
    return f"{where} {'To load it as it is' if accept_with else 'Continue with'}: {continued}"


def _where_they_stay(keys: Sequence[str], article: str, lake: Lake) -> str:
    if len(keys) > 1:
        return f"{article} {len(keys)} files stay where they are. "
    return f"{article} file stays at {lake.url(keys[0])}. " if keys else ""


def out_of_order(pipeline: str, environment: Environment, key: str) -> str:
    """Return the command that loads a file after newer ones."""
    continued = command(environment, "run", pipeline, "--file", key, "--out-of-order")
    return f"To load it all the same: {continued}"


def _again(load: FailedLoad) -> tuple[str, ...]:
    """Return the arguments of the failed command, which can run again because the files stay where they are."""
    match load.request:
        case Pending() | Corrections():
            return ("run", load.pipeline)
        case Unprocessed(key=None):
            return ("replay", load.pipeline)
        case Unprocessed(key=str(key)):
            verb, again = "replay", False
        case OneFile(key=key, again=again):
            verb = "run"
    accepted = accepted_by(load.request)
    options = {
        "--again": again,
        "--out-of-order": accepted.out_of_order,
        "--allow-shrink": accepted.shrink,
        "--allow-new-columns": accepted.new_columns,
    }
    if isinstance(load.error, SourceFileError) and load.error.accept_with:
        options[load.error.accept_with] = True
    return (verb, load.pipeline, "--file", key, *(name for name, is_set in options.items() if is_set))

"""Options that let one file load which would be left alone or rejected: they go with --file KEY."""

from __future__ import annotations

import argparse
from collections.abc import Collection

from framework.errors import SpecError
from framework.load.request import Accepted, LoadRequest, OneFile, Pending, Replacement, Unprocessed

_OPTIONS = {
    "again": "load it once more although it is loaded",
    "out_of_order": "load it although a newer file is loaded already",
    "allow_shrink": "load it although it replaces the table with too few rows",
    "allow_new_columns": "load it although none of its columns is in the table",
}
"""The options by their name as a Python identifier, with their help texts."""
FLAGS = frozenset(f"--{name.replace('_', '-')}" for name in _OPTIONS)


def add_file_options(parser: argparse.ArgumentParser, without: Collection[str] = ()) -> None:
    """Declare the options, leaving out those of some fields."""
    for name, does in _OPTIONS.items():
        if name not in without:
            parser.add_argument(f"--{name.replace('_', '-')}", action="store_true", help=f"with --file: {does}")


def file_request(arguments: argparse.Namespace, *, pipelines: int = 1, unprocessed: bool = False) -> LoadRequest:
    """Return the load request of the arguments, for this many pipelines.

    Raises:
        SpecError: an option that goes with --file comes without it, or a file is named beside several pipelines.
    """
    replaced = getattr(arguments, "instead_of", None)
    asked = [name for name in _OPTIONS if getattr(arguments, name, False)]
    alone = [name for name in asked if not (unprocessed and name == "out_of_order")]
    if alone and arguments.file is None and replaced is None:
        option = f"--{alone[0].replace('_', '-')}"
        raise SpecError(f"{option} is for one file: name it with --file KEY")
    if arguments.file is not None and pipelines != 1:
        raise SpecError("--file KEY goes with the name of one pipeline")
    if replaced is not None and (pipelines != 1 or "again" in asked):
        raise SpecError("--instead-of KEY goes with the name of one pipeline, and without --again")
    accepted = Accepted(*(name in asked for name in ("out_of_order", "allow_shrink", "allow_new_columns")))
    if unprocessed:
        return Unprocessed(arguments.file, accepted)
    if replaced is not None:
        return Replacement(replaced, arguments.file, accepted)
    return Pending() if arguments.file is None else OneFile(arguments.file, "again" in asked, accepted)

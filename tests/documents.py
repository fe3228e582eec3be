"""The JSON documents of commands: each is what its schema describes, and a command prints one or none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from framework.cli.main import parse_arguments
from framework.resources import read_text

_SHARED = {"replay": "run", "skip": "run"}
"""Commands whose document is another's."""


def check_document(argv: Sequence[str], code: int, printed: str) -> Any:
    """Check what a command line printed on stdout; return its document, None where it printed none.

    A command that succeeds prints one. Text is not checked.
    """
    try:
        arguments = parse_arguments(argv)
    except Exception:
        assert code, argv
        assert printed == "", argv
        return None
    if arguments.output not in ("json", "lines"):
        return None
    document = _document(printed, arguments.output)
    if document is None:
        assert code, (argv, printed)
        return None
    schema_of(arguments.command, getattr(arguments, "action", None)).validate(document)
    return document


@cache
def schema_of(command: str, action: str | None = None) -> Draft202012Validator:
    """Return the schema of a command's document; `action` is that of `sandbox`."""
    return Draft202012Validator(json.loads(read_text(f"schemas/output/{schema_name(command, action)}.schema.json")))


def schema_name(command: str, action: str | None = None) -> str:
    """Return the name of the schema of a command's document."""
    return "_".join(filter(None, [_SHARED.get(command, command), action])).replace("-", "_")


def _document(printed: str, form: str) -> Any:
    """Return the one document, behind the lines of the log; None where there is none."""
    if form == "json":
        return json.loads(printed, parse_constant=_refuse) if printed else None
    lines = [json.loads(line, parse_constant=_refuse) for line in printed.splitlines()]
    documents = [line for line in lines if "level" not in line]
    assert documents in ([], lines[-1:]), printed
    return documents[0] if documents else None


def _refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")

"""Checks of `source`: the folder, the delimiter and the encoding."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from framework.spec.document import Finding, Path
from framework.spec.fields import mapping_at, text_field, text_list

OWN_FOLDERS = ("data/archive", "data/unprocessed", "data/quarantine", "staging", "logs")
"""Folders of the lake that Feedway itself writes to."""
ENCODINGS = {
    "utf-8": "utf-8",
    "utf-16": "utf-16",
    "iso8859-1": "iso-8859-1",
    "cp1252": "windows-1252",
    "ascii": "us-ascii",
}
"""The encodings that feeds may have: Python's name for each, and everybody else's."""


def folder(prefix: str) -> str:
    """Return a prefix with the `/` at its end that people leave out."""
    return prefix if prefix.endswith("/") else prefix + "/"


def encoding_name(text: str) -> str | None:
    """Return the one name of an encoding that has many; None where feeds may not have it."""
    try:
        return ENCODINGS.get(codecs.lookup(text).name)
    except (LookupError, ValueError):
        return None


def source_findings(document: object) -> Iterator[Finding]:
    """Yield the problems of the source's place and options."""
    for path, prefix in text_field(document, "source", "prefix"):
        yield from _prefix_findings(path, prefix)
    for path, delimiter in text_field(document, "source", "options", "delimiter"):
        yield from _delimiter_findings(path, delimiter)
    for path, encoding in text_field(document, "source", "options", "encoding"):
        if encoding_name(encoding) is None:
            message = f"source.options.encoding: {encoding!r} is not an encoding Feedway reads"
            yield Finding(path, "spec/encoding", message, f"Possible: {', '.join(ENCODINGS.values())}.")
    yield from _header_findings(document)


def _prefix_findings(path: Path, prefix: str) -> Iterator[Finding]:
    rule = "spec/prefix"
    if "://" in prefix or prefix.startswith("/"):
        fix = "Leave out bucket and leading `/`: the prefix is relative to the environment's lake."
        yield Finding(path, rule, f"source.prefix: {prefix!r} is absolute", fix)
    elif any(part in ("", ".", "..") for part in folder(prefix)[:-1].split("/")):
        fix = "Write a plain folder such as data/in/customers/."
        yield Finding(path, rule, f"source.prefix: {prefix!r} holds an empty, `.` or `..` part", fix)
    else:
        for own in OWN_FOLDERS:
            if folder(prefix).startswith(folder(own)) or folder(own).startswith(folder(prefix)):
                message = f"source.prefix: {prefix!r} overlaps {folder(own)}, which Feedway itself writes to"
                yield Finding(path, rule, message, "Let files arrive elsewhere, such as under data/in/.")
                return


def _delimiter_findings(path: Path, delimiter: str) -> Iterator[Finding]:
    if len(delimiter) != 1:
        fix = 'Write one character; a tab is "\\t", in double quotes.'
        message = f"source.options.delimiter: {delimiter!r} is not one character"
        yield Finding(path, "spec/delimiter", message, fix)
    elif delimiter in '"\r\n\0':
        message = f"source.options.delimiter: {delimiter!r} cannot part fields, CSV uses it otherwise"
        yield Finding(path, "spec/delimiter", message, "Write the character between two fields.")


def _header_findings(document: object) -> Iterator[Finding]:
    """Yield the problems of the names that replace a header."""
    header = mapping_at(document, "source", "options").get("header")
    names = text_list(document, "source", "options", "names")
    if header is False and not names:
        message = "source.options.header is false, and names is missing: nothing says what the fields are"
        fix = "Add, for example, names: [order_id, amount]."
        yield Finding(("source", "options", "header"), "spec/header", message, fix)
    elif names and not isinstance(header, bool):
        message = "source.options.names goes with a header that is true or false"
        fix = "Add header: false where the files have no header line, or header: true to replace it."
        yield Finding(("source", "options", "names"), "spec/header", message, fix)
    seen: set[str] = set()
    for path, name in names:
        if name.strip().casefold() in seen:
            message = f"source.options.names has {name!r} twice"
            yield Finding(path, "spec/duplicate-column", message, "Give each field a name of its own.")
        seen.add(name.strip().casefold())

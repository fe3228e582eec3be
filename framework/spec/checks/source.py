"""Checks of `source`: the folder, the packing, and the options of the format."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator, Sequence

from framework.model.csv_options import AUTO, DELIMITERS
from framework.spec.checks.formats import format_findings
from framework.spec.document import Finding, Path, field_name
from framework.spec.fields import mapping_at, text_field, text_list, value_at

_OPTIONS = ("source", "options")
OWN_FOLDERS = ("data/archive", "data/unprocessed", "data/quarantine", "staging", "logs")
"""Folders of the lake that Feedway itself writes to."""
_NO_TEXT = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "charmap", "mbcs", "oem")
"""Codecs of Python that no file is written in, and those of one machine.
Source: https://docs.python.org/3/library/codecs.html#python-specific-encodings"""
_NAMES = {"iso8859-1": "iso-8859-1", "cp1252": "windows-1252", "ascii": "us-ascii", "utf-8-sig": "utf-8"}
"""The names of encodings that everybody but Python calls otherwise, and UTF-8 with a mark, which is recognised."""
_FEW_CHARACTERS = 64
"""Double-byte encodings have no more characters of one byte that are not ASCII: Shift JIS has 63."""
_PREFIX_OF_CODE_PAGES = re.compile(r"cp(125\d)")


def folder(prefix: str) -> str:
    """Return a prefix with the `/` at its end that people leave out."""
    return prefix if prefix.endswith("/") else prefix + "/"


def encoding_name(text: str) -> str | None:
    """Return the one name of an encoding that has many; None where there is none for text."""
    try:
        name = codecs.lookup(text).name
        # Other codecs than those of text cannot be used so.
        io.TextIOWrapper(io.BytesIO(), encoding=name).close()
    except (LookupError, ValueError):
        return None
    if name in _NO_TEXT:
        return None
    return _NAMES.get(name) or _PREFIX_OF_CODE_PAGES.sub(r"windows-\1", name)


def source_findings(document: object) -> Iterator[Finding]:
    """Yield the problems of the source's place and options."""
    for path, prefix in text_field(document, "source", "prefix"):
        yield from _prefix_findings(path, prefix)
    for path, delimiter in text_field(document, *_OPTIONS, "delimiter"):
        yield from _delimiter_findings(path, delimiter)
    encodings = [*text_field(document, *_OPTIONS, "encoding"), *text_list(document, *_OPTIONS, "encoding")]
    for path, encoding in encodings:
        if encoding_name(encoding) is None:
            message = f"source.options.encoding: {encoding!r} is not an encoding of text that Python knows"
            yield Finding(path, "spec/encoding", message, "Write, for example, utf-8, windows-1252 or utf-16-le.")
    yield from format_findings(document)
    yield from _useless_findings(document)
    yield from _character_findings(document)
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
    if delimiter != AUTO and delimiter.lower() == AUTO:
        message = f"source.options.delimiter: {delimiter!r} is taken as a delimiter of four letters"
        yield Finding(path, "spec/delimiter", message, f"Write {AUTO}.")
    elif not delimiter:
        fix = 'Write the characters between two fields; a tab is "\\t", in double quotes.'
        yield Finding(path, "spec/delimiter", "source.options.delimiter is empty", fix)
    elif set(delimiter) & set('"\r\n\0'):
        message = f"source.options.delimiter: {delimiter!r} cannot part fields, CSV uses it otherwise"
        yield Finding(path, "spec/delimiter", message, "Write what stands between two fields.")
    elif delimiter == "\\t":
        message = "source.options.delimiter is a backslash and a t"
        yield Finding(
            path, "spec/delimiter", message, 'A tab is "\\t" in double quotes: in single ones it is two characters.'
        )


def _useless_findings(document: object) -> Iterator[Finding]:
    """Yield the fields that others make meaningless, and encodings that are hardly ever tried."""
    source, options = mapping_at(document, "source"), mapping_at(document, *_OPTIONS)
    is_text = options.get("quoting") == "none"
    has_until = isinstance(options.get("skip_lines"), dict)
    compression = source.get("compression")
    useless = (
        ((*_OPTIONS, "quote"), is_text and options.get("quote"), "with quoting none, quotes are text"),
        ((*_OPTIONS, "escape"), is_text and options.get("escape"), "with quoting none, nothing needs one"),
        ((*_OPTIONS, "skip_lines"), has_until and options.get("header") is False, "until finds a header"),
        (("source", "max_unpacked"), compression == "none" and source.get("max_unpacked"), "nothing is unpacked"),
        (
            ("source", "members"),
            compression not in ("auto", "zip") and source.get("members") != "*",
            f"with compression {compression}, files have no members",
        ),
    )
    for path, is_useless, why in useless:
        if is_useless:
            yield Finding(path, "spec/options", f"{'.'.join(path)}: {why}", "Leave one of the two out.", at_key=True)
    most = source.get("max_unpacked")
    if isinstance(most, str) and not any(digit in most for digit in "123456789"):
        message = f"source.max_unpacked is {most}, and a packed file could hold nothing"
        yield Finding(("source", "max_unpacked"), "spec/options", message, "Write a size such as 10GB.")
    encodings = options.get("encoding")
    if isinstance(encodings, list):
        yield from _unreached_findings(encodings)


def _unreached_findings(encodings: Sequence[object]) -> Iterator[Finding]:
    """Yield the first encoding that is hardly ever tried, because nearly every file is valid in one before it."""
    names = [encoding_name(encoding) if isinstance(encoding, str) else None for encoding in encodings]
    for place, (encoding, name) in enumerate(zip(encodings[:-1], names, strict=False)):
        is_before_utf8 = name not in ("utf-8", "us-ascii") and "utf-8" in names[place + 1 :]
        if isinstance(encoding, str) and (is_before_utf8 or _takes_nearly_all(encoding)):
            path = (*_OPTIONS, "encoding", place)
            others = "files in UTF-8 are" if is_before_utf8 else "nearly every file is"
            message = f"source.options.encoding: {others} valid in {encoding} too, so that no other is tried"
            yield Finding(path, "spec/options", message, f"Put utf-8 first, and {encoding} behind what is stricter.")
            return


def _takes_nearly_all(encoding: str) -> bool:
    """Return whether most bytes that are not ASCII are characters by themselves."""
    found = 0
    for byte in range(0x80, 0x100):
        try:
            found += len(bytes((byte,)).decode(encoding))
        except (LookupError, ValueError):
            continue
    return found > _FEW_CHARACTERS


def _character_findings(document: object) -> Iterator[Finding]:
    """Yield the options that are no one character, or that another option uses."""
    options = mapping_at(document, *_OPTIONS)
    used: dict[str, str] = {}
    delimiter = options.get("delimiter", ",")
    if isinstance(delimiter, str):
        characters = "".join(DELIMITERS) if delimiter == AUTO else delimiter.replace('"', "")
        used |= dict.fromkeys(characters, "delimiter")
    if options.get("quoting") != "none" and options.get("quote") is None:
        used['"'] = "quote"
    for field in ("quote", "escape"):
        text = options.get(field)
        if not isinstance(text, str):
            continue
        path = (*_OPTIONS, field)
        if len(text) != 1 or text in "\r\n\0 \t" or text.isalnum():
            message = f"source.options.{field}: {text!r} is not one character of its own"
            yield Finding(path, "spec/options", message, "Write one character that is no letter, digit, blank or tab.")
        elif used.setdefault(text, field) != field:
            message = f"source.options.{field}: {text!r} is the {used[text]} too"
            yield Finding(path, "spec/options", message, "Write another character for one of the two.")
    yield from _line_findings(document)
    comment = options.get("comment")
    if isinstance(comment, str) and comment[:1] in {*used, "\r", "\n", "\0"}:
        message = f"source.options.comment: {comment!r} begins like a record: {comment[:1]!r} has another meaning"
        yield Finding((*_OPTIONS, "comment"), "spec/options", message, "Write what comments of the files begin with.")


def _line_findings(document: object) -> Iterator[Finding]:
    """Yield the texts that no line, or every line, is like."""
    footer: Path = (*_OPTIONS, "footer_lines", "from")
    for line in ((*_OPTIONS, "skip_lines", "until"), footer, (*_OPTIONS, "comment")):
        text = value_at(document, line)
        if isinstance(text, str) and set(text) & set("\r\n\0"):
            message = f"{field_name(line)}: {text!r} is not within one line"
            yield Finding(line, "spec/options", message, "Write the beginning of a line.")
    glob = value_at(document, footer)
    if isinstance(glob, str) and not glob.strip("*?"):
        message = f"{field_name(footer)}: every line matches {glob!r}"
        yield Finding(footer, "spec/options", message, "Write what the first line of the footer begins with.")


def _header_findings(document: object) -> Iterator[Finding]:
    """Yield the problems of the names that replace a header."""
    header = mapping_at(document, *_OPTIONS).get("header")
    names = text_list(document, *_OPTIONS, "names")
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

"""Checks of the options that belong to a format: those of others are of no use, and a range of cells is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from framework.model.cell_range import parse_range
from framework.model.words import listed
from framework.spec.document import Finding
from framework.spec.fields import mapping_at, text_at, text_field

_OPTIONS = ("source", "options")


@dataclass(frozen=True)
class _Option:
    """The formats that an option is for, and its default: only what differs from it is known to be written."""

    formats: tuple[str, ...]
    default: object = None


OF_FORMATS = {
    "encoding": _Option(("csv", "json", "fixed"), "utf-8"),
    "delimiter": _Option(("csv",), ","),
    "quoting": _Option(("csv",), "strict"),
    "quote": _Option(("csv",)),
    "escape": _Option(("csv",)),
    "header": _Option(("csv", "excel"), "auto"),
    "names": _Option(("csv", "excel")),
    "skip_lines": _Option(("csv", "excel", "fixed"), 0),
    "footer_lines": _Option(("csv", "excel", "fixed"), 0),
    "comment": _Option(("csv",)),
    "short_rows": _Option(("csv",), "reject"),
    "long_rows": _Option(("csv",), "reject"),
    "trim": _Option(("csv",), "none"),
    "records": _Option(("json",)),
    "nested": _Option(("json", "parquet"), "super"),
    "sheet": _Option(("excel",), 1),
    "range": _Option(("excel",)),
}
"""All options but `fields`, whose checks are those of fixed width."""
_CHECKED_WITH_FIELDS = ("header", "names")
_NEVER_PACKED = ("parquet", "excel")


def format_findings(document: object) -> Iterator[Finding]:
    """Yield the options that the format of the files has no use for, and ranges that no sheet has."""
    source, options = mapping_at(document, "source"), mapping_at(document, *_OPTIONS)
    written = source.get("format")
    if isinstance(written, str) and written != "auto":
        for name, option in OF_FORMATS.items():
            if written in option.formats or (written == "fixed" and name in _CHECKED_WITH_FIELDS):
                continue
            if options.get(name, option.default) != option.default:
                message = f"source.options.{name}: it is for {listed(option.formats)}, and source.format is {written}"
                yield Finding((*_OPTIONS, name), "spec/options", message, "Leave one of the two out.", at_key=True)
    compression = text_at(document, "source", "compression")
    if written in _NEVER_PACKED and compression not in (None, "auto", "none"):
        message = f"source.compression: files of the format {written} are not packed once more"
        yield Finding(("source", "compression"), "spec/options", message, "Leave it out.", at_key=True)
    for path, text in text_field(document, *_OPTIONS, "range"):
        try:
            parse_range(text.upper())
        except ValueError as error:
            fix = "Write the first cell and the last one, such as A3:F20, or A3:F for all rows from the third on."
            yield Finding(path, "spec/options", f"source.options.range: {text!r} {error}", fix)

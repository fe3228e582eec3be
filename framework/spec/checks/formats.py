"""Checks of the options that belong to a format: those of others are of no use, and a range of cells is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from framework.dataclass import dataclass
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
    if written in (None, "auto"):
        yield from _exclusive_findings(options)
    for path, text in text_field(document, *_OPTIONS, "records"):
        if not all(text.split(".")):
            message = f"source.options.records: {text!r} has an empty key"
            yield Finding(path, "spec/options", message, "Write the keys with one dot between two, such as data.items.")
    compression = text_at(document, "source", "compression")
    if written in _NEVER_PACKED and source.get("members", "*") != "*":
        message = f"source.members: files of the format {written} are not packed once more"
        yield Finding(("source", "members"), "spec/options", message, "Leave it out.", at_key=True)
    if written in _NEVER_PACKED and compression not in (None, "auto", "none"):
        message = f"source.compression: files of the format {written} are not packed once more"
        yield Finding(("source", "compression"), "spec/options", message, "Leave it out.", at_key=True)
    for path, text in text_field(document, *_OPTIONS, "range"):
        try:
            parse_range(text.upper())
        except ValueError as error:
            fix = "Write the first cell and the last one, such as A3:F20, or A3:F for all rows from the third on."
            yield Finding(path, "spec/options", f"source.options.range: {text!r} {error}", fix)


def _exclusive_findings(options: Mapping[str, object]) -> Iterator[Finding]:
    """Yield the first option that no format has together with those before it; the files decide on the format."""
    formats: set[str] | None = None
    before: list[str] = []
    of_formats = {name: option.formats for name, option in OF_FORMATS.items()} | {"fields": ("fixed",)}
    for name, own in of_formats.items():
        default = OF_FORMATS[name].default if name in OF_FORMATS else None
        if options.get(name, default) == default or (options.get("fields") and name in _CHECKED_WITH_FIELDS):
            continue
        if formats is not None and not formats & set(own):
            message = (
                f"source.options.{name}: it is for {listed(own)}, and no format has it together with {listed(before)}"
            )
            fix = "Leave out the options of the other format, and set source.format."
            yield Finding((*_OPTIONS, name), "spec/options", message, fix, at_key=True)
            return
        formats = set(own) if formats is None else formats & set(own)
        before.append(name)

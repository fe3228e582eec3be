"""A spec as commented YAML that reads back as what it says, whatever texts are in it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import yaml

Path = tuple[str, ...]
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_/.()-]*")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_WIDTH = 100
_COMMENT_WIDTH = 110
_LONGEST_SAMPLE = 40
_SHORT_ITEM = 60


def spec_text(fields: Mapping[str, object], comments: Mapping[Path, Sequence[str]]) -> str:
    """Return the YAML of a spec. A comment stands above the field at its path, and at the end under an empty path.

    Fields without a comment inside are written in one line where they fit.
    """
    lines = list(_mapping(fields, comments, (), ""))
    lines += [line for text in comments.get((), ()) for line in _comment(text, "")]
    return "\n".join(lines) + "\n"


def comment_lines(text: str) -> list[str]:
    """Return a comment in lines that are not too long."""
    return list(_comment(text, ""))


def sample(text: str) -> str:
    """Return a text in quotes as a comment may show it: in one line, cut off where it is long."""
    shown = scalar(text if len(text) <= _LONGEST_SAMPLE else text[: _LONGEST_SAMPLE - 1] + "…", is_quoted=True)
    # YAML has some as they are that change how a line looks.
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in shown)


def scalar(value: object, is_quoted: bool = False) -> str:
    """Return a value as YAML in one line, which is also free of characters that would end a comment."""
    match value:
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case int() | float():
            return str(value)
        case str():
            is_plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS and len(value) < _WIDTH
            if is_plain and not is_quoted:
                return value
            dumped: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=2**31 - 1)
            return dumped.rstrip("\n")
    raise TypeError(f"{value!r} is no scalar of a spec")


def flow(value: object) -> str:
    """Return a value as YAML in one line."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{scalar(key)}: {flow(each)}" for key, each in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def _mapping(
    fields: Mapping[str, object], comments: Mapping[Path, Sequence[str]], path: Path, indent: str
) -> Iterator[str]:
    for name, value in fields.items():
        place = (*path, name)
        for text in comments.get(place, ()):
            yield from _comment(text, indent)
        has_comments = any(len(other) > len(place) and other[: len(place)] == place for other in comments)
        short = f"{indent}{scalar(name)}: {flow(value)}"
        match value:
            case Mapping() if value and (has_comments or len(short) > _WIDTH or place == ("source",)):
                yield f"{indent}{scalar(name)}:"
                yield from _mapping(value, comments, place, indent + "  ")
            case [Mapping(), *_]:
                yield f"{indent}{scalar(name)}:"
                yield from _items(value, indent + "  ")
            case _:
                yield short


def _items(values: Sequence[object], indent: str) -> Iterator[str]:
    for value in values:
        assert isinstance(value, Mapping)
        short = flow(value)
        if len(short) <= _SHORT_ITEM:
            yield f"{indent}- {short}"
            continue
        mark = "- "
        for name, each in value.items():
            yield f"{indent}{mark}{_field(scalar(name), each, indent + '    ')}"
            mark = "  "


def _field(name: str, value: object, indent: str) -> str:
    """Return a field; a text of several lines as a block, where that reads back as the text."""
    if isinstance(value, str) and "\n" in value:
        ending = "|" if value.endswith("\n") else "|-"
        body = "".join(f"{indent}{line}\n" if line else "\n" for line in value.removesuffix("\n").split("\n"))
        block = f"{name}: {ending}\n{body}".rstrip("\n")
        # Where YAML cannot hold the text as a block, it is written in quotes.
        with suppress(yaml.YAMLError):
            if yaml.safe_load(f"{name}: {ending}\n{body}") == {name: value}:
                return block
    return f"{name}: {flow(value)}"


def _comment(text: str, indent: str) -> Iterator[str]:
    if text.startswith(" "):
        # YAML to copy.
        yield f"{indent}# {text}"
        return
    for line in textwrap.wrap(text, _COMMENT_WIDTH - len(indent), break_on_hyphens=False) or [""]:
        yield f"{indent}# {line}".rstrip()

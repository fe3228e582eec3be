"""A page of HTML as its elements."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "link", "input"}


@dataclass
class Element:
    """An element with its attributes and all text in it.

    `own` is the text up to the next cell or row, whose start may end a cell without an end tag.
    """

    tag: str
    attributes: dict[str, str | None]
    text: str = ""
    own: str = ""


@dataclass
class Page(HTMLParser):
    """A page as its elements, in order."""

    source: str
    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.open: list[Element] = []
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        element = Element(tag, dict(attrs))
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while self.open:
            if self.open.pop().tag == tag:
                return
        raise AssertionError(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data
        innermost = [element for element in self.open if element.tag in ("td", "th")][-1:]
        for element in innermost:
            element.own += data

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]

    def with_class(self, name: str) -> list[Element]:
        return [element for element in self.elements if name in (element.attributes.get("class") or "").split()]

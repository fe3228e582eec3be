"""The records of a JSON document, or of values that stand one after the other, as lines."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]

from framework.model.words import size as size_text
from framework.rows.formats.text.format import BrokenText
from framework.rows.formats.text.stream import MAX_RECORD_BYTES
from framework.rows.formats.text.text import BrokenBytes

_WHITESPACE = " \t\r\n"
_PIECE_CHARACTERS = 256 * 1024
_KEPT_CHARACTERS = 1024**2
"""So much text that was passed may be held before it is dropped."""
_NEAR = 16
"""A fault so near the end of the text may be that more of it is to come."""
_scan = json.JSONDecoder(parse_int=str, parse_float=str).scan_once  # type: ignore[attr-defined]


class Document:
    """Takes the records out of a document; see Extract. `keys` lead to the array that holds them."""

    lines = 0

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = keys

    def records(self, text: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the records, each a line.

        Raises:
            BrokenText: the text is no JSON, ends in its middle, or has no such array.
        """
        held: list[str] = []
        size = 0
        for record in self._values(_Window(text)):
            # Outside of strings, which cannot hold one, a line end is a blank.
            held.append(record.replace("\n", " ").replace("\r", " "))
            size += len(record)
            if size > _PIECE_CHARACTERS:
                yield "".join(f"{each}\n" for each in held).encode("utf-8")
                held, size = [], 0
        if held:
            yield "".join(f"{each}\n" for each in held).encode("utf-8")

    def _values(self, window: _Window) -> Iterator[str]:
        if self._keys:
            for place in range(len(self._keys)):
                self._enter(window, place)
            if window.peek() != "[":
                found = "no array" if window.peek() else "nothing"
                raise BrokenText(f"source.options.records: {'.'.join(self._keys)} leads to {found}", may_load=True)
        if window.peek() == "[":
            yield from window.elements()
            for key in reversed(self._keys):
                window.leave_object(key)
            if window.peek():
                raise BrokenText("more text follows the end of the JSON document", may_load=False)
            return
        while window.peek():
            yield window.value()

    def _enter(self, window: _Window, place: int) -> None:
        """Move to the value of a key in the object that begins here."""
        path = ".".join(self._keys[: place + 1])
        if window.peek() != "{":
            raise BrokenText(f"source.options.records: there is no object that could have {path}", may_load=True)
        window.take("{")
        while window.peek() != "}":
            if window.key() == self._keys[place]:
                return
            window.value()
            if window.peek() != "}":
                window.take(",")
        raise BrokenText(f"source.options.records: the document has no {path}", may_load=True)


class _Window:
    """The text of a document, of which a part is held, and a place in it."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._before = 0
        self._is_all = False

    def peek(self) -> str:
        """Return the next character that is no whitespace, without passing it; an empty text at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _WHITESPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._is_all:
                return ""
            self._more(1)

    def take(self, mark: str) -> None:
        """Pass a mark."""
        found = self.peek()
        if found != mark:
            raise self._broken(f"expecting {mark!r}")
        self._at += 1

    def key(self) -> str:
        """Pass a key and the colon behind it; return the key."""
        if self.peek() != '"':
            raise self._broken("expecting a key in double quotes")
        start = self._at + 1
        while True:
            try:
                key, end = scanstring(self._text, start, True)
                break
            except json.JSONDecodeError as error:
                if self._is_all:
                    raise self._broken(error.msg) from error
                start -= self._more(len(self._text) - start + 1)
        self._at = end
        self.take(":")
        return str(key)

    def value(self) -> str:
        """Pass a value and return its text."""
        if not self.peek():
            raise self._broken("a value is missing")
        while True:
            try:
                _, end = _scan(self._text, self._at)
            except StopIteration as stop:
                place, reason = int(stop.value), "expecting a value"
            except json.JSONDecodeError as error:
                place, reason = error.pos, error.msg
                if error.msg.startswith("Unterminated string") and not self._is_all:
                    place = len(self._text)
            except RecursionError as error:
                raise BrokenText("the JSON is nested more than about 1,000 levels deep", may_load=False) from error
            else:
                # A number may go on.
                if end < len(self._text) or self._is_all:
                    self._require_size(end)
                    text = self._text[self._at : end]
                    self._at = end
                    return text
                place, reason = end, ""
            if self._is_all or place < len(self._text) - _NEAR:
                raise self._broken(reason, place)
            self._require_size(len(self._text))
            self._more(len(self._text) - self._at)

    def elements(self) -> Iterator[str]:
        """Pass an array; yield the texts of its elements."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            yield self.value()
            if self.peek() == "]":
                self.take("]")
                return
            self.take(",")

    def leave_object(self, passed: str) -> None:
        """Pass the rest of an object, in which a key was passed that it must not have once more."""
        while self.peek() == ",":
            self.take(",")
            if self.key() == passed:
                raise BrokenText(f"the document has {passed} twice in one object", may_load=False)
            self.value()
        self.take("}")

    def _require_size(self, end: int) -> None:
        if end - self._at > MAX_RECORD_BYTES:
            raise BrokenText(f"a record has more than {size_text(MAX_RECORD_BYTES)}", may_load=False)

    def _more(self, characters: int) -> int:
        """Read at least so much more text, up to the end; return how much of what was passed is dropped.

        Raises:
            BrokenBytes: it is not valid.
        """
        dropped = 0
        if self._at > _KEPT_CHARACTERS:
            dropped = self._at
            self._text = self._text[dropped:]
            self._before += dropped
            self._at = 0
        held = [self._text]
        while characters > 0 and not self._is_all:
            piece = next(self._pieces, None)
            try:
                text = self._decoder.decode(piece or b"", final=piece is None)
            except UnicodeDecodeError as error:
                raise BrokenBytes from error
            self._is_all = piece is None
            held.append(text)
            characters -= len(text)
        self._text = "".join(held)
        return dropped

    def _broken(self, reason: str, place: int | None = None) -> BrokenText:
        place = self._at if place is None else place
        if self._is_all and place >= len(self._text.rstrip(_WHITESPACE)):
            return BrokenText("the file ends in the middle of its JSON: it may have been cut off", may_load=False)
        if reason.startswith("Unterminated string"):
            return BrokenText("the file ends within a text of its JSON: it may have been cut off", may_load=False)
        return BrokenText(f"the file is no JSON: {reason} at character {self._before + place + 1:,}", may_load=False)

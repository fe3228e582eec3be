"""The encoding of sample files without a byte order mark. UTF-8 proves itself; anything else is a guess."""

from __future__ import annotations

import re
from collections.abc import Iterable

from framework.rows.formats.recognise import Beginning
from framework.rows.formats.text.encoding import decoded_head, marked_encoding

FALLBACK = "windows-1252"
"""What Western systems write that do not write UTF-8; the characters of ISO 8859-1 are the same in it."""
_SHIFTED = re.compile(rb"\x1b[$(][@-Z]")
"""How ISO 2022 begins other characters."""
_UTF7 = re.compile(r"\+[A-Za-z0-9/]{3,}")
_RUN = re.compile(r"[^\x00-\x7f]+")
_LETTERS = r"\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0160\u0161\u017d\u017e\u0152\u0153\u0178"
_SIGNS = (
    r"\u20ac\u201a\u201e\u2026\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u00b0\u00a7\u00a3\u00a9\u00ae\u00ab\u00bb"
    r"\u00b7\u00ba\u00aa\u00bf\u00a1\u00b2\u00b3\u00b5\u00b4\u00a0\u00d7\u00f7"
)
"""Euro, quotes, dashes, degrees and the like."""
_PLAUSIBLE = re.compile(f"[{_LETTERS}{_SIGNS}]{{1,2}}|[{_SIGNS}]{{1,4}}")
_MOST_IMPLAUSIBLE = 0.1
"""Share of the runs of characters beyond ASCII: Western words have one or two of them in a row."""


def first_text(beginning: Beginning, encodings: tuple[str, ...]) -> tuple[str, str]:
    """Return the encoding in which a file's first bytes are valid, and their text.

    Raises:
        ValueError: they are valid in none.
    """
    return decoded_head(beginning, encodings, None)


def encodings_for(beginning: Beginning) -> tuple[str, ...]:
    """Return the encodings to try for a file that begins so, in order.

    Raises:
        ValueError: it is written with shifts, which Feedway reads only where the encoding is named.
    """
    content = beginning.content
    if marked_encoding(content) is not None:
        return ("utf-8",)
    if _SHIFTED.search(content):
        raise ValueError("the file looks like ISO-2022: name its encoding with --encoding, such as iso2022_jp")
    if order := _utf16(content):
        return (order,)
    try:
        _, text = first_text(beginning, ("utf-8",))
    except ValueError:
        if b"\0" in content:
            raise ValueError(
                "the file is no text: it has NUL bytes, and is neither UTF-8 nor UTF-16. If it is text all the same, "
                "name its encoding with --encoding"
            ) from None
        return ("utf-8", FALLBACK)
    if text.isascii() and _is_utf7(text):
        raise ValueError("the file may be UTF-7: name its encoding with --encoding, utf-7 or utf-8")
    return ("utf-8",)


def is_western(texts: Iterable[str]) -> bool:
    """Return whether texts read as FALLBACK may be meant so: letters of Western languages, few in a row."""
    runs = [run for text in texts for run in _RUN.findall(text)]
    wrong = sum(_PLAUSIBLE.fullmatch(run) is None for run in runs)
    return wrong <= _MOST_IMPLAUSIBLE * len(runs)


def _utf16(content: bytes) -> str | None:
    """Return UTF-16 with its byte order where one of two bytes is often NUL: ASCII, line ends and delimiters."""
    half = len(content) // 2
    first, second = content[::2].count(0), content[1::2].count(0)
    if half < 2 or max(first, second) < 0.1 * half or min(first, second) > 0.01 * half:
        return None
    order = "utf-16-be" if first > second else "utf-16-le"
    # A few bytes may hold a NUL by chance, but then no line end is one in UTF-16.
    text = content.decode(order, "ignore")
    return order if "\n" in text or "\r" in text else None


def _is_utf7(text: str) -> bool:
    if not _UTF7.search(text):
        return False
    try:
        decoded = text.encode("ascii").decode("utf-7")
    except UnicodeDecodeError:
        return False
    return not decoded.isascii() and all(each.isprintable() or each in "\r\n\t" for each in decoded)

"""The rule that turns a header's text into a column name.

Text is NFKC-normalized, case-folded and NFC-normalized. Letters, digits and marks of every script stay, and every
run of other characters becomes one `_`, none at either end: `First Name!` becomes `first_name`, `Имя` becomes `имя`.
Latin letters lose their accents: `é` becomes `e`, `й` stays.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from framework.model.names import MAX_NAME_BYTES

SYSTEM_COLUMNS = frozenset({"oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
"""Source: https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html"""
HASH_DIGITS = 6
"""Hex digits that distinguish headers without a letter, and headers with the same cleaned name."""
_LONG_NAME_HASH_DIGITS = 8
_INVISIBLE = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ),
    )
)
"""Invisible letters and marks.

Source: https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt (Default_Ignorable_Code_Point)
"""


def clean_name(text: str, position: int) -> str:
    """Return the column name of the header at a position, from 1; at most 127 bytes.

    Only an empty or blank header is named by its position. A clean name is its own clean name.
    """
    if not text.strip():
        return f"column_{position}"
    name = plain_name(text) or f"column_{digest(text)[:HASH_DIGITS]}"
    if name[0].isdigit():
        name = f"_{name}"
    if name in SYSTEM_COLUMNS:
        name = f"{name}_"
    if len(name.encode("utf-8")) > MAX_NAME_BYTES:
        return with_suffix(name, f"_{digest(text)[:_LONG_NAME_HASH_DIGITS]}")
    return name


def plain_name(text: str) -> str:
    """Return the letters, digits and marks of a text, with one `_` for every other run; empty where it has none."""
    characters = []
    base = ""
    for character in folded(text):
        kind = unicodedata.category(character)[0]
        stays = character not in _INVISIBLE and (kind in "LN" or (kind == "M" and base != "" and not _is_latin(base)))
        characters.append(character if stays else "_")
        if not stays:
            base = ""
        elif kind != "M":
            base = character
    return re.sub("_+", "_", "".join(characters)).strip("_")


def folded(text: str) -> str:
    """Return a text as names are written: compatibility forms and case folded, Latin letters without accents."""
    characters = []
    base = ""
    for character in unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold()):
        if unicodedata.combining(character) and _is_latin(base):
            continue
        characters.append(character)
        base = character if unicodedata.category(character)[0] != "M" else base
    return unicodedata.normalize("NFC", "".join(characters))


def with_suffix(name: str, suffix: str) -> str:
    """Return a name with an ASCII suffix, cut so that both fit: between characters, and not before a mark."""
    kept = name.encode("utf-8")[: MAX_NAME_BYTES - len(suffix)].decode("utf-8", "ignore")
    end = len(kept)
    while 0 < end < len(name) and unicodedata.category(name[end])[0] == "M":
        end -= 1
    return (kept[:end] or kept).rstrip("_") + suffix


def digest(text: str) -> str:
    """Return the sha256 of a text as 64 hex digits; equal for texts that are canonically equivalent."""
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode("utf-8", "surrogatepass")).hexdigest()


def _is_latin(character: str) -> bool:
    return character != "" and (character.isascii() or unicodedata.name(character, "").startswith("LATIN "))

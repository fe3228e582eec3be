"""Texts that try to get out of their quotes, for the tests of what they cannot do."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = (
    *("'", '"', "''", '""', "`", "\\", "\\'", "\\\\", ";", "; drop table t; --", "--", "/*", "*/", "#"),
    *("{{ 7 * 7 }}", "{% raw %}", "{#", "#}", "{{", "$$", "$a$", "${env:HOME}", "$1", "%s", ":name", "?"),
    *("\n", "\r\n", "\n\n", " \n ", "\r", "\t", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\ufeff"),
    *(" ", "a", "é", "ß", "İ", "\U0001f600", "e\u0301", "\u202e", "null", "x'41'", "E'", "N'", "U&'"),
)
TEXTS = (
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
    | st.text(st.characters(exclude_characters="\0", codec="utf-8"))
    | st.sampled_from([piece * 3000 for piece in ("'", "\\", "\n", '"', "é")])
)
NAMES = TEXTS.filter(lambda text: 0 < len(text.encode()) <= 127)

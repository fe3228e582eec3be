"""Words by which sources write NULL."""

from __future__ import annotations

NULL_MARKERS = frozenset(
    {
        *("", "-", "--", "---", ".", "?", "#n/a", "n/a", "na", "n.a.", "k.a.", "nan", "nil", "none", "null", "(null)"),
        *("<na>", "<null>", "[null]", "\\n", "missing", "nat", "#null!", "#div/0!", "#ref!", "#value!"),
    }
)
"""In lower case and without surrounding blanks."""
SPELLED_NULL_MARKERS = tuple(
    sorted({"NaN", "NaT", *(text for word in NULL_MARKERS for text in (word, word.upper(), word.capitalize()))})
)
"""As files write them."""

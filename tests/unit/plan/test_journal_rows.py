"""The view journal: whatever a view is, its rows hold it, and fit into what the warehouse takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from framework.model.names import TableName, literal
from framework.model.observation import Comment, Grant, JournalEntry, ObservedView
from framework.plan.journal_rows import as_rows, entries_of

TARGET = TableName("public", "t")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
GRANTS = st.builds(Grant, TEXTS, TEXTS, st.sampled_from(["user", "group", "role", "public"]), st.booleans())


def entry(place: int, name: str, definition: str, grants: list[Grant], texts: list[str]) -> JournalEntry:
    view = TableName("reporting", name)
    comments = tuple(Comment(view, text or None, text) for text in texts)
    seen = ObservedView(view, "ann", False, tuple(grants), definition=definition)
    return JournalEntry("0" * 32, "c" * 32, "feed", TARGET, place, seen, comments, bool(place % 2))


@given(st.lists(st.tuples(TEXTS, st.lists(GRANTS, max_size=3), st.lists(TEXTS, max_size=3)), max_size=4))
def test_the_rows_of_views_are_read_back_as_the_views(described: list[tuple[str, list[Grant], list[str]]]) -> None:
    entries = [entry(place, f"v{place}", *rest) for place, rest in enumerate(described)]
    rows = [row for each in entries for row in as_rows(each)]

    assert list(entries_of(rows)) == entries


@given(st.sampled_from(["'", "\\", "é", "😀", '"', "\n", "x"]), st.integers(1, 99_000))
def test_a_long_definition_takes_rows_that_values_and_statements_have_room_for(piece: str, count: int) -> None:
    long = entry(0, "long", piece * count, [], [])
    rows = as_rows(long)

    assert list(entries_of(rows)) == [long]
    assert max(len(row.content.encode()) for row in rows) <= 65_535
    assert max(len(literal(row.content).encode()) for row in rows) <= 90_000

"""A drafted spec reads back as what it says, whatever texts are in it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from framework.draft.spec_text import comment_lines, flow, sample, spec_text
from framework.spec.document import read_document

ODD = "{}[]:#-'\"\\\n\r\t\x85\u2028\u2029\ufeff|>&*!%@`, \x00\x7f😀éa1"
WORDS = st.sampled_from(["null", "Yes", "~", "1", "1.5", "0123", "2024-01-01", "{{ target }}", "- a", ""])
SHORT = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.text(ODD, max_size=20), WORDS)
HOSTILE = st.one_of(SHORT, st.just("x" * 10_000), st.just("\n\u2028😀" * 300))
SCALARS = st.one_of(HOSTILE, st.booleans(), st.none(), st.integers(-1000, 1000))
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(SHORT, SCALARS, max_size=3))


@given(st.dictionaries(SHORT, VALUES, min_size=1, max_size=5), st.lists(HOSTILE, max_size=3))
def test_any_spec_reads_back(fields: dict[str, Any], comments: list[str]) -> None:
    shown = [f"a value, e.g. {sample(text)}" for text in comments]
    name = next(iter(fields))

    text = spec_text(fields, {(name,): shown, (): shown})

    assert read_document(text, "it").value == fields


@given(st.lists(HOSTILE, min_size=1, max_size=3))
def test_samples_stay_within_their_comment(texts: list[str]) -> None:
    lines = comment_lines(", ".join(map(sample, texts)))

    assert all(line.startswith("#") and line.isprintable() for line in lines)
    assert all(line.splitlines() == [line] for line in lines)


@given(st.lists(st.fixed_dictionaries({"name": HOSTILE, "definition": HOSTILE}), min_size=1, max_size=3))
def test_views_read_back(views: list[dict[str, str]]) -> None:
    assert read_document(spec_text({"views": views}, {}), "it").value == {"views": views}


def test_a_query_of_several_lines_stays_one() -> None:
    definition = "select a,\n       b\nfrom {{ target }}\n\nwhere a > 1"

    text = spec_text({"views": [{"name": "v", "definition": definition}]}, {})

    assert "      select a,\n             b\n" in text
    assert read_document(text, "it").value == {"views": [{"name": "v", "definition": definition}]}


def test_short_values_are_written_in_one_line() -> None:
    assert flow({"keys": ["id"], "pattern": "a_*.csv", "on": "no"}) == '{keys: [id], pattern: "a_*.csv", "on": "no"}'

"""The warnings of a load as JOB_STS keeps them."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from framework.model.load_warning import LoadWarning
from framework.model.names import literal
from framework.plan.audit import MAX_WARNINGS_BYTES, warnings_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
WARNINGS = st.lists(st.builds(LoadWarning, TEXTS, st.none() | TEXTS, TEXTS), min_size=1, max_size=40)


@given(WARNINGS, st.sampled_from([100, MAX_WARNINGS_BYTES]))
def test_warnings_are_json_that_fits_and_counts_what_it_leaves_out(warnings: list[LoadWarning], most: int) -> None:
    text = warnings_text(warnings, most)
    assert text is not None
    assert len(literal(text).encode()) <= most
    kept = json.loads(text)
    left_out = int(kept.pop()["message"].split()[0]) if kept and kept[-1]["rule"] == "more" else 0
    assert len(kept) + left_out == len(warnings)


def test_a_load_without_warnings_keeps_nothing() -> None:
    assert warnings_text([]) is None

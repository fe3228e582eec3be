"""What the values of a new column showed, as `plan` prints it beside the type."""

from __future__ import annotations

from dataclasses import replace

import pytest

from framework.model.measurements import ColumnProfile
from framework.plan.evidence import evidence_of

TEXTS = ColumnProfile(4, 0, 0, 0, 0, 0, 12, 0, 0, None, None)
WHOLES = ColumnProfile(4, 4, 4, 0, 0, 0, 6, 6, 0, -5, 123_456)
FRACTIONS = ColumnProfile(4, 1, 4, 0, 0, 0, 6, 3, 2, 1, 1)


@pytest.mark.parametrize(
    ("profile", "with_values", "evidence"),
    [
        (WHOLES, True, "from -5 to 123456"),
        (WHOLES, False, "up to 6 digits"),
        (replace(WHOLES, smallest=7, largest=7), True, "each is 7"),
        (FRACTIONS, True, "up to 3 digits before and 2 after the point"),
        (FRACTIONS, False, "up to 3 digits before and 2 after the point"),
        (TEXTS, True, "the longest has 12 bytes"),
        (replace(TEXTS, integers=3, numbers=3), True, "3 of 4 values look like numbers, the longest has 12 bytes"),
        (replace(TEXTS, dates=1, booleans=2), True, "2 of 4 values look like booleans, the longest has 12 bytes"),
        (replace(TEXTS, example="00501"), True, "'00501' has leading zeros"),
        (replace(TEXTS, example="00501"), False, "a value has leading zeros"),
        (replace(TEXTS, example="+49 30"), True, "the longest has 12 bytes"),
        (replace(TEXTS, numbers=3, example="+49"), True, "3 of 4 values look like numbers, '+49' has a plus sign"),
        (replace(TEXTS, numbers=3, example="1234,5"), False, "3 of 4 values look like numbers, another has a comma"),
        (
            replace(TEXTS, numbers=3, example="abc"),
            True,
            "3 of 4 values look like numbers, 'abc' does not, the longest has 12 bytes",
        ),
        (replace(TEXTS, booleans=4), True, "4 values"),
        (replace(TEXTS, values=0), True, None),
    ],
)
def test_evidence_has_counts_and_sizes_and_no_value_where_none_may_be_shown(
    profile: ColumnProfile, with_values: bool, evidence: str | None
) -> None:
    assert evidence_of(profile, "values", with_values) == evidence


def test_where_a_rule_decided_the_evidence_begins_with_what_the_values_are() -> None:
    assert evidence_of(WHOLES, "rule", with_values=True) == "whole numbers, from -5 to 123456"

from __future__ import annotations

import pytest

from framework.rows.spark.sql import iso_text, quoted


def test_a_literal_keeps_backslashes_and_quotes() -> None:
    assert quoted("a'b\\c") == "'a\\'b\\\\c'"


@pytest.mark.parametrize(
    ("pattern", "expression", "iso"),
    [
        ("dd/MM/yyyy", "^([0-9]{2})/([0-9]{2})/([0-9]{4})$", "$3-$2-$1"),
        ("d.M.yy", "^([0-9]{1,2})\\\\.([0-9]{1,2})\\\\.([0-9]{2})$", "20$3-$2-$1"),
        ("yyyyMMddHHmm", "^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})$", "$1-$2-$3 $4:$5:00"),
        (
            "d 'o''c' M yyyy H",
            "^([0-9]{1,2})\\\\ o\\'c\\\\ ([0-9]{1,2})\\\\ ([0-9]{4})\\\\ ([0-9]{1,2})$",
            "$3-$2-$1 $4:00:00",
        ),
    ],
)
def test_a_format_as_its_iso_form(pattern: str, expression: str, iso: str) -> None:
    assert iso_text(pattern, "t") == f"regexp_replace(t, '{expression}', '{iso}')"

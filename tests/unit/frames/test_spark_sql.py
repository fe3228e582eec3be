from __future__ import annotations

import pytest

from framework.frames.spark.sql import quoted, spark_format


def test_a_literal_keeps_backslashes_and_quotes() -> None:
    assert quoted("a'b\\c") == "'a\\'b\\\\c'"


@pytest.mark.parametrize(
    ("pattern", "spark"),
    [
        ("yyyy-MM-dd", "yyyy'-'MM'-'dd"),
        ("dd/MM/yyyy HH:mm", "dd'/'MM'/'yyyy' 'HH':'mm"),
        ("yyyy-MM-dd'T'HH", "yyyy'-'MM'-'dd'T'HH"),
        ("d 'o''clock' M yy", "d' o''clock 'M' 'yy"),
        ("[yyyy]#MM{dd}", "'['yyyy']#'MM'{'dd'}'"),
        ("yyyyMMdd", "yyyyMMdd"),
    ],
)
def test_a_format_with_every_literal_quoted(pattern: str, spark: str) -> None:
    assert spark_format(pattern) == spark

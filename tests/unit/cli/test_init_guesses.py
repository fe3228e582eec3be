"""`init` guesses nothing that would lose or change a row of a later file: else it says in one line what decides."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.conftest import Init
from tests.unit.cli.test_init import fields

ROWS = "".join(f"n{number},{number}\n" for number in range(30))


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("Total,465", "Total,*"),
        ('"Total",465', '"Total",*'),
        ("Total: 465,", "Total:*"),
        ("EOF", "EOF"),
        ("(30 rows affected)", "([0-9]* rows affected)"),
        ("Made on 2024-01-02", "Made on [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"),
    ],
)
def test_a_footer_is_left_out_by_a_pattern_that_no_row_has(init: Init, line: str, pattern: str) -> None:
    _, text, _ = init({"a.csv": f"name,v\n{ROWS}{line}\n"})

    assert fields(text)["source"]["options"] == {"footer_lines": {"from": pattern}}
    assert "30 rows" in text
    assert json.dumps(line) in text


@pytest.mark.parametrize(
    "line", ["Total Energies,870", "TotalEnergies SE,5", "Total Wine & More,500", "Summe Bau GmbH,300", "Total 24,5"]
)
def test_a_last_row_whose_name_begins_like_a_total_is_a_row(init: Init, line: str) -> None:
    _, text, _ = init({"a.csv": f"name,v\n{ROWS}{line}\n"})

    assert "31 rows" in text
    assert "options" not in fields(text)["source"]


def test_a_footer_of_one_of_several_files_is_left_out(init: Init) -> None:
    _, text, _ = init({"a_1.csv": f"name,v\n{ROWS}\n(30 rows affected)\n", "a_2.csv": f"name,v\n{ROWS}"})

    assert fields(text)["source"]["options"] == {"footer_lines": {"from": "([0-9]* rows affected)"}}
    assert "60 rows" in text


@pytest.mark.parametrize(
    "files",
    [
        {"a_1.csv": f"name,v\n{ROWS}Made by A\n", "a_2.csv": f"name,v\n{ROWS}By B\n", "a_3.csv": f"name,v\n{ROWS}"},
        {"a.csv": f"name,v\n{ROWS}***\n"},
    ],
)
def test_a_footer_without_a_pattern_is_no_row(init: Init, files: dict[str, str | bytes]) -> None:
    code, text, error = init(files)

    assert (code, text) == (3, "")
    assert len(error.splitlines()) == 1


def test_a_footer_whose_text_must_not_be_written_is_refused(init: Init) -> None:
    code, text, error = init({"a.csv": f"name,v\n{ROWS}zqx is the end\n"}, "--no-samples")

    assert (code, text) == (3, "")
    assert "--no-samples" in error
    assert "zqx" not in error

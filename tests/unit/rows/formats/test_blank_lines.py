"""Lines of spaces, tabs and a carriage return are blank; those of other control characters are records."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.rows.benches import stage_rows


@pytest.mark.parametrize("blank", [" ", "\t ", "\r", " \r"])
def test_a_line_of_spaces_and_tabs_is_no_record(blank: str, tmp_path: Path) -> None:
    rows, seen = stage_rows(f'{{"a": "x"}}\n{blank}\n{{"a": "y"}}\n'.encode(), "format: json", {}, tmp_path)

    assert (seen.rows_bad, rows) == (0, [{"a": "x"}, {"a": "y"}])


@pytest.mark.parametrize("control", ["\x0b", "\x0c", " \x0c"])
def test_a_line_of_another_control_character_is_a_record(control: str, tmp_path: Path) -> None:
    content = f'{{"a": "x"}}\n{control}\n{{"a": "y"}}\n'
    rows, seen = stage_rows(content.encode(), "format: json", {}, tmp_path)

    assert (seen.rows_bad, rows) == (1, [{"a": "x"}, {"a": "y"}])
    fixed = "format: fixed, options: {fields: {a: [1, 2], b: [3, 4]}}"
    rows, _ = stage_rows(f"xx y\n{control}\n".encode(), fixed, {}, tmp_path)
    assert rows == [{"a": "xx", "b": "y"}, {"a": control.strip(" "), "b": None}]

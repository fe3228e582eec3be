"""The generated files, read back with the csv module."""

import csv
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.data import COLUMNS, KEYS, write_file
from benchmarks.process import measured, phases
from benchmarks.report import write_into

ROWS = 2000


def read(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_a_measured_command_keeps_what_python_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    cost = measured([sys.executable, "-c", "import sys; print(sys.dont_write_bytecode)"], tmp_path / "log", {})

    assert cost.output == b"False\n"


def test_files_hold_what_makes_csv_hard(tmp_path: Path) -> None:
    write_file(tmp_path / "a.csv", ROWS, 0)
    rows = read(tmp_path / "a.csv")

    assert (len(rows), list(rows[0])) == (ROWS, [column.name for column in COLUMNS])
    assert len({tuple(row[key] for key in KEYS) for row in rows}) == ROWS
    assert any('"' in row["name"] and "," in row["name"] for row in rows)
    assert any(not row["name"].isascii() for row in rows)
    assert all(len(row["zip"]) == 5 for row in rows)
    assert any(row["zip"].startswith("0") for row in rows)
    assert any("\n" in row["notes"] and '"' in row["notes"] for row in rows)
    assert 200 < max(len(row["notes"]) for row in rows) <= 300
    raw = (tmp_path / "a.csv").read_text(encoding="utf-8")
    assert ',"",' in raw
    assert ",," in raw


def test_half_of_the_second_files_keys_are_new(tmp_path: Path) -> None:
    for edition in (0, 1):
        write_file(tmp_path / f"{edition}.csv", ROWS, edition)
    first, second = ({tuple(row[key] for key in KEYS): row for row in read(tmp_path / f"{n}.csv")} for n in (0, 1))

    both = first.keys() & second.keys()
    assert (len(second), len(both)) == (ROWS, ROWS // 2)
    assert all(first[key] != second[key] for key in both)


def test_the_same_size_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_file(tmp_path / name, ROWS, 1)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_phases_are_the_times_between_steps() -> None:
    log: list[dict[str, Any]] = [
        {"msg": "step", "step": "prepare", "ts": "2026-01-01T00:00:00.000Z"},
        {"msg": "staged", "step": "stage", "ts": "2026-01-01T00:00:01.500Z", "phase_seconds": {"fetch": 0.2}},
        {"msg": "step", "step": "merge", "ts": "2026-01-01T00:00:02.000Z"},
        {"msg": "loaded", "step": "settle", "ts": "2026-01-01T00:00:02.250Z"},
    ]
    assert phases(log) == {"prepare": 2.0, "merge": 0.25, "fetch": 0.2}


def test_figures_go_between_their_marks(tmp_path: Path) -> None:
    document = tmp_path / "doc.md"
    document.write_text("before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n", encoding="utf-8")
    write_into(document, "new")
    assert document.read_text(encoding="utf-8") == (
        "before\n<!-- figures -->\n\nnew\n\n<!-- end of figures -->\nafter\n"
    )
    document.write_text("none", encoding="utf-8")
    with pytest.raises(ValueError, match="no place"):
        write_into(document, "x")

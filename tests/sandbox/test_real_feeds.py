"""Files that really arrived, every version in order, against Python's own csv module."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest

from tests.harness import MakeFeed


def spec(keys: str, more: str = "") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/, order: name}}
target: {{table: "{{name}}"}}
load: {{keys: [{keys}]}}
metadata_columns: {{run_date: null, file_name: null}}
{more}
"""


def read(path: Path, rename: dict[str, str]) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{rename.get(name.lower(), name.lower()): value for name, value in row.items()} for row in rows]


def same(stored: Any, text: str | None, fill: Any) -> bool:
    """Compare a stored value with the text of the file; None stands for a column that the file lacks."""
    if text is None:
        return bool(stored == fill or (isinstance(stored, str) and fill == 0 and Decimal(stored) == 0))
    if text == "":
        return stored is None
    if stored == text:
        return True
    try:
        return Decimal(str(stored)) == Decimal(text)
    except InvalidOperation:
        return False


@pytest.mark.exhaustive(every=2)
@pytest.mark.parametrize(
    ("name", "keys", "rename", "more"),
    [
        (
            "cable_weekly",
            ("date", "name"),
            {"pct": "pct_of_all_candidate_clips"},
            "columns: {rename: {pct: pct_of_all_candidate_clips}}",
        ),
        ("recent_grads", ("major_code",), {}, ""),
    ],
)
def test_every_version_in_order_leaves_the_newest_of_each_key(
    make_feed: MakeFeed, shared_feeds: Path, name: str, keys: Sequence[str], rename: dict[str, str], more: str
) -> None:
    feed = make_feed(spec(", ".join(keys), more))
    versions = sorted((shared_feeds / name).glob("*.csv"))
    newest: dict[tuple[str, ...], dict[str, str]] = {}
    for path in versions:
        feed.land(path.name, path.read_bytes())
        newest |= {tuple(row[key] for key in keys): row for row in read(path, rename)}

    results = feed.run()

    assert [result.status for result in results] == ["SUCCESS"] * len(versions), [result.failure for result in results]
    types = feed.types()
    columns = list(types)
    assert set(columns) == {column for row in newest.values() for column in row}
    stored = feed.rows(", ".join(f'"{column}"' for column in columns), ", ".join(keys))
    assert len(stored) == len(newest)
    for row in stored:
        values = dict(zip(columns, row, strict=True))
        expected = newest[tuple(str(values[key]) for key in keys)]
        for column, value in values.items():
            fill = 0 if isinstance(value, int | float) or types[column].startswith("numeric") else ""
            assert same(value, expected.get(column), fill), (column, value, expected.get(column))


def test_the_first_and_last_version_of_a_key_differ_as_the_files_do(make_feed: MakeFeed, shared_feeds: Path) -> None:
    """The second version of recent_grads has its columns in another order; no value moved to another column."""
    first, second = sorted((shared_feeds / "recent_grads").glob("*.csv"))
    feed = make_feed(spec("major_code"))
    feed.load(first.name, first.read_bytes())
    feed.load(second.name, second.read_bytes())

    expected = {
        row["major_code"]: (row["major"], int(row["total"]) if row["total"] else None, row["major_category"])
        for row in read(second, {})
    }

    assert {
        str(code): tuple(rest) for code, *rest in feed.rows("major_code, major, total, major_category", "1")
    } == expected

"""Every version of every real feed, in published order and in reverse, under a view: checked with the csv module."""

from __future__ import annotations

import csv
import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest

from framework.load.request import OneFile
from tests.harness import MakeFeed

SPEC = """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {keys: [KEYS]}
columns: {rename: {pct: pct_of_all_candidate_clips}}
metadata_columns: {run_date: null, file_name: null}
evolution: {type_conflicts: to_text, missing_columns: {new_rows: null}}
bad_rows: {action: quarantine, max_rows: 1}
views: [{schema: reporting, name: "v_{name}", definition: "select * from {{ target }}"}]
"""
KEYS = {
    "cable_weekly": ("date", "name"),
    "recent_grads": ("major_code",),
    "lawsuits": ("docketnumber",),
    "partisan_lean_states": ("state",),
    "dem_candidates": ("candidate", "state", "district", "office_type"),
}


def column(header: str) -> str:
    """Return a header's column: these have only blanks and marks to lose."""
    name = re.sub("[^a-z0-9]+", "_", header.lower()).strip("_")
    name = f"_{name}" if name[0].isdigit() else name
    return {"pct": "pct_of_all_candidate_clips"}.get(name, name)


def read(path: Path) -> tuple[list[dict[str, str]], int]:
    """Return a file's rows by column, as Python reads them, and how many have a wrong number of fields."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    good = [row for row in rows if len(row) == len(header)]
    return [dict(zip(map(column, header), row, strict=True)) for row in good], len(rows) - len(good)


def same(stored: Any, text: str) -> bool:
    """Say whether a stored value is that of a text, whatever type the column has taken."""
    if text == "":
        return stored is None
    if stored == text or str(stored).lower() == text.lower():
        return True
    try:
        return Decimal(str(stored)) == Decimal(text)
    except InvalidOperation:
        pass
    try:
        return datetime.fromisoformat(str(stored)) == datetime.fromisoformat(text)
    except ValueError:
        return False


@pytest.mark.parametrize("backwards", [False, True], ids=["published", "reversed"])
@pytest.mark.parametrize("name", KEYS)
def test_every_version_loads_and_the_views_stand(
    make_feed: MakeFeed, shared_feeds: Path, name: str, backwards: bool
) -> None:
    keys = KEYS[name]
    feed = make_feed(SPEC.replace("KEYS", ", ".join(keys)))
    versions = sorted((shared_feeds / name).glob("*.csv"), reverse=backwards)
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    rejected = []
    for number, path in enumerate(versions):
        feed.land(f"{number:02}.csv", path.read_bytes())
        good, bad = read(path)
        rejected.append(bad)
        for row in good:
            key = tuple(row[part] for part in keys)
            rows[key] = rows.get(key, {}) | row
    theirs = f"reporting.theirs_{feed.name}"
    (first,) = feed.run(OneFile(f"data/in/{feed.name}/00.csv"))
    feed.sql(f"create view {theirs} as select * from reporting.v_{feed.name}")

    results = [first, *feed.run()]

    assert [result.status for result in results] == ["SUCCESS"] * len(versions), [result.failure for result in results]
    assert [result.counts.rejected for result in results] == rejected
    columns = list(feed.types())
    assert set(columns) == {each for row in rows.values() for each in row}
    names = ", ".join(f'"{each}"' for each in columns)
    found = {
        tuple(str(value) for value in row[: len(keys)]): dict(zip(columns, row[len(keys) :], strict=True))
        for row in feed.sql(f"select {', '.join(keys)}, {names} from reporting.v_{feed.name}")
    }
    assert len(found) == len(rows)
    for key, row in rows.items():
        stored = found[key]
        wrong = {
            each: (stored[each], row.get(each, "")) for each in columns if not same(stored[each], row.get(each, ""))
        }
        assert wrong == {}, key
    assert feed.sql(f"select count(*) from {theirs}") == [(len(rows),)]

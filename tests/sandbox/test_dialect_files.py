"""Files as people write them, in tests/data/dialects: each folder has a feed, its files, and the rows they hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness import MakeFeed

CASES = Path(__file__).parents[1] / "data" / "dialects"
NAMES = sorted(path.name for path in CASES.iterdir())
ARE_NO_FILES = ("feed.yml", "expected.yml")


def feed_of(case: Path) -> str:
    """Return the spec of a case: what it says, and what all of them have."""
    said: dict[str, Any] = yaml.safe_load((case / "feed.yml").read_text(encoding="utf-8"))
    said["source"] = {"prefix": "data/in/{name}/", **said["source"]}
    said.setdefault("metadata_columns", {"run_date": None, "file_name": None})
    return yaml.safe_dump({"target": {"table": "{name}"}, "load": {"mode": "append"}, **said}, allow_unicode=True)


def text(value: object) -> str | None:
    return None if value is None else str(value)


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("name", NAMES)
def test_a_file_as_people_write_it_is_read_as_they_meant(make_feed: MakeFeed, name: str) -> None:
    case = CASES / name
    expected = yaml.safe_load((case / "expected.yml").read_text(encoding="utf-8"))
    feed = make_feed(feed_of(case))
    for file in sorted(case.iterdir()):
        if file.name not in ARE_NO_FILES:
            feed.land(file.name, file.read_bytes())

    results = feed.run()

    failures = [result.failure.message for result in results if result.failure is not None]
    assert failures == []
    assert {result.status for result in results} == {"SUCCESS"}
    assert feed.types() == expected["columns"]
    rows = feed.rows(", ".join(f'"{column}"' for column in expected["columns"]), "1")
    assert [[text(value) for value in row] for row in rows] == expected["rows"]

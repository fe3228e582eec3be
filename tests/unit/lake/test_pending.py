"""Which objects are a pipeline's pending files, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from framework.lake.bucket import LakeObject
from framework.lake.lake import Lake
from framework.lake.pending import list_arrived
from framework.spec.load import load_pipeline_text
from framework.spec.pipeline import SourceSpec

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


class Listing:
    """A lake of which only the listing is asked."""

    def __init__(self, *keys: str) -> None:
        # Later keys are older.
        self.objects = [LakeObject(key, "e", 1, NOON - timedelta(seconds=place)) for place, key in enumerate(keys)]

    def key(self, path: str) -> str:
        return f"feeds/{path}"

    def list_objects(self, prefix: str) -> Iterator[LakeObject]:
        return (found for found in self.objects if found.key.startswith(prefix))


def source(**changes: object) -> SourceSpec:
    text = "pipeline: p\nsource: {prefix: in/p/, pattern: 'o_*.csv*'}\ntarget: {table: t}\nload: {mode: append}\n"
    return replace(load_pipeline_text(text, "p.yml", "p").source, **changes)  # type: ignore[arg-type]


def pending(spec: SourceSpec, *keys: str) -> list[str]:
    return [found.key for found in list_arrived(cast(Lake, Listing(*keys)), spec).pending]


def test_the_oldest_comes_first() -> None:
    assert pending(source(), "feeds/in/p/o_1.csv", "feeds/in/p/o_2.csv") == ["feeds/in/p/o_2.csv", "feeds/in/p/o_1.csv"]


def test_by_name_the_smallest_key_comes_first() -> None:
    keys = ["feeds/in/p/o_1.csv", "feeds/in/p/o_2.csv"]

    assert pending(source(order="name"), *reversed(keys)) == keys


@pytest.mark.parametrize(
    "key",
    [
        "feeds/in/p/",
        "feeds/in/p/o_1.csv/",
        "feeds/in/p/_o_1.csv",
        "feeds/in/p/_tmp/o_1.csv",
        "feeds/in/p/.o_1.csv",
        "feeds/in/p/x_1.csv",
        "feeds/in/p/o_1.txt",
        "feeds/in/other/o_1.csv",
    ],
)
def test_what_is_no_file_of_the_feed_is_passed_over(key: str) -> None:
    assert pending(source(), key) == []


@pytest.mark.parametrize("name", ["o_1.csv", "O_1.CSV", "o_1.csv.gz", "sub/folder/o_1.csv"])
def test_a_file_of_the_feed_is_found_in_any_case_and_folder(name: str) -> None:
    assert pending(source(), f"feeds/in/p/{name}") == [f"feeds/in/p/{name}"]

"""Ten thousand files under a prefix, loaded by one run."""

from __future__ import annotations

from tests.sandbox.conftest import feed  # noqa: F401 - the fixture
from tests.sandbox.test_many_files import BATCH, CALLS_PER_FILE, Feed, counting, drop_files

COUNT = 10_000


def test_ten_thousand_files_are_loaded_by_one_run_in_parts(feed: Feed) -> None:  # noqa: F811
    shop, calls = counting(feed, BATCH)
    drop_files(shop.s3_folder, shop.name, COUNT)

    results = shop.run()

    assert [result.status for result in results] == ["SUCCESS"] * COUNT
    assert len({result.run_id for result in results}) == -(-COUNT // 800)
    assert shop.sql(f"select count(*), count(distinct id) from {shop.table}") == [(COUNT, COUNT)]
    assert not any((shop.s3_folder / "lake" / "data" / "in" / shop.name).glob("*.csv"))
    assert len(list((shop.s3_folder / "lake" / "data" / "archive").rglob("*.csv"))) >= COUNT
    assert sum(calls.values()) <= COUNT * CALLS_PER_FILE + 13 * 15 + COUNT // 1000, calls

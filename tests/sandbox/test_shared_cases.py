"""Small inputs that once went wrong, loaded round by round: the table and the messages are what is right."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from framework.load.result import LoadResult
from tests.harness import FeedHarness, MakeFeed

SHARED_CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"


@dataclass(frozen=True)
class Right:
    """What is right of a case: the words of each round's rejections, one per file that is not loaded, and the rows.

    `columns` are SQL expressions; None is a table that must not exist.
    """

    rejected: Sequence[Sequence[str]]
    columns: str | None = None
    rows: Sequence[tuple[Any, ...]] = ()
    warned: Sequence[str] = ()
    rejected_rows: Sequence[int] = field(default_factory=list)


CASES = {
    "01-header-in-another-script": Right(
        [[], []], 'id, "분류", "중요도"', [(1, "x", "y"), (2, "x2", "y2")], ["duplicate-name"] * 3
    ),
    "02-second-header-cleans-to-a-known-name": Right(
        [[], []], "id, unapplied, note", [(1, 11, "second"), (2, 20, "first")], ["duplicate-name"]
    ),
    "02b-the-same-with-new-columns-ignored": Right([[], []], "id, unapplied", [(1, 10), (2, 11)], ["duplicate-name"]),
    "03-no-header-line": Right([["header: false"], ["header: false"]]),
    "03b-sep-line": Right([["skip_lines: 1"]]),
    "03c-semicolon-file": Right([['delimiter: ";"']]),
    "03d-tab-file": Right([[r'delimiter: "\t"']]),
    "03e-title-line": Right([["skip_lines: 1"]]),
    "03f-semicolon-file-into-a-table": Right(
        [[], ['delimiter: ";"'], ["header"]], "id, sold_on", [(1, "2024-05-01"), (2, "2024-05-02")]
    ),
    "04-a-column-vanishes": Right(
        [[], []], "id, a, b, c, d", [(1, "y", 5, True, "2024-01-01")], ["missing-column"] * 3
    ),
    "04b-renamed-at-the-source": Right(
        [[], []],
        "id, cast(balance as float)",
        [(1, 10.5), (2, 20.0)],
        ["missing-column", "probable-rename"],
    ),
    "05-replace-with-a-cut-off-file": Right([['delimiter: ";"'], []], "id, note", [(1, "hello"), (2, "world has")]),
    # A byte order mark has come to decide by itself.
    "06-utf8-bom-under-iso-8859-1": Right([[], []], "id, v", [(3, "café")]),
    "06b-bom-first-file": Right([[]], "id, name", [(1, "Ann")]),
    "07-five-point-zero-in-integer": Right([[], [], []], "id, qty", [(1, 5), (2, 7), (3, 5), (4, None), (5, 6)]),
    "07b-negative-zero": Right([[], []], "id, qty", [(1, 5), (2, 0)]),
    "07c-negative-zero-first": Right([[]], "id, x", [(1, 0), (2, 7)]),
    "08-timestamptz-hour-offset": Right(
        [[]],
        "id, at at time zone 'utc'",
        [(1, "2017-07-13 18:54:10.441"), (2, "2017-07-13 16:54:10.0")],
    ),
    "08b-nanoseconds-that-are-zeros": Right([[], [".123456789"]], "id, at", [(1, "2024-05-01 10:00:00.123456")]),
    "09-system-column-names": Right([[]], "id, xmin_, xmax_", [(1, 5, 6)]),
    "09b-oid": Right([[]], "oid_, name", [(1, "Ann")]),
    "10-1700-columns": Right([["Redshift takes 1600"], ["Redshift takes 1600"]]),
    "11-cr-file-with-a-final-lf": Right([[]], "a, b", [(1, 2), (3, 4)]),
    "12-nul-in-a-field": Right([[]], "id, v", [(1, "ok"), (3, "ok")], rejected_rows=[1]),
    # The first file is cut off.
    "20-zstd": Right([["the zstd data is cut off"]], "id, v", [(1, "x")]),
    # Without source.format, the first file decides it.
    "21-json-lines-in-a-csv-feed": Right([[]], "a, b", [(1, "x"), (2, "y")]),
    "22-zip": Right([["zip"]]),
}


def folder_of(case: str) -> Path:
    folder = SHARED_CASES / case
    if not folder.is_dir():
        missing = f"the case is not at {folder}"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return folder


def land_round(feed: FeedHarness, folder: Path, prefix: str) -> None:
    for path in sorted(folder.iterdir()):
        feed.s3.put_object(Bucket="lake", Key=f"{prefix}{path.name}", Body=path.read_bytes())


def test_every_case_has_its_right_result() -> None:
    assert {path.name for path in folder_of(".").iterdir() if path.is_dir()} == set(CASES)


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("case", CASES)
def test_a_case_ends_as_is_right(make_feed: MakeFeed, case: str) -> None:
    folder, right = folder_of(case), CASES[case]
    first, _, body = (folder / "spec.yml").read_text(encoding="utf-8").partition("\n")
    feed = make_feed(body)
    feed.name = first.removeprefix("pipeline: ")
    seen: list[LoadResult] = []
    for number, words in enumerate(right.rejected, start=1):
        land_round(feed, folder / f"round{number}", feed.spec().source.prefix)
        results = feed.run()
        failures = [result.failure for result in results if result.failure is not None]
        for failure, word in zip(failures, words, strict=True):
            assert failure.type in ("SourceFileError", "SchemaChangeError")
            assert word in failure.message
        seen += results

    assert sorted(w.rule for result in seen for w in result.warnings if w.rule != "same-content") == sorted(
        right.warned
    )
    assert [result.counts.rejected for result in seen if result.counts.rejected] == list(right.rejected_rows)
    if right.columns is None:
        assert feed.types() == {}
    else:
        assert feed.rows(right.columns, "1") == list(right.rows)

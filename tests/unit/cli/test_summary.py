"""The summary of loads: its numbers, its width, and the commands that retry."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.cli.outcome import FeedOutcome, Outcome, State, outcome_of
from framework.cli.retry import retries
from framework.cli.set_aside import SetAside
from framework.cli.summary import full_summary, summary, totals
from framework.errors import PipelineError, SourceFileError, SpecError
from framework.load.result import LoadFailure, LoadResult, NextStep, RecordCounts, failed_early
from framework.model.load_warning import LoadWarning
from framework.model.measurements import BadRow
from framework.model.program import Program

RUN_ID = "0" * 32


def result(status: Any = "SUCCESS", file: str | None = "data/in/p/1.csv", **fields: Any) -> LoadResult:
    return LoadResult("p", file, RUN_ID, status, "embedded", 1.0, **fields)


def failure(*retries: tuple[str, ...], error: BaseException | None = None) -> LoadFailure:
    return LoadFailure("E", "prepare", "bad", error or SourceFileError("bad"), NextStep("it lies there", retries))


def outcome(pipeline: str, *results: LoadResult, again: tuple[str, ...] = (), ends: bool = True) -> FeedOutcome:
    return FeedOutcome(pipeline, again, list(results), has_begun=bool(results), has_ended=ends)


counts = st.builds(RecordCounts, *[st.integers(0, 10**7)] * 6)
ended = st.one_of(
    st.builds(lambda n: result("SUCCESS", counts=n), counts),
    st.builds(lambda n: result("SUCCESS", counts=n, failure=failure()), counts),
    st.just(result("SKIPPED", reason="it is loaded")),
    st.just(result("REFUSED", reason="no owner")),
    st.just(result("REFUSED", reason="a newer one is loaded", failure=failure())),
    st.just(result("FAILED", failure=failure())),
    # A load that knew no file, and a pipeline that had no load.
    st.just(result("FAILED", None, failure=failure())),
    st.just(failed_early("p", PipelineError("the lake cannot be listed"))),
)
feeds = st.builds(
    lambda results, has_begun, has_ended: FeedOutcome(
        "p", (), results, has_begun=bool(results) or has_begun, has_ended=has_ended
    ),
    st.lists(ended, max_size=5),
    st.booleans(),
    st.booleans(),
)
waiting = st.builds(
    SetAside, st.just("p"), st.integers(1, 1000), st.booleans(), st.just("s3://b/"), st.just("replay p")
)


WORDS = ("loaded", "failed", "skipped", "nothing to do", "stopped early", "not begun")
FILES = (("loaded", "SUCCESS"), ("failed", "FAILED"), ("skipped", "SKIPPED"), ("refused", "REFUSED"))


def numbers(line: str) -> dict[str, int]:
    """Return the numbers of a line, by the words behind them in the plural."""
    found = re.findall(r"([\d,]+) (feed|file|row|[a-z ]+)", line)
    return {words.strip(): int(number.replace(",", "")) for number, words in found}


@given(st.lists(feeds, max_size=8), st.lists(waiting, max_size=3))
def test_the_numbers_are_those_of_the_results(feeds: list[FeedOutcome], waiting: list[SetAside]) -> None:
    document: Any = Outcome(feeds, waiting).as_dict()
    of_feeds, of_files = (*map(numbers, totals(Outcome(feeds, waiting))), {})[:2]

    every = [each for feed in feeds for each in feed.results]
    failed = [feed for feed in feeds if [each for each in feed.results if each.failure]]
    others = [feed for feed in feeds if feed not in failed]
    through = [feed for feed in others if feed.has_ended]
    loaded = [feed for feed in through if "SUCCESS" in [each.status for each in feed.results]]
    expected = {
        "loaded": len(loaded),
        "failed": len(failed),
        "skipped": len([feed for feed in through if feed.results and feed not in loaded]),
        "idle": len([feed for feed in through if not feed.results]),
        "stopped": len([feed for feed in others if not feed.has_ended and feed.has_begun]),
        "not_begun": len([feed for feed in others if not feed.has_ended and not feed.has_begun]),
    }
    files = {name: sum(1 for each in every if each.source_file and each.status == status) for name, status in FILES}
    rows = sum(each.counts.inserted + each.counts.updated for each in every if each.status == "SUCCESS")
    shown = {"feeds": expected, "files": files, "rows_loaded": rows}
    assert {name: document["summary"][name] for name in shown} == shown
    assert len(document["loads"]) == len(every)
    assert of_feeds.pop("feed") == sum(expected.values()) == len(feeds)
    assert [of_feeds.get(words, 0) for words in WORDS] == list(expected.values())
    assert [of_files.get(word, 0) for word, _ in FILES] == list(files.values())
    assert of_files.get("row", 0) == rows
    # Files of the results come first in their line, files set aside last.
    assert sum(files.values()) + sum(each.files for each in waiting) == sum(
        int(number.replace(",", ""))
        for number in re.findall(r"([\d,]+) file", "".join(totals(Outcome(feeds, waiting))))
    )


def test_a_command_that_loads_many_feeds_ends_in_its_numbers() -> None:
    loaded = result(counts=RecordCounts(read=700_000, inserted=600_000, updated=17_283))
    done = [outcome(f"f{number}", loaded, loaded) for number in range(2)]
    failed = outcome("bad", loaded, result("FAILED", failure=failure(("replay", "bad", "--file", "k 1.csv"))))
    held = [FeedOutcome(f"h{number}", ("run", f"h{number}")) for number in range(2)]
    idle = FeedOutcome("none", idle="no file below s3://b/in/ matches *", has_ended=True)
    waiting = [SetAside("bad", 1000, True, "s3://b/data/unprocessed/", "replay bad")]
    every = [*done, failed, *held, idle]

    text = full_summary(Outcome(every, waiting, ["feedway replay bad --file 'k 1.csv'", "feedway run h0 h1"]))

    assert text.splitlines()[-6:] == [
        "not begun: h0, h1",
        "6 feeds: 2 loaded, 1 failed, 1 nothing to do, 2 not begun",
        "6 files: 5 loaded (3,086,415 rows), 1 failed; at least 1,000 files set aside",
        "retry with:",
        "  feedway replay bad --file 'k 1.csv'",
        "  feedway run h0 h1",
    ]


def test_the_table_fits_a_terminal_and_keeps_both_ends_of_names() -> None:
    key = f"data/in/{'deep/' * 30}sales_{'of_the_northern_region_' * 3}2026-01-31.csv"
    counts = RecordCounts(1_000_000, 600_000, 390_000, 0, 9_990, 10)
    long = LoadResult("sales_of_the_northern_region", key, RUN_ID, "SUCCESS", "spark", 200.0, counts)

    numbers = {80: "600000 +390000 +9990 +10", 100: "1000000 +600000 +390000 +9990 +10"}
    for width, shown in numbers.items():
        lines = summary(outcome_of([long]), width).splitlines()[:3]
        assert [line for line in lines if len(line) > width] == []
        assert re.fullmatch(rf"sal\S*…\S*on  sal\S*…\S*\.csv  SUCCESS +{shown}  3 min 20 s", lines[2])
    assert key.rpartition("/")[2] in summary(outcome_of([long]))


def test_columns_without_rows_are_left_out_and_files_of_one_name_have_their_folder() -> None:
    keys = ("data/in/p/a.csv", "data/in/p/deep/a.csv", "data/in/p/b.csv")
    text = summary(outcome_of([result(file=key, counts=RecordCounts(3, 3)) for key in keys]))

    assert [line.split() for line in text.splitlines()[2:]] == [
        ["p", name, "SUCCESS", "3", "3", "1.0", "s"] for name in (keys[0], keys[1], "b.csv")
    ]
    assert text.splitlines()[0].split() == ["pipeline", "file", "status", "read", "inserted", "time"]


def test_of_many_files_with_bad_rows_the_first_ones_are_shown_and_each_load_has_one_command() -> None:
    kept = [
        replace(
            result(file=f"data/in/p/{number}.csv"),
            run_id=f"{number // 12}" * 32,
            counts=RecordCounts(3, 2, rejected=1),
            quarantine=f"s3://b/{number // 12}/",
            bad_rows=(BadRow(f"{number}.csv", 7, "n", "x\ny", "is not a value of integer", 8),),
        )
        for number in range(24)
    ]
    loads = Outcome([outcome("p", *kept)], program=Program(("--env", "prod")))

    lines = full_summary(loads).splitlines()

    assert len([line for line in lines if line.startswith("bad rows of data/in/p/")]) == 24
    shown = [line for line in lines if line.startswith("  row")]
    assert shown == ["  row 7, line 8, n: is not a value of integer: 'x\\ny'"] * 10
    assert [line for line in lines if line.startswith("  see")] == [
        f"  see them with: feedway --env prod quarantine show p --run {run * 8}" for run in "01"
    ]


def test_of_many_refused_files_those_without_shown_rows_are_counted() -> None:
    bad = [(BadRow(f"{n}.csv", 7, "n", "x", "is not a value of integer", 8),) for n in range(12)]
    refused = [result("FAILED", f"data/in/p/{n}.csv", failure=failure(), bad_rows=bad[n]) for n in range(12)]

    lines = full_summary(Outcome([outcome("p", *refused)])).splitlines()

    headed = [place for place, line in enumerate(lines) if line.startswith("first bad rows of")]
    assert len(headed) == 10
    assert all(lines[place + 1].startswith("  row 7") for place in headed)
    assert "bad rows of 2 more files, of which nothing was loaded, are in the messages" in lines


def test_the_notes_keep_whole_keys() -> None:
    key = "data/in/p/1.csv"
    warned = LoadWarning("not-archived", None, "it was not archived", (key,))
    lines = summary(outcome_of([result("SKIPPED", key, reason="it is loaded", warnings=(warned,))]), 80).splitlines()

    assert lines[3:] == [f"{key}: it is loaded", f"warning: {key}: it was not archived"]


@pytest.mark.parametrize(
    ("feeds", "commands"),
    [
        # Feeds whose files stay are loaded together, and those set aside by the command that finds them.
        (
            [
                outcome("a", result("FAILED", failure=failure(("run", "a")))),
                outcome("b", result("FAILED", failure=failure(("replay", "b", "--file", "k")))),
                outcome("c", failed_early("c", PipelineError("no"), next_step=NextStep("", (("run", "c"),)))),
            ],
            ["run a c", "replay b --file k"],
        ),
        # Several files of a feed need no names.
        (
            [outcome("a", *(result("FAILED", failure=failure(("replay", "a", "--file", key))) for key in "kl"))],
            ["replay a"],
        ),
        # Of a batch, the file at fault was set aside and the others stay.
        (
            [outcome("a", *2 * [result("FAILED", failure=failure(("run", "a"), ("replay", "a", "--file", "k")))])],
            ["run a", "replay a --file k"],
        ),
        # A spec is corrected and runs; a name of no spec does not.
        (
            [
                outcome("a", failed_early("a", SpecError("line 3")), again=("run", "a")),
                outcome("typo", failed_early("typo", SpecError("there is no pipeline"))),
                outcome("b", failed_early("b", SpecError("no such file")), again=("run", "b", "--file", "k")),
            ],
            ["run a"],
        ),
        # What was interrupted or has not begun asks for the same again.
        (
            [
                outcome("a", result(), again=("replay", "a", "--out-of-order"), ends=False),
                FeedOutcome("b", ("replay", "b", "--out-of-order")),
            ],
            ["replay a b --out-of-order"],
        ),
        # The rows are in, a new file must come, or the file needs an option: nothing to retry.
        (
            [
                outcome("a", result("SUCCESS", failure=LoadFailure("E", "settle", "view", SpecError("x")))),
                outcome("b", result("FAILED", failure=failure())),
                outcome("c", result("REFUSED", failure=failure(error=SpecError("older")))),
                outcome("d", result("SKIPPED")),
            ],
            [],
        ),
    ],
)
def test_what_failed_is_retried_by_the_fewest_commands(feeds: list[FeedOutcome], commands: list[str]) -> None:
    assert [" ".join(words) for words in retries(feeds)] == commands


def test_the_only_file_that_is_set_aside_needs_no_name() -> None:
    feeds = [
        outcome(name, result("FAILED", failure=failure(("replay", name, "--file", "k", *options))))
        for name, options in (("a", ()), ("b", ()), ("c", ()), ("d", ("--out-of-order",)))
    ]
    waiting = [SetAside(name, 2 if name == "b" else 1, False, "s3://b/", f"replay {name}") for name in "abcd"]

    assert [" ".join(words) for words in retries(feeds, waiting)] == [
        "replay a c",
        "replay b --file k",
        "replay d --file k --out-of-order",
    ]


def test_a_failure_counts_more_than_files_that_are_loaded() -> None:
    feed = outcome("p", result(), result("FAILED", failure=failure()), ends=False)

    assert feed.state is State.FAILED

"""Notifications: what stands in them, how they fit what services take, and how long a command waits for servers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.errors import PipelineError, SourceFileError, SpecError, WarehouseError
from framework.load.notify.delivery import Delivery, deliver
from framework.load.notify.messages import (
    JSON_BYTES,
    SLACK_BLOCKS,
    SLACK_HEADER,
    SLACK_SECTION,
    SNS_BYTES,
    SNS_SUBJECT,
    sns_message,
    webhook_body,
)
from framework.load.notify.notices import MOST_OF_A_FEED, Notice, Notification, notices_of, notification
from framework.load.result import LoadFailure, LoadResult, NextStep, RecordCounts
from framework.log.redaction import brief
from framework.log.run_log import RunLog
from framework.model.load_warning import LoadWarning
from framework.spec.environment import NoticeKind

TEAMS_BYTES = 28 * 1024
KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)
TEXTS = st.text(max_size=40) | st.sampled_from(
    ["ä" * 5000, "<!channel> & *b* `c`", "\udc80", "\0", "a\nb", "\U0001f600" * 900]
)
NOTICES = st.builds(
    Notice,
    kind=st.sampled_from(KINDS),
    pipeline=st.text("abc_", min_size=1, max_size=60),
    owner=TEXTS,
    source_file=st.none() | TEXTS,
    run_id=st.none() | st.just("0" * 32),
    step=st.none() | st.just("stage"),
    message=TEXTS,
    next_step=st.none() | TEXTS,
)
FAILED = LoadResult(
    "orders",
    "data/in/1.csv",
    "r1",
    "FAILED",
    "embedded",
    1.0,
    failure=LoadFailure(
        "SourceFileError", "stage", "m", SourceFileError("bad file\n  sample 'x'"), NextStep("Continue with: run")
    ),
)


def several(count: int, text: str = "x") -> Notification:
    """Return a notification with a notice of as many feeds."""
    found = [
        Notice("failure", f"feed_{number}", "owner", text, "0" * 32, "stage", text, text) for number in range(count)
    ]
    return notification("prod", "job-1", found)


@given(st.lists(NOTICES, min_size=1, max_size=80))
def test_every_message_fits_its_service(notices: list[Notice]) -> None:
    found = notification("prod", "job", notices)

    slack = json.loads(webhook_body(found, "slack"))
    subject, text = sns_message(found)
    assert len(slack["blocks"]) <= SLACK_BLOCKS
    assert len(slack["blocks"][0]["text"]["text"]) <= SLACK_HEADER
    assert all(0 < len(block["text"]["text"]) <= SLACK_SECTION for block in slack["blocks"][1:])
    assert len(webhook_body(found, "teams")) <= TEAMS_BYTES
    assert len(webhook_body(found, "json")) <= JSON_BYTES
    assert len(text.encode("utf-8")) <= SNS_BYTES
    assert 0 < len(subject) <= SNS_SUBJECT
    assert subject.isascii()
    assert subject.isprintable()
    assert all(line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize("text", ["x", "y" * 1000, "ä" * 1000])
@pytest.mark.parametrize("count", [1, 40, 400])
def test_what_has_no_room_is_counted(count: int, text: str) -> None:
    found = several(count, text)

    for body in (webhook_body(found, "slack"), webhook_body(found, "teams"), sns_message(found)[1].encode()):
        plain = body.decode()
        shown = sum(f"FAILED: feed_{number} " in plain for number in range(count))
        assert 1 <= shown <= count
        assert "job job-1" in plain
        assert (f"and {count - shown:,} notice" in plain) == (shown < count)
    assert len(json.loads(webhook_body(found, "slack"))["blocks"]) <= SLACK_BLOCKS
    document = json.loads(webhook_body(found, "json"))
    assert len(document["notices"]) + document["left_out"] == count


def test_names_mention_nobody_and_are_no_markup() -> None:
    named = replace(several(1, "<!channel> *b* [l](https://x)"), heading="Feedway <!here> & co")
    slack, teams = (json.loads(webhook_body(named, form)) for form in ("slack", "teams"))

    assert slack["text"] == "Feedway &lt;!here&gt; &amp; co"
    assert {block["text"]["type"] for block in slack["blocks"]} == {"plain_text"}
    card = teams["attachments"][0]["content"]
    assert {element["type"] for element in card["body"]} == {"RichTextBlock"}
    assert (teams["type"], card["type"]) == ("message", "AdaptiveCard")


def test_a_feed_with_many_failures_leaves_room_for_others() -> None:
    failures = [replace(FAILED, run_id=f"r{number}", source_file=f"{number}.csv") for number in range(500)]
    other = replace(FAILED, pipeline="returns", run_id="s")

    found = notification("prod", None, notices_of([*failures, other], {"orders": "crm"}, KINDS))

    assert [notice.pipeline for notice in found.notices] == ["orders"] * MOST_OF_A_FEED + ["returns"]
    assert [notice.more for notice in found.notices] == [0, 0, 497, 0]
    assert [notice.owner for notice in found.notices] == ["crm", "crm", "crm", ""]
    assert found.heading == "Feedway prod: 2 feeds failed"
    assert found.first(1).left_out == 1 + 1 + 497 + 1


def test_a_load_of_several_files_fails_once_and_names_the_file_at_fault() -> None:
    error = SourceFileError("two.csv: bad", ["two.csv"])
    failure = LoadFailure("SourceFileError", "stage", "m", error)
    results = [replace(FAILED, source_file=key, failure=failure) for key in ("one.csv", "two.csv", "three.csv")]

    (notice,) = notices_of(results, {}, KINDS)

    assert notice.source_file == "two.csv"


@pytest.mark.parametrize("kind", KINDS)
def test_the_kinds_that_are_reported_are_chosen(kind: NoticeKind) -> None:
    good = replace(FAILED, status="SUCCESS", failure=None, counts=RecordCounts(read=3, inserted=3))
    results = [
        FAILED,
        replace(good, pipeline="a", run_id="a"),
        replace(good, pipeline="b", run_id="b", warnings=(LoadWarning("rule", None, "warned 'x'", brief="warned"),)),
        replace(good, pipeline="c", run_id="c", quarantine="s3://q/", counts=RecordCounts(3, 2, rejected=1)),
        replace(FAILED, pipeline="d", run_id="d", status="REFUSED", failure=None, reason="too old"),
        replace(good, pipeline="e", run_id="e", status="SKIPPED"),
    ]

    found = {notice.pipeline: notice.message for notice in notices_of(results, {}, [kind])}

    assert (
        found
        == {
            "failure": {"orders": "bad file"},
            "success": {"a": "3 rows inserted, 0 updated, 0 deleted"},
            "warning": {"b": "rule: warned", "c": "1 of 3 rows went to quarantine: s3://q/"},
            "refusal": {"d": "too old"},
            "late": {},
        }[kind]
    )


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (SourceFileError("a: 1 row cannot be loaded\n  'secret'"), "a: 1 row cannot be loaded"),
        (SourceFileError("a: 'secret'", brief="a"), "a"),
        (PipelineError("secret", brief="failed"), "failed"),
        (WarehouseError("statement 1: secret", brief="statement 1: overflow"), "statement 1: overflow"),
        (SpecError("the spec has one problem"), "the spec has one problem"),
        (ValueError("secret"), "an unexpected error (ValueError); the log has its traceback"),
        (PipelineError(""), "PipelineError"),
    ],
)
def test_an_error_is_shown_without_what_a_file_holds(error: Exception, shown: str) -> None:
    assert brief(error) == shown


class Servers:
    """Calls that answer, fail or wait."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.called: list[str] = []

    def answer(self) -> None:
        self.called.append("answer")

    def fail(self) -> None:
        raise PipelineError("it answered 500")

    def hang(self) -> None:
        self.over.wait(20)


def unsent(calls: Sequence[tuple[str, Sequence[Callable[[], None]]]], seconds: float) -> dict[str, Any]:
    """Return the warnings of deliveries by their names."""
    log = RunLog("r", "run", None)
    deliver([Delivery(name, each) for name, each in calls], log, seconds)
    entries = [json.loads(line) for line in log.text().splitlines()]
    return {entry["msg"]: entry["error"] for entry in entries}


def test_each_target_that_is_not_reached_is_one_warning() -> None:
    servers = Servers()
    calls = [("good", [servers.answer] * 30), ("bad", [servers.fail] * 30), ("mixed", [servers.answer, servers.fail])]

    assert unsent(calls, 20) == dict.fromkeys(("bad", "mixed"), "PipelineError: it answered 500")
    assert len(servers.called) == 31


def test_servers_that_hang_keep_no_other_from_being_reached_and_are_given_up_together() -> None:
    servers = Servers()
    begun = time.monotonic()
    found = unsent([(f"slow {number}", [servers.hang] * 20) for number in range(5)] + [("good", [servers.answer])], 0.3)

    assert time.monotonic() - begun < 2
    assert found == {f"slow {number}": "no answer within 0.3 s" for number in range(5)}
    assert servers.called == ["answer"]
    servers.over.set()

"""`history`: what became of past loads, which still run, and which feeds are late."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.harness import FeedHarness, new_name, tagged_spec

SCHEMAS = Path(__file__).parents[2] / "schemas" / "output"


def audit(
    feed: FeedHarness,
    run_id: str,
    status: str,
    start: str = "2026-01-01",
    end: str = "null",
    file: str = "k",
    invocation_id: str = "",
) -> None:
    """Write an audit row, as a load of another process would."""
    ended = end if end == "null" else f"'{end}'"
    code, _, err = feed.command(
        "sandbox",
        "sql",
        "insert into feedway.job_sts (run_id, pipeline, run_start_ts, run_end_ts, source_bucket, source_filename, "
        "source_etag, source_size, source_modified_ts, source_generation, target_table_name, status, spec_sha256, "
        "invocation_id) "
        f"values ('{run_id}', '{feed.name}', '{start}', {ended}, 'lake', '{file}', 'e', 1, '2026-01-01', 1, "
        f"'public.t', '{status}', 'x', '{invocation_id}')",
    )
    assert code == 0, err


def loads(feed: FeedHarness, *options: str) -> list[dict[str, Any]]:
    """Return what `history` prints of the feed's pipeline, checked against its schema."""
    code, document = feed.json("history", feed.name, *options)
    schema = json.loads((SCHEMAS / "history.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    assert code == 0
    return list(document["loads"])


def stale(feed: FeedHarness, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code of `history --stale` and what it prints, checked against its schema."""
    code, document = feed.json("history", feed.name, "--stale", *options)
    schema = json.loads((SCHEMAS / "history_stale.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    return code, document["stale"]


def test_a_load_without_an_end_runs_as_long_as_its_heartbeat_is_fresh(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a\n1,x\n")
    feed.command("run", feed.name)
    past = (datetime.now() - timedelta(seconds=400)).timestamp()  # noqa: DTZ005 - a file's time is a local one
    wanted = {}
    # By when its command and the run itself were last heard of.
    ages = [(None, None), (past, past), (past, None), (0, None), (0, past), (past, 0)]
    for number, (heartbeat, own) in enumerate(ages):
        run_id, invocation_id = f"{number:032x}", f"{number + 16:032x}"
        audit(feed, run_id, "STARTED", invocation_id=invocation_id)
        own_key = f"staging/{feed.name}/{invocation_id}/{run_id}/rows-0/1.parquet"
        for key, seen_at in ((f"staging/_alive/{invocation_id}", heartbeat), (own_key, own)):
            if seen_at is not None:
                feed.s3.put_object(Bucket="lake", Key=key, Body=b"")
                set_time(feed, key, seen_at or datetime.now().timestamp())  # noqa: DTZ005
        wanted[run_id] = "RUNNING" if 0 in (heartbeat, own) else "UNFINISHED"

    seen = {load["run_id"]: load["status"] for load in loads(feed)}

    assert {run_id: seen.pop(run_id) for run_id in wanted} == wanted
    assert list(seen.values()) == ["SUCCESS"]
    running = {run_id for run_id, status in wanted.items() if status == "RUNNING"}
    assert {load["run_id"] for load in loads(feed, "--status", "running")} == running
    assert len(loads(feed, "--status", "UNFINISHED", "--status", "RUNNING")) == len(wanted)


def set_time(feed: FeedHarness, key: str, moment: float) -> None:
    """Make an object older; in the sandbox it is a file."""
    import os

    os.utime(feed.root / ".sandbox" / "s3" / "lake" / key, (moment, moment))


def test_a_load_that_committed_is_a_success_whatever_was_written_after(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a\n1,x\n")
    feed.command("run", feed.name)
    audit(feed, "r", "STARTED")
    audit(feed, "r", "SUCCESS", end="2026-01-01 00:00:05")
    audit(feed, "r", "FAILED", end="2026-01-01 00:00:09")
    audit(feed, "s", "STARTED")
    audit(feed, "s", "FAILED", end="2026-01-01 00:00:07")

    seen = [(load["run_id"].strip(), load["status"]) for load in loads(feed, "--file", "k")]

    assert sorted(seen) == [("r", "SUCCESS"), ("s", "FAILED")]


def test_a_skipped_file_is_shown_with_the_reason(feed: FeedHarness) -> None:
    key = feed.land("1.csv", "id,a\n1,x\n")
    feed.command("run", feed.name)
    moved = feed.s3.list_objects_v2(Bucket="lake", Prefix="data/archive/")["Contents"]
    (archived,) = [found["Key"] for found in moved if feed.heads(found["Key"]).get("feedway-pipeline") == feed.name]
    feed.command("run", feed.name, "--file", archived)

    (skipped,) = loads(feed, "--status", "skipped")
    _, text, _ = feed.command("--output", "text", "history", feed.name, "--file", archived)

    assert skipped["source_filename"] == key
    assert skipped["error_message"].startswith("already loaded on 2")
    assert "already loaded on 2" in text
    assert [line.split()[4] for line in text.splitlines()[2:]] == ["SKIPPED", "SUCCESS"]


def test_loads_are_picked_by_time_file_status_and_number(feed: FeedHarness) -> None:
    for number in (1, 2, 3):
        feed.land(f"{number}.csv", f"id,a\n{number},x\n")
    feed.command("run", feed.name)
    audit(feed, "old", "FAILED", start="2025-03-01 10:00:00", end="2025-03-01 10:01:00")
    audit(feed, "older", "FAILED", start="2025-03-01 09:59:59", end="2025-03-01 10:02:00")
    file = f"data/in/{feed.name}/2.csv"

    assert [load["source_filename"] for load in loads(feed, "--file", file)] == [file]
    assert [load["source_filename"] for load in loads(feed, "--file", f"s3://lake/{file}")] == [file]
    assert len(loads(feed, "--since", "1d")) == 3
    assert len(loads(feed, "--since", "2025-03-01T10:00")) == 4
    assert len(loads(feed, "--since", "2025-03-01T10:59:59+01:00")) == 5
    assert [load["run_id"].strip() for load in loads(feed, "--status", "FAILED", "--rows", "1")] == ["old"]
    assert loads(feed, "--status", "SKIPPED") == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--since", "yesterday"], "yesterday"),
        (["--since", "2026-13-01"], "2026-13-01"),
        (["--status", "LOST"], "UNFINISHED"),
        (["--rows", "0"], "from 1"),
        (["--stale", "--status", "FAILED"], "--status"),
        (["--stale", "--rows", "5"], "--rows"),
        (["--changes", "--status", "FAILED"], "--status"),
        (["--changes", "--file", "k"], "--file"),
        (["--changes", "--stale"], "one of"),
        (["--prune", "9d", "--rows", "5"], "--rows"),
    ],
)
def test_a_filter_that_means_nothing_is_explained(feed: FeedHarness, options: list[str], words: str) -> None:
    code, _, err = feed.command("history", feed.name, *options)

    assert code == 2
    assert words in err


def test_the_history_shows_what_loads_changed_about_tables(feed: FeedHarness) -> None:
    schema = json.loads((SCHEMAS / "history_changes.schema.json").read_text(encoding="utf-8"))
    nothing = feed.json("history", feed.name, "--changes")
    feed.land("1.csv", "id,a,b\n1,x,5\n")
    feed.command("run", feed.name)
    feed.land("2.csv", f"id,a,b,c\n2,{'y' * 300},3000000000,z\n")
    feed.command("run", feed.name)
    feed.land("3.csv", "id,a,b,c\n3,x,5,z\n")
    feed.command("run", feed.name)

    code, document = feed.json("history", feed.name, "--changes")
    _, newest = feed.json("history", "--changes", "--rows", "1", "--since", "1h")
    _, text, _ = feed.command("--output", "text", "history", feed.name, "--changes")

    Draft202012Validator(schema).validate(document)
    assert (nothing, code) == ((0, {"changes": []}), 0)
    shown = [
        (change["change"], change["column_name"], change["type_before"], change["type_after"])
        for change in document["changes"]
    ]
    assert shown == [
        ("rewrite_column", "b", "integer", "bigint"),
        ("add_column", "c", None, "varchar(256)"),
        # Native growth goes first, by itself.
        ("grow_varchar", "a", "varchar(256)", "varchar(310)"),
        ("create_table", None, None, f"public.{feed.name}"),
    ]
    runs = {load["source_filename"]: load["run_id"] for load in loads(feed)}
    assert [(change["source_filename"], change["run_id"]) for change in document["changes"]] == [
        *[(f"data/in/{feed.name}/2.csv", runs[f"data/in/{feed.name}/2.csv"])] * 3,
        (f"data/in/{feed.name}/1.csv", runs[f"data/in/{feed.name}/1.csv"]),
    ]
    assert len(newest["changes"]) == 1
    assert "the longest text has 300 bytes" in text


def test_a_change_that_is_taken_back_is_not_in_the_history(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a\n1,5\n")
    feed.command("run", feed.name)
    spec = tagged_spec(feed.name)
    feed.write(
        f"pipelines/{feed.name}.yml", f"{spec}views: [{{schema: public, name: v, definition: select nothing}}]\n"
    )
    feed.land("2.csv", "id,a\n2,3000000000\n")

    code, _, _ = feed.command("run", feed.name)

    assert code == 2
    _, document = feed.json("history", feed.name, "--changes")
    assert [change["change"] for change in document["changes"]] == ["create_table"]


def test_a_feed_is_late_when_its_last_success_is_longer_ago_than_expected(feed: FeedHarness) -> None:
    feed.write(f"pipelines/{feed.name}.yml", tagged_spec(feed.name) + "owner: night-team\nexpect: {every: 6h}\n")
    never = stale(feed)
    feed.land("1.csv", "id,a\n1,x\n")
    feed.command("run", feed.name)
    fresh = stale(feed)
    feed.command(
        "sandbox",
        "sql",
        f"update feedway.job_sts set run_end_ts = '2026-01-01 00:00:00' where pipeline = '{feed.name}' "
        "and status = 'SUCCESS'",
    )
    audit(feed, "r", "FAILED", start="2026-01-02", end="2026-01-02")
    late = stale(feed)
    code, text, _ = feed.command("--output", "text", "history", "--stale")

    assert never == (
        3,
        [
            {
                "pipeline": feed.name,
                "owner": "night-team",
                "every": "6h",
                "last_success_ts": None,
                "late_since_ts": None,
                "late_seconds": None,
            }
        ],
    )
    assert fresh == (0, [])
    (late_feed,) = late[1]
    assert late[0] == code == 3
    assert (late_feed["last_success_ts"], late_feed["late_since_ts"]) == ("2026-01-01 00:00:00", "2026-01-01 06:00:00")
    assert late_feed["late_seconds"] > 0
    assert feed.name in text
    assert "2026-01-01 06:00:00" in text


def test_a_feed_that_expects_nothing_is_never_late(feed: FeedHarness) -> None:
    other = new_name("command")
    feed.write(f"pipelines/{other}.yml", tagged_spec(other) + "expect: {every: 30m}\n")

    assert stale(feed) == (0, [])
    code, document = feed.json("history", "--stale")
    assert (code, [each["pipeline"] for each in document["stale"]]) == (3, [other])


def test_a_warehouse_that_was_never_used_has_no_history(feed: FeedHarness) -> None:
    environments = (feed.root / "environments.yml").read_text(encoding="utf-8")
    feed.write(
        "environments.yml", environments.replace("copy_role: default", "copy_role: default, control_schema: never_used")
    )
    feed.write(f"pipelines/{feed.name}.yml", tagged_spec(feed.name) + "expect: {every: 30m}\n")

    assert loads(feed) == []
    assert stale(feed)[0] == 3


def test_pruning_keeps_what_says_which_files_are_loaded(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a\n1,x\n")
    feed.command("run", feed.name)
    old, older, young = "2026-01-02", "2026-01-01", (datetime.now(UTC) - timedelta(hours=1)).isoformat(" ")[:19]
    rows = [
        ("a1", "STARTED", older, "null", "a"),
        ("a1", "SUCCESS", older, older, "a"),
        ("a2", "STARTED", old, "null", "a"),
        ("a2", "SUCCESS", old, old, "a"),
        ("b1", "STARTED", older, "null", "b"),
        ("b1", "SUCCESS", older, older, "b"),
        ("b2", "STARTED", old, "null", "b"),
        ("b2", "FAILED", old, old, "b"),
        ("c1", "STARTED", older, "null", "c"),
        ("c2", "STARTED", old, "null", "c"),
        ("d1", "STARTED", young, "null", "d"),
        ("d1", "SUCCESS", young, young, "d"),
    ]
    for row in rows:
        audit(feed, *row)
    left = f"select run_id, status from feedway.job_sts where pipeline = '{feed.name}' and length(run_id) = 2"
    own = f"{left} order by 1, 2"

    week_ago = (datetime.now(UTC) - timedelta(days=7)).isoformat(timespec="seconds")
    counted = feed.json("history", feed.name, "--prune", week_ago)
    untouched = len(feed.json("sandbox", "sql", own)[1]["rows"])
    removed = feed.json("history", feed.name, "--prune", week_ago, "--yes")

    schema = json.loads((SCHEMAS / "history_prune.schema.json").read_text(encoding="utf-8"))
    for _, document in (counted, removed):
        Draft202012Validator(schema).validate(document)
    assert (counted[0], removed[0], untouched) == (0, 0, len(rows))
    assert counted[1]["pruned"] | {"removed": True} == removed[1]["pruned"]
    assert removed[1]["pruned"]["by_status"] == {"STARTED": 5, "SUCCESS": 1}
    found = [(run_id.strip(), status) for run_id, status in feed.json("sandbox", "sql", own)[1]["rows"]]
    assert found == [
        ("a2", "SUCCESS"),
        ("b1", "SUCCESS"),
        ("b2", "FAILED"),
        ("c2", "STARTED"),
        ("d1", "STARTED"),
        ("d1", "SUCCESS"),
    ]
    assert "is the last of its file" in feed.command("history", feed.name, "--prune", "7d", "--output", "text")[1]
    assert feed.command("history", "--yes")[0] == feed.command("history", "--prune", "soon")[0] == 2

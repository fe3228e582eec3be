"""`history`, `changes`, `stale`, `prune`: past loads, those that run, and what the audit knows besides."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from framework.cli.commands.history import _text as history_text
from framework.warehouse.audit import HISTORY_COLUMNS
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
    """Return the exit code of `stale` and what it prints, checked against its schema."""
    code, document = feed.json("stale", feed.name, *options)
    schema = json.loads((SCHEMAS / "stale.schema.json").read_text(encoding="utf-8"))
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
    table, _, messages = text.partition("\n\n")
    assert [line.split()[5] for line in table.splitlines()[2:]] == ["SKIPPED", "SUCCESS"]
    first, reason = messages.splitlines()
    assert first == f"{skipped['run_id'][:8]}  {feed.name}  1.csv  SKIPPED"
    assert reason.startswith("  already loaded on 2")


def test_loads_are_picked_by_time_file_status_and_number(feed: FeedHarness) -> None:
    for number in (1, 2, 3):
        feed.land(f"{number}.csv", f"id,a\n{number},x\n")
    feed.command("run", feed.name)
    audit(feed, "old", "FAILED", start="2025-03-01 10:00:00", end="2025-03-01 10:01:00")
    audit(feed, "older", "FAILED", start="2025-03-01 09:59:59", end="2025-03-01 10:02:00")
    file = f"data/in/{feed.name}/2.csv"

    assert [load["source_filename"] for load in loads(feed, "--file", file)] == [file]
    assert [load["source_filename"] for load in loads(feed, "--file", f"s3://lake/{file}")] == [file]
    assert [load["source_filename"] for load in loads(feed, "--file", "2.csv")] == [file]
    assert loads(feed, "--file", ".csv") == loads(feed, "--file", "%.csv") == []
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
    ],
)
def test_a_filter_that_means_nothing_is_explained(feed: FeedHarness, options: list[str], words: str) -> None:
    code, _, err = feed.command("history", feed.name, *options)

    assert code == 2
    assert words in err


def test_the_history_shows_what_loads_changed_about_tables(feed: FeedHarness) -> None:
    schema = json.loads((SCHEMAS / "changes.schema.json").read_text(encoding="utf-8"))
    nothing = feed.json("changes", feed.name)
    feed.land("1.csv", "id,a,b\n1,x,5\n")
    feed.command("run", feed.name)
    feed.land("2.csv", f"id,a,b,c\n2,{'y' * 300},3000000000,z\n")
    feed.command("run", feed.name)
    feed.land("3.csv", "id,a,b,c\n3,x,5,z\n")
    feed.command("run", feed.name)

    code, document = feed.json("changes", feed.name)
    _, newest = feed.json("changes", "--rows", "1", "--since", "1h")
    _, text, _ = feed.command("--output", "text", "changes", feed.name)

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
    _, document = feed.json("changes", feed.name)
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
    code, text, _ = feed.command("--output", "text", "stale")

    assert never == (
        6,
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
    assert late[0] == code == 6
    assert (late_feed["last_success_ts"], late_feed["late_since_ts"]) == ("2026-01-01 00:00:00", "2026-01-01 06:00:00")
    assert late_feed["late_seconds"] > 0
    assert feed.name in text
    assert "2026-01-01 06:00:00" in text


def test_a_feed_that_expects_nothing_is_never_late(feed: FeedHarness) -> None:
    other = new_name("command")
    feed.write(f"pipelines/{other}.yml", tagged_spec(other) + "expect: {every: 30m}\n")

    assert stale(feed) == (0, [])
    code, document = feed.json("stale")
    assert (code, [each["pipeline"] for each in document["stale"]]) == (6, [other])


def test_a_warehouse_that_was_never_used_has_no_history(feed: FeedHarness) -> None:
    environments = (feed.root / "environments.yml").read_text(encoding="utf-8")
    feed.write(
        "environments.yml", environments.replace("copy_role: default", "copy_role: default, control_schema: never_used")
    )
    feed.write(f"pipelines/{feed.name}.yml", tagged_spec(feed.name) + "expect: {every: 30m}\n")

    assert loads(feed) == []
    assert stale(feed)[0] == 6


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
    counted = feed.json("prune", week_ago, feed.name)
    untouched = len(feed.json("sandbox", "sql", own)[1]["rows"])
    removed = feed.json("prune", week_ago, feed.name, "--yes")

    schema = json.loads((SCHEMAS / "prune.schema.json").read_text(encoding="utf-8"))
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
    assert "is the last of its file" in feed.command("prune", "7d", feed.name, "--output", "text")[1]
    assert feed.command("prune", "--yes")[0] == feed.command("prune", "soon")[0] == 2


def test_the_history_ends_with_the_messages_of_loads_that_failed(feed: FeedHarness) -> None:
    feed.write(f"pipelines/{feed.name}.yml", tagged_spec(feed.name) + "types: {columns: {n: integer}}\n")
    for number in range(7):
        feed.land(f"{number}.csv", f"id,n\n1,{'x' if number else 5}\n")
        feed.command("run", feed.name)
    newest, *_ = loads(feed)

    _, text, _ = feed.command("--output", "text", "history", feed.name)
    _, of_file, _ = feed.command("--output", "text", "history", "--file", "1.csv", feed.name)

    table, *messages = text.rstrip("\n").split("\n\n")
    assert table.splitlines()[2].split()[0] == newest["run_id"][:8]
    assert [line.split()[5] for line in table.splitlines()[2:]] == ["FAILED"] * 6 + ["SUCCESS"]
    assert [message.split()[2] for message in messages[:-1]] == ["6.csv", "5.csv", "4.csv", "3.csv", "2.csv"]
    assert messages[0].splitlines()[1:] == [f"  {line}" for line in newest["error_message"].splitlines()]
    assert messages[-1] == "Messages of 1 more loads are left out: use --file FILE, or logs RUN."
    assert "1 of 1 value of n is not an integer" in of_file


def test_a_table_is_cut_to_the_width_of_the_terminal() -> None:
    load = dict.fromkeys(HISTORY_COLUMNS) | {
        "run_id": "0123456789abcdef" * 2,
        "pipeline": "a_pipeline_with_a_long_name",
        "run_start_ts": "2026-01-31 23:59:30",
        "run_end_ts": "2026-01-31 23:59:41.5",
        "source_filename": f"data/in/{'folder/' * 20}orders_2026-01-31T23-59-00_part-0001.csv",
        "status": "SUCCESS",
        "records_read": 1_230_789,
        "records_inserted": 1_230_000,
        "records_updated": 0,
        "records_rejected": 789,
        "warnings": ["w"],
    }
    whole, wide, narrow = (history_text([load], width, 5).splitlines() for width in (None, 110, 80))

    assert "orders_2026-01-31T23-59-00_part-0001.csv" in whole[2]
    assert [max(map(len, lines)) for lines in (wide, narrow)] == [110, 80]
    row = wide[2].split()
    assert row[:3] == ["01234567", "2026-01-31", "23:59"]
    assert (row[4][:6], row[4][-6:]) == ("orders", "01.csv")
    assert row[5:] == ["SUCCESS", "1230789", "1230000", "789", "12", "s", "1"]
    # Without the rows read, and the year.
    assert narrow[2].split()[:3] == ["01234567", "01-31", "23:59"]
    assert narrow[2].split()[5:] == ["SUCCESS", "1230000", "789", "12", "s", "1"]
    plain = history_text([load | {"records_rejected": 0, "warnings": []}], None, 5).splitlines()
    assert plain[0].split() == ["run", "started", "pipeline", "file", "status", "read", "loaded", "time"]


def logs(feed: FeedHarness, asked: str) -> dict[str, Any]:
    """Return what `logs` prints, checked against its schema."""
    code, found = feed.json("logs", asked)
    document: dict[str, Any] = found
    schema = json.loads((SCHEMAS / "logs.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    assert code == 0
    return document


def test_the_log_of_a_load_is_found_by_its_id_or_its_pipeline(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a\n1,x\n")
    feed.command("run", feed.name)
    feed.land("2.csv", "")
    feed.command("run", feed.name)
    second, first = loads(feed)

    of_first = logs(feed, first["run_id"])
    code, text, _ = feed.command("--output", "text", "logs", second["run_id"][:12])

    assert logs(feed, first["run_id"][:8]) == of_first
    assert (of_first["status"], of_first["source_files"]) == ("SUCCESS", [f"data/in/{feed.name}/1.csv"])
    stored = feed.s3.get_object(Bucket="lake", Key=of_first["log"].removeprefix("s3://lake/"))["Body"].read()
    assert of_first["entries"] == [json.loads(line) for line in stored.splitlines()]
    assert logs(feed, feed.name)["run_id"] == second["run_id"]
    assert code == 0
    lines = text.splitlines()
    assert lines[0] == f"{second['run_id']}  {feed.name}  2.csv  FAILED"
    assert any("error: " in line for line in lines)
    assert lines[-1].endswith(f"/{second['run_id']}.jsonl")


def test_a_log_that_is_not_there_is_explained(feed: FeedHarness) -> None:
    unknown, killed, alike = "f" * 32, "e" * 32, "e" * 31 + "d"
    audit(feed, killed, "STARTED", start=str(datetime.now(UTC) - timedelta(days=1))[:19])
    wanted = {
        unknown: "no load of it is recorded",
        "orders?": "no such pipeline",
        "abc": "first 4 are enough",
        killed: "A load that was killed exports none",
    }
    for asked, words in wanted.items():
        code, _, err = feed.command("logs", asked)
        assert (code, words in err) == (2, True), err
    audit(feed, alike, "STARTED")
    code, _, err = feed.command("logs", "eeee")
    assert (code, "several loads begin so" in err) == (2, True)
    own = f"staging/{feed.name}/{'c' * 32}/{alike}/rows-0/1.parquet"
    feed.s3.put_object(Bucket="lake", Key=own, Body=b"")
    code, _, err = feed.command("logs", alike)
    assert (code, "is running" in err) == (2, True), err


def test_values_that_earlier_loads_recorded_are_hidden_once_the_spec_hides_them(feed: FeedHarness) -> None:
    spec = tagged_spec(feed.name) + "types: {columns: {n: integer}}\n"
    feed.write(f"pipelines/{feed.name}.yml", spec)
    for number, content in enumerate(
        ("id,n\n1,1\n", "id,n,w\n1,1,5\n", "id,n,w\n1,1,3000000007\n", "id,n\n1,canary\n")
    ):
        feed.land(f"{number}.csv", content)
        feed.command("run", feed.name)
    run_id = feed.json("history", feed.name)[1]["loads"][0]["run_id"]

    def printed() -> str:
        lines = [(name, feed.name) for name in ("history", "changes", "status")] + [("logs", run_id)]
        return str([feed.command(*output, *line) for line in lines for output in ((), ("--output", "json"))])

    assert {"canary", "3000000007"} == {value for value in ("canary", "3000000007") if value in printed()}
    for text in (f"{spec}bad_rows: {{log_samples: false}}\n", f"{spec}keyz: 1\n", None):
        if text is None:
            (feed.root / "pipelines" / f"{feed.name}.yml").unlink()
        else:
            feed.write(f"pipelines/{feed.name}.yml", text)
        shown = printed()
        assert [value for value in ("canary", "3000000007") if value in shown] == []
        assert shown.count("not shown: ") >= 6

    code, _, err = feed.command("logs", run_id)
    assert code == 2
    assert f"It is s3://lake/logs/{feed.name}/" in err

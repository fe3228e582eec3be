"""`history`: what became of past loads, which still run, and which feeds are late."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.command_line import SPEC, Shop
from tests.workshop import new_name

SCHEMAS = Path(__file__).parents[2] / "schemas" / "output"


def audit(shop: Shop, run_id: str, status: str, start: str = "2026-01-01", end: str = "null", file: str = "k") -> None:
    """Write an audit row, as a load of another process would."""
    ended = end if end == "null" else f"'{end}'"
    code, _, err = shop.run(
        "sandbox",
        "sql",
        "insert into feedway.job_sts (run_id, pipeline, run_start_ts, run_end_ts, source_bucket, source_filename, "
        "source_etag, source_size, source_modified_ts, source_generation, target_table_name, status, spec_sha256) "
        f"values ('{run_id}', '{shop.name}', '{start}', {ended}, 'lake', '{file}', 'e', 1, '2026-01-01', 1, "
        f"'public.t', '{status}', 'x')",
    )
    assert code == 0, err


def loads(shop: Shop, *options: str) -> list[dict[str, Any]]:
    """Return what `history` prints of the shop's pipeline, checked against its schema."""
    code, document = shop.json("history", shop.name, *options)
    schema = json.loads((SCHEMAS / "history.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    assert code == 0
    return list(document["loads"])


def stale(shop: Shop, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code of `history --stale` and what it prints, checked against its schema."""
    code, document = shop.json("history", shop.name, "--stale", *options)
    schema = json.loads((SCHEMAS / "history_stale.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    return code, document["stale"]


def test_a_load_without_an_end_runs_as_long_as_it_gives_signs_of_life(shop: Shop) -> None:
    shop.land("1.csv", "id,a\n1,x\n")
    shop.run("run", shop.name)
    for run_id in ("gone", "silent", "living"):
        audit(shop, run_id, "STARTED")
    for run_id in ("silent", "living"):
        shop.s3.put_object(Bucket="lake", Key=f"staging/{shop.name}/{run_id}/alive", Body=b"")
    past = (datetime.now() - timedelta(seconds=400)).timestamp()  # noqa: DTZ005 - a file's time is a local one
    set_time(shop, f"staging/{shop.name}/silent/alive", past)

    seen = {load["run_id"].strip(): load["status"] for load in loads(shop)}

    assert [status for run_id, status in seen.items() if len(run_id) == 32] == ["SUCCESS"]
    assert {run_id: seen[run_id] for run_id in ("gone", "silent", "living")} == {
        "gone": "UNFINISHED",
        "silent": "UNFINISHED",
        "living": "RUNNING",
    }
    assert [load["run_id"].strip() for load in loads(shop, "--status", "running")] == ["living"]
    assert len(loads(shop, "--status", "UNFINISHED", "--status", "RUNNING")) == 3


def set_time(shop: Shop, key: str, moment: float) -> None:
    """Make an object older; in the sandbox it is a file."""
    import os

    os.utime(shop.root / ".sandbox" / "s3" / "lake" / key, (moment, moment))


def test_a_load_that_committed_is_a_success_whatever_was_written_after(shop: Shop) -> None:
    shop.land("1.csv", "id,a\n1,x\n")
    shop.run("run", shop.name)
    audit(shop, "r", "STARTED")
    audit(shop, "r", "SUCCESS", end="2026-01-01 00:00:05")
    audit(shop, "r", "FAILED", end="2026-01-01 00:00:09")
    audit(shop, "s", "STARTED")
    audit(shop, "s", "FAILED", end="2026-01-01 00:00:07")

    seen = [(load["run_id"].strip(), load["status"]) for load in loads(shop, "--file", "k")]

    assert sorted(seen) == [("r", "SUCCESS"), ("s", "FAILED")]


def test_a_skipped_file_is_shown_with_the_reason(shop: Shop) -> None:
    key = shop.land("1.csv", "id,a\n1,x\n")
    shop.run("run", shop.name)
    moved = shop.s3.list_objects_v2(Bucket="lake", Prefix="data/archive/")["Contents"]
    (archived,) = [found["Key"] for found in moved if shop.heads(found["Key"]).get("feedway-pipeline") == shop.name]
    shop.run("run", shop.name, "--file", archived)

    (skipped,) = loads(shop, "--status", "skipped")
    _, text, _ = shop.run("--output", "text", "history", shop.name, "--file", archived)

    assert skipped["source_filename"] == key
    assert skipped["error_message"].startswith("already loaded on 2")
    assert "already loaded on 2" in text
    assert [line.split()[4] for line in text.splitlines()[2:]] == ["SKIPPED", "SUCCESS"]


def test_loads_are_picked_by_time_file_status_and_number(shop: Shop) -> None:
    for number in (1, 2, 3):
        shop.land(f"{number}.csv", f"id,a\n{number},x\n")
    shop.run("run", shop.name)
    audit(shop, "old", "FAILED", start="2025-03-01 10:00:00", end="2025-03-01 10:01:00")
    audit(shop, "older", "FAILED", start="2025-03-01 09:59:59", end="2025-03-01 10:02:00")
    file = f"data/in/{shop.name}/2.csv"

    assert [load["source_filename"] for load in loads(shop, "--file", file)] == [file]
    assert [load["source_filename"] for load in loads(shop, "--file", f"s3://lake/{file}")] == [file]
    assert len(loads(shop, "--since", "1d")) == 3
    assert len(loads(shop, "--since", "2025-03-01T10:00")) == 4
    assert len(loads(shop, "--since", "2025-03-01T10:59:59+01:00")) == 5
    assert [load["run_id"].strip() for load in loads(shop, "--status", "FAILED", "--rows", "1")] == ["old"]
    assert loads(shop, "--status", "SKIPPED") == []


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
def test_a_filter_that_means_nothing_is_explained(shop: Shop, options: list[str], words: str) -> None:
    code, _, err = shop.run("history", shop.name, *options)

    assert code == 2
    assert words in err


def test_the_history_tells_what_loads_changed_about_tables(shop: Shop) -> None:
    schema = json.loads((SCHEMAS / "history_changes.schema.json").read_text(encoding="utf-8"))
    nothing = shop.json("history", shop.name, "--changes")
    shop.land("1.csv", "id,a,b\n1,x,5\n")
    shop.run("run", shop.name)
    shop.land("2.csv", f"id,a,b,c\n2,{'y' * 300},3000000000,z\n")
    shop.run("run", shop.name)
    shop.land("3.csv", "id,a,b,c\n3,x,5,z\n")
    shop.run("run", shop.name)

    code, document = shop.json("history", shop.name, "--changes")
    _, newest = shop.json("history", "--changes", "--rows", "1", "--since", "1h")
    _, text, _ = shop.run("--output", "text", "history", shop.name, "--changes")

    Draft202012Validator(schema).validate(document)
    assert (nothing, code) == ((0, {"changes": []}), 0)
    told = [
        (change["change"], change["column_name"], change["type_before"], change["type_after"])
        for change in document["changes"]
    ]
    assert told == [
        ("rewrite_column", "b", "integer", "bigint"),
        ("add_column", "c", None, "varchar(256)"),
        # Native growth goes first, by itself.
        ("grow_varchar", "a", "varchar(256)", "varchar(310)"),
        ("create_table", None, None, f"public.{shop.name}"),
    ]
    runs = {load["source_filename"]: load["run_id"] for load in loads(shop)}
    assert [(change["source_filename"], change["run_id"]) for change in document["changes"]] == [
        *[(f"data/in/{shop.name}/2.csv", runs[f"data/in/{shop.name}/2.csv"])] * 3,
        (f"data/in/{shop.name}/1.csv", runs[f"data/in/{shop.name}/1.csv"]),
    ]
    assert len(newest["changes"]) == 1
    assert "the longest text has 300 bytes" in text


def test_a_change_that_is_taken_back_is_not_in_the_history(shop: Shop) -> None:
    shop.land("1.csv", "id,a\n1,5\n")
    shop.run("run", shop.name)
    spec = SPEC.format(name=shop.name)
    shop.write(
        f"pipelines/{shop.name}.yml", f"{spec}views: [{{schema: public, name: v, definition: select nothing}}]\n"
    )
    shop.land("2.csv", "id,a\n2,3000000000\n")

    code, _, _ = shop.run("run", shop.name)

    assert code == 2
    _, document = shop.json("history", shop.name, "--changes")
    assert [change["change"] for change in document["changes"]] == ["create_table"]


def test_a_feed_is_late_when_its_last_success_is_longer_ago_than_expected(shop: Shop) -> None:
    shop.write(f"pipelines/{shop.name}.yml", SPEC.format(name=shop.name) + "owner: night-team\nexpect: {every: 6h}\n")
    never = stale(shop)
    shop.land("1.csv", "id,a\n1,x\n")
    shop.run("run", shop.name)
    fresh = stale(shop)
    shop.run(
        "sandbox",
        "sql",
        f"update feedway.job_sts set run_end_ts = '2026-01-01 00:00:00' where pipeline = '{shop.name}' "
        "and status = 'SUCCESS'",
    )
    audit(shop, "r", "FAILED", start="2026-01-02", end="2026-01-02")
    late = stale(shop)
    code, text, _ = shop.run("--output", "text", "history", "--stale")

    assert never == (
        3,
        [
            {
                "pipeline": shop.name,
                "owner": "night-team",
                "every": "6h",
                "last_success_ts": None,
                "late_since_ts": None,
                "late_seconds": None,
            }
        ],
    )
    assert fresh == (0, [])
    (feed,) = late[1]
    assert late[0] == code == 3
    assert (feed["last_success_ts"], feed["late_since_ts"]) == ("2026-01-01 00:00:00", "2026-01-01 06:00:00")
    assert feed["late_seconds"] > 0
    assert shop.name in text
    assert "2026-01-01 06:00:00" in text


def test_a_feed_that_expects_nothing_is_never_late(shop: Shop) -> None:
    other = new_name("command")
    shop.write(f"pipelines/{other}.yml", SPEC.format(name=other) + "expect: {every: 30m}\n")

    assert stale(shop) == (0, [])
    code, document = shop.json("history", "--stale")
    assert (code, [feed["pipeline"] for feed in document["stale"]]) == (3, [other])


def test_a_warehouse_that_was_never_used_has_no_history(shop: Shop) -> None:
    environments = (shop.root / "environments.yml").read_text(encoding="utf-8")
    shop.write(
        "environments.yml", environments.replace("copy_role: default", "copy_role: default, control_schema: never_used")
    )
    shop.write(f"pipelines/{shop.name}.yml", SPEC.format(name=shop.name) + "expect: {every: 30m}\n")

    assert loads(shop) == []
    assert stale(shop)[0] == 3


def test_pruning_keeps_what_tells_which_files_are_loaded(shop: Shop) -> None:
    shop.land("1.csv", "id,a\n1,x\n")
    shop.run("run", shop.name)
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
        audit(shop, *row)
    left = f"select run_id, status from feedway.job_sts where pipeline = '{shop.name}' and length(run_id) = 2"
    own = f"{left} order by 1, 2"

    week_ago = (datetime.now(UTC) - timedelta(days=7)).isoformat(timespec="seconds")
    counted = shop.json("history", shop.name, "--prune", week_ago)
    untouched = len(shop.json("sandbox", "sql", own)[1]["rows"])
    removed = shop.json("history", shop.name, "--prune", week_ago, "--yes")

    schema = json.loads((SCHEMAS / "history_prune.schema.json").read_text(encoding="utf-8"))
    for _, document in (counted, removed):
        Draft202012Validator(schema).validate(document)
    assert (counted[0], removed[0], untouched) == (0, 0, len(rows))
    assert counted[1]["pruned"] | {"removed": True} == removed[1]["pruned"]
    assert removed[1]["pruned"]["by_status"] == {"STARTED": 5, "SUCCESS": 1}
    found = [(run_id.strip(), status) for run_id, status in shop.json("sandbox", "sql", own)[1]["rows"]]
    assert found == [
        ("a2", "SUCCESS"),
        ("b1", "SUCCESS"),
        ("b2", "FAILED"),
        ("c2", "STARTED"),
        ("d1", "STARTED"),
        ("d1", "SUCCESS"),
    ]
    assert "is the last of its file" in shop.run("history", shop.name, "--prune", "7d", "--output", "text")[1]
    assert shop.run("history", "--yes")[0] == shop.run("history", "--prune", "soon")[0] == 2

"""`status` as an engineer on call uses it: fix what it names, paste its command, and the feed is green."""

from __future__ import annotations

import gzip
import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from jsonschema import Draft202012Validator

from framework.cli import main
from framework.load.status.seen import see_feeds
from framework.model.failure import NOT_BEGUN
from framework.plan.steps import Transaction
from framework.sandbox import SandboxAddress
from framework.warehouse.client import Warehouse
from framework.warehouse.session import WarehouseSession
from tests.harness import FeedHarness, MakeFeed, new_name
from tests.sandbox.test_quarantine_replay import corrected
from tests.sandbox.test_quarantine_replay import rows_at as quarantined_in
from tests.sandbox.test_restore_views import leave_dropped

SCHEMAS = Path(__file__).parents[2] / "schemas" / "output"

HEAD = """\
pipeline: {name}
source: {prefix: data/in/{name}/}
target: {table: {name}}
metadata_columns: {run_date: null, file_name: null}
"""
KEYS, APPEND, REPLACE = "load: {keys: [id]}\n", "load: {mode: append}\n", "load: {mode: replace}\n"
INTEGER = "types: {columns: {a: integer}}\n"
TO_TEXT = "evolution: {columns: {a: {type_conflicts: to_text}}}\n"
VIEW = "views: [{schema: reporting, name: v_{name}, definition: 'select %s from {{ target }}'}]\n"
BUDGET = "bad_rows: {action: quarantine, max_rows: %d}\n"
GOOD = "id,a\n1,5\n"


@dataclass(frozen=True)
class Case:
    """A feed that loads GOOD and then breaks: by a file, by its spec (`then`), or by what is done to its table.

    `fix` is the spec that loads the file, `correct` the file that is sent instead; or `repair` is SQL.
    """

    file: str | bytes
    rows: list[tuple[Any, ...]]
    spec: str = KEYS
    then: str | None = None
    fix: str | None = None
    correct: str | bytes | None = None
    damage: str | None = None
    repair: str | None = None
    runs: int = 1
    suffix: str = "csv"
    says: str = ""
    fixed_by: str = ""
    pastes: str = "replay"


REFUSE = """
create function public.no_{name}() returns trigger language plpgsql as
$$ begin raise insufficient_privilege using message = 'permission denied for relation {name}'; end $$;
create trigger no_{name} before insert on public.{name} for each row execute function public.no_{name}()"""
ALLOW = "drop trigger no_{name} on public.{name}"
BLOCK = """create schema if not exists reporting;
create view reporting.m_{name} as select a from public.{name};
grant select (a) on reporting.m_{name} to public"""
CASES = {
    "misspelt field": Case(
        "id,a\n2,6\n", [(1, 5), (2, 6)], then="laod: {keys: [id]}\n", fix=KEYS,
        says="pipelines/{name}.yml:5:1: 'laod' is not a field", fixed_by="Did you mean 'load'?", pastes="run",
    ),
    "bad rows above the budget": Case(
        "id,a\n2,x\n3,y\n4,7\n", [(1, 5), (4, 7)], APPEND + INTEGER + BUDGET % 1, fix=APPEND + INTEGER + BUDGET % 2,
        says="first in row 1, line 2", fixed_by="Change the spec as the message says.",
    ),
    "vanished column": Case(
        "id\n2\n", [(2, 0)], REPLACE, fix=REPLACE + "evolution: {missing_columns: {new_rows: default}}\n",
        says="the file lacks 'a'",
    ),
    "renamed columns": Case(
        "nr,amount\n2,6\n", [(1, 5), (2, 6)], fix=KEYS + "columns: {rename: {nr: id, amount: a}}\n",
        says="no column of the file is one of public.{name}",
    ),
    "a title for a header": Case(
        "Sales,May\n2,6\n", [(1, 5), (2, 6)], APPEND, correct="id,a\n2,6\n", pastes="run",
        says="no column of the file is one of public.{name}", fixed_by="source.options (header, skip_lines, range)",
    ),
    "narrower type": Case(
        "id,a\n2,6\n", [(1, 5), (2, 6)], KEYS + INTEGER, then=KEYS + INTEGER.replace("integer", "smallint"),
        fix=KEYS + INTEGER, says="types.columns.a is smallint", fixed_by="Correct the spec.", pastes="run",
    ),
    "text in an integer column": Case(
        "id,a\n2,six\n", [(1, "5"), (2, "six")], KEYS + TO_TEXT.replace("to_text", "reject"), fix=KEYS + TO_TEXT,
        says="1 of 1 value of a is not an integer: 'six', in row 1, line 2",
    ),
    "missing key": Case(
        "id,a\n,6\n", [(1, 5), (2, 6)], correct="id,a\n2,6\n", fixed_by="Have a correct file sent", pastes="run",
        says="1 of 1 row has no id, which load.keys names, in row 1, line 2",
    ),
    "empty file": Case("", [(1, 5), (2, 6)], correct="id,a\n2,6\n", says="the file is empty", pastes="run"),
    "open quote": Case(
        'id,a\n2,"6\n', [(1, 5), (2, 6)], correct="id,a\n2,6\n", says="a quoted field is not closed", pastes="run"
    ),
    "wrong encoding": Case(
        "id,a\n2,Zürich\n".encode("latin-1"), [(1, "5"), (2, "Zürich")], fix="latin-1", says="is not valid utf-8"
    ),
    "cut gzip": Case(
        gzip.compress(b"id,a\n" + b"".join(b"%d,%d\n" % (n, n * 7919 % 1000) for n in range(2, 900)))[:-30],
        [(1, 5), (2, 6)], correct=gzip.compress(b"id,a\n2,6\n"), suffix="csv.gz", says="cut off", pastes="run",
    ),
    "wrong view": Case(
        "id,a\n2,6\n", [(1, 5), (2, 6)], then=KEYS + VIEW % "no_such", fix=KEYS + VIEW % "a",
        says="the view reporting.v_{name} cannot be created", pastes="run",
    ),
    "view in the way": Case(
        "id,a\n2,six\n", [(1, "5"), (2, "six")], KEYS + TO_TEXT, damage=BLOCK,
        repair="drop view reporting.m_{name}", says="reporting.m_{name}",
        fixed_by="Have the table's owner",
    ),
    "missing right": Case(
        "id,a\n2,6\n", [(1, 5), (2, 6)], damage=REFUSE, repair=ALLOW, says="permission denied for relation {name}",
        fixed_by="Correct what the warehouse or S3 refused.", pastes="run",
    ),
    "too many attempts": Case(
        "id,a\n2,6\n", [(1, 5), (2, 6)], APPEND, damage=REFUSE, repair=ALLOW, runs=3, says="permission denied"
    ),
    "few rows": Case(
        "id,a\n", [(2, 6)], REPLACE, correct="id,a\n2,6\n", pastes="run",
        says="expect.min_rows is 1", fixed_by="To load this one as it is:",
    ),
    "older file": Case(
        "id,a\n2,6\n", [(1, 5), (3, 7)], then=KEYS + "expect: {min_rows: 2}\n", fix=KEYS,
        says="the load has 1 good row", fixed_by="which comes after it, is loaded", pastes="skip",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class OnCall:
    """A project of broken feeds, and an administrator of its database. `names` are those of the feeds by case."""

    project: FeedHarness
    names: dict[str, str]
    admin: Callable[[str], object]

    def write(self, case: str, body: str) -> None:
        name = self.names[case]
        text = (HEAD + body).replace("{name}", name)
        if body == "latin-1":
            text = (
                (HEAD + KEYS + TO_TEXT)
                .replace("{name}/}", "{name}/, options: {encoding: latin-1}}")
                .replace("{name}", name)
            )
        self.project.write(f"pipelines/{name}.yml", text)

    def land(self, case: str, file: str, content: str | bytes) -> None:
        body = content.encode("utf-8") if isinstance(content, str) else content
        self.project.s3.put_object(Bucket="lake", Key=f"data/in/{self.names[case]}/{file}", Body=body)

    def status(self) -> tuple[int, dict[str, Any]]:
        code, document = self.project.json("status", *self.names.values())
        return code, {feed["pipeline"]: feed for feed in document["feeds"]}

    def rows(self, case: str) -> list[tuple[Any, ...]]:
        return self.project.sql(f"select * from public.{self.names[case]} order by id")


@pytest.fixture
def on_call(
    make_feed: MakeFeed, sandbox: SandboxAddress, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[OnCall]:
    project = make_feed(KEYS, root=tmp_path, capsys=capsys)
    project.open_project(sandbox.folder)
    (tmp_path / "pipelines" / f"{project.name}.yml").unlink()
    with psycopg.connect(sandbox.database_url, autocommit=True) as admin:
        yield OnCall(project, {case: new_name("broken") for case in CASES}, lambda sql: admin.execute(sql.encode()))


def break_all(on_call: OnCall) -> None:
    """Load a good file of each feed, and break it."""
    for case, broken in CASES.items():
        on_call.write(case, broken.spec)
        on_call.land(case, "1.csv", GOOD)
    assert on_call.project.command("run", "--all")[0] == 0
    for case, broken in CASES.items():
        on_call.write(case, broken.then or broken.spec)
        on_call.land(case, f"2.{broken.suffix}", broken.file)
        if broken.damage is not None:
            on_call.admin(broken.damage.replace("{name}", on_call.names[case]))
    assert on_call.project.command("run", "--all")[0] == 1
    again = [on_call.names[case] for case, broken in CASES.items() if broken.runs > 1]
    for _ in range(2):
        on_call.project.command("run", *again)
    on_call.write("older file", KEYS)
    on_call.land("older file", "3.csv", "id,a\n3,7\n")
    assert on_call.project.command("run", on_call.names["older file"])[0] == 0


def fix(on_call: OnCall, case: str) -> None:
    """Do what `status` says has to be done first."""
    broken = CASES[case]
    if broken.fix is not None:
        on_call.write(case, broken.fix)
    if broken.correct is not None:
        on_call.land(case, f"2.{broken.suffix}", broken.correct)
    if broken.repair is not None:
        on_call.admin(broken.repair.replace("{name}", on_call.names[case]))


@pytest.mark.exhaustive
def test_the_command_that_is_printed_leads_each_broken_feed_to_green(on_call: OnCall) -> None:
    break_all(on_call)

    code, feeds = on_call.status()
    _, text, _ = on_call.project.command("status")

    assert (code, {feed["state"] for feed in feeds.values()}) == (6, {"attention"})
    for case, name in on_call.names.items():
        broken, feed = CASES[case], feeds[name]
        (attention,) = feed["attention"]
        assert broken.says.replace("{name}", name) in attention["message"], case
        assert broken.fixed_by in attention["fix"], case
        assert f"    continue:  {feed['command']}\n" in text, case
        assert shlex.split(feed["command"])[3] == broken.pastes, case
        if attention["file"] is not None:
            key = attention["file"].removeprefix("s3://lake/")
            assert on_call.project.s3.head_object(Bucket="lake", Key=key), case

    for case, name in on_call.names.items():
        fix(on_call, case)
        assert main(on_call.project.pasted(feeds[name]["command"]) and shlex.split(feeds[name]["command"])[1:]) == 0, (
            case
        )

    code, after = on_call.status()
    assert {name: feed["attention"] for name, feed in after.items() if feed["attention"]} == {}
    assert code == 0
    assert {feed["pending"] + feed["set_aside"] for feed in after.values()} == {0}
    assert {case: on_call.rows(case) for case in CASES} == {case: broken.rows for case, broken in CASES.items()}


def status(feed: FeedHarness, *options: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the status of the project's feed, checked against its schema."""
    code, document = feed.json("status", feed.name, *options)
    Draft202012Validator(json.loads((SCHEMAS / "status.schema.json").read_text(encoding="utf-8"))).validate(document)
    return code, document["feeds"][0] | {"notes": document["notes"], "unknown": document["unknown"]}


def write_spec(feed: FeedHarness, body: str) -> None:
    feed.write(f"pipelines/{feed.name}.yml", (HEAD + body).replace("{name}", feed.name))


def paste(feed: FeedHarness, line: str) -> int:
    return feed.command(*feed.pasted(line))[0]


def test_a_file_that_is_sent_again_is_loaded_instead_or_makes_the_first_one_needless(feed: FeedHarness) -> None:
    write_spec(feed, APPEND + INTEGER)
    feed.land("1.csv", "id,a\n1,x\n")
    feed.command("run", feed.name)
    assert feed.pasted(status(feed)[1]["command"])[:3] == ["replay", feed.name, "--file"]

    feed.land("1.csv", GOOD)
    _, pending = status(feed)
    feed.command("run", feed.name)
    _, loaded = status(feed)

    assert feed.pasted(pending["command"])[:3] == ["run", feed.name, "--instead-of"]
    assert "the pending file of the same name" in pending["attention"][0]["fix"]
    assert feed.pasted(loaded["command"])[0] == "skip"
    assert "that was loaded since" in loaded["attention"][0]["fix"]
    assert (paste(feed, loaded["command"]), status(feed)[0], feed.rows("id, a", "id")) == (0, 0, [(1, 5)])


def test_several_files_are_replayed_by_one_command_and_of_a_snapshot_the_older_one_is_skipped(
    feed: FeedHarness,
) -> None:
    write_spec(feed, REPLACE + "expect: {min_rows: 2}\n")
    for number in (1, 2):
        feed.land(f"{number}.csv", "id,a\n1,5\n")
        assert feed.command("run", feed.name)[0] == 3
    _, both = status(feed)
    write_spec(feed, REPLACE)
    feed.land("3.csv", "id,a\n9,9\n")
    time.sleep(1.1)  # Arrivals are exact to the second.
    feed.land("3.csv", "id,a\n9,8\n")
    assert feed.command("run", feed.name)[0] == 0

    _, late = status(feed)
    assert both["set_aside"] == len(both["attention"]) == 2
    assert [paste(feed, status(feed)[1]["command"]) for _ in range(2)] == [0, 0]

    assert feed.pasted(late["command"])[0] == "skip"
    assert (status(feed)[0], feed.rows("id, a", "id")) == (0, [(9, 8)])


def test_bad_rows_in_quarantine_are_counted_until_they_are_loaded_or_deleted(feed: FeedHarness, tmp_path: Path) -> None:
    write_spec(feed, APPEND + INTEGER + BUDGET % 2)
    feed.land("1.csv", "id,a\n1,5\n2,x\n5,z\n")
    feed.land("2.csv", "id,a\n3,y\n4,6\n")
    feed.command("run", feed.name)
    code, before = status(feed)

    (first, second) = sorted(feed.keys("data/quarantine/"), key=lambda key: quarantined_in(feed, key)[0]["file"])
    folders = [f"s3://lake/{key.rpartition('/')[0]}/" for key in (first, second)]
    bad = quarantined_in(feed, first)
    half = corrected(bad, {2: ["2", "7"]}, tmp_path / "half.parquet")
    assert feed.command("replay", feed.name, "--quarantine", half)[0] == 0
    _, half_replayed = status(feed)
    rest = corrected(bad, {3: ["5", "8"]}, tmp_path / "rest.parquet")
    assert feed.command("replay", feed.name, "--quarantine", rest)[0] == 0
    _, replayed = status(feed)
    feed.s3.delete_object(Bucket="lake", Key=second)
    _, deleted = status(feed)

    assert (code, before["state"], before["quarantined"], before["quarantine"]) == (0, "ok", 3, folders)
    assert "3 rows in quarantine" in before["notes"][0]
    assert (half_replayed["quarantined"], half_replayed["quarantine"]) == (2, folders)
    assert (replayed["quarantined"], replayed["quarantine"]) == (1, folders[1:])
    assert (deleted["quarantined"], deleted["notes"]) == (0, [])


@pytest.mark.parametrize(
    ("field", "wrong", "known", "unknown"),
    [
        ("workgroup: sandbox", "workgroup: absent", "pending", "last_success_ts"),
        ("bucket: lake", "bucket: absent-bucket", "last_success_ts", "pending"),
    ],
)
def test_what_can_be_read_is_shown_where_the_rest_cannot(
    feed: FeedHarness, field: str, wrong: str, known: str, unknown: str
) -> None:
    feed.land("1.csv", GOOD)
    feed.command("run", feed.name)
    feed.land("2.csv", GOOD)
    environments = (feed.root / "environments.yml").read_text(encoding="utf-8")
    feed.write("environments.yml", environments.replace(field, wrong))

    code, found = status(feed)
    _, text, err = feed.command("status")

    assert code == 5
    assert found[known] is not None
    assert found[unknown] is None
    assert found["unknown"]
    assert found["state"] == "unknown"
    assert f"  {feed.name}  " in text
    assert text.splitlines()[2].endswith(found["last_success_ts"][:16] if known == "last_success_ts" else "?")
    assert text.endswith("1 feed: 1 is not known\n")
    assert "absent" in err


def test_a_killed_load_needs_attention_once_its_run_has_expired(feed: FeedHarness) -> None:
    feed.land("1.csv", GOOD)
    invocation_id, run_id = "0" * 31 + "1", "0" * 31 + "2"
    keys = (f"staging/_alive/{invocation_id}", f"staging/{feed.name}/{invocation_id}/{run_id}/rows-0/1.parquet")
    for key in keys:
        feed.s3.put_object(Bucket="lake", Key=key, Body=feed.name.encode())

    running = status(feed)
    for key in keys:
        past = time.time() - 400
        os.utime(feed.s3_folder / "lake" / key, (past, past))
    code, expired = status(feed)

    assert (running[0], running[1]["state"], running[1]["running"]) == (0, "running", True)
    (note,) = running[1]["notes"]
    assert f"{feed.name}: running, last heartbeat {running[1]['heartbeat_ts']} UTC" in note
    assert feed.pasted(note.partition(" UTC: ")[2]) == ["run", feed.name]
    assert (code, [each["kind"] for each in expired["attention"]], expired["running"]) == (6, ["unfinished"], False)
    assert (paste(feed, expired["command"]), status(feed)[0]) == (0, 0)


def test_a_view_in_the_journal_is_restored_by_the_command(feed: FeedHarness) -> None:
    leave_dropped(feed)

    code, found = status(feed)

    assert (code, [each["kind"] for each in found["attention"]]) == (6, ["view"])
    assert f"reporting.down_{feed.name}" in found["attention"][0]["message"]
    assert (paste(feed, found["command"]), status(feed)[0]) == (0, 0)


def test_a_feed_is_late_as_its_spec_expects_and_new_ones_are_not(feed: FeedHarness) -> None:
    assert status(feed)[0] == 0
    write_spec(feed, KEYS + "owner: shop-team\nexpect: {every: 1d}\n")

    code, never = status(feed)
    feed.land("1.csv", GOOD)
    _, pending = status(feed)

    assert (code, never["late"], never["owner"]) == (6, {"every": "1d", "since_ts": None}, "shop-team")
    assert never["attention"][0]["fix"] == "Ask shop-team for the file."
    assert "files are pending" in pending["attention"][0]["fix"]
    assert (paste(feed, pending["command"]), status(feed)[0]) == (0, 0)


def test_no_value_is_shown_where_the_spec_keeps_them_out_of_messages(feed: FeedHarness) -> None:
    write_spec(feed, APPEND + INTEGER + "bad_rows: {log_samples: false}\n")
    feed.land("1.csv", "id,a\n1,secret\n")
    feed.command("run", feed.name)

    _, text, _ = feed.command("status")

    assert "1 of 1 value of a is not an integer, in row 1, line 2" in text
    assert "secret" not in text


def test_a_file_of_another_pattern_is_replayed_once_the_spec_matches_it_again(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a\n,5\n")
    feed.command("run", feed.name)
    lost = f"data/unprocessed/2026/01/{feed.name}.txt"
    feed.s3.put_object(Bucket="lake", Key=lost, Body=b"")
    write_spec(feed, KEYS)
    text = (feed.root / f"pipelines/{feed.name}.yml").read_text(encoding="utf-8")
    feed.write(f"pipelines/{feed.name}.yml", text.replace("/}", '/, pattern: "*.txt"}', 1))

    _, found = status(feed)

    assert found["set_aside"] == 1
    assert "which source.prefix and source.pattern of" in found["attention"][0]["message"]
    assert f"have it sent again below s3://lake/data/in/{feed.name}/." in found["attention"][0]["fix"]
    assert found["attention"][0]["fix"].startswith("Correct source.prefix or source.pattern")
    (note,) = [note for note in found["notes"] if lost in note and "may belong to" in note]
    assert feed.pasted(note.partition("Then archive this one with: ")[2]) == ["skip", lost, "--for", feed.name]
    assert "files of no feed need attention" in feed.command("status")[1].splitlines()[-1]
    assert paste(feed, note.partition("Then archive this one with: ")[2]) == 0
    assert paste(feed, found["attention"][0]["fix"].partition("archive it: ")[2]) == 0
    assert status(feed)[0] == 0


def test_a_file_of_a_feed_without_a_spec_is_shown_and_archived_under_its_name(feed: FeedHarness) -> None:
    feed.land(f"{feed.name}.csv", "id,a\n,5\n")
    feed.command("run", feed.name)
    (key,) = feed.keys("data/unprocessed/")
    renamed = f"other_{feed.name}"
    (feed.root / f"pipelines/{feed.name}.yml").unlink()
    feed.write(f"pipelines/{renamed}.yml", feed.spec_text.replace(f"pipeline: {feed.name}", f"pipeline: {renamed}"))

    code, document = feed.json("status")
    _, text, _ = feed.command("status")
    (note,) = [note for note in document["notes"] if key in note]
    refused, _, why = feed.command("skip", key)
    wrong, _, _ = feed.command("skip", key, "--for", renamed)
    advised = feed.pasted(note.partition("Then archive it with: ")[2])
    skipped, result = feed.json(*advised)

    assert (code, refused, wrong) == (6, 2, 2)
    assert text.endswith("1 feed: files of no feed need attention\n")
    assert f"{feed.name} has no spec any more" in note
    assert f"was set aside by {feed.name}, which has no spec any more" in why
    assert (skipped, advised) == (0, ["skip", key, "--for", feed.name])
    assert [(load["pipeline"], load["status"]) for load in result["loads"]] == [(feed.name, "SKIPPED")]
    assert feed.sql(
        f"select target_table_name from feedway.job_sts where pipeline = '{feed.name}' and status = 'SKIPPED'"
    ) == [(f"public.{feed.name}",)]
    assert not [note for note in feed.json("status")[1]["notes"] if key in note]


def test_a_file_whose_load_did_not_begin_is_only_pending(feed: FeedHarness, sandbox: SandboxAddress) -> None:
    write_spec(feed, KEYS + VIEW % "no_such")
    feed.land("1.csv", GOOD)
    feed.command("run", feed.name)
    failed = status(feed)
    with psycopg.connect(sandbox.database_url, autocommit=True) as admin:
        admin.execute(
            "update feedway.job_sts set failure = %s where pipeline = %s and status = 'FAILED'",
            (NOT_BEGUN.as_text(), feed.name),
        )

    assert (failed[0], failed[1]["attention"][0]["kind"]) == (6, "failed")
    assert (status(feed)[0], status(feed)[1]["pending"]) == (0, 1)


def test_what_an_earlier_spec_recorded_of_a_file_is_hidden_and_its_command_is_not(feed: FeedHarness) -> None:
    write_spec(feed, APPEND + INTEGER)
    feed.land("1.csv", "id,a\n1,canary\n")
    feed.command("run", feed.name)
    _, before = status(feed)
    write_spec(feed, APPEND + INTEGER + "bad_rows: {log_samples: false}\n")
    code, hidden = status(feed)
    _, text, _ = feed.command("status", feed.name)

    assert "canary" in before["attention"][0]["message"]
    (attention,) = hidden["attention"]
    assert "canary" not in text + str(hidden)
    assert attention["message"].startswith("not shown: bad_rows.log_samples is false")
    assert (code, attention["file"], hidden["command"]) == (6, before["attention"][0]["file"], before["command"])


def test_warnings_of_the_last_command_that_loaded_are_shown_and_need_no_attention(feed: FeedHarness) -> None:
    write_spec(feed, KEYS + "evolution: {missing_columns: {new_rows: 'null'}}\n")
    feed.land("1.csv", "id,a,note\n1,5,x\n")
    feed.command("run", feed.name)
    assert status(feed)[1]["warnings"] == []

    feed.land("2.csv", "id,note\n2,y\n")
    feed.land("3.csv", "id,note\n3,z\n")
    feed.command("run", feed.name)
    code, warned = status(feed)
    _, text, _ = feed.command("status", feed.name)
    feed.land("4.csv", "id,a,note\n")
    feed.command("run", feed.name)
    (last, *_) = feed.json("history", feed.name, "--file", "3.csv")[1]["loads"]

    (warning,) = warned["warnings"]
    assert (code, warned["state"]) == (0, "ok")
    assert (warning["rule"], warning["column"], warning["files"]) == ("missing-column", "a", 2)
    assert (warning["source_file"], warning["run_id"]) == (f"data/in/{feed.name}/3.csv", last["run_id"])
    assert "  warn  " in text
    assert f"{feed.name}: 1 warning of the last load\n  3.csv and 1 more file: the file has no column 'a'" in text
    assert (status(feed)[1]["warnings"], "  warn  " in feed.command("status", feed.name)[1]) == ([], False)


def test_a_warning_that_quotes_a_value_is_hidden_once_the_spec_hides_values(feed: FeedHarness) -> None:
    write_spec(feed, APPEND)
    feed.land("1.csv", "id,a\n" + "".join(f"{n},{n}\n" for n in range(40)) + "40,n/a\n")
    feed.command("run", feed.name)
    _, before = status(feed)
    write_spec(feed, APPEND + "bad_rows: {log_samples: false}\n")
    _, hidden = status(feed)
    _, text, _ = feed.command("status", feed.name)

    (quoting,) = before["warnings"]
    assert (quoting["rule"], "'n/a'" in quoting["message"]) == ("null-markers", True)
    assert hidden["warnings"][0]["message"].startswith("not shown: ")
    assert "'n/a'" not in text + str(hidden)


class Counting:
    """A warehouse that counts what is submitted to it."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.submitted: list[str] = []
        self.settings = warehouse.settings
        self._warehouse = warehouse

    def run(self, transaction: Transaction, *rest: Any) -> Any:
        self.submitted.append(transaction.name)
        return self._warehouse.run(transaction, *rest)


def test_the_warehouse_is_asked_no_more_often_for_many_feeds_than_for_one(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a\n,5\n")
    feed.command("run", feed.name)
    services, submitted = feed.services(), []
    for number in (1, 35):
        counting = Counting(services.warehouse)
        specs = [replace(feed.spec(), pipeline=feed.name if n == 0 else f"{feed.name}_{n}") for n in range(number)]
        asked = replace(services, warehouse=cast(Warehouse, counting))
        session = WarehouseSession(asked.warehouse, "status", services.open_log("status", "status"))
        seen = see_feeds([spec.pipeline for spec in specs], specs, asked, session)
        submitted.append(sorted(counting.submitted))
        assert (len(seen.pending), seen.failures) == (number, ())

    assert submitted == [["feeds", "journal", "newest_load"]] * 2


def test_files_that_wait_for_another_of_their_load_are_only_pending(feed: FeedHarness) -> None:
    write_spec(feed, APPEND + INTEGER)
    text = (feed.root / f"pipelines/{feed.name}.yml").read_text(encoding="utf-8")
    feed.write(f"pipelines/{feed.name}.yml", text.replace("/}", "/, batch: all}", 1))
    feed.land("1.csv", GOOD)
    feed.land("2.csv", "")
    feed.command("run", feed.name)
    code, blocked = status(feed)
    feed.land("2.csv", "id,a\n2,6\n")

    assert paste(feed, blocked["command"]) == 0
    corrected_code, waiting = status(feed)
    feed.command("run", feed.name)

    assert (code, [each["message"] for each in blocked["attention"]]) == (
        6,
        [f"s3://lake/data/in/{feed.name}/2.csv: the file is empty: not even a header"],
    )
    assert (corrected_code, waiting["pending"], waiting["attention"]) == (0, 1, [])
    assert (status(feed)[0], feed.rows("id, a", "id")) == (0, [(1, 5), (2, 6)])


def test_a_name_that_moves_the_cursor_does_not_reach_the_terminal_and_its_command_is_pasted(feed: FeedHarness) -> None:
    write_spec(feed, APPEND + INTEGER)
    feed.land("\x1b[2J\u202egnp's.csv", "id,a\n2,x\n")
    feed.command("run", feed.name)
    texts = [feed.command(*words)[1] for words in (("status",), ("history", feed.name), ("logs", feed.name))]
    write_spec(feed, APPEND + TO_TEXT)
    line = next(each for each in texts[0].splitlines() if each.startswith("    continue:  "))
    script = f"feedway() {{ printf '%s\\0' \"$@\"; }}; {line.partition(':')[2]}"
    words = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout.decode().split("\0")[:-1]

    assert all(each.isprintable() for text in texts for each in text.splitlines())
    assert main(words) == 0
    assert (status(feed)[0], feed.rows("id, a", "id")) == (0, [(2, "x")])


def test_late_binding_views_are_read_together_and_once_more_per_broken_one(feed: FeedHarness) -> None:
    names = [f"v_{feed.name}_{number}" for number in range(3)]
    late = "{name: %s, late_binding: true, definition: 'select %s from {{ target }}'}"
    views = ", ".join(late % (name, column) for name, column in zip(names, ("id", "a", "id"), strict=True))
    feed.spec_body += f"views: [{views}]\n"
    feed.write(f"pipelines/{feed.name}.yml", feed.spec_text)
    feed.land("1.csv", GOOD)
    assert feed.command("run", feed.name)[0] == 0
    services, found = feed.services(), []
    for damage in ("select 1", f"alter table public.{feed.name} rename column a to b"):
        feed.sql(damage)
        counting = Counting(services.warehouse)
        asked = replace(services, warehouse=cast(Warehouse, counting))
        session = WarehouseSession(asked.warehouse, "status", services.open_log("status", "status"))
        seen = see_feeds([feed.name], [feed.spec()], asked, session)
        found.append((sorted(view.name for view in seen.unreadable or ()), counting.submitted.count("late_view")))

    assert found == [([], 1), ([names[1]], 2)]


def test_an_unknown_name_is_refused(feed: FeedHarness) -> None:
    code, out, err = feed.command("status", "no_such_feed")

    assert (code, out) == (2, "")
    assert "there is no pipeline 'no_such_feed'" in err

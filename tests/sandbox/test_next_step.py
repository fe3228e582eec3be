"""Every failure says where its file is now and which command continues; the command continues."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from tests.arrivals import land
from tests.harness import FeedHarness

COMMAND = re.compile(r"(?:Continue with|To load it all the same|load it instead with): (.+)$", re.M)
APPEND = "load: {mode: append}\n"


def write_spec(feed: FeedHarness, *parts: str) -> None:
    head = f"pipeline: {feed.name}\nsource: {{prefix: data/in/{feed.name}/}}\ntarget: {{table: {feed.name}}}\n"
    feed.write(f"pipelines/{feed.name}.yml", head + "".join(parts))


def fail(feed: FeedHarness, *argv: str) -> tuple[int, str]:
    """Run a load that must fail; return its exit code and its last lines, after which the shell's prompt stands."""
    code, _, err = feed.command(*argv)
    assert code != 0
    return code, err


def follow_advice(feed: FeedHarness, err: str) -> tuple[int, dict[str, Any]]:
    """Type the one command that a failure prints, and return its exit code and its last result."""
    (shown,) = COMMAND.findall(err)
    code, document = feed.json(*feed.pasted(shown))
    return code, document["loads"][-1]


def keys(feed: FeedHarness, prefix: str) -> list[str]:
    found = feed.s3.list_objects_v2(Bucket="lake", Prefix=prefix).get("Contents", [])
    return [item["Key"] for item in found if feed.name in item["Key"]]


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize("name", ["{}.csv", "{} of today's.csv", "{}-ünï.csv"])
def test_a_file_with_bad_rows_is_replayed_once_the_spec_takes_them(feed: FeedHarness, name: str) -> None:
    write_spec(feed, APPEND, "types: {columns: {a: integer}}\n")
    feed.land(name.format(feed.name), "id,a\n1,5\n2,x\n")
    code, err = fail(feed, "run", feed.name)
    (moved,) = keys(feed, "data/unprocessed/")
    write_spec(feed, APPEND, "types: {columns: {a: integer}}\nbad_rows: {action: quarantine, max_rows: 1}\n")

    again, result = follow_advice(feed, err)

    assert code == 3
    assert f"The file is now at s3://lake/{moved}." in err
    assert (again, result["status"], result["records_rejected"]) == (0, "SUCCESS", 1)
    assert keys(feed, "data/unprocessed/") == []


def test_the_command_that_continues_is_on_the_same_environment(feed: FeedHarness) -> None:
    environments = (feed.root / "environments.yml").read_text(encoding="utf-8")
    feed.write("environments.yml", environments.replace("  sandbox:\n", "  another one:\n"))
    write_spec(feed, APPEND, "types: {columns: {a: integer}}\n")
    feed.land(f"{feed.name}.csv", "id,a\n1,x\n")

    _, err = fail(feed, "run", feed.name, "--env", "another one")
    _, out, _ = feed.command("--env", "another one", "run", feed.name)

    shown = {"replay": COMMAND.findall(err)[0], "status": out.partition("see what to do with: ")[2].splitlines()[0]}
    for verb, line in shown.items():
        assert feed.pasted(line)[:4] == ["--env", "another one", verb, feed.name]


def test_a_correct_file_is_loaded_instead_of_a_broken_one(feed: FeedHarness) -> None:
    write_spec(feed, APPEND)
    feed.land(f"{feed.name}.csv", 'id,a\n1,"x\n')
    _, err = fail(feed, "run", feed.name)
    feed.land(f"{feed.name}.csv", 'id,a\n1,"x"\n')

    code, result = follow_advice(feed, err)

    assert (code, result["status"]) == (0, "SKIPPED")
    assert keys(feed, "data/unprocessed/") == []
    assert feed.command("sandbox", "sql", f"select count(*) from public.{feed.name}")[1].split()[-1] == "1"


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize(("pending", "code"), [("", 2), ("{}.csv", 3), ("{}_2.csv", 2), ("other/{}.csv", 2)])
def test_a_broken_file_stays_while_no_correct_one_is_loaded(feed: FeedHarness, pending: str, code: int) -> None:
    write_spec(feed, APPEND)
    feed.land(f"{feed.name}.csv", 'id,a\n1,"x\n')
    _, err = fail(feed, "run", feed.name)
    (broken,) = keys(feed, "data/unprocessed/")
    content = 'id,a\n1,"x"\n' if code == 2 else 'id,a\n1,"x\n'
    sent = feed.land(pending.format(feed.name), content) if pending else ""
    advised = feed.pasted(COMMAND.findall(err)[0])

    found, _, said = feed.command(*advised)

    assert found == code
    assert broken in keys(feed, "data/unprocessed/")
    assert ("archive this one with: feedway " in said) == (code == 2)
    if pending and code == 2:
        assert f"{sent} may be other files: name one that is to be loaded instead with --file KEY." in said
        assert feed.command(*advised, "--file", sent)[0] == 0
        assert keys(feed, "data/unprocessed/") == []


def test_a_correct_file_is_loaded_in_the_place_of_the_broken_one(feed: FeedHarness) -> None:
    write_spec(feed, "load: {keys: [id]}\n")
    for number, content in ((1, 'id,a\n1,"old\n'), (2, "id,a\n1,new\n")):
        feed.land(f"{feed.name}_{number}.csv", content)
        time.sleep(1.1)  # Arrivals are exact to the second.
    stopped, err = fail(feed, "run", feed.name)
    feed.land(f"{feed.name}_1.csv", "id,a\n1,old\n2,old\n")

    code, result = follow_advice(feed, err)
    (load,) = feed.json("history", feed.name, "--status", "SKIPPED")[1]["loads"]
    assert feed.command("run", feed.name)[0] == 0

    assert (stopped, code, result["status"]) == (3, 0, "SKIPPED")
    assert load["error_message"] == f"s3://lake/data/in/{feed.name}/{feed.name}_1.csv is loaded instead of it"
    assert feed.sql(f"select id, a from public.{feed.name} order by id") == [(1, "new"), (2, "old")]


def test_a_correct_file_is_refused_once_a_later_one_is_loaded(feed: FeedHarness) -> None:
    write_spec(feed, "load: {keys: [id]}\n")
    feed.land(f"{feed.name}_1.csv", 'id,a\n1,"old\n')
    _, err = fail(feed, "run", feed.name)
    time.sleep(1.1)  # Arrivals are exact to the second.
    feed.land(f"{feed.name}_2.csv", "id,a\n1,new\n")
    assert feed.command("run", feed.name)[0] == 0
    feed.land(f"{feed.name}_1.csv", "id,a\n1,old\n2,old\n")

    code, refused = fail(feed, *feed.pasted(COMMAND.findall(err)[0]))
    stays = keys(feed, "data/unprocessed/")
    again, _ = follow_advice(feed, refused)

    assert (code, len(stays), again) == (2, 1, 0)
    assert keys(feed, "data/unprocessed/") == []


def test_no_change_of_the_spec_is_advised_where_none_would_load_the_file(feed: FeedHarness) -> None:
    write_spec(feed, APPEND, "types: {columns: {a: integer}}\n")
    feed.land(f"{feed.name}.csv", "id,a\n1,x,4\n2,5,6\n")
    _, err = fail(feed, "run", feed.name)

    assert "types.columns.a" not in err
    assert "When a correct one has come under its name, load it instead with: feedway " in err


def test_the_files_of_a_batch_that_are_sound_are_said_to_stay(feed: FeedHarness) -> None:
    head = f"pipeline: {feed.name}\nsource: {{prefix: data/in/{feed.name}/, batch: all}}\n"
    feed.write(f"pipelines/{feed.name}.yml", f"{head}target: {{table: {feed.name}}}\n{APPEND}")
    sound = feed.land(f"{feed.name}_1.csv", "id,a\n1,x\n")
    broken = feed.land(f"{feed.name}_2.csv", "id,a\n2,x,y\n")
    _, err = fail(feed, "run", feed.name)
    (moved,) = keys(feed, "data/unprocessed/")

    assert f"file={broken} step=" in err
    assert f"The other file stays at s3://lake/{sound}. The file at fault is now at s3://lake/{moved}." in err


def test_a_snapshot_that_shrinks_the_table_is_accepted_as_advised(feed: FeedHarness) -> None:
    write_spec(feed, "load: {mode: replace}\n")
    feed.land(f"{feed.name}_1.csv", "id\n1\n2\n3\n4\n")
    assert feed.command("run", feed.name)[0] == 0
    feed.land(f"{feed.name}_2.csv", "id\n1\n")
    _, err = fail(feed, "run", feed.name)

    accepting = err.partition("If it is right as it is, ")[2].partition(" loads it: where")[0]
    code, document = feed.json(*feed.pasted(accepting))
    (result,) = document["loads"]

    assert COMMAND.findall(err)[0].count("--instead-of") == 1
    assert (code, result["status"], result["records_inserted"], result["records_deleted"]) == (0, "SUCCESS", 1, 4)


def test_a_file_that_waits_for_the_spec_stays_pending(feed: FeedHarness) -> None:
    view = "views: [{{schema: reporting, name: v_{name}, definition: 'select {column} from {{{{ target }}}}'}}]\n"
    write_spec(feed, APPEND, view.format(name=feed.name, column="no_such_column"))
    key = feed.land(f"{feed.name}.csv", "id,a\n1,x\n")
    code, err = fail(feed, "run", feed.name)
    write_spec(feed, APPEND, view.format(name=feed.name, column="a"))

    again, result = follow_advice(feed, err)

    assert code == 2
    assert f"The file stays at s3://lake/{key}." in err
    assert (again, result["status"]) == (0, "SUCCESS")


def test_an_archived_file_that_fails_to_load_again_is_loaded_again_as_advised(feed: FeedHarness) -> None:
    write_spec(feed, "load: {keys: [id]}\n")
    feed.land(f"{feed.name}.csv", "id,a\n1,x\n")
    feed.command("run", feed.name)
    (archived,) = keys(feed, "data/archive/")
    write_spec(feed, "load: {keys: [id]}\n", "expect: {min_rows: 2}\n")
    _, err = fail(feed, "run", feed.name, "--file", archived, "--again")

    again, _ = follow_advice(feed, err)
    accepting = err.partition("If it is right as it is, ")[2].partition(" loads it: where")[0]
    code, document = feed.json(*feed.pasted(accepting))
    (result,) = document["loads"]

    assert (again, code, result["status"], result["records_updated"]) == (3, 0, "SUCCESS", 1)
    assert keys(feed, "data/archive/") == [archived]


def test_a_file_that_is_too_late_is_loaded_out_of_order_as_advised(feed: FeedHarness) -> None:
    write_spec(feed, "load: {keys: [id]}\n", "expect: {min_rows: 2}\n")
    land(feed, f"{feed.name}_1.csv", 1, "id,a\n1,x\n")
    fail(feed, "run", feed.name)
    write_spec(feed, "load: {keys: [id]}\n")
    land(feed, f"{feed.name}_2.csv", 2, "id,a\n1,y\n")
    assert feed.command("run", feed.name)[0] == 0
    _, err = fail(feed, "replay", feed.name)

    code, result = follow_advice(feed, err)

    assert (code, result["status"]) == (0, "SUCCESS")

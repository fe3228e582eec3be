"""Every failure says where its file is now and which command continues; the command continues."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from tests.command_line import Shop

COMMAND = re.compile(r"(?:Continue with|To load it as it is|To load it all the same|archive it with): (.+)$", re.M)
APPEND = "load: {mode: append}\n"


def write_spec(shop: Shop, *parts: str) -> None:
    head = f"pipeline: {shop.name}\nsource: {{prefix: data/in/{shop.name}/}}\ntarget: {{table: {shop.name}}}\n"
    shop.write(f"pipelines/{shop.name}.yml", head + "".join(parts))


def fail(shop: Shop, *argv: str) -> tuple[int, str]:
    """Run a load that must fail; return its exit code and its last lines, after which the shell's prompt stands."""
    code, _, err = shop.run(*argv)
    assert code != 0
    return code, err


def continue_as_told(shop: Shop, err: str) -> tuple[int, dict[str, Any]]:
    """Type the one command that a failure prints, and return its exit code and its only result."""
    (told,) = COMMAND.findall(err)
    code, document = shop.json(*shlex.split(told))
    (result,) = document["loads"]
    return code, result


def keys(shop: Shop, prefix: str) -> list[str]:
    found = shop.s3.list_objects_v2(Bucket="lake", Prefix=prefix).get("Contents", [])
    return [item["Key"] for item in found if shop.name in item["Key"]]


@pytest.mark.parametrize("name", ["{}.csv", "{} of today's.csv", "{}-ünï.csv"])
def test_a_file_with_bad_rows_is_replayed_once_the_spec_takes_them(shop: Shop, name: str) -> None:
    write_spec(shop, APPEND, "types: {columns: {a: integer}}\n")
    shop.land(name.format(shop.name), "id,a\n1,5\n2,x\n")
    code, err = fail(shop, "run", shop.name)
    (moved,) = keys(shop, "data/unprocessed/")
    write_spec(shop, APPEND, "types: {columns: {a: integer}}\nbad_rows: {action: quarantine, max_rows: 1}\n")

    again, result = continue_as_told(shop, err)

    assert code == 3
    assert f"The file is now at s3://lake/{moved}." in err
    assert (again, result["status"], result["records_rejected"]) == (0, "SUCCESS", 1)
    assert keys(shop, "data/unprocessed/") == []


def test_a_broken_file_is_skipped_once_a_correct_one_has_come(shop: Shop) -> None:
    write_spec(shop, APPEND)
    shop.land(f"{shop.name}.csv", 'id,a\n1,"x\n')
    _, err = fail(shop, "run", shop.name)
    shop.land(f"{shop.name}.csv", 'id,a\n1,"x"\n')
    assert shop.run("run", shop.name)[0] == 0

    code, result = continue_as_told(shop, err)

    assert (code, result["status"]) == (0, "SKIPPED")
    assert keys(shop, "data/unprocessed/") == []
    assert shop.run("sandbox", "sql", f"select count(*) from public.{shop.name}")[1].split()[-1] == "1"


def test_no_change_of_the_spec_is_advised_where_none_would_load_the_file(shop: Shop) -> None:
    write_spec(shop, APPEND, "types: {columns: {a: integer}}\n")
    shop.land(f"{shop.name}.csv", "id,a\n1,x\n2,5,6\n")
    _, err = fail(shop, "run", shop.name)

    assert "types.columns.a" not in err
    assert "When a correct one has been loaded, archive it with: skip " in err


def test_the_files_of_a_batch_that_are_sound_are_said_to_stay(shop: Shop) -> None:
    head = f"pipeline: {shop.name}\nsource: {{prefix: data/in/{shop.name}/, batch: all}}\n"
    shop.write(f"pipelines/{shop.name}.yml", f"{head}target: {{table: {shop.name}}}\n{APPEND}")
    sound = shop.land(f"{shop.name}_1.csv", "id,a\n1,x\n")
    broken = shop.land(f"{shop.name}_2.csv", "id,a\n2,x,y\n")
    _, err = fail(shop, "run", shop.name)
    (moved,) = keys(shop, "data/unprocessed/")

    assert f"file={broken} step=" in err
    assert f"The other file stays at s3://lake/{sound}. The file at fault is now at s3://lake/{moved}." in err


def test_a_snapshot_that_shrinks_the_table_is_let_through_as_told(shop: Shop) -> None:
    write_spec(shop, "load: {mode: replace}\n")
    shop.land(f"{shop.name}_1.csv", "id\n1\n2\n3\n4\n")
    assert shop.run("run", shop.name)[0] == 0
    shop.land(f"{shop.name}_2.csv", "id\n1\n")
    _, err = fail(shop, "run", shop.name)

    code, result = continue_as_told(shop, err)

    assert (code, result["status"], result["records_inserted"], result["records_deleted"]) == (0, "SUCCESS", 1, 4)


def test_a_file_that_waits_for_the_spec_stays_pending(shop: Shop) -> None:
    view = "views: [{{schema: reporting, name: v_{name}, definition: 'select {column} from {{{{ target }}}}'}}]\n"
    write_spec(shop, APPEND, view.format(name=shop.name, column="no_such_column"))
    key = shop.land(f"{shop.name}.csv", "id,a\n1,x\n")
    code, err = fail(shop, "run", shop.name)
    write_spec(shop, APPEND, view.format(name=shop.name, column="a"))

    again, result = continue_as_told(shop, err)

    assert code == 2
    assert f"The file stays at s3://lake/{key}." in err
    assert (again, result["status"]) == (0, "SUCCESS")


def test_an_archived_file_that_fails_to_load_again_is_loaded_again_as_told(shop: Shop) -> None:
    write_spec(shop, "load: {keys: [id]}\n")
    shop.land(f"{shop.name}.csv", "id,a\n1,x\n")
    shop.run("run", shop.name)
    (archived,) = keys(shop, "data/archive/")
    write_spec(shop, "load: {keys: [id]}\n", "expect: {min_rows: 2}\n")
    _, err = fail(shop, "run", shop.name, "--file", archived, "--again")

    code, result = continue_as_told(shop, err)

    assert (code, result["status"], result["records_updated"]) == (0, "SUCCESS", 1)
    assert keys(shop, "data/archive/") == [archived]


def test_a_file_that_is_too_late_is_loaded_out_of_order_as_told(shop: Shop) -> None:
    write_spec(shop, "load: {keys: [id]}\n", "expect: {min_rows: 2}\n")
    shop.land(f"{shop.name}_1.csv", "id,a\n1,x\n")
    fail(shop, "run", shop.name)
    write_spec(shop, "load: {keys: [id]}\n")
    shop.land(f"{shop.name}_2.csv", "id,a\n1,y\n")
    assert shop.run("run", shop.name)[0] == 0
    _, err = fail(shop, "replay", shop.name)

    code, result = continue_as_told(shop, err)

    assert (code, result["status"]) == (0, "SUCCESS")

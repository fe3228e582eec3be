"""`explain`: why a column has its type, for each way in which a type comes about."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest
from jsonschema import Draft202012Validator

from framework.cli import main
from framework.resources import read_text
from framework.warehouse.client import Warehouse
from framework.warehouse.rate_limit import RateLimiter
from tests.harness import FeedHarness, csv_text, new_name
from tests.sandbox.conftest import ENVIRONMENT

SPEC = """\
source: {prefix: data/in/{name}/}
target: {table: {name}}
load: {keys: [id]}
columns:
  rename: {old_name: renamed}
types:
  columns:
    declared: decimal(9,2)
  rules:
    - {name: "*_code", type: varchar(64)}
    - {name: price, inferred: double, unless: key, type: decimal(fit)}
evolution:
  columns:
    becomes_text: {type_conflicts: to_text}
"""
LATER = "    declared: decimal(9,2)\n    widened_by_spec: bigint\n"
FIRST = {
    "id": ("1", "2"),
    "declared": ("1.5", "2.5"),
    "ship_code": ("7", "8"),
    "price": ("1.50", "2.25"),
    "amount": ("1.5", "10"),
    "whole": ("-5", "70"),
    "big": ("3000000000", "1"),
    "huge": ("12345678901234567890", "1"),
    "day": ("2026-01-01", "2026-01-02"),
    "at": ("2026-01-01 10:00:00", "2026-01-02 11:00:00"),
    "ok": ("true", "false"),
    "Long Text": ("x" * 300, "y"),
    "zip": ("00501", "10001"),
    "nothing": ("", ""),
    "mixed": ("5", "none"),
    "Old Name": ("a", "b"),
    "becomes_text": ("5", "6"),
    "grows": ("short", "texts"),
    "widens": ("5", "6"),
    "gets_time": ("2026-01-01", ""),
    "gets_fraction": ("5", "6"),
    "widened_by_spec": ("5", "6"),
}
SECOND = FIRST | {
    "grows": ("z" * 400, "short"),
    "widens": ("3000000000", "6"),
    "gets_time": ("2026-01-01 10:00:00", ""),
    "gets_fraction": ("5.25", "6"),
    "added": ("1", ""),
}
THIRD = SECOND | {"becomes_text": ("5", "n/a")}
DOUBLES = "rule for numbers, other columns than keys"

# By column: from, to, what decided, why, evidence, file. A place is where the spec says so.
STORIES: dict[str, list[tuple[Any, ...]]] = {
    "declared": [(None, "decimal(9,2)", "spec", "declared in the spec", None, 1, "declared: decimal")],
    "ship_code": [
        (None, "varchar(64)", "rule", "rule for the name *_code", "whole numbers, from 7 to 8", 1, '{name: "*_code"')
    ],
    "price": [
        (
            None,
            "decimal(18,2)",
            "rule",
            "rule for the name price, numbers, other columns than keys",
            "numbers, up to 1 digit before and 2 after the point",
            1,
            "{name: price",
        )
    ],
    "id": [(None, "bigint", "rule", "rule for whole numbers, keys", "whole numbers, from 1 to 2", 1, None)],
    "amount": [
        (None, "decimal(38,18)", "rule", DOUBLES, "numbers, up to 2 digits before and 1 after the point", 1, None)
    ],
    "whole": [(None, "integer", "values", "all values are whole numbers", "from -5 to 70", 1, None)],
    "big": [(None, "bigint", "values", "all values are whole numbers", "from 1 to 3000000000", 1, None)],
    "huge": [
        (None, "decimal(38,0)", "values", "all values are whole numbers", "from 1 to 12345678901234567890", 1, None)
    ],
    "day": [(None, "date", "values", "all values are dates", "2 values", 1, None)],
    "at": [(None, "timestamp", "values", "all values are timestamps", "2 values", 1, None)],
    "ok": [(None, "boolean", "values", "all values are true or false", "2 values", 1, None)],
    "long_text": [(None, "varchar(310)", "values", "all values are text", "the longest has 300 bytes", 1, None)],
    "zip": [
        (
            None,
            "varchar(256)",
            "values",
            "all values are text",
            "1 of 2 values look like numbers, '00501' has leading zeros",
            1,
            None,
        )
    ],
    "nothing": [(None, "varchar(256)", "values", "all values are NULL", None, 1, None)],
    "mixed": [
        (
            None,
            "varchar(256)",
            "values",
            "all values are text",
            "1 of 2 values look like numbers, 'none' does not, the longest has 4 bytes",
            1,
            None,
        )
    ],
    "renamed": [(None, "varchar(256)", "values", "all values are text", "the longest has 1 byte", 1, None)],
    "run_date": [(None, "timestamp", "feedway", "metadata column", None, 1, None)],
    "file_name": [(None, "varchar(1024)", "feedway", "metadata column", None, 1, None)],
    "added": [(None, "integer", "values", "all values are whole numbers", "each is 1", 2, None)],
    "grows": [
        (None, "varchar(256)", "values", "all values are text", "the longest has 5 bytes", 1, None),
        (
            "varchar(256)",
            "varchar(410)",
            "values",
            "the longest text has 400 bytes",
            f"first '{60 * 'z'}…' in row 1, line 2 of 2.csv",
            2,
            None,
        ),
    ],
    "widens": [
        (None, "integer", "values", "all values are whole numbers", "from 5 to 6", 1, None),
        ("integer", "bigint", "values", "the value 3000000000", "row 1, line 2 of 2.csv", 2, None),
    ],
    "gets_time": [
        (None, "date", "values", "all values are dates", "1 value", 1, None),
        (
            "date",
            "timestamp",
            "values",
            "1 value with a time of day",
            "first '2026-01-01 10:00:00' in row 1, line 2 of 2.csv",
            2,
            None,
        ),
    ],
    "gets_fraction": [
        (None, "integer", "values", "all values are whole numbers", "from 5 to 6", 1, None),
        (
            "integer",
            "decimal(38,18)",
            "values",
            "1 value with up to 1 digit before and 2 after the point",
            "first '5.25' in row 1, line 2 of 2.csv",
            2,
            None,
        ),
    ],
    "widened_by_spec": [
        (None, "integer", "values", "all values are whole numbers", "from 5 to 6", 1, None),
        ("integer", "bigint", "spec", "declared in the spec", None, 2, "widened_by_spec: bigint"),
    ],
    "becomes_text": [
        (None, "integer", "values", "all values are whole numbers", "from 5 to 6", 1, None),
        (
            "integer",
            "varchar(256)",
            "values",
            "1 value that is no integer, such as 'n/a'",
            "row 2, line 3 of 3.csv",
            3,
            None,
        ),
    ],
}


COMPARED = ("type_before", "type_after", "decided_by", "reason", "evidence", "source_filename", "place")


def lines_of(columns: Mapping[str, Sequence[str]]) -> str:
    return csv_text(",".join(columns), *zip(*columns.values(), strict=True))


def ran(feed: FeedHarness, *argv: str) -> tuple[int, str, str]:
    """Run a command in the feed's project; return its exit code, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["--project", str(feed.root), *argv])
    return code, out.getvalue(), err.getvalue()


def explained(feed: FeedHarness, column: str) -> dict[str, Any]:
    """Return what `explain` prints of a column, checked against its schema."""
    code, out, err = ran(feed, "--output", "json", "explain", feed.name, column)
    assert code == 0, err
    document: dict[str, Any] = json.loads(out)
    Draft202012Validator(json.loads(read_text("schemas/output/explain.schema.json"))).validate(document)
    return document


def place_in(feed: FeedHarness, text: str) -> str:
    """Return the place in the spec where a text begins."""
    lines = feed.spec_text.splitlines()
    (number,) = [number for number, line in enumerate(lines) if text in line]
    return f"pipelines/{feed.name}.yml:{number + 1}:{lines[number].index(text) + 1}"


def make_project(
    sandbox: Any, s3: Any, redshift_data: Any, engine: Any, root: Path, stem: str, body: str
) -> FeedHarness:
    feed = FeedHarness(
        s3, redshift_data, engine, ENVIRONMENT, new_name(stem), body, s3_folder=sandbox.s3_folder, root=root
    )
    feed.open_project(sandbox.folder)
    return feed


@pytest.fixture(scope="module")
def wide(
    sandbox: Any, s3: Any, redshift_data: Any, frames: Any, tmp_path_factory: pytest.TempPathFactory
) -> FeedHarness:
    """A feed of which three files and a change of the spec have made the table what it is."""
    root = tmp_path_factory.mktemp("wide")
    feed = make_project(sandbox, s3, redshift_data, frames, root, "wide", SPEC)
    assert feed.load("1.csv", lines_of(FIRST)).status == "SUCCESS"
    feed.spec_body = SPEC.replace("    declared: decimal(9,2)\n", LATER)
    feed.write(f"pipelines/{feed.name}.yml", feed.spec_text)
    for name, columns in (("2.csv", SECOND), ("3.csv", THIRD)):
        assert feed.load(name, lines_of(columns)).status == "SUCCESS"
    return feed


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("column", STORIES)
def test_each_change_of_a_type_comes_with_its_file_and_reason(wide: FeedHarness, column: str) -> None:
    document = explained(wide, column)

    found = [tuple(change[name] for name in COMPARED) for change in document["history"]]
    assert found == [
        (*story, f"data/in/{wide.name}/{number}.csv", None if text is None else place_in(wide, text))
        for *story, number, text in STORIES[column]
    ]
    assert document["type"] == STORIES[column][-1][1]
    assert document["notes"] == []


def test_a_column_is_named_by_its_header_too_and_the_spec_says_where_it_is_renamed(wide: FeedHarness) -> None:
    renamed, long_text = explained(wide, "Old Name"), explained(wide, "Long Text")

    assert (renamed["column"], renamed["header"]) == ("renamed", "Old Name")
    entry = {"field": "columns.rename.old_name", "says": "old_name of the files is renamed"}
    assert renamed["spec"] == [entry | {"place": place_in(wide, "old_name: renamed")}]
    assert (long_text["column"], long_text["header"]) == ("long_text", "Long Text")


def test_people_read_when_by_which_file_from_what_to_what_and_why(wide: FeedHarness) -> None:
    code, out, _ = ran(wide, "explain", wide.name, "becomes_text")

    head, first, second, spec = out.split("\n\n")
    assert (code, head) == (0, f"public.{wide.name}.becomes_text is varchar(256)")
    assert first.splitlines()[0].split("  ")[1:3] == ["new, integer", "1.csv"]
    when, *rest = second.splitlines()
    assert when.split("  ")[1:3] == ["integer -> varchar(256)", "3.csv"]
    assert rest == ["  1 value that is no integer, such as 'n/a': row 2, line 3 of 3.csv"]
    assert spec.splitlines()[1] == (
        "  evolution.columns.becomes_text: wider_values: widen, type_conflicts: to_text "
        f"({place_in(wide, 'becomes_text: {')})"
    )


def test_an_unknown_column_comes_with_the_likest_one(wide: FeedHarness) -> None:
    code, _, err = ran(wide, "explain", wide.name, "amuont")

    assert code == 2
    assert f"public.{wide.name} has no column 'amuont'. Did you mean 'amount'?" in err
    assert f"plan {wide.name}" in err


def test_a_type_that_the_spec_declares_otherwise_comes_with_the_plan(wide: FeedHarness) -> None:
    old = "    declared: decimal(9,2)\n"
    wide.write(f"pipelines/{wide.name}.yml", wide.spec_text.replace(old, f"{old}    whole: bigint\n"))
    try:
        (note,) = explained(wide, "whole")["notes"]
    finally:
        wide.write(f"pipelines/{wide.name}.yml", wide.spec_text)

    assert note.startswith("types.columns.whole declares bigint, and the table has integer.")
    assert note.endswith(f"feedway --project {wide.root} plan {wide.name}")


TYPED = pa.table({"id": pa.array([1], pa.int64()), "day": pa.array([1], pa.int16()), "t": pa.array(["x"])})
WHOLE = ("integer", "values", "all values are whole numbers")
JSON = '{"id": 1, "n": 5, "t": "7", "o": {"a": 1}}\n'
FIXED = "source: {prefix: data/in/{name}/, format: fixed, options: {fields: {id: [1, 3], n: [4, 6]}}}"


def parquet() -> bytes:
    target = io.BytesIO()
    pyarrow.parquet.write_table(TYPED, target)
    return target.getvalue()


def workbook() -> bytes:
    book, target = openpyxl.Workbook(), io.BytesIO()
    assert book.active is not None
    book.active.append(["id", "t"])
    book.active.append([1, "00501"])
    book.save(target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "source", "wanted"),
    [
        ("1.parquet", parquet(), None, {"day": ("smallint", "file", "the type in the file")}),
        ("1.jsonl", JSON, None, {"n": WHOLE, "o": ("super", "values", "all values are objects or arrays")}),
        ("1.xlsx", workbook(), None, {"t": ("varchar(256)", "values", "all values are text")}),
        ("1.txt", "  1  5\n  2  6\n", FIXED, {"n": WHOLE}),
    ],
    ids=["parquet", "json", "excel", "fixed"],
)
def test_files_of_other_formats_give_their_columns_types(
    feed: FeedHarness, name: str, content: str | bytes, source: str | None, wanted: dict[str, tuple[str, ...]]
) -> None:
    if source is not None:
        feed.spec_body = feed.spec_body.replace("source: {prefix: data/in/{name}/}", source)
        feed.write(f"pipelines/{feed.name}.yml", feed.spec_text)
    result = feed.load(name, content)
    assert result.status == "SUCCESS", result

    for column, (type_text, decided_by, reason) in wanted.items():
        (change,) = explained(feed, column)["history"]
        assert (change["type_after"], change["decided_by"], change["reason"]) == (type_text, decided_by, reason)


def test_a_table_of_others_and_their_changes_are_named_and_no_value_is_without_samples(feed: FeedHarness) -> None:
    feed.spec_body += "bad_rows: {log_samples: false}\nevolution: {type_conflicts: to_text}\n"
    feed.write(f"pipelines/{feed.name}.yml", feed.spec_text)
    feed.sql(f"create table {feed.table} (id integer, had varchar(20), kept integer, becomes_text integer)")
    results = [
        feed.load("1.csv", csv_text("id,had,becomes_text,new", f"3000000007,{'secret' * 5},5,3000000008")),
        feed.load("2.csv", csv_text("id,had,becomes_text,new", "2,b,hidden,5")),
    ]
    assert [result.status for result in results] == ["SUCCESS", "SUCCESS"], results
    feed.sql(f"alter table {feed.table} alter column had type varchar(500)")

    documents = {name: explained(feed, name) for name in ("id", "had", "kept", "becomes_text", "new")}

    notes = {name: document["notes"] for name, document in documents.items()}
    assert notes["id"] == ["The table had the column, as integer, before the first change that is recorded."]
    assert notes["kept"] == [
        "The table had the column before Feedway first loaded it, or somebody else added it: no load did."
    ]
    changed_at = documents["had"]["history"][-1]["changed_ts"][:16]
    assert notes["had"][1] == (
        f"Somebody else changed it from varchar(256) to varchar(500) after {changed_at}: no load did."
    )
    assert notes["new"] == []
    assert [change["evidence"] for change in documents["new"]["history"]] == ["up to 10 digits"]
    for name, reason in (("id", "1 value out of range"), ("had", "the longest text has 30 bytes")):
        (change,) = documents[name]["history"]
        assert (change["reason"], change["evidence"]) == (reason, None)
    assert [change["reason"] for change in documents["becomes_text"]["history"]] == ["1 value that is no integer"]
    recorded = feed.sql(f"select * from feedway.schema_changes where pipeline = '{feed.name}'")
    shown = [documents, recorded, ran(feed, "changes", feed.name), results, feed.log.getvalue()]
    for value in ("3000000007", "3000000008", "secret", "hidden"):
        assert [text for text in map(str, shown) if value in text] == []


def test_before_the_first_load_the_spec_and_what_is_pending_are_shown(feed: FeedHarness) -> None:
    idle = explained(feed, "Some Column")["notes"]
    feed.spec_body += "types: {columns: {some_column: date}}\n"
    feed.write(f"pipelines/{feed.name}.yml", feed.spec_text)
    feed.land("1.csv", "id,Some Column\n1,2026-01-01\n")
    pending = explained(feed, "Some Column")

    assert idle == [f"{feed.table} does not exist: nothing is loaded yet, and no file is pending."]
    assert (pending["type"], pending["history"]) == (None, [])
    assert pending["spec"] == [
        {"field": "types.columns.some_column", "says": "date", "place": place_in(feed, "some_column: date")}
    ]
    (note,) = pending["notes"]
    assert note == (
        f"{feed.table} does not exist: nothing is loaded yet, and 1 file is pending. See the columns that a run would "
        f"create: feedway --project {feed.root} plan {feed.name}"
    )


def test_a_log_of_an_earlier_release_is_completed_and_read(feed: FeedHarness) -> None:
    log = "feedway_earlier.schema_changes"
    settings = replace(ENVIRONMENT.warehouse, control_schema="feedway_earlier")
    feed.environment = replace(ENVIRONMENT, warehouse=settings)
    feed.warehouse = Warehouse(feed.redshift_data, settings, ENVIRONMENT.retry, RateLimiter({}))
    environments = (feed.root / "environments.yml").read_text(encoding="utf-8")
    feed.write(
        "environments.yml", environments.replace("database: dev", "database: dev, control_schema: feedway_earlier")
    )
    feed.load("1.csv", csv_text("id,a", "1,5"))
    feed.load("2.csv", csv_text("id,a", "1,3000000000"))
    feed.sql(f"delete from {log} where change = 'create_columns'")
    feed.sql(*(f"alter table {log} drop column {name}" for name in ("decided_by", "evidence", "shows_values")))

    code, _, err = ran(feed, "explain", feed.name, "a")
    feed.load("3.csv", csv_text("id,a", "2,5"))
    widened, created = explained(feed, "a"), explained(feed, "id")

    assert code == 5
    assert "The next load of any pipeline adds it" in err
    (change,) = widened["history"]
    assert (change["reason"], change["decided_by"], change["evidence"]) == ("the value 3000000000", None, None)
    assert created["history"] == []
    assert "an earlier release of Feedway created it" in created["notes"][0]


def test_the_value_that_made_a_column_grow_is_named_only_where_it_is_known(
    feed: FeedHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.spec_body += "bad_rows: {action: quarantine, max_rows: 1}\n"
    feed.write(f"pipelines/{feed.name}.yml", feed.spec_text)
    monkeypatch.setattr("framework.load.stage.MAX_SEARCHED_BYTES", 100)
    results = [
        feed.load("1.csv", csv_text("id,n,short,long", "1,5,x,x")),
        # A bad row stands before the number, and the file is too large to be read again.
        feed.load("2.csv", csv_text("id,n,short,long", "2,x,x,x", f"3,3000000000,x,{'z' * 300}")),
        feed.load("3.csv", csv_text("id,n,short,long", "4,5,x,x", "5,3000000000000000000000,x,x")),
    ]
    assert [(result.status, result.counts.rejected) for result in results] == [("SUCCESS", each) for each in (0, 1, 0)]

    evidence = {name: [each["evidence"] for each in explained(feed, name)["history"][1:]] for name in ("n", "long")}
    assert evidence == {"n": [None, "row 2, line 3 of 3.csv"], "long": [None]}

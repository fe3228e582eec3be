"""Files that do not look like their feed: rejected before anything changes, with advice that loads them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from framework.cli.outcome import outcome_of
from framework.cli.summary import summary
from framework.errors import SourceFileError
from framework.load.preview import plan_pipeline
from framework.load.request import Accepted, Pending, Unprocessed
from framework.load.result import LoadResult
from tests.harness import FeedHarness, MakeFeed, tagged_spec


def spec(options: str = "", more: str = "load: {mode: append}") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/, options: {{{options}}}}}
target: {{table: "{{name}}"}}
metadata_columns: {{run_date: null, file_name: null}}
{more}
"""


def rejected(result: LoadResult) -> str:
    """Return why a file was rejected."""
    assert result.status == "FAILED"
    assert result.failure is not None
    assert result.failure.type == "SourceFileError", result.failure.message
    return result.failure.message


def accept_with(result: LoadResult) -> str | None:
    """Return the option under which a rejected file would load."""
    assert result.failure is not None
    assert isinstance(result.failure.error, SourceFileError)
    return result.failure.error.accept_with


def advised(message: str) -> list[dict[str, Any]]:
    """Return the options that a message advises, the most likely ones first."""
    lines = [line for line in message.splitlines() if line.startswith("  source: {options: ")]
    return [yaml.safe_load(line)["source"]["options"] for line in lines]


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize(
    ("options", "content", "reason", "rows"),
    [
        ("", "1,ann,10\n2,bob,20\n", "looks like data: its field 1 is a value (integer)", 2),
        ("", "17,2026-03-01,9.99\n18,2026-03-02,8\n", "looks like data", 2),
        ("", "ann,2026-03-01\nbob,2026-03-02\n", "looks like data: its field 2 is a value (date)", 2),
        ("", "1,ann,10", "looks like data", 1),
        ("delimiter: ;", "ann;2,50\nbob;3,75\n", "looks like data: its field 2 is a value (decimal)", 2),
        ("", "Sales report,,\nid,name,x\n1,Ann,2\n", "2 of its 3 fields are empty", 1),
        ("", "Report of 2024,,\n,,\nid,name,x\n1,Ann,2\n2,Bob,3\n", "2 of its 3 fields are empty", 2),
        ("", "Report of 2024\r\n\r\nid,name\r\n1,Ann\r\n", "fewer fields than the lines below it", 1),
        ("", "# made, by x\nid,name\n1,Ann\n", "a comment or a title", 1),
        ("", "Report of 2024\n\nid;name\n1;Ann\n", "fewer fields than the lines below it", 1),
        ("delimiter: ;", "sep=;\nid;v\n1;a\n", "sets the delimiter for Excel", 1),
        ("", "sep=;\nid;v\n1;a\n", "sets the delimiter for Excel", 1),
        ("", "id;name;price\n1;Ann;2,50\n2;Bob;3,75\n", "one field at the delimiter ',', and 3 at ';'", 2),
        ("", '"id";"name"\n"1";"Ann"\n', "and 2 at ';'", 1),
        ("", "id\tname\n1\tAnn\n", "and 2 at '\\t'", 1),
        ("delimiter: '|'", "id,name\n1,Ann\n", "and 2 at ','", 1),
        ("header: true", "id;name\n1;Ann\n", "and 2 at ';'", 1),
        ("header: false, names: [id, name]", "1;Ann\n2;Bob\n", "the record has one field", 2),
        ("header: false, names: [id, name]", "sep=;\n1;Ann\n2;Bob\n", "sets the delimiter for Excel", 2),
        ("", "1;ann;10\n2;bob;20\n", "and 3 at ';'", 2),
        ("", "Report;;\n\nid;name;n\n1;ann;10\n", "and 3 at ';'", 1),
    ],
)
def test_a_first_file_of_another_shape_is_rejected_and_loads_as_advised(
    make_feed: MakeFeed, options: str, content: str, reason: str, rows: int
) -> None:
    feed = make_feed(spec(options))

    message = rejected(feed.load("a.csv", content))

    assert reason in message
    assert f"first line: {content.splitlines()[0]!r}" in message
    assert feed.types() == {}
    own = yaml.safe_load(f"{{{options}}}")
    ways = advised(message)
    for number, way in enumerate(ways):
        # A feed of its own for each: their tables would differ.
        other = make_feed(spec(json.dumps(own | way)[1:-1]))
        result = other.load("a.csv", content)
        assert result.status == "SUCCESS", (way, result.failure)
        if number == 0:
            assert result.counts.inserted == rows
            assert not any(name.startswith(("_1", "sep", "report", "sales")) for name in other.types())


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize(
    ("options", "content", "columns"),
    [
        ("", ",a,b\n0,x,2\n1,y,3\n", ["column_1", "a", "b"]),
        ("", "a,b,\n1,2,\n", ["a", "b", "column_3"]),
        ("", "country,2019,2020\nFR,1,2\nDE,3,4\n", ["country", "_2019", "_2020"]),
        ("", "country,1/22/20,1/23/20\nFR,1,2\n", ["country", "_1_22_20", "_1_23_20"]),
        ("", "name,0.5,0.9\nx,low,high\n", ["name", "_0_5", "_0_9"]),
        ("", "id,1,2,3\n7,8,9,10\n", ["id", "_1", "_2", "_3"]),
        ("header: true", "0,1\n5,6\n", ["_0", "_1"]),
        ("", "https://a.example/1?x=1;y=2\nhttps://a.example/2\n", ["https_a_example_1_x_1_y_2"]),
        ("", 'name\n"Doe, John"\n"Roe, Jane"\n', ["name"]),
        ("delimiter: ;", "name\nDoe, John\nRoe, Jane\n", ["name"]),
        ("header: true, names: [name], delimiter: ;", "Last, First\nDoe, John\n", ["name"]),
        ("", "#id,name\n1,Ann\n", ["id", "name"]),
        ("", "time,temp\ns,C\n1.0,20\n2.0,21\n", ["time", "temp"]),
        ("", "a,b\nx,y\n", ["a", "b"]),
    ],
)
def test_an_unusual_header_is_one(make_feed: MakeFeed, options: str, content: str, columns: list[str]) -> None:
    feed = make_feed(spec(options))

    result = feed.load("a.csv", content)

    assert result.status == "SUCCESS", result.failure
    assert list(feed.types()) == columns
    assert result.counts.inserted == len(content.splitlines()) - 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("id;amount;sold_on\n3;10.50;2024-05-01\n", "and 3 at ';'"),
        ("3,10.50,2024-05-01\n4,20.00,2024-05-02\n5,1,2024-05-04\n", "looks like data"),
        ("3,amount,2024-05-01\n4,amount,2024-05-02\n", "looks like data"),
        ("Report,sold_on,,\nid,amount,sold_on,x\n3,1,2024-05-01,1\n", "a comment or a title"),
        ("nr,betrag,datum\n3,10.50,2024-05-01\n", "no column of the file is one of public."),
    ],
)
def test_a_later_file_of_another_shape_changes_nothing(make_feed: MakeFeed, content: str, reason: str) -> None:
    feed = make_feed(spec())
    feed.load("1.csv", "id,amount,sold_on\n1,10.50,2024-05-01\n")
    before = feed.types(), feed.rows("*", "id")

    assert reason in rejected(feed.load("2.csv", content))
    assert (feed.types(), feed.rows("*", "id")) == before


def test_columns_renamed_at_the_source_load_with_the_lines_of_the_message(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    feed.load("1.csv", "id,sold on\n1,2024-05-01\n")
    message = rejected(feed.load("2.csv", "nr,Verkauft am\n2,2024-05-02\n"))

    rename = message[message.index("columns:\n  rename:") : message.index("If all columns are new")]
    feed.spec_body = spec() + rename
    (result,) = feed.run(Unprocessed())

    assert result.status == "SUCCESS", result.failure
    assert [row[0] for row in feed.rows("id, sold_on", "id")] == [1, 2]
    assert list(feed.types()) == ["id", "sold_on"]


def test_a_file_whose_columns_all_changed_on_purpose_is_accepted_by_itself(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    feed.load("1.csv", "id,a\n1,x\n")
    result = feed.load("2.csv", "nr,b\n2,y\n")
    assert accept_with(result) == "--allow-new-columns"

    (accepted,) = feed.run(Unprocessed(result.source_file, Accepted(new_columns=True)))

    assert accepted.status == "SUCCESS", accepted.failure
    assert list(feed.types()) == ["id", "a", "nr", "b"]
    assert "no column of the file" in rejected(feed.load("3.csv", "zz\n1\n"))


def test_the_commands_accept_one_file_of_new_columns(feed: FeedHarness) -> None:
    feed.write(f"pipelines/{feed.name}.yml", tagged_spec(feed.name).replace("keys: [id]", "mode: append"))
    feed.land("1.csv", "id,a\n1,x\n")
    feed.command("run", feed.name)
    key = feed.land("2.csv", "nr,b\n2,y\n")

    assert feed.command("plan", feed.name)[0] == 3
    assert feed.json("plan", feed.name, "--file", key, "--allow-new-columns")[1]["loads"][0]["rows"] == 1
    failed, _, err = feed.command("run", feed.name)
    assert failed == 3
    assert feed.command("replay", feed.name, "--allow-new-columns")[0] == 2
    advised_command = feed.pasted(err.partition("If it is right as it is, ")[2].partition(" loads it: ")[0])
    assert advised_command[-1] == "--allow-new-columns"
    code, document = feed.json(*advised_command)

    assert code == 0
    assert [change["column"] for change in document["loads"][0]["schema_changes"]] == ["nr", "b"]


def test_a_way_in_that_cannot_work_is_not_advised(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(more="load: {keys: [id]}"))
    feed.load("1.csv", "id,a\n1,x\n")

    result = feed.load("2.csv", "nr,b\n2,y\n")

    assert "    nr: id" in rejected(result)
    assert accept_with(result) is None


def test_excluded_and_metadata_columns_do_not_make_a_file_the_tables(make_feed: MakeFeed) -> None:
    body = spec(more="load: {mode: append}\ncolumns: {exclude: [note]}").replace(
        "metadata_columns: {run_date: null, file_name: null}", "metadata_columns: {run_date: at, file_name: origin}"
    )
    feed = make_feed(body)
    feed.load("1.csv", "id,note\n1,x\n")

    assert "no column of the file" in rejected(feed.load("2.csv", "nr,note\n2,y\n"))


def test_files_of_one_load_are_of_one_feed(make_feed: MakeFeed) -> None:
    feed = make_feed(spec().replace("options:", "batch: all, options:"))
    feed.land("1.csv", "id,a\n1,x\n")
    feed.land("2.csv", "nr,b\n2,y\n")

    first, *_ = feed.run()

    # There is no table that could have them.
    first_url = f"s3://lake/data/in/{feed.name}/1.csv"
    message = rejected(first)
    assert f"2.csv: no column of the file is one of {first_url}, with which it is loaded." in message
    assert "  in the first: id, a\n" in message
    assert first.failure is not None
    assert "--allow-new-columns" not in first.failure.full_message
    assert feed.types() == {}


def test_a_wide_table_gets_new_columns_that_are_numbers(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    feed.load("1.csv", "id,1/22/20,0.5,p\n1,3,a,b\n")

    result = feed.load("2.csv", "id,1/22/20,1/23/20,0.5,0.9,p\n2,3,4,a,0.1,b\n")

    assert result.status == "SUCCESS", result.failure


def test_the_advice_to_read_without_a_header_names_what_it_means_for_later_files(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(more="load: {mode: append}"))

    message = rejected(feed.load("1.csv", "1,ann,10\n2,bob,20\n"))

    assert "write into the spec what is true of all files of the feed:" in message
    (line,) = [line for line in message.splitlines() if "header: false" in line]
    assert "# no file of the feed has a header, and all are then read without one; " in line


def test_the_first_line_is_quoted_only_where_samples_may_be(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(more="load: {mode: append}\nbad_rows: {log_samples: false}"))

    for content in ("1,secret,10\n2,bob,20\n", "1;secret;10\n2;bob;20\n", "secret,,\nid,a,b\n1,2,3\n"):
        message = rejected(feed.load("1.csv", content))
        assert "secret" not in message
    assert "secret" not in feed.log.getvalue()


@pytest.mark.parametrize("columns", [1_700, 9_074])
def test_too_many_columns_are_rejected_by_the_header_alone(make_feed: MakeFeed, columns: int) -> None:
    feed = make_feed(spec())
    header = ",".join(f"c{place}" for place in range(columns))
    feed.land("1.csv", f"{header}\n" + ",".join("1" * columns) + "\n")

    (result,) = feed.run()

    assert result.failure is not None
    assert result.failure.type == "SchemaChangeError"
    assert f"would have {columns + 2} columns, and Redshift takes 1600" in result.failure.message
    assert "new_columns" not in result.failure.message, "no policy for a table that is not there"
    assert not any(entry.get("step") in ("profile", "stage") for entry in feed.entries())


def test_the_columns_of_a_table_and_a_file_are_too_many_together(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    feed.sql(f"create table {feed.table} (id integer, {', '.join(f'a{place} integer' for place in range(800))})")

    result = feed.load("1.csv", "id," + ",".join(f"b{place}" for place in range(800)) + "\n")

    assert result.failure is not None
    assert "would have 1601 columns" in result.failure.message


def test_the_first_load_says_what_it_took_for_names(make_feed: MakeFeed) -> None:
    feed = make_feed(spec())
    feed.land("1.csv", "ann,bob\neve,joe\n")
    (planned,) = plan_pipeline(feed.spec(), feed.services(), Pending())
    (result,) = feed.run()

    assert [column.header for column in planned.columns] == ["ann", "bob"]
    assert f"created public.{feed.name} with 2 columns: ann, bob" in summary(outcome_of([result]))


def test_a_byte_order_mark_decides_on_the_encoding(make_feed: MakeFeed) -> None:
    feed = make_feed(spec("encoding: iso-8859-1"))
    feed.load("a.csv", "v,id\ncafé,3\n".encode("iso-8859-1"))
    feed.land("b.csv", "\ufeffv,id\nthé,4\n".encode())

    (planned,) = plan_pipeline(feed.spec(), feed.services(), Pending())
    assert planned.notes == (f"s3://lake/data/in/{feed.name}/b.csv is read with encoding 'utf-8'",)
    (loaded,) = feed.run()

    assert loaded.status == "SUCCESS"
    assert list(feed.types()) == ["v", "id"]
    assert feed.rows("v, id", "id") == [("café", 3), ("thé", 4)]


@pytest.mark.parametrize(
    ("content", "named", "next_step"),
    [
        (b"\x04\x22\x4d\x18", "packed with LZ4, which Feedway does not read", "run"),
        # Another spec would load it.
        (b'{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n', "JSON lines, and the feed reads CSV (source.format)", "replay"),
    ],
)
def test_another_format_is_named(make_feed: MakeFeed, content: bytes, named: str, next_step: str) -> None:
    feed = make_feed(spec().replace("source: {", "source: {format: csv, ", 1))

    result = feed.load("a.csv", content)
    assert f"the file is {named}" in rejected(result)
    assert result.failure is not None
    assert f": feedway {next_step} " in str(result.failure.next_step)
    assert feed.types() == {}

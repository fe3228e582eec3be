"""What `plan` prints of a load, and how it ends."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from tests.harness import FeedHarness, new_name, tagged_spec
from tests.unit.spec.test_output_schemas import output_schema

SPEC = """\
source: {{prefix: data/in/{name}/, pattern: 'orders_*.csv'}}
target: {{table: {name}}}
load: {{keys: [id]}}
metadata_columns: {{run_date: null}}
types: {{columns: {{code: varchar(16)}}}}
{more}
"""
FIRST = "Order ID,Code,Big,Note\n1,00501,5,a\n2,,6,b\n"
LATER = "Order ID,Code,Big,Note,Extra Info\n3,00502,3000000000,c,\n4,00503,7,d,long text\n"


def prepare(feed: FeedHarness, more: str = "") -> None:
    """Write the spec of the feed."""
    renamed = "columns: {rename: {order_id: id}}\n" + more
    feed.write(f"pipelines/{feed.name}.yml", f"pipeline: {feed.name}\n" + SPEC.format(name=feed.name, more=renamed))


def local(feed: FeedHarness, name: str, content: str) -> str:
    """Write a file beside the project and return its path."""
    path = feed.root / name
    path.write_text(content, encoding="utf-8")
    return str(path)


def words(text: str) -> list[str]:
    """Return the lines of a text with single spaces."""
    return [" ".join(line.split()) for line in text.splitlines()]


def test_a_first_load_is_printed_column_by_column(feed: FeedHarness) -> None:
    prepare(feed)
    feed.land("orders_1.csv", FIRST)

    code, out, err = feed.command("plan", feed.name)

    assert code == 0, err
    assert words(out) == [
        f"{feed.name}: s3://lake/data/in/{feed.name}/orders_1.csv",
        "in the file column type why sample",
        "+ Order ID id bigint rule for whole numbers, keys: whole numbers, from 1 to 2 1",
        "+ Code code varchar(16) declared in the spec 00501",
        "+ Big big integer all values are whole numbers: from 5 to 6 5",
        "+ Note note varchar(256) all values are text: the longest has 1 byte a",
        "+ file_name varchar(1024) metadata column",
        f"change create_table: table public.{feed.name} (5 columns; cost: none)",
        f"cost 2 rows of {len(FIRST)} bytes, read by the embedded engine; no stored row is rewritten",
    ]


def test_a_later_load_shows_what_is_new_and_what_grows(feed: FeedHarness) -> None:
    prepare(feed)
    feed.land("orders_1.csv", FIRST)
    assert feed.command("run", feed.name)[0] == 0
    feed.land("orders_2.csv", LATER)

    _, out, _ = feed.command("plan", feed.name)
    code, document = feed.json("plan", feed.name)

    lines = words(out)
    assert lines[2:8] == [
        "Order ID id bigint as the table has it 3",
        "Code code varchar(16) as the table has it 00502",
        "~ Big big bigint, was integer the value 3000000000: row 1, line 2 of orders_2.csv 3000000000",
        "Note note varchar(256) as the table has it c",
        "+ Extra Info extra_info varchar(256) all values are text: the longest has 9 bytes long text",
        "file_name varchar(1024) as the table has it",
    ]
    assert lines[-1].endswith("2 rewrites of stored rows")
    assert not [line for line in lines if "transaction" in line]
    Draft202012Validator(output_schema("plan")).validate(document)
    of_big = document["loads"][0]["columns"][2]
    assert (code, of_big) == (
        0,
        {
            "header": "Big",
            "column": "big",
            "type": "bigint",
            "change": "wider",
            "type_before": "integer",
            "reason": {
                "decided_by": "values",
                "text": "the value 3000000000",
                "evidence": "row 1, line 2 of orders_2.csv",
            },
            "sample": "3000000000",
        },
    )


def test_without_samples_no_cell_is_printed(feed: FeedHarness) -> None:
    """Neither as a sample nor as a bound of a column's values, in any form of the output."""
    prepare(feed, "bad_rows: {log_samples: false}\n")
    secrets = ("8675309867", "0915599", "3000000001", "Hidden", "4711.25")
    feed.land("orders_1.csv", f"Order ID,Code,Big,Note,Amount\n{','.join(secrets)}\n")

    printed = [feed.command("--output", form, "plan", feed.name, "--sql") for form in ("text", "json", "github")]

    for code, out, err in printed:
        assert code == 0
        for secret in secrets:
            assert secret not in out + err
    assert [column["sample"] for column in feed.json("plan", feed.name)[1]["loads"][0]["columns"]] == [None] * 6


@pytest.mark.parametrize("option", [[], ["--detailed-exitcode"]])
def test_the_exit_code_says_whether_a_run_would_do_something(feed: FeedHarness, option: list[str]) -> None:
    nothing = feed.command("plan", feed.name, *option)[0]
    feed.land("1.csv", "id,a\n1,x\n")
    something = feed.command("plan", feed.name, *option)[0]
    feed.command("run", feed.name)
    loaded = feed.command("plan", feed.name, *option)[0]
    feed.land("bad.csv", "id,a\n,x\n")
    failing = feed.command("plan", feed.name, *option)[0]

    assert (nothing, something, loaded, failing) == (0, 6 if option else 0, 0, 3)


def test_markdown_is_all_that_stdout_has(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a\n1,|x|\n")

    code, out, err = feed.command("--output", "github", "plan", feed.name)

    lines = out.splitlines()
    assert (code, lines[0]) == (0, "<!-- feedway plan env=sandbox project=. -->")
    assert "| + | <code>a</code> | <code>a</code> | varchar(256) |" in out
    assert "<code>&#124;x&#124;</code>" in out
    assert lines[-1] == "</details>"
    assert err == ""


def test_feeds_are_selected_as_those_of_a_run(feed: FeedHarness) -> None:
    other = new_name("other_feed")
    feed.write(f"pipelines/{other}.yml", tagged_spec(other))
    feed.land("1.csv", "id,a\n1,x\n")
    selections = {"--all": 2, f"--tag {other}_tag": 1, f"--tag {other}_tag --tag {feed.name}_tag": 2, "*": 2}

    for selection, feeds in selections.items():
        code, out, err = feed.command("plan", *selection.split())
        lines = [line for line in out.splitlines() if not line.startswith(" ")]
        assert (code, len(lines)) == (0, feeds), err
    assert feed.command("plan")[0] == 2


def test_the_columns_of_a_wide_file_are_counted(feed: FeedHarness) -> None:
    names = [f"c{number}" for number in range(200)]
    feed.land("1.csv", f"id,{','.join(names)}\n1,{','.join('7' for _ in names)}\n")

    _, out, _ = feed.command("plan", feed.name)
    _, everything, _ = feed.command("plan", feed.name, "--columns")
    feed.command("run", feed.name)
    feed.land("2.csv", f"id,{','.join(names)},fresh\n1,{','.join('7' for _ in names)},8\n")
    _, later, _ = feed.command("plan", feed.name)

    assert "  163 more columns, 163 of them new or wider; --columns shows all" in out.splitlines()
    assert "c199" not in out
    assert "c199" in everything
    shown = [line.split()[0] for line in later.splitlines() if line.startswith("  ")]
    assert shown == ["in", "+", "203", "change", "cost"]


def test_columns_that_the_spec_leaves_out_are_named(feed: FeedHarness) -> None:
    feed.write(f"pipelines/{feed.name}.yml", feed.spec_text + "columns: {exclude: [b, d]}\n")
    feed.land("1.csv", "id,a,b\n1,x,y\n")

    (load,) = feed.json("plan", feed.name)[1]["loads"]

    assert load["notes"] == ["left out by columns.exclude: b"]
    assert "b" not in [column["column"] for column in load["columns"]]

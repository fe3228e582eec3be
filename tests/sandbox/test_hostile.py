"""Files whose every part tries to get out of its quotes: all of it arrives as it was."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest

from framework.load.request import OneFile
from framework.model.names import TableName, identifier, literal
from framework.model.staging import FileName
from tests.harness import FeedHarness, MakeFeed
from tests.hostile import PIECES
from tests.rows.conftest import COMMA, column, make_bench

TABLE = TableName("public", "o'r\"d;er--s /*{{ 7 * 7 }}*/ \\ $$ {% raw %}")
VIEW = TableName("public", "v'i\"e;w -- {{ target }}")
RENAMED = "k'e\"y; -- {{ x }} \\ $$"
FILE = "o'r\"d;er--s {{ 7 * 7 }} $$ ${env:HOME} %s # + ü\u2028  x.csv"
SPEC = """
source: {prefix: data/in/{name}/}
types: {parse: {null_values: ["n'u\\"ll;--\\\\"]}}
target: {table: %s}
load: {keys: [%s]}
columns: {rename: {k_e_y: %s}}
metadata_columns: {run_date: null, file_name: %s}
views: [{name: %s, definition: "select * from {{ target }} where '{{ \\"{{\\" }}' <> '/*;--'"}]
"""


def yaml_text(text: str) -> str:
    """Write a text as YAML."""
    return "'" + text.replace("'", "''") + "'"


def hostile_file() -> tuple[str, list[list[str]]]:
    """Return a CSV file of hostile headers and values, and its rows as the csv module reads them back."""
    rows = [["K'e\"y", "a;b--", "{{ c }}", "$$", "plain"]]
    rows += [[f"{number} {piece}", piece, piece * 9, f"x{piece}y", "z"] for number, piece in enumerate(PIECES)]
    sink = io.StringIO(newline="")
    csv.writer(sink, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    read = list(csv.reader(io.StringIO(sink.getvalue(), newline="")))
    assert read == rows
    return sink.getvalue(), rows[1:]


@pytest.fixture
def feed(make_feed: MakeFeed) -> FeedHarness:
    names = (TABLE.name, RENAMED, RENAMED, f"f {RENAMED}", VIEW.name)
    return make_feed(SPEC % tuple(map(yaml_text, names)))


def test_every_value_arrives_as_it_was_and_nothing_else_happens(feed: FeedHarness) -> None:
    text, rows = hostile_file()
    before = feed.sql("select count(*) from svv_columns where table_schema = 'public'")

    # The same rows once more, as another file: it has one line end less.
    results = [feed.load(FILE, content) for content in (text, text.rstrip("\n"))]

    assert [result.status for result in results] == ["SUCCESS", "SUCCESS"], results[0].failure
    assert results[1].counts.updated == len(rows)
    found = feed.sql(f"select * from {VIEW.sql} order by cast(split_part({identifier(RENAMED)}, ' ', 1) as integer)")
    assert [list(row[:5]) for row in found] == rows
    assert {row[5] for row in found} == {FILE}
    after = feed.sql("select count(*) from svv_columns where table_schema = 'public'")
    assert after[0][0] - before[0][0] == 2 * 6


def test_a_file_is_known_again_by_its_name(feed: FeedHarness) -> None:
    text, _ = hostile_file()
    name = f"{feed.name} {FILE}"
    feed.load(name, text)
    (archived,) = feed.keys("data/archive/")

    (again,) = feed.run(OneFile(archived))

    assert archived.endswith(f"/{name}")
    assert (again.status, str(again.reason)[:17]) == ("SKIPPED", "already loaded on")
    key = f"data/in/{feed.name}/{name}"
    found = feed.sql(f"select distinct source_filename from feedway.job_sts where source_filename = {literal(key)}")
    assert found == [(key,)]


@pytest.mark.parametrize("engine", ["embedded", "spark"])
def test_a_file_name_is_a_value_and_nothing_more(
    engine: str, request: pytest.FixtureRequest, sandbox: Any, s3: Any
) -> None:
    """Spark replaces `${env:NAME}` in the text of an expression, unless it is configured not to."""
    bench = make_bench(request.getfixturevalue(f"{engine}_engine"), sandbox, s3)
    batch = bench.batch(b"a\n1\n", COMMA)
    (layout,) = batch.files
    # The sandbox's S3 shows a line break in a name as another character.
    name = f"{FILE}\n \n"
    named = replace(batch, files=(replace(layout, name=name),))

    _, rows = bench.stage(named, [column("a", "integer"), column("f", "varchar(999)", value=FileName())])

    assert rows[0][:2] == (1, name)

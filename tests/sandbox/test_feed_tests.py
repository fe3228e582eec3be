"""`test`: feeds are tested in an empty sandbox, and whatever is expected wrongly is named."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from framework import sandbox as local_sandbox
from framework.cli import main
from framework.cli.commands.sandbox import sandbox_sql
from framework.cli.output import make_output
from framework.cli.wiring import open_isolated
from framework.feed_tests.compare import compare
from framework.feed_tests.found_rows import yaml_rows
from framework.feed_tests.outcome import Difference, Outcome
from framework.feed_tests.run import Verdict, run_feed_test
from framework.model.column_type import parse_type
from framework.resources import read_text
from framework.spec.feed_tests import Cell, Entry, Expected, FeedTest, Listed, Place
from framework.spec.load import load_feed_tests_text
from framework.spec.pipeline import PipelineSpec
from framework.spec.project import Project
from tests.harness import SHIPPED_ENVIRONMENTS, FeedHarness

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
ON_AWS = "  prod: {lake: {bucket: lake}, warehouse: {workgroup: w, database: d}}\n"
PRICES = """\
pipeline: prices
source: {prefix: data/in/prices/, pattern: "*.csv"}
target: {schema: shop, table: prices}
load: {keys: [id]}
types: {columns: {price: "decimal(10,2)"}}
bad_rows: {action: quarantine, max_rows: 2}
metadata_columns: {run_date: null, file_name: null}
grants: {select: [group analysts]}
views:
  - {schema: shop, name: priced, definition: "select p.id, c.name from {{ target }} p join public.c c on c.id = p.id"}
"""
PRICES_TESTS = """\
tests:
  all that can be expected:
    given:
      table:
        columns: {id: bigint, price: "decimal(10,2)", note: varchar(4), seen: timestamp, extra: super, is_new: boolean}
        rows:
          - {id: 1, price: 1.5, note: "", seen: 2026-01-02 03:04, extra: '{"a": [1]}', is_new: true}
          - {id: 2, price: null, note: null, seen: null, extra: null, is_new: false}
      sql:
        - create group analysts
        - create table public.c (id bigint, name varchar(10))
      files:
        - b.csv: |
            id,price,note
            3,2.25,a longer note
            4,x,b
            ,1,c
        - a.csv: |
            id,price,note,new
            3,2.50,,n
          z.csv: |
            id,price
            5,1
        - c.csv: |
            nothing
            1
    expect:
      columns:
        {id: bigint, price: "decimal(10,2)", note: varchar(256), seen: timestamp, extra: super, is_new: boolean,
         new: varchar(256)}
      rows:
        - {id: 1, price: 1.5, note: "", seen: 2026-01-02 03:04, extra: '{"a":[1]}', is_new: true, new: null}
        - {id: 2, price: null, note: null, seen: null, extra: null, is_new: false, new: null}
        - {id: 3, price: 2.5, note: null, seen: null, extra: null, is_new: false, new: n}
        - {id: 5, price: 1, note: "", seen: null, extra: null, is_new: false, new: ""}
      changes:
        - {kind: grow_varchar, column: note, from: varchar(4), to: varchar(256), file: b.csv}
        - {kind: add_column, column: new, to: varchar(256), file: a.csv}
        - {kind: build_view, to: shop.priced, file: b.csv}
        - {kind: build_view, to: shop.priced, file: a.csv}
      rejects:
        - {file: b.csv, row: 2, column: price, reason: decimal}
        - {file: b.csv, row: 3, column: id}
      errors:
        - {file: c.csv, type: SourceFileError}
      loads:
        - {file: b.csv, status: SUCCESS, read: 3, inserted: 1, rejected: 2}
        - {file: a.csv, status: SUCCESS, updated: 1, deleted: 0, deduplicated: 0}
        - {file: z.csv, status: SUCCESS, inserted: 1}
        - {file: c.csv, status: FAILED}
"""


def write(folder: Path, path: str, text: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, encoding="utf-8")


def make_project(folder: Path) -> Path:
    """Make a project of the feed `prices` and its test."""
    write(folder, "environments.yml", SHIPPED_ENVIRONMENTS)
    write(folder, "pipelines/prices.yml", PRICES)
    write(folder, "pipelines/tests/prices.yml", PRICES_TESTS)
    return folder


@contextmanager
def own_environment() -> Iterator[None]:
    """Restore the variables that a sandbox sets for boto3."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@dataclass(frozen=True)
class Ran:
    """A test that has run, with what it found."""

    spec: PipelineSpec
    test: FeedTest
    found: Outcome

    @property
    def failed_for_rows(self) -> Verdict:
        """The verdict if its rows were different."""
        return Verdict((Difference("rows", (1, 1), "a row is different"),), self.found)

    def problems(self, expected: Expected) -> list[tuple[str, Place, str]]:
        """Return what would be different if the test expected this."""
        return [(each.part, each.place, each.message) for each in compare(expected, self.found, self.spec.load.keys)]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> list[Ran]:
    """The tests of the samples and of `prices`, which all pass, each in the emptied sandbox of the others."""
    folder = make_project(tmp_path_factory.mktemp("project"))
    projects = (Project(folder), Project(ROOT))
    found = []
    with own_environment(), open_isolated(folder, projects[0].environment("sandbox"), make_output()) as sandbox:
        for project, name in ((each, name) for each in projects for name in each.tested_names()):
            for test in project.feed_tests(name).tests:
                sandbox.empty()
                spec = project.pipeline(name)
                verdict = run_feed_test(spec, test, sandbox.services, sandbox.deliver)
                assert (verdict.differences, test.name) == ((), test.name)
                assert verdict.found is not None
                found.append(Ran(spec, test, verdict.found))
    return found


def changed(cell: Cell) -> Cell:
    """Return another value, whatever the column's type."""
    return "7" if cell is None else f"{cell}7"


def with_entry(listed: Listed, place: int, *entries: Entry) -> Listed:
    """Return a list with other entries in the place of one."""
    return replace(listed, entries=(*listed.entries[:place], *entries, *listed.entries[place + 1 :]))


def parts(expected: Expected) -> Iterator[tuple[str, Listed, Any]]:
    """Yield each list of entries with what puts another list in its place."""
    if expected.rows is not None:
        yield "rows", expected.rows, lambda listed: replace(expected, rows=listed)
    for part, listed in expected.lists.items():
        yield part, listed, lambda other, part=part: replace(expected, lists={**expected.lists, part: other})


@pytest.mark.exhaustive
def test_each_cell_and_field_that_is_changed_fails_and_is_named(ran: list[Ran]) -> None:
    count = 0
    for each in ran:
        for part, listed, put in parts(each.test.expected):
            for place, entry in enumerate(listed.entries):
                for name, cell in entry.cells.items():
                    other = replace(entry, cells={**entry.cells, name: changed(cell)})
                    (found, *more) = each.problems(put(with_entry(listed, place, other)))
                    assert found[0] == part
                    if found[1] == entry.places[name] and not more:
                        assert f": {name}: expected " in found[2]
                        assert repr(changed(cell)) in found[2]
                    else:
                        # Too little of it is left to say which found entry it was.
                        assert (found[1], len(entry.cells) <= 1, len(more)) == (entry.place, True, 1)
                        assert f"{name}: {changed(cell)!r}" in found[2]
                    count += 1
    assert count > 100


@pytest.mark.exhaustive
def test_each_cell_and_field_that_is_expected_to_be_null_or_not_fails_and_is_named(ran: list[Ran]) -> None:
    for each in ran:
        for _, listed, put in parts(each.test.expected):
            for place, entry in enumerate(listed.entries):
                for name, cell in entry.cells.items():
                    other = "" if cell is None else None
                    expected = put(with_entry(listed, place, replace(entry, cells={**entry.cells, name: other})))
                    (found, *_) = each.problems(expected)
                    assert found[1] in (entry.places[name], entry.place)
                    assert name in found[2]


def test_each_entry_that_is_left_out_or_written_twice_fails_and_is_named(ran: list[Ran]) -> None:
    for each in ran:
        for part, listed, put in parts(each.test.expected):
            for place, entry in enumerate(listed.entries):
                if len(listed.entries) > 1:
                    ((missing, at, message),) = each.problems(put(with_entry(listed, place)))
                    assert (missing, at) == (part, listed.place)
                    assert "unexpected" in message or "failed with" in message
                ((twice, at, message),) = each.problems(put(with_entry(listed, place, entry, entry)))
                assert (twice, at) == (part, entry.place)
                assert message.startswith("missing ")


def test_each_type_and_name_of_a_column_that_is_changed_fails_and_is_named(ran: list[Ran]) -> None:
    for each in ran:
        expected = each.test.expected
        if expected.columns is None:
            continue
        for place, column in enumerate(expected.columns.columns):
            others = expected.columns.columns[:place], expected.columns.columns[place + 1 :]
            for other in ("smallint", "varchar(257)", "decimal(10,3)"):
                wrong = replace(column, type=parse_type(other))
                columns = replace(expected.columns, columns=(*others[0], wrong, *others[1]))
                message = f"{column.name}: expected {other}, found {column.type}"
                assert each.problems(replace(expected, columns=columns)) == [("columns", column.place, message)]
            renamed = replace(column, name="another")
            columns = replace(expected.columns, columns=(*others[0], renamed, *others[1]))
            assert each.problems(replace(expected, columns=columns)) == [
                ("columns", column.place, f"missing column another {column.type}"),
                ("columns", expected.columns.place, f"unexpected column {column.name} {column.type}"),
            ]
        swapped = replace(expected.columns, columns=expected.columns.columns[::-1])
        ((part, place_of, message),) = each.problems(replace(expected, columns=swapped))
        assert (part, place_of) == ("columns", expected.columns.columns[-1].place)
        assert "the order is different" in message


def test_the_samples_have_tests_that_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--project", str(ROOT), "test"]) == 0

    printed = capsys.readouterr().out
    assert printed.splitlines()[0].startswith("ok      customers: the first extract creates the table and the view  ")
    assert "orders: " in printed
    assert " tests passed, in " in printed.splitlines()[-1]


CHANGES = (
    ("- {id: 3, price: 2.5,", "- {id: 3, price: 2.51,", "rows: {id: '3'}: price: expected '2.51', found '2.50'"),
    ("is_new: boolean,\n", "is_new: integer,\n", "columns: is_new: expected integer, found boolean"),
    ("to: varchar(256), file: b", "to: varchar(255), file: b", "to: expected 'varchar(255)', found 'varchar(256)'"),
    ("row: 2, column: price", "row: 1, column: price", "column: 'price', reason: 'decimal'}: row: expected '1'"),
    (
        "type: SourceFileError",
        "type: SpecError",
        "{file: 'c.csv'}: type: expected 'SpecError'",
    ),
    ("create group analysts", "create grp analysts", "given: statement "),
    ("b.csv", "b.txt", "given: the feed does not take the file 'b.txt': source.pattern is '*.csv'"),
)
"""Changes of the test of `prices`, and what the command prints of each."""


@pytest.mark.exhaustive
def test_the_command_names_what_is_wrong_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = make_project(tmp_path)
    head, body = PRICES_TESTS.split("  all that can be expected:\n")
    text, places = head, []
    for number, (before, after, _) in enumerate(CHANGES):
        assert before in body
        changed_body = f"  {number}. change:\n{body.replace(before, after)}"
        places.append(text.count("\n") + changed_body[: changed_body.index(after)].count("\n") + 1)
        text += changed_body
    write(project, "pipelines/tests/prices.yml", text)

    code = main(["--project", str(project), "test", "prices"])

    printed = capsys.readouterr().out.splitlines()
    assert (code, printed[-1].partition(",")[0]) == (1, f"{len(CHANGES)} tests of {len(CHANGES)} failed")
    for place, (_, _, line) in zip(places, CHANGES, strict=True):
        assert [each for each in printed if f"pipelines/tests/prices.yml:{place}:" in each and line in each], line


def test_results_are_a_document_and_junit_xml(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = make_project(tmp_path)
    # Without a sandbox in environments.yml there is a default one.
    write(project, "environments.yml", f"environments:\n{ON_AWS}")
    write(project, "pipelines/tests/prices.yml", PRICES_TESTS.replace("id: 5, price: 1,", "id: 5, price: 2,"))

    code = main(["--project", str(project), "--output", "json", "test", "--junit", str(tmp_path / "junit.xml")])

    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads(read_text("schemas/output/test.schema.json"))).validate(document)
    (test,) = document["tests"]
    (difference,) = test["differences"]
    assert (code, test["status"], difference["part"]) == (1, "failed", "rows")
    assert {"id": "5", "price": "1.00"}.items() <= next(row for row in test["found_rows"] if row["id"] == "5").items()
    (case,) = ElementTree.parse(tmp_path / "junit.xml").iter("testcase")
    assert (case.get("classname"), case.get("name")) == ("feedway.prices", "all that can be expected")
    assert "price: expected '2', found '1.00'" in (case.findtext("failure") or "")


def test_rows_that_are_found_can_be_copied(ran: list[Ran]) -> None:
    for each in ran:
        lines = "".join(f"\n{' ' * 8}{line}" for line in yaml_rows(each.test, each.failed_for_rows))
        text = f"tests:\n  copied:\n    given: {{files: [{{a: b}}]}}\n    expect:\n      rows:{lines or ' []'}\n"
        (copied,) = load_feed_tests_text(text, "copied.yml", each.spec.pipeline, ROOT).tests
        assert each.problems(replace(copied.expected, lists=each.test.expected.lists)) == []


def test_what_is_in_the_sandbox_of_the_project_is_not_touched(feed: FeedHarness) -> None:
    feed.load("a.csv", "id,price\n1,2\n")
    feed.land("b.csv", "id,price\n9,9\n")
    test = 'tests: {one: {given: {files: [{c.csv: "id\\n7\\n"}]}, expect: {rows: [{id: 7}]}}}\n'
    write(feed.root, f"pipelines/tests/{feed.name}.yml", test)

    with own_environment():
        code, out, _ = feed.command("test", feed.name)

    assert (code, out.splitlines()[0][:6]) == (0, "ok    ")
    assert feed.rows("id, price", "id") == [(1, 2)]
    assert feed.keys("data/in/") == [f"data/in/{feed.name}/b.csv"]


STATEMENTS = (
    "create schema s",
    "create table s.t (a int)",
    "create view public.v as select a from s.t",
    "create group g",
    "create user u password 'Secret1234'",
)


def test_sandboxes_at_the_same_time_are_apart_can_be_emptied_and_are_removed(tmp_path: Path) -> None:
    count = "select count(*) from svv_columns where table_name = 't'"
    with local_sandbox.isolated(tmp_path) as (one, empty), local_sandbox.isolated(tmp_path) as (other, _):
        with own_environment():
            sandbox_sql(other, "create table public.t (a int)")
            for _ in range(2):
                for statement in STATEMENTS:
                    sandbox_sql(one, statement)
                (one.s3_folder / "lake" / "a.csv").write_text("a\n")
                empty()
            assert (sandbox_sql(one, count)["rows"], sandbox_sql(other, count)["rows"]) == ([[0]], [[1]])
        assert list((one.s3_folder / "lake").iterdir()) == []

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["1", "2", "lock", "lock", "users.lock", "users.lock"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["test"], r"tests/price\.yml: the file is named after no pipeline: .* Did you mean 'prices'\?"),
        (["test", "prises"], r"no pipeline 'prises' in .* Did you mean 'prices'\?"),
        (
            ["test", "other"],
            r"pipeline other has no tests: there is no .*/pipelines/tests/other\.yml\. Write them there",
        ),
        (["--env", "prod", "test"], "test runs in a sandbox, and the environment 'prod' is on AWS: leave --env out"),
        (["test", "prices", "--junit", "/"], r"--junit / is a folder"),
        (["test", "prices", "--junit", "/dev/null/j.xml"], r"--junit /dev/null/j\.xml cannot be written: .*"),
    ],
)
def test_a_wrong_command_line_is_refused_before_a_test_runs(
    argv: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_project(tmp_path)
    write(project, "pipelines/other.yml", PRICES.replace("prices", "other"))
    write(project, "environments.yml", SHIPPED_ENVIRONMENTS + ON_AWS)
    write(project, "pipelines/tests/price.yml", PRICES_TESTS)

    code = main(["--project", str(project), *argv])

    assert code == 2
    assert re.search(message, capsys.readouterr().err)
    assert not (project / ".sandbox").exists()

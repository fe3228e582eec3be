"""Tests of feeds are read as values with their places, and mistakes in them have a place and a fix."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from framework.errors import SpecError
from framework.spec.feed_tests import FeedTest
from framework.spec.load import load_feed_tests_text
from framework.spec.project import Project, check_project

ENVIRONMENTS = "environments: {prod: {lake: {bucket: lake}, warehouse: {workgroup: w, database: dev}}}\n"
SPEC = "pipeline: orders\nsource: {prefix: in/orders}\ntarget: {table: orders}\nload: {keys: [id]}\n"
TEST = """\
tests:
  loads:
    given:
      files:
        - a.csv: "id,price\\n1,10.50\\n"
    expect:
      rows:
        - {id: 1, price: 10.50}
"""
ROWS = "rows:\n        - {id: 1, price: 10.50}"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of one feed, with one test."""
    (tmp_path / "environments.yml").write_text(ENVIRONMENTS)
    (tmp_path / "pipelines" / "tests").mkdir(parents=True)
    (tmp_path / "pipelines" / "orders.yml").write_text(SPEC)
    write(Project(tmp_path), TEST)
    return Project(tmp_path)


def write(project: Project, text: str, name: str = "orders.yml") -> None:
    """Write a file of tests."""
    (project.folder / "pipelines" / "tests" / name).write_text(text, encoding="utf-8")


def read(project: Project, text: str) -> FeedTest:
    """Return the only test of a text."""
    write(project, text)
    (test,) = project.feed_tests("orders").tests
    return test


def problems(project: Project, text: str) -> list[str]:
    """Return what `validate` prints of a text."""
    write(project, text)
    return [str(problem) for problem in check_project(project)]


def test_tests_are_no_specs(project: Project) -> None:
    assert project.pipeline_names() == ["orders"]
    assert project.tested_names() == ["orders"]
    assert check_project(project) == []


def test_values_are_texts_as_they_are_written(project: Project) -> None:
    test = read(
        project,
        TEST.replace("{id: 1, price: 10.50}", "{a: 10.50, b: 123456789012345678.90, c: true, d: null, e: '', f: 007}"),
    )
    assert test.expected.rows is not None
    (row,) = test.expected.rows.entries

    assert row.cells == {"a": "10.50", "b": "123456789012345678.90", "c": "true", "d": None, "e": "", "f": "007"}
    assert (row.place, row.places["b"]) == ((8, 11), (8, 25))


def test_rows_of_a_table_have_places_of_their_own(project: Project) -> None:
    test = read(project, TEST.replace(ROWS, "rows: |\n        id,price\n        1,"))
    assert test.expected.rows is not None
    (row,) = test.expected.rows.entries

    assert row.cells == {"id": "1", "price": None}
    assert row.places == {"id": (9, 9), "price": (9, 11)}


def test_files_come_by_path_or_as_text_one_load_after_the_other(project: Project) -> None:
    (project.folder / "pipelines" / "tests" / "data").mkdir()
    (project.folder / "pipelines" / "tests" / "data" / "b.csv").write_bytes(b"id\n\xe9\n")
    entries = 'data/b.csv\n        - {c.csv: "id\\n", d.csv: {path: data/b.csv}}'
    test = read(project, TEST.replace('a.csv: "id,price\\n1,10.50\\n"', entries))

    assert [[(file.name, file.read()) for file in files] for files in test.loads] == [
        [("b.csv", b"id\n\xe9\n")],
        [("c.csv", b"id\n"), ("d.csv", b"id\n\xe9\n")],
    ]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("expect:", "expcet:", "6:5: 'expcet' is not a field of tests.loads (spec/unknown-field). Did you"),
        ('a.csv: "id,price\\n1,10.50\\n"', "none.csv", "5:11: tests.loads.given.files: there is no file"),
        ('"id,price\\n1,10.50\\n"', "{path: ../x.csv}", "5:25: tests.loads.given.files.a.csv.path: there is"),
        ("rows:", "columns: {id: intgr}\n      rows:", "7:21: tests.loads.expect.columns.id: 'intgr' is not"),
        ("10.50}", "10.50}\n        - {id: 2}", "9:11: tests.loads.expect.rows: the row lacks 'price'"),
        ("10.50}", "10.50}\n        - {id: 2, price: 1, c: 1}", "9:29: tests.loads.expect.rows: the row has"),
        ("- {id: 1, price: 10.50}", "- [1, 10.50]", "8:11: tests.loads.expect.rows is a list, but should"),
        (
            ROWS,
            "rows: |\n        id,price\n        1,2,3",
            "9:9: tests.loads.expect.rows: the row has 3 cells, and the header names 2",
        ),
        ("rows:", "columns: {Id: integer}\n      rows:", "7:17: tests.loads.expect.columns.Id: Redshift folds 'Id'"),
        (
            "rows:",
            "loads: [{file: b.csv}]\n      rows:",
            "7:22: tests.loads.expect.loads.file: 'b.csv' is not among given.files (spec/test-file). Did you mean",
        ),
        (
            "files:",
            "table: {columns: {id: integer}, rows: [{no: 1}]}\n      files:",
            "4:47: tests.loads.given.table.rows.no: 'no' is not among the columns of the given table",
        ),
        (
            ROWS,
            "changes: [{kind: add_colum}]",
            "7:24: tests.loads.expect.changes.kind is 'add_colum' (spec/enum). Did you mean 'add_column'?",
        ),
        (
            f"expect:\n      {ROWS}",
            "expect: {}",
            "6:13: tests.loads.expect is",
        ),
    ],
)
def test_a_mistake_has_a_place(project: Project, before: str, after: str, found: str) -> None:
    assert before in TEST
    reported = problems(project, TEST.replace(before, after, 1))

    assert [each for each in reported if each.startswith(f"pipelines/tests/orders.yml:{found}")], reported


def test_a_name_that_is_no_pipelines_is_a_problem_with_the_one_that_is_meant(project: Project) -> None:
    write(project, TEST, "ordres.yml")
    write(project, TEST, "orders.yaml")

    misspelt, misnamed = check_project(project)
    assert str(misspelt).startswith("pipelines/tests/orders.yaml: tests end in .yml, so this file is not read")
    assert (misnamed.file, misnamed.rule) == ("pipelines/tests/ordres.yml", "spec/test-name")
    assert misnamed.message == "the file is named after no pipeline: there is no pipelines/ordres.yml"
    assert misnamed.fix == "Rename it. Did you mean 'orders'? There is orders."


def test_only_the_tests_of_named_pipelines_are_checked(project: Project) -> None:
    (project.folder / "pipelines" / "other.yml").write_text(SPEC.replace("orders", "other"))
    write(project, "tests: {}\n")

    assert check_project(project, ["other"]) == []
    assert [problem.rule for problem in check_project(project, ["orders"])] == ["spec/empty"]


def test_a_pipeline_without_tests_is_sent_to_the_place_of_their_file(project: Project) -> None:
    (project.folder / "pipelines" / "tests" / "orders.yml").unlink()

    with pytest.raises(SpecError, match=r"pipeline orders has no tests: there is no /.*/pipelines/tests/orders\.yml\."):
        project.feed_tests("orders")


WHOLE = {
    "given": {
        "table": {"columns": {"id": "integer"}, "rows": [{"id": 1}]},
        "sql": ["create group g"],
        "files": ["a.csv", {"b.csv": "id\n", "c.csv": {"path": "c.csv"}}],
    },
    "expect": {
        "rows": "id,name\n1,\n",
        "columns": {"id": "integer"},
        "changes": [{"kind": "add_column", "column": "id"}],
        "rejects": [{"file": "b.csv", "row": 1, "column": None}],
        "loads": [{"file": "b.csv", "read": 1}],
    },
}
NOTHING: list[object] = [None, "", [], {}, [[]], {"x": None}, {"": 1}, ["a", {"b": {}}]]
STRANGE = st.sampled_from([*NOTHING, True, 1.5, "x", 'a"', "é\x00", "../..", {"a\nb": [1]}])


def with_strange(value: object, draw: st.DrawFn) -> object:
    """Return a value in which any part may be something else."""
    if draw(st.integers(0, 9)) == 0:
        return draw(STRANGE)
    if isinstance(value, dict):
        return {name: with_strange(each, draw) for name, each in value.items()}
    return [with_strange(each, draw) for each in value] if isinstance(value, list) else value


@given(test=st.composite(lambda draw: with_strange(WHOLE, draw))())
def test_whatever_is_written_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, test: object) -> None:
    folder = tmp_path_factory.getbasetemp()
    for name in ("a.csv", "c.csv"):
        (folder / name).touch()
    text = yaml.safe_dump({"tests": {"one": test}}, allow_unicode=True)
    with suppress(SpecError):
        load_feed_tests_text(text, "orders.yml", "orders", folder)

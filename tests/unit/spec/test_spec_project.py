"""A project finds its specs and environments, and checks them all."""

from __future__ import annotations

import itertools
import time
from fnmatch import fnmatch, fnmatchcase
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from framework.errors import Problem, SpecError
from framework.spec.globs import may_overlap
from framework.spec.load import load_pipeline_text, read_spec_file
from framework.spec.project import Project, check_project

ENVIRONMENTS = "environments: {prod: {lake: {bucket: lake}, warehouse: {workgroup: w, database: dev}}}\n"


def spec(name: str, rest: str = "") -> str:
    """Return a valid spec of a name."""
    return f"pipeline: {name}\nsource: {{prefix: in/{name}}}\ntarget: {{table: t}}\nload: {{keys: [a]}}\n{rest}"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two valid pipelines and an environment."""
    (tmp_path / "environments.yml").write_text(ENVIRONMENTS)
    (tmp_path / "pipelines").mkdir()
    for name in ("orders", "customers"):
        (tmp_path / "pipelines" / f"{name}.yml").write_text(spec(name))
    return Project(tmp_path)


def test_a_field_of_an_environment_has_a_place(project: Project) -> None:
    text = "environments:\n  prod:\n    lake: {bucket: lake}\n    warehouse:\n      workgroup: w\n      database: dev\n"
    (project.folder / "environments.yml").write_text(text)

    assert project.field_place("prod", "lake.bucket") == "environments.yml:3"
    assert project.field_place("prod", "warehouse.database") == "environments.yml:6"
    # Fields that are left out are at what would hold them.
    assert project.field_place("prod", "warehouse.copy_role") == "environments.yml:4"
    assert project.field_place("prod", "embedded.directory") == "environments.yml:2"


def test_pipelines_are_listed_in_order_and_load(project: Project) -> None:
    assert project.pipeline_names() == ["customers", "orders"]
    assert project.pipeline("orders").path == "pipelines/orders.yml"
    assert project.environment("prod").name == "prod"
    assert check_project(project) == []


def test_an_unknown_pipeline_names_the_close_one_and_the_folder(project: Project) -> None:
    with pytest.raises(SpecError, match=r"no pipeline 'ordrs' in .*pipelines\. Did you mean 'orders'"):
        project.pipeline("ordrs")
    with pytest.raises(SpecError, match=r"There is customers, orders\."):
        check_project(project, ["../orders"])


def test_an_unknown_pipeline_of_many_names_some_of_them(project: Project) -> None:
    for number in range(100):
        (project.folder / f"pipelines/feed_{number:02}.yml").touch()
    with pytest.raises(SpecError, match=r"There is customers, feed_00, .*, feed_18 and 82 more\.$"):
        project.pipeline("no_such")


def test_an_unknown_environment_names_the_close_one_and_the_file(project: Project) -> None:
    with pytest.raises(SpecError, match=r"'prd' in .*environments.yml. Did you mean 'prod'\? There is prod\."):
        project.environment("prd")


def test_an_empty_project_says_what_is_missing(tmp_path: Path) -> None:
    (problem,) = check_project(Project(tmp_path))
    assert (problem.file, problem.line, problem.rule) == ("environments.yml", 0, "spec/file")
    with pytest.raises(SpecError, match="There is none at all"):
        Project(tmp_path).pipeline("orders")


def test_problems_of_all_files_are_collected(project: Project) -> None:
    (project.folder / "environments.yml").write_text("environments: []\n")
    (project.folder / "pipelines" / "orders.yml").write_text(spec("orders", "tgs: []\n"))
    (project.folder / "pipelines" / "broken.yml").write_text("a: [\n")
    (project.folder / "pipelines" / "other.yaml").write_text(spec("other"))
    found = [(problem.file, problem.rule) for problem in check_project(project)]
    assert found == [
        ("environments.yml", "spec/type"),
        ("pipelines/broken.yml", "spec/yaml"),
        ("pipelines/orders.yml", "spec/unknown-field"),
        ("pipelines/other.yaml", "spec/file"),
    ]


def test_only_the_named_specs_are_checked(project: Project) -> None:
    (project.folder / "pipelines" / "orders.yml").write_text("a: [\n")
    assert check_project(project, ["customers"]) == []
    assert len(check_project(project, ["orders"])) == 1


def test_two_feeds_do_not_take_the_same_files(project: Project) -> None:
    copy = spec("customers").replace("pipeline: customers", "pipeline: copy")
    (project.folder / "pipelines" / "copy.yml").write_text(copy)
    (problem,) = check_project(project)
    assert (problem.file, problem.rule) == ("pipelines/customers.yml", "spec/shared-files")
    assert place_of(project, problem).startswith("prefix: ")
    assert [check_project(project, [name]) for name in ("copy", "customers", "orders")] == [[problem], [problem], []]


def test_a_file_that_is_not_utf_8_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "orders.yml"
    path.write_bytes("# ä\r\nowner: ü".encode() + b"\xfc\n")
    with pytest.raises(SpecError, match="the file is not UTF-8: the byte 0xfc") as caught:
        read_spec_file(path, "orders.yml")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (2, 9)


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "orders.yml"
    path.write_bytes(b"\xef\xbb\xbf" + spec("orders").replace("\n", "\r\n").encode())
    loaded = load_pipeline_text(read_spec_file(path, "orders.yml"), "orders.yml", "orders")
    assert (loaded.pipeline, loaded.path) == ("orders", "orders.yml")


def place_of(project: Project, problem: Problem) -> str:
    """Return the rest of the line of a file where a problem is shown."""
    line = (project.folder / problem.file).read_text().splitlines()[problem.line - 1]
    return line[problem.column - 1 :]


def write(project: Project, name: str, prefix: str, pattern: str = "*") -> None:
    """Write a pipeline with this folder and pattern."""
    text = spec(name).replace(f"{{prefix: in/{name}}}", f"{{prefix: {prefix}, pattern: '{pattern}'}}")
    (project.folder / "pipelines" / f"{name}.yml").write_text(text)


def test_a_folder_inside_another_feeds_folder_is_a_warning(project: Project) -> None:
    write(project, "inner", "in/orders/eu")
    (problem,) = check_project(project)
    assert (problem.file, problem.rule, problem.severity) == ("pipelines/inner.yml", "spec/nested-prefix", "warning")
    assert "pipelines/orders.yml" in problem.message
    assert str(problem).startswith(f"pipelines/inner.yml:{problem.line}:{problem.column}: warning: ")
    assert place_of(project, problem).startswith("prefix: ")


@pytest.mark.parametrize(
    ("outer", "inner", "warned"),
    [
        ("orders_*.csv", "items_*.csv", False),
        ("orders_*.csv", "ORDERS_2*.csv.gz", False),
        ("orders_*.csv*", "ORDERS_2*.csv.gz", True),
        ("*_eu.csv", "orders_[0-9]??.csv", True),
        ("*_europe.csv", "orders_[0-9]??.csv", False),
        ("*.csv", "*.json", False),
        ("a*b*c", "*ab?c", True),
    ],
)
def test_folders_inside_each_other_may_differ_by_pattern(
    project: Project, outer: str, inner: str, warned: bool
) -> None:
    write(project, "outer", "in/all", outer)
    write(project, "inner", "in/all/inner", inner)
    assert [problem.severity for problem in check_project(project)] == ["warning"] * warned


def test_two_patterns_on_one_folder_that_take_the_same_names_are_one_warning(project: Project) -> None:
    write(project, "outer", "in/all", "*")
    write(project, "inner", "in/all", "orders_*")
    assert [problem.rule for problem in check_project(project)] == ["spec/nested-prefix"]


def test_patterns_of_many_stars_are_compared_and_matched_in_no_time(project: Project) -> None:
    write(project, "outer", "in/all", "*a" * 300)
    write(project, "inner", "in/all/inner", "*a" * 299 + "b*")
    write(project, "other", "in/all/other", "*c" * 300 + "d")

    began = time.monotonic()
    warned = [problem.file for problem in check_project(project)]
    names = [fnmatch("a" * 1000 + end, "*a" * 300) for end in ("", "b")]

    assert warned == ["pipelines/inner.yml"]
    assert names == [True, False]
    assert time.monotonic() - began < 5


@settings(deadline=None)
@given(one=st.text("ab*?", max_size=7), other=st.text("ab*?", max_size=7))
@example("*a*b", "a*ba*")
def test_globs_overlap_where_a_name_matches_both(one: str, other: str) -> None:
    names = map("".join, itertools.chain.from_iterable(itertools.product("abc", repeat=size) for size in range(7)))
    if any(fnmatchcase(name, one) and fnmatchcase(name, other) for name in names):
        assert may_overlap(one, other)


@settings(deadline=None)
@given(one=st.text("ab*?", max_size=3), other=st.text("ab*?", max_size=3))
def test_globs_that_overlap_have_a_name_that_matches_both(one: str, other: str) -> None:
    names = map("".join, itertools.chain.from_iterable(itertools.product("ab", repeat=size) for size in range(7)))
    if may_overlap(one, other):
        assert any(fnmatchcase(name, one) and fnmatchcase(name, other) for name in names)


def rewrite(project: Project, name: str, load: str, views: str = "") -> None:
    """Write a pipeline on the table `t` that loads so."""
    text = spec(name).replace("load: {keys: [a]}", f"load: {load}")
    (project.folder / "pipelines" / f"{name}.yml").write_text(text + views)


@pytest.mark.parametrize(
    ("one", "other", "severity"),
    [
        ("{keys: [a]}", "{keys: [a]}", None),
        ("{keys: [a, b]}", "{keys: [b, a]}", None),
        ("{keys: [a]}", "{keys: [a, b]}", "error"),
        ("{keys: [a]}", "{keys: [b]}", "error"),
        ("{keys: [a]}", "{mode: append}", None),
        ("{keys: [a]}", "{mode: replace}", "warning"),
        ("{mode: replace, keys: [a]}", "{mode: append}", "warning"),
        ("{mode: replace}", "{mode: replace}", "warning"),
        ("{mode: replace, keys: [a]}", "{keys: [b]}", "error"),
    ],
)
def test_feeds_of_one_table_need_the_same_keys_and_do_not_replace_each_others_rows(
    project: Project, one: str, other: str, severity: str | None
) -> None:
    rewrite(project, "customers", one)
    rewrite(project, "orders", other)

    problems = check_project(project)

    found = [(problem.file, problem.rule, problem.severity) for problem in problems]
    assert found == ([("pipelines/orders.yml", "spec/shared-target", severity)] if severity else [])
    field = "keys: " if severity == "error" else "table: "
    assert all(place_of(project, problem).startswith(field) for problem in problems)


@pytest.mark.parametrize(
    ("views", "other_views", "rules"),
    [
        ("{name: v, definition: select 1}", "{name: v, definition: select 1}", []),
        ("{name: v, definition: select 1}", "{name: v, definition: select 2}", ["spec/shared-view"]),
        ("{name: v, definition: select 1}", "{schema: b, name: v, definition: select 2}", []),
        ("{name: v, definition: select 1}", "{name: w, definition: select 2}", []),
    ],
)
def test_two_feeds_do_not_build_one_view_differently(
    project: Project, views: str, other_views: str, rules: list[str]
) -> None:
    rewrite(project, "customers", "{keys: [a]}", f"views: [{views}]\n")
    rewrite(project, "orders", "{keys: [a]}", f"views: [{other_views}]\n")

    problems = check_project(project)
    assert [problem.rule for problem in problems] == rules
    assert all(place_of(project, problem).startswith("name: v") for problem in problems)


@pytest.mark.parametrize("field", ["target: {schema: control, table: job_sts}", "views: [{schema: control, name: v}]"])
def test_nobody_builds_among_feedways_own_tables(project: Project, field: str) -> None:
    name, _, value = field.partition(":")
    fields = yaml.safe_load(spec("orders")) | {name: yaml.safe_load(value)}
    for view in fields.get("views", ()):
        view["definition"] = "select * from {{ target }}"
    (project.folder / "pipelines" / "orders.yml").write_text(yaml.safe_dump(fields))
    path = project.folder / "environments.yml"
    path.write_text(_with_control_schema(path))

    (problem,) = check_project(project, ["orders"])

    assert (problem.file, problem.rule, problem.severity) == ("pipelines/orders.yml", "spec/control-schema", "error")
    assert place_of(project, problem) == "schema: control"
    assert "'control', the control schema of the environment" in problem.message


def _with_control_schema(path: Path) -> str:
    document = yaml.safe_load(path.read_text())
    for environment in document["environments"].values():
        environment["warehouse"]["control_schema"] = "control"
    return str(yaml.safe_dump(document))

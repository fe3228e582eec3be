"""Which feeds a command line selects."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from framework.cli.main import main, parse_arguments
from framework.cli.selection import selected_feeds, selected_names
from framework.errors import SpecError
from framework.spec.project import Project

TAGS = {"orders": ("daily",), "sales_eu": ("daily", "sales"), "sales_us": ("sales",), "stock": ()}
SPEC = "pipeline: {name}\ntags: [{tags}]\nsource: {{prefix: data/in/{name}/}}\ntarget: {{table: {name}}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project of four feeds that append."""
    (tmp_path / "pipelines").mkdir()
    for name, tags in TAGS.items():
        text = SPEC.format(name=name, tags=", ".join(tags)) + "load: {mode: append}\n"
        (tmp_path / "pipelines" / f"{name}.yml").write_text(text)
    return Project(tmp_path)


def parse(*argv: str) -> argparse.Namespace:
    return parse_arguments(argv)


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        (["stock", "orders", "stock"], ["stock", "orders"]),
        (["sales_*"], ["sales_eu", "sales_us"]),
        (["stock", "s*", "[!s]*"], ["stock", "sales_eu", "sales_us", "orders"]),
        (["sales_?s", "orders"], ["sales_us", "orders"]),
        (["--all"], ["orders", "sales_eu", "sales_us", "stock"]),
        (["--tag", "daily"], ["orders", "sales_eu"]),
        (["--tag", "daily", "--tag", "sales"], ["orders", "sales_eu", "sales_us"]),
        (["--tag", "sales", "--tag", "daily", "--exclude", "*_eu"], ["orders", "sales_us"]),
        (["--all", "--exclude", "sales_*", "--exclude", "stock"], ["orders"]),
        # It is a feed of the project, so its name is no slip.
        (["sales_*", "--exclude", "stock"], ["sales_eu", "sales_us"]),
    ],
)
def test_names_globs_tags_and_exclusions_select(project: Project, argv: list[str], names: list[str]) -> None:
    for command in ("run", "replay"):
        assert [feed.pipeline for feed in selected_feeds(parse(command, *argv), project)] == names


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["sale_e*"], "no pipeline matches 'sale_e*' in {folder}. Did you mean 'sales_eu'?"),
        (["SALES_U*"], "no pipeline matches 'SALES_U*' in {folder}. Did you mean 'sales_us'?"),
        (["x*y"], "no pipeline matches 'x*y' in {folder}. There is orders, sales_eu, sales_us, stock."),
        (
            ["--all", "--exclude", "order"],
            "--exclude: there is no pipeline 'order' in {folder}. Did you mean 'orders'?",
        ),
        (["--all", "--exclude", "a*"], "--exclude: no pipeline matches 'a*' in {folder}. There is orders, sales_eu"),
        (["--tag", "dayly"], "no pipeline of the project carries the tag 'dayly'. Did you mean 'daily'? There is"),
        (["--tag", "daily", "--tag", "x"], "no pipeline of the project carries the tag 'x'. There is daily, sales."),
        (["--tag", "daily", "--exclude", "*"], "--exclude leaves out every pipeline that is selected"),
        ([], "run takes one of these: the names of pipelines, --all, or --tag TAG"),
        (["orders", "--tag", "daily"], "run takes one of these: the names of pipelines, --all, or --tag TAG"),
        (["--all", "--tag", "daily"], "run takes one of these: the names of pipelines, --all, or --tag TAG"),
        (["--exclude", "orders"], "run takes one of these: the names of pipelines, --all, or --tag TAG"),
    ],
)
def test_what_selects_nothing_is_refused(project: Project, argv: list[str], message: str) -> None:
    with pytest.raises(SpecError) as refused:
        selected_feeds(parse("run", *argv), project)

    assert str(refused.value).startswith(message.format(folder=project.folder / "pipelines"))


def test_a_spec_that_cannot_be_read_may_carry_any_tag(project: Project) -> None:
    (project.folder / "pipelines" / "broken.yml").write_text("pipeline: [\n")

    tagged = selected_feeds(parse("run", "--tag", "daily", "--tag", "hourly"), project)
    without = selected_feeds(parse("run", "--tag", "daily", "--exclude", "broken"), project)

    assert [(feed.pipeline, isinstance(feed.spec, SpecError)) for feed in tagged] == [
        ("broken", True),
        ("orders", False),
        ("sales_eu", False),
    ]
    assert [feed.pipeline for feed in without] == ["orders", "sales_eu"]


def test_feeds_that_take_the_same_files_are_refused_when_they_are_selected_together(project: Project) -> None:
    folder = project.folder / "pipelines"
    text = (folder / "orders.yml").read_text(encoding="utf-8")
    (folder / "orders_again.yml").write_text(text.replace("pipeline: orders", "pipeline: orders_again"))

    for command in ("run", "plan", "replay"):
        feeds = selected_feeds(parse(command, "orders*", "stock"), project)
        (alone,) = selected_feeds(parse(command, "orders"), project)

        assert [(feed.pipeline, isinstance(feed.spec, SpecError)) for feed in feeds] == [
            ("orders", True),
            ("orders_again", True),
            ("stock", False),
        ]
        assert not isinstance(alone.spec, SpecError)
        assert str(feeds[0].spec) == str(feeds[1].spec)
        assert "orders_again.yml" in str(feeds[0].spec)
        assert "are those of " in str(feeds[0].spec)


def test_a_name_of_no_spec_is_a_feed_of_its_own(project: Project) -> None:
    known, unknown = selected_feeds(parse("run", "stock", "stok"), project)

    assert not isinstance(known.spec, SpecError)
    assert "Did you mean 'stock'?" in str(unknown.spec)


def test_a_project_without_specs_has_nothing_to_select(tmp_path: Path) -> None:
    for argv in (["--all"], ["--tag", "daily"]):
        with pytest.raises(SpecError, match="there is no pipeline"):
            selected_feeds(parse("run", *argv), Project(tmp_path))


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        ([], []),
        # History has feeds whose specs are gone.
        (["gone", "sales_*"], ["gone", "sales_eu", "sales_us"]),
        (["--tag", "daily"], ["orders", "sales_eu"]),
        (["--exclude", "s*"], ["orders"]),
    ],
)
def test_no_name_means_all_where_a_command_reads_only(project: Project, argv: list[str], names: list[str]) -> None:
    for command in ("validate", "history"):
        assert selected_names(parse(command, *argv), project) == names
        with pytest.raises(SpecError, match=f"{command} takes the names of pipelines, or --tag TAG"):
            selected_names(parse(command, "orders", "--tag", "daily"), project)


@pytest.mark.parametrize(
    ("argv", "valid"),
    [
        ([], "4 pipelines are valid"),
        (["s*"], "3 pipelines are valid"),
        (["sales_*", "--exclude", "*_eu"], "1 pipeline is valid"),
    ],
)
def test_validate_checks_the_selected_ones(
    project: Project, capsys: pytest.CaptureFixture[str], argv: list[str], valid: str
) -> None:
    environment = "{lake: {bucket: acme-lake}, warehouse: {workgroup: w, database: d, copy_role: default}}"
    (project.folder / "environments.yml").write_text(f"environments: {{a: {environment}}}\n")

    main(["--project", str(project.folder), "validate", *argv])

    assert capsys.readouterr().out == f"{valid}\n"

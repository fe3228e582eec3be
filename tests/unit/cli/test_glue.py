"""The command line as AWS Glue writes it."""

from __future__ import annotations

import argparse

import pytest

from framework.cli.commands.run import add_arguments
from framework.cli.glue import CommandLine, translate_pipeline_form
from framework.cli.main import parse_arguments
from framework.errors import SpecError

JOB = ("--JOB_NAME", "etl", "--JOB_RUN_ID", "jr_1", "--JOB_ID", "j_1")


def test_glues_own_arguments_are_passed_over_wherever_they_stand() -> None:
    argv = [
        "--enable-metrics", "true", "--conf", "spark.a=1 --conf spark.b=2", "--pipeline", "orders",
        "--python-modules-installer-option", "--no-index", "--env", "prod", *JOB, "--TempDir", "s3://b/t/",
        "--job-bookmark-option", "job-bookmark-disable", "--additional-python-modules=s3://b/a.gluewheels.zip",
    ]  # fmt: skip

    assert translate_pipeline_form(argv) == CommandLine(["run", "orders", "--env=prod"], "jr_1")


def test_glues_own_arguments_are_passed_over_outside_a_job_too() -> None:
    argv = ["--TempDir", "s3://b/t/", "--pipeline", "orders", "--enable-spark-ui", "true"]

    assert translate_pipeline_form(argv) == CommandLine(["run", "orders"])


def test_several_names_are_loaded() -> None:
    arguments = parse_arguments(["--pipeline", "a, b", "--pipeline=c"])

    assert arguments.names == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["--out-of-order", "--out_of_order"])
@pytest.mark.parametrize(
    ("rest", "is_set"), [(["true"], True), (["True"], True), (["false"], False), ([], True), ([""], True)]
)
def test_a_flag_is_dashed_or_underscored_and_true_or_false(name: str, rest: list[str], is_set: bool) -> None:
    assert parse_arguments(["--pipeline", "a", name, *rest]).out_of_order is is_set


def test_every_option_of_run_is_understood() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    for action in parser._actions:
        for name in action.option_strings:
            rest = [name] if action.nargs == 0 else [name, "-value"]
            arguments = parse_arguments(["--pipeline", "a", *rest])
            given = ["-value"] if action.default == [] else "-value"
            assert getattr(arguments, action.dest) == (True if action.nargs == 0 else given)


def test_names_tags_and_excluded_names_are_separated_by_commas() -> None:
    by_name = parse_arguments(["--pipeline", "sales_*,orders", "--exclude", "sales_eu, sales_u?"])
    by_tag = parse_arguments([*JOB, "--env", "e", "--tag", "daily, crm"])

    assert (by_name.names, by_name.excluded) == (["sales_*", "orders"], ["sales_eu", "sales_u?"])
    assert by_tag.tags == ["daily", "crm"]


def test_a_job_may_name_a_tag_or_all_instead() -> None:
    assert translate_pipeline_form([*JOB, "--env", "e", "--tag", "daily"]).argv == ["run", "--env=e", "--tag=daily"]
    assert translate_pipeline_form([*JOB, "--env", "e", "--all", "true"]).argv == ["run", "--env=e", "--all"]


def test_a_job_may_check_its_environment_instead() -> None:
    assert translate_pipeline_form([*JOB, "--env", "e", "--check", "true"]).argv == ["check", "--env=e"]
    asked = [*JOB, "--env", "e", "--check", "true", "--create", "true", "--spark", "false"]
    assert parse_arguments(asked).create is True
    assert parse_arguments(asked).spark is False
    assert translate_pipeline_form([*JOB, "--env", "e", "--check", "false", "--all", "true"]).argv[0] == "run"
    with pytest.raises(SpecError, match="nothing says where"):
        translate_pipeline_form([*JOB, "--check", "true"])
    with pytest.raises(SpecError, match="unrecognized arguments: orders"):
        parse_arguments([*JOB, "--env", "e", "--check", "true", "--pipeline", "orders"])


def test_a_job_that_does_not_say_where_is_refused() -> None:
    with pytest.raises(SpecError, match="nothing says where to load: give the job --env NAME"):
        translate_pipeline_form([*JOB, "--pipeline", "a"])


@pytest.mark.parametrize("argv", [["--all", "false"], ["--env", "prod"], []])
def test_a_job_that_says_nothing_to_load_is_refused(argv: list[str]) -> None:
    with pytest.raises(SpecError, match="nothing says what to load: give the job --pipeline NAME, --tag TAG or"):
        translate_pipeline_form([*JOB, *argv])


def test_a_job_may_have_arguments_for_another_purpose() -> None:
    others = ["--project-id", "7", "--profile", "x", "--dry-run", "true", "--run_date", "2026-01-31", "--o", "x"]

    line = translate_pipeline_form([*JOB, "--pipeline", "a", "--env", "e", *others])

    assert line.argv == ["run", "a", "--env=e"]
    assert line.ignored == ("--project-id", "--profile", "--dry-run", "--run_date", "--o")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("--fil", "--file"),
        ("--agian", "--again"),
        ("--evn", "--env"),
        ("--out-of-oder", "--out-of-order"),
        ("--files", "--file"),
        ("--results", "--result"),
        ("--environment", "--env"),
        ("--Env", "--env"),
        ("--PIPELINE", "--pipeline"),
        ("--res", "--result"),
        ("--pipe", "--pipeline"),
        ("--projct", "--project"),
    ],
)
@pytest.mark.parametrize("job", [JOB, ()], ids=["job", "shell"])
def test_a_slip_is_refused_and_no_abbreviation_is_guessed(job: tuple[str, ...], name: str, meant: str) -> None:
    with pytest.raises(SpecError, match=f"{name} is not understood .* Did you mean {meant}?"):
        translate_pipeline_form([*job, "--pipeline", "a", name, "x"])


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--pipeline", "a", "b"], "b is not understood"),
        (["run", "--pipeline", "a"], "run is not understood"),
        (["--pipeline", "a", "--params", "x"], "--params is not understood"),
        (["--pipeline"], "--pipeline takes a value"),
        (["--pipeline", ","], "--pipeline takes a value, or several separated by commas"),
        (["--pipeline", "a*", "--exclude", " , "], "--exclude takes a value, or several separated by commas"),
        (["--pipeline", "a", "--file", ""], "--file takes a value"),
        (["--pipeline", "a", "--env", "--again"], "--env takes a value"),
        (["--pipeline", "a", "--again", "maybe"], "--again is true or false, not 'maybe'"),
    ],
)
def test_what_is_not_understood_is_refused(argv: list[str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        translate_pipeline_form(argv)


def test_a_command_is_left_as_it_is() -> None:
    assert translate_pipeline_form(["run", "a", "--file", "k"]) == CommandLine(["run", "a", "--file", "k"])

"""The message of each failure ends with a section of the documentation, which exists."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from framework import errors
from framework.cli.results import failures_of
from framework.cli.sections import see_for, see_for_command, see_for_problems
from framework.errors import PipelineError, Problem, Section, SourceFileError, SpecError, WarehouseError
from framework.load.failures.next_step import out_of_order
from framework.load.request import OneFile
from framework.load.result import LoadFailure, LoadResult
from framework.model.program import PLAIN
from framework.spec.rules import RULES
from tests.docs.page import headings

ROOT = Path(__file__).parents[3]
CLASSES = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, PipelineError)]


def problem(rule: str) -> Problem:
    return Problem("pipelines/a.yml", 1, 1, rule, "it is wrong", "Correct it.")


@pytest.mark.parametrize("section", sorted({*Section, *(rule.section for rule in RULES.values())}))
def test_a_section_exists(section: str) -> None:
    page, _, anchor = section.partition("#")

    assert (ROOT / page).is_file()
    assert not anchor or anchor in headings(page)


def test_each_class_of_failure_has_a_section() -> None:
    """A class without one of its own has that of the class above, which is no other kind of failure."""
    of_class = {kind.__name__: kind.section for kind in CLASSES}

    assert set(of_class) == {
        "PipelineError",
        "SpecError",
        "SourceFileError",
        "UndecodableFileError",
        "SchemaChangeError",
        "MachineError",
        "WarehouseError",
        "TransientWarehouseError",
    }
    assert [name for name, section in of_class.items() if section is Section.BUG] == ["PipelineError"]


def test_each_section_is_that_of_an_error() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "framework").rglob("*.py")]
    used = {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Section"
    }

    assert used == {section.name for section in Section}


def ended(error: BaseException) -> str:
    """Return the message of a failed load, as the command ends with it."""
    step = out_of_order(OneFile("k"), "orders", PLAIN, "data/in/orders/orders_7.csv")
    failure = LoadFailure(type(error).__name__, "prepare", str(error), error, step)
    (found,) = failures_of([LoadResult("orders", "orders_7.csv", "1", "FAILED", None, 0.0, failure=failure)])
    return str(found)


@pytest.mark.parametrize(
    ("error", "section"),
    [
        (SourceFileError("no row can be loaded").about(Section.BAD_ROWS), "docs/loading.md#handle-bad-rows"),
        (SourceFileError("the file is gone"), "docs/operations.md#continue-with-a-refused-file"),
        (SpecError("wrong", [problem("spec/keys")]), "docs/spec.md#load"),
        (ZeroDivisionError("a bug"), "docs/operations.md#ask-for-help"),
    ],
)
def test_a_failed_load_ends_with_its_section_behind_the_command_to_go_on_with(
    error: BaseException, section: str
) -> None:
    *_, continued, last = ended(error).splitlines()

    assert "feedway run orders" in continued
    assert last == f"See {section}"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (WarehouseError("it could not be reached"), "See docs/operations.md#respond-to-an-outage-or-a-refusal"),
        (SpecError("wrong", [problem("spec/keys")]), "See docs/spec.md#load"),
        (SpecError("--file KEY goes with the name of one pipeline"), None),
        (SourceFileError("orders.csv does not exist"), None),
        (PipelineError("2 loads failed"), None),
    ],
)
def test_a_command_that_fails_by_itself_ends_with_a_section_too(error: PipelineError, line: str | None) -> None:
    assert see_for_command(error) == line


def test_an_error_about_a_section_leaves_its_class_alone() -> None:
    SourceFileError("no row can be loaded").about(Section.BAD_ROWS)

    assert see_for(SourceFileError("another")) == f"See {Section.REFUSED_FILE}"


def test_problems_share_one_line_that_names_each_section_once() -> None:
    rules = ["spec/unknown-field", "spec/bad-rows", "spec/required", "spec/keys", "spec/grantee"]

    line = see_for_problems([problem(rule) for rule in rules])

    assert line == "See docs/spec.md#write-a-spec, docs/spec.md#bad_rows, docs/spec.md#load and 1 more"

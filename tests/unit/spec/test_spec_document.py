"""YAML is read safely, as version 1.2, and everything in it has a place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from framework.errors import Problem, SpecError
from framework.spec.document import Finding, read_document

ProblemsOf = Callable[[str], list[Problem]]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("0123", "0123"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("+49", "+49"),
        (".inf", ".inf"),
        ("2024-05-01", "2024-05-01"),
        ("2024-05-01 10:00:00", "2024-05-01 10:00:00"),
        ("=", "="),
        ("9" * 30, "9" * 30),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("-12", -12),
        ("0.50", 0.5),
        ("'5'", "5"),
        ("!!str 5", "5"),
    ],
)
def test_a_scalar_is_text_unless_nothing_is_lost_by_it(written: str, value: object) -> None:
    assert read_document(f"a: {written}", "f.yml").value == {"a": value}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\n\tb: 2\n", 2, "a tab indents the line"),
        ("a: [1\nb: 2\n", 2, "the text is not YAML"),
        ("a: b: c\n", 1, "mapping values are not allowed"),
        ('a: "x\n', 1, "the text is not YAML"),
        ("a: *x\n", 1, "undefined alias"),
        ("a: 1\n---\nb: 2\n", 2, "expected a single document in the stream, but found another document"),
        ("ä: é\nb: \0\n", 2, "the text is not YAML: it holds the character U+0000"),
        ("a: \x1b\n", 1, "U+001B"),
        ("a: \ud800\n", 1, "U+D800"),
        ("", 0, "the file is empty"),
        ("# nothing\n", 0, "the file is empty"),
        ("a: &x [*x]\n", 0, "nested without end"),
    ],
)
def test_a_text_that_is_no_yaml_is_one_problem(text: str, line: int, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_document(text, "f.yml")
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.line == line


def test_a_character_that_yaml_does_not_hold_is_shown_where_it_is() -> None:
    with pytest.raises(SpecError) as caught:
        read_document("\ufeffä: é\x07\n", "f.yml")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (1, 5)


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(SpecError):
        read_document("[" * 5000, "f.yml")


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(SpecError, match="nested without end"):
        read_document("\n".join(lines), "f.yml")


def test_an_alias_repeats_its_value() -> None:
    assert read_document("a: &x [1]\nb: *x", "f.yml").value == {"a": [1], "b": [1]}


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!custom", "!!binary", "!!set"])
def test_a_foreign_tag_is_a_problem_and_nothing_runs(problems_of: ProblemsOf, minimal: str, tag: str) -> None:
    (problem,) = problems_of(minimal + f"tags: [a, {tag} [id]]\n")
    assert (problem.rule, problem.line, problem.column) == ("spec/tag", 5, 11)


def test_a_key_given_twice_is_a_problem(problems_of: ProblemsOf, minimal: str) -> None:
    (problem,) = problems_of(minimal + "owner: a\nowner: b\n")
    assert (problem.rule, problem.line, problem.column) == ("spec/duplicate-key", 6, 1)
    assert "first on line 5" in problem.message


@pytest.mark.parametrize("key", ["1", "true", "null", "[a]", "{a: b}", "1.5"])
def test_a_key_that_is_no_text_is_a_problem(problems_of: ProblemsOf, minimal: str, key: str) -> None:
    (problem,) = problems_of(minimal + f"columns:\n  rename:\n    ? {key}\n    : x\n")
    assert (problem.rule, problem.line, problem.column) == ("spec/key", 7, 7)


def test_a_column_may_be_called_no(problems_of: ProblemsOf, minimal: str) -> None:
    assert problems_of(minimal + "columns: {rename: {no: number}, exclude: [on]}\n") == []


@pytest.mark.parametrize(
    ("path", "at_key", "place"),
    [
        (("a",), False, (1, 4)),
        (("a",), True, (1, 1)),
        (("b", "c"), False, (3, 6)),
        (("b", "c", 1), False, (3, 10)),
        (("b", "d", 0), False, (5, 7)),
        (("b", "d", 1, "e"), False, (6, 10)),
        (("b", "d", 1, "e"), True, (6, 7)),
        (("b", "missing"), False, (2, 1)),
        (("b", "d", 1, "missing"), False, (6, 7)),
        (("missing",), False, (1, 1)),
    ],
)
def test_every_path_has_a_place(path: tuple[str | int, ...], at_key: bool, place: tuple[int, int]) -> None:
    document = read_document("a: é\nb:\n  c: [1, 2]\n  d:\n    - x\n    - e: f\n", "f.yml")
    problem = document.problem(Finding(path, "rule", "message", at_key=at_key))
    assert (problem.line, problem.column) == place

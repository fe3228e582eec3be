"""Differences of columns and lists name what is wrong, missing or too much."""

from __future__ import annotations

from collections.abc import Mapping

from framework.feed_tests.compare import compare
from framework.feed_tests.outcome import FoundColumn, Outcome
from framework.model.column_type import parse_type
from framework.spec.feed_tests import PARTS, Cell, Entry, Expected, ExpectedColumn, ExpectedColumns, Listed, Part

PLACE = (1, 1)


def outcome(columns: Mapping[str, str] | None = None, **lists: list[dict[str, Cell]]) -> Outcome:
    found = tuple(FoundColumn(name, parse_type(text), text) for name, text in (columns or {}).items())
    every: dict[Part, tuple[Mapping[str, Cell], ...]] = {part: tuple(lists.get(part, ())) for part in PARTS}
    return Outcome(found, (), every)


def expect_columns(columns: Mapping[str, str]) -> Expected:
    written = (ExpectedColumn(name, parse_type(text), (line, 1)) for line, (name, text) in enumerate(columns.items()))
    return Expected(None, ExpectedColumns(tuple(written), (9, 9)), {}, PLACE)


def expect(part: Part, *entries: dict[str, Cell]) -> Expected:
    written = (Entry(cells, (line, 1), dict.fromkeys(cells, (line, 2))) for line, cells in enumerate(entries, start=1))
    return Expected(None, None, {part: Listed(tuple(written), (9, 9))}, PLACE)


def messages(expected: Expected, found: Outcome) -> list[str]:
    return [f"{each.part} {each.place[0]}: {each.message}" for each in compare(expected, found, ())]


def change(kind: str, column: Cell, before: Cell, after: str) -> dict[str, Cell]:
    return {"kind": kind, "column": column, "from": before, "to": after, "file": "a.csv"}


GROWN = change("grow_varchar", "name", "varchar(256)", "varchar(300)")
ADDED = change("add_column", "phone", None, "varchar(256)")


def test_columns_have_names_types_and_an_order() -> None:
    found = outcome({"a": "integer", "b": "date", "d": "numeric(18,2)"})

    assert messages(expect_columns({"a": "int4", "b": "date", "d": "decimal(18,2)"}), found) == []
    assert messages(expect_columns({"a": "bigint", "b": "date", "d": "decimal(18,2)"}), found) == [
        "columns 0: a: expected bigint, found integer"
    ]
    assert messages(expect_columns({"a": "integer", "c": "date", "d": "decimal(18,2)"}), found) == [
        "columns 1: missing column c date",
        "columns 9: unexpected column b date",
    ]
    assert messages(expect_columns({"b": "date", "a": "integer", "d": "decimal(18,2)"}), found) == [
        "columns 0: the order is different: expected b, found a in its place"
    ]


def test_fields_that_are_left_out_are_not_compared() -> None:
    expected = expect("changes", {"kind": "add_column"}, {"kind": "grow_varchar", "to": "character varying(300)"})

    assert messages(expected, outcome(changes=[GROWN, ADDED])) == []


def test_an_entry_that_fits_several_leaves_the_others_theirs() -> None:
    other = {**ADDED, "column": "fax"}
    expected = expect("changes", {"kind": "add_column"}, {"kind": "add_column", "column": "phone"})

    assert messages(expected, outcome(changes=[ADDED, other])) == []


def test_a_change_with_another_type_is_named_by_its_other_fields() -> None:
    expected = expect("changes", {"kind": "grow_varchar", "column": "name", "to": "varchar(301)"})

    assert messages(expected, outcome(changes=[GROWN])) == [
        "changes 1: {kind: 'grow_varchar', column: 'name'}: to: expected 'varchar(301)', found 'varchar(300)'"
    ]


def test_entries_too_many_and_too_few_are_named() -> None:
    assert messages(expect("changes", {"kind": "build_view", "to": "public.v"}), outcome(changes=[ADDED])) == [
        "changes 1: missing {kind: 'build_view', to: 'public.v'}",
        "changes 9: unexpected {kind: 'add_column', column: 'phone', to: 'varchar(256)', file: 'a.csv'}",
    ]


def test_a_list_that_is_empty_expects_nothing() -> None:
    assert messages(expect("changes"), outcome()) == []
    assert len(messages(expect("changes"), outcome(changes=[ADDED, GROWN]))) == 2


def test_of_messages_and_reasons_a_part_is_written() -> None:
    reject: dict[str, Cell] = {"file": "a.csv", "row": "2", "column": "price", "reason": "is not a value of decimal"}

    assert messages(expect("rejects", {"file": "a.csv", "reason": "not a value"}), outcome(rejects=[reject])) == []
    assert messages(expect("rejects", {"file": "a.csv", "reason": "no value"}), outcome(rejects=[reject])) == [
        "rejects 1: {file: 'a.csv'}: reason: expected a text with 'no value', found 'is not a value of decimal'"
    ]
    assert messages(expect("rejects", {"file": "a.csv", "row": "2", "column": None}), outcome(rejects=[reject])) == [
        "rejects 1: {file: 'a.csv', row: '2'}: column: expected NULL, found 'price'"
    ]


def test_a_file_that_fails_is_a_difference_unless_it_is_expected() -> None:
    failed: dict[str, Cell] = {"file": "b.csv", "type": "SourceFileError", "message": "no key\nSend it again."}

    assert messages(expect("changes"), outcome(errors=[failed])) == [
        "errors 1: b.csv failed with SourceFileError: no key\nSend it again."
    ]
    assert messages(expect("errors", {"type": "SourceFileError"}), outcome(errors=[failed])) == []

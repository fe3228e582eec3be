"""The spelling that created a column keeps it, whatever else a file holds and in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.model.column_type import varchar
from framework.model.csv_options import CsvOptions
from framework.model.files import FileIdentity, FileLayout, RowsStart, SourceBatch, SourceFile
from framework.model.names import TableName
from framework.model.observation import Observation, ObservedTable, TableColumn
from framework.plan.column_names import clean_names, target_names
from framework.plan.spellings import Spellings, known_spellings, new_spellings, with_spellings
from framework.spec.pipeline import ColumnsSpec

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AS_THEY_ARE = ColumnsSpec({}, ())

OPTIONS = CsvOptions(",", "utf-8")


def hashed(text: str, name: str) -> str:
    return f"{name}_{sha256(text.encode()).hexdigest()[:6]}"


def loaded(*headers: list[str]) -> Spellings:
    """Return what is known after files with these headers, loaded one by one."""
    spellings = Spellings()
    for header in headers:
        spellings = spellings.after(clean_names(header, spellings), header)
    return spellings


def observation(*columns: str, **spellings: str) -> Observation:
    table = ObservedTable(
        TableName("s", "t"), tuple(TableColumn(name, varchar(9), "varchar(9)", True) for name in columns)
    )
    digests = {column: sha256(text.encode()).hexdigest() for column, text in spellings.items()}
    return Observation(table, frozenset(), frozenset(), spellings=digests)


def batch(*headers: list[str]) -> SourceBatch:
    """Return files with these headers, named one by one without knowledge of the target."""
    file = SourceFile("lake", "a", "e", 1, NOON, FileIdentity("lake", "a", "e", 1), NOON)
    layouts = (
        FileLayout(file, ordinal, "a", clean_names(header), OPTIONS, RowsStart(0, 1, "\n", True), header=tuple(header))
        for ordinal, header in enumerate(headers)
    )
    return SourceBatch(tuple(layouts))


@pytest.mark.parametrize("header", [["Unapplied", "unApplied"], ["unApplied", "Unapplied"]])
def test_the_second_spelling_gets_a_column_of_its_own(header: list[str]) -> None:
    names = dict(zip(header, clean_names(header, loaded(["Unapplied"])), strict=True))
    assert names == {"Unapplied": "unapplied", "unApplied": hashed("unApplied", "unapplied")}


def test_the_name_itself_does_not_take_the_column_of_another_spelling() -> None:
    names = clean_names(["e_mail", "E-Mail"], loaded(["E-Mail"]))
    assert names == (hashed("e_mail", "e_mail"), "e_mail")


def test_a_single_spelling_uses_the_column_of_its_name() -> None:
    assert clean_names(["unApplied"], loaded(["Unapplied"])) == ("unapplied",)


def test_a_spelling_with_a_column_of_its_own_uses_it_when_it_comes_alone() -> None:
    known = loaded(["Unapplied"], ["Unapplied", "unApplied"])
    assert clean_names(["unApplied"], known) == (hashed("unApplied", "unapplied"),)
    assert clean_names(["UNAPPLIED"], known) == ("unapplied",)


def test_neither_of_two_new_spellings_takes_the_column_of_a_third() -> None:
    names = clean_names(["UNAPPLIED", "unApplied"], loaded(["Unapplied"]))
    assert names == (hashed("UNAPPLIED", "unapplied"), hashed("unApplied", "unapplied"))


@pytest.mark.parametrize(
    ("header", "keeps"),
    [
        (["Total", "total", "TOTAL"], "total"),
        (["Total", "total sum", "to-tal", "TOTAL!"], "Total"),
        (["-Total", "Total-"], min(["-Total", "Total-"], key=lambda text: sha256(text.encode()).hexdigest())),
    ],
)
def test_a_column_of_unknown_spelling_is_kept_by_one_header(header: list[str], keeps: str) -> None:
    known = Spellings(frozenset({"total"}))
    for each in (header, header[::-1]):
        names = dict(zip(each, clean_names(each, known), strict=True))
        assert [text for text, name in names.items() if name == "total"] == [keeps]


def test_a_column_with_the_hash_of_a_spelling_is_its_own_although_nobody_remembers() -> None:
    own = hashed("unApplied", "unapplied")
    assert clean_names(["unApplied"], Spellings(frozenset({"unapplied", own}))) == (own,)


def test_equal_headers_are_counted_beside_other_spellings() -> None:
    known = loaded(["A", "A"])
    names = clean_names(["a", "a_2", "A", "A", "a "], known)
    assert names == (hashed("a", "a"), hashed("a_2", "a_2"), "a", "a_2", hashed("a ", "a"))


def test_a_renamed_column_is_that_of_the_spelling_that_created_it() -> None:
    columns = ColumnsSpec({"unapplied": "open"}, ())
    first, _ = target_names(["Unapplied"], columns)
    names, _ = target_names(["unApplied", "Unapplied"], columns, Spellings().after(first, ["Unapplied"]))
    assert names == (hashed("unApplied", "unapplied"), "open")


def test_a_column_that_was_renamed_later_keeps_its_spelling() -> None:
    known = known_spellings(observation("id", "open", unapplied="Unapplied"), {"unapplied": "open"})
    names, _ = target_names(["unApplied", "Unapplied"], ColumnsSpec({"unapplied": "open"}, ()), known)
    assert names == (hashed("unApplied", "unapplied"), "open")


def test_spellings_of_a_table_that_is_gone_count_no_more() -> None:
    gone = Observation(None, frozenset(), frozenset(), spellings={"a": sha256(b"A").hexdigest()})
    assert known_spellings(gone, {}) == Spellings()
    assert new_spellings(gone, {}, batch(["a"]), ["a"]) == {"a": "a"}


def test_of_what_is_known_already_nothing_is_remembered_again() -> None:
    observed = observation("a", "b", "c", a="A")
    files = batch(["a", "B", "c"], ["b", "New"])
    assert new_spellings(observed, {}, files, ["a", "b", "new"]) == {"b": "B", "new": "New"}
    assert with_spellings(observed, {"b": "B"}) == observation("a", "b", "c", a="A", b="B")


def test_files_of_one_load_are_named_as_if_they_came_one_by_one() -> None:
    known = loaded(["Foo"], ["foo", "Foo"], ["FOO"])
    assert known.creators["foo"] == sha256(b"Foo").hexdigest()
    assert known.creators[hashed("foo", "foo")] == sha256(b"foo").hexdigest()


def test_only_a_duplicate_without_a_column_is_reported() -> None:
    def shown(header: list[str], columns: ColumnsSpec, known: Spellings) -> list[str]:
        _, changes = target_names(header, columns, known)
        return [change.raw for change in changes if change.is_duplicate]

    header = ["Name", "name", "n", "n"]
    own = hashed("Name", "name")
    assert shown(header, AS_THEY_ARE, Spellings()) == ["Name", "n"]
    assert shown(header, AS_THEY_ARE, loaded(header)) == []
    assert shown(header, ColumnsSpec({own: "title"}, ("n_2",)), Spellings()) == []


TEXTS = st.sampled_from(["a", "A", "a ", "A ", "á", "a_2", "B", "b", "Я", "я", "я "])


@given(
    before=st.lists(st.lists(TEXTS, max_size=4, unique=True), max_size=4),
    header=st.lists(TEXTS, max_size=6, unique=True),
    data=st.data(),
)
def test_names_stay_with_their_creators_in_any_order(
    before: list[list[str]], header: list[str], data: st.DataObject
) -> None:
    known = loaded(*before)
    names = dict(zip(header, clean_names(header, known), strict=True))
    assert len(set(names.values())) == len(header)
    shuffled = data.draw(st.permutations(header))
    assert dict(zip(shuffled, clean_names(shuffled, known), strict=True)) == names
    # A header in the file for which columns were created has one of them, whatever else comes.
    for text, name in names.items():
        own = {column for column, creator in known.creators.items() if creator == sha256(text.encode()).hexdigest()}
        assert name in own or not own

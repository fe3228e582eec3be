from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.schema.column_names import clean_names, target_names
from framework.spec.pipeline import ColumnsSpec

HEADERS = st.lists(st.one_of(st.text(max_size=6), st.sampled_from(["a", "A", "a_2", "Ä", "1", "", "a!"])), max_size=12)
VALID = re.compile(r"[a-z_][a-z0-9_]{0,126}")


@given(raw=HEADERS)
def test_every_name_is_valid_and_no_two_are_alike(raw: list[str]) -> None:
    names = clean_names(raw)
    assert len(names) == len(raw)
    assert len(set(names)) == len(names)
    assert all(VALID.fullmatch(name) for name in names)


@given(raw=st.lists(st.text(st.sampled_from("aAäbB1_ !"), min_size=1, max_size=3), max_size=8), data=st.data())
def test_a_columns_name_does_not_depend_on_its_place(raw: list[str], data: st.DataObject) -> None:
    named = [text for text in raw if re.search("[a-zA-Zä1]", text)]
    shuffled = data.draw(st.permutations(named))
    assert sorted(zip(named, clean_names(named), strict=True)) == sorted(
        zip(shuffled, clean_names(shuffled), strict=True)
    )


@given(raw=HEADERS)
def test_clean_names_stay_as_they_are(raw: list[str]) -> None:
    names = clean_names(raw)
    assert clean_names(names) == names


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("First Name!", "first_name"),
        ("__id__", "id"),
        ("Größe (cm)", "grosse_cm"),
        ("ÉTAT", "etat"),
        ("ﬁx", "fix"),
        ("naïve—col", "naive_col"),
        ("2022", "_2022"),
        ("名前", "column_1"),
        ("", "column_1"),
        ("a\nb", "a_b"),
    ],
)
def test_cleaning(raw: str, name: str) -> None:
    assert clean_names([raw]) == (name,)


def test_a_long_name_keeps_its_start_and_gets_a_hash() -> None:
    (name,) = clean_names(["x" * 200])
    (other,) = clean_names(["x" * 201])
    assert re.fullmatch(r"x{118}_[0-9a-f]{8}", name)
    assert other != name


def test_the_header_that_is_the_name_keeps_it() -> None:
    names = clean_names(["E-Mail", "e_mail", "E Mail"])
    assert names[1] == "e_mail"
    assert re.fullmatch(r"e_mail_[0-9a-f]{6}", names[0])
    assert re.fullmatch(r"e_mail_[0-9a-f]{6}", names[2])


def test_equal_headers_are_counted() -> None:
    assert clean_names(["a", "b", "a", "a"]) == ("a", "b", "a_2", "a_3")


def test_a_counted_name_gives_way_to_the_header_that_is_it() -> None:
    names = clean_names(["a", "a", "a_2"])
    assert (names[0], names[2]) == ("a", "a_2")
    assert re.fullmatch(r"a_[0-9a-f]{6}_2", names[1])


def test_renaming_takes_the_cleaned_name() -> None:
    names, changes = target_names(["Cust No", "Name"], ColumnsSpec({"cust_no": "customer_id"}, ()))
    assert names == ("customer_id", "name")
    assert [(change.raw, change.name, change.why) for change in changes] == [
        ("Cust No", "customer_id", "columns.rename")
    ]


def test_changes_say_why() -> None:
    _, changes = target_names(["ID", "First Name", "2022", "", "a", "A!", "y" * 130], ColumnsSpec({}, ()))
    assert [change.why for change in changes] == [
        "a name has only lower case letters, digits and _",
        "a name does not start with a digit",
        "the header is empty",
        "another header cleans to the same name",
        "a name has at most 127 bytes",
    ]


def test_two_headers_for_one_column_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'Cust No' and 'customer_id' would both become 'customer_id'"):
        target_names(["Cust No", "customer_id"], ColumnsSpec({"cust_no": "customer_id"}, ()))


def test_stagings_own_names_are_refused_unless_excluded() -> None:
    with pytest.raises(ValueError, match="Feedway's own"):
        target_names(["Feedway Row"], ColumnsSpec({}, ()))
    assert target_names(["Feedway Row"], ColumnsSpec({}, ("feedway_row",)))[0] == ("feedway_row",)

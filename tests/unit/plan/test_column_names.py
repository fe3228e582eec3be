from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from framework.model.names import MAX_NAME_BYTES, identifier
from framework.plan.column_names import clean_names, target_names
from framework.spec.pipeline import ColumnsSpec

AWKWARD = [
    *("a", "A", "a_2", "Ä", "1", "", " ", "a!", "_", "oid", "OID", "oid_", "column_1", "\U0001f600", "#"),
    *("й", "и", "И", "が", "か", "कि", "की", "한국", unicodedata.normalize("NFD", "한국"), "İ", "ı", "ß", "ς", "Σ"),
    *("\u0301", "e\u0301", "и\u0306", "می\u200cخواهم", "１", "٣", "ﬁ", "❤\ufe0f", "ꭰ", "Ꭰ", "\u3164", "〇"),
]
TEXTS = st.lists(st.text(max_size=3) | st.sampled_from(AWKWARD), min_size=1, max_size=3).map("".join)
LONG = st.tuples(TEXTS, st.integers(1, 130)).map(lambda part: part[0] * part[1])
HEADERS = st.lists(TEXTS | LONG | st.sampled_from(AWKWARD), max_size=12)


@given(raw=HEADERS)
def test_every_name_is_one_that_redshift_keeps_and_no_two_are_alike(raw: list[str]) -> None:
    names = clean_names(raw)
    assert len(names) == len(raw)
    assert len(set(names)) == len(names)
    for name in names:
        assert identifier(name)
        assert len(name.encode("utf-8")) <= MAX_NAME_BYTES
        assert not re.search(r"[A-Z]", name)
        # Redshift's own rule for names without quotes: an ASCII letter, `_` or a character of several bytes begins one.
        assert re.fullmatch(r"[a-z_\u0080-\U0010ffff][a-z0-9_\u0080-\U0010ffff]*", name)
        assert not name[0].isdigit()


@given(raw=HEADERS, data=st.data())
def test_a_columns_name_does_not_depend_on_its_place(raw: list[str], data: st.DataObject) -> None:
    named = [text for text in raw if text.strip()]
    shuffled = data.draw(st.permutations(named))
    # Texts that are canonically equivalent are one text.
    assert sorted(zip(map(nfc, named), clean_names(named), strict=True)) == sorted(
        zip(map(nfc, shuffled), clean_names(shuffled), strict=True)
    )


@given(raw=HEADERS)
@example(raw=["x" * 117 + "_" * 9 + "y"])
@example(raw=["oid", "oid_"])
def test_clean_names_stay_as_they_are(raw: list[str]) -> None:
    names = clean_names(raw)
    assert clean_names(names) == names


@given(raw=HEADERS)
def test_a_header_has_one_name_however_its_characters_are_composed(raw: list[str]) -> None:
    assert clean_names([unicodedata.normalize("NFD", text) for text in raw]) == clean_names(list(map(nfc, raw)))


def nfc(text: str) -> str:
    """Return a text in the form in which equal texts have equal characters."""
    return unicodedata.normalize("NFC", text)


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
        ("", "column_1"),
        (" \t", "column_1"),
        ("a\nb", "a_b"),
        ("名前", "名前"),
        ("Имя Клиента", "имя_клиента"),
        ("분류", "분류"),
        ("Ångström²", "angstrom2"),
        ("København", "københavn"),
        ("İstanbul", "istanbul"),
        ("ΟΔΟΣ", "οδοσ"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full_width"),
        ("１２月", "_12月"),
        ("٢٠٢٦", "_٢٠٢٦"),
        ("می\u200cخواهم", "می_خواهم"),
        ("\ufeffid", "id"),
        ("क्षेत्र", "क्षेत्र"),
        ("Ꭰꭰ", "ᎠᎠ"),
        ("❤\ufe0f like", "like"),
        ("1\ufe0f\u20e3", "_1"),
        ("a\u3164b", "a_b"),
        ("´x", "x"),
        ("oid", "oid_"),
        ("XMin", "xmin_"),
    ],
)
def test_cleaning(raw: str, name: str) -> None:
    assert clean_names([raw]) == (name,)


@pytest.mark.parametrize("pair", [("й", "и"), ("が", "か"), ("कि", "की"), ("ё", "е"), ("ι", "ί"), ("שׁ", "ש")])
def test_marks_distinguish_names_in_other_scripts_than_latin(pair: tuple[str, str]) -> None:
    assert clean_names(pair) == tuple(map(nfc, pair))


@pytest.mark.parametrize("raw", ["😀", "#", "%", "\u200b", "---"])
def test_a_header_of_symbols_is_named_by_its_text_wherever_it_stands(raw: str) -> None:
    assert clean_names(["a", raw])[1] == clean_names([raw])[0] == f"column_{sha256(raw.encode()).hexdigest()[:6]}"


def test_a_long_name_keeps_its_start_and_gets_a_hash() -> None:
    (name,) = clean_names(["x" * 200])
    (other,) = clean_names(["x" * 201])
    assert name == "x" * 118 + f"_{sha256(b'x' * 200).hexdigest()[:8]}"
    assert other != name


@pytest.mark.parametrize(("raw", "start"), [("я" * 70, "я" * 59), ("名" * 50, "名" * 39), ("कि" * 30, "कि" * 19)])
def test_a_long_name_is_cut_between_letters(raw: str, start: str) -> None:
    assert clean_names([raw]) == (f"{start}_{sha256(raw.encode()).hexdigest()[:8]}",)


def test_names_of_127_bytes_are_distinguished() -> None:
    raw = ["名" * 42 + "a", "名" * 42 + "A"]
    names = clean_names(raw)
    assert names[0] == raw[0]
    assert names[1] == "名" * 40 + f"_{sha256(raw[1].encode()).hexdigest()[:6]}"


def test_a_header_that_is_the_longest_hash_of_another_is_distinguished_from_it() -> None:
    digest = sha256(b"A").hexdigest()
    raw = ["A", "a", *(f"a_{digest[:digits]}" for digits in (6, 12, 24, 64))]
    assert len(set(clean_names(raw))) == len(raw)


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
    raw = ["ID", "First Name", "2022", "", "a", "A!", "y" * 130, "ИМЯ", "😀", "oid"]
    _, changes = target_names(raw, ColumnsSpec({}, ()))
    assert [change.why for change in changes] == [
        "a name has only lower case letters, digits and _",
        "a name does not start with a digit",
        "the header is empty",
        "another header cleans to the same name",
        "a name has at most 127 bytes",
        "the header has no letter or digit",
        "oid is a system column",
    ]


def test_two_headers_for_one_column_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'Cust No' and 'customer_id' would both become 'customer_id'"):
        target_names(["Cust No", "customer_id"], ColumnsSpec({"cust_no": "customer_id"}, ()))


def test_stagings_own_names_are_refused_unless_excluded() -> None:
    with pytest.raises(ValueError, match="Feedway's own"):
        target_names(["Feedway Row"], ColumnsSpec({}, ()))
    assert target_names(["Feedway Row"], ColumnsSpec({}, ("feedway_row",)))[0] == ("feedway_row",)

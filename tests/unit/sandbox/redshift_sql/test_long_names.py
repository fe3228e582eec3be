"""Names that PostgreSQL would cut have another one there, and only they."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.sandbox.redshift_sql import Parsed, parse, to_postgres, with_long_names
from framework.sandbox.redshift_sql.long_names import hashes_of, short_name
from tests.hostile import NAMES

LONG = "я" * 60


def translated(sql: str) -> tuple[Parsed, tuple[str, ...]]:
    parsed = parse(sql)
    return parsed, to_postgres(parsed, lambda schema, name: None)


@given(st.one_of(NAMES, st.text("aя분😀", min_size=15, max_size=127)))
def test_a_name_is_found_again_by_what_postgresql_knows_it_by(name: str) -> None:
    short = short_name(name)
    assert len(short.encode()) <= 57
    assert short_name(short) == short
    assert (short == name) == (len(name.encode()) <= 57)
    assert short == name or (len(short.encode()) >= 54 and hashes_of(short) == [short[-16:]])
    assert with_long_names(f"column {short} of {short}", {short: name}) == f"column {name} of {name}"


def test_names_with_one_beginning_are_not_the_same() -> None:
    assert len({short_name("a" * 126 + letter) for letter in "abcdef"}) == 6


def test_short_names_change_nothing() -> None:
    parsed, statements = translated(f'create table s.t ("{"я" * 28}" int)')
    assert parsed.long_names == {}
    assert statements[0].startswith(f'create table "s"."t" ("{"я" * 28}" integer)')


@pytest.mark.parametrize(
    "sql",
    [
        f'create table s.t ("{LONG}" int)',
        f'create table s.t as select 1 as "{LONG}"',
        f'alter table s.t add column "{LONG}" int',
        f'alter table s.t rename to "{LONG}"',
        f'create view s.v as select a as "{LONG}" from s.t',
        f'create schema "{LONG}"',
    ],
)
def test_what_gives_a_name_stores_it(sql: str) -> None:
    parsed, statements = translated(sql)
    assert parsed.long_names == {short_name(LONG): LONG}
    assert statements[0] == (
        f"call pg_internal.remember_names(array['{short_name(LONG)}']::text[], array['{LONG}']::text[])"
    )


@pytest.mark.parametrize("sql", [f'lock "{LONG}"', f'select "{LONG}" from s.t', f'drop table s."{LONG}"'])
def test_what_gives_no_name_stores_none(sql: str) -> None:
    """A statement before LOCK would take the snapshot that the lock is to come before."""
    _, statements = translated(sql)
    assert not any("remember_names" in statement for statement in statements)


def test_a_text_that_is_no_name_stays() -> None:
    parsed, statements = translated(f"select '{LONG}'")
    assert parsed.long_names == {}
    assert statements == (f"SELECT '{LONG}'",)

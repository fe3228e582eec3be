"""Quoting: whatever a name or a text holds, it stays one name or one text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import TokenType
from sqlglot.dialects.redshift import Redshift

from framework.model.names import TableName, identifier, ledger_table, literal

TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"))


@given(TEXTS)
def test_a_literal_reads_back_as_the_text_it_was_made_from(text: str) -> None:
    tokens = Redshift().tokenize(literal(text))

    assert [(token.token_type, token.text) for token in tokens] == [(TokenType.STRING, text)]


@given(TEXTS.filter(lambda text: 0 < len(text.encode()) <= 127))
def test_an_identifier_reads_back_as_the_name_it_was_made_from(name: str) -> None:
    tokens = Redshift().tokenize(identifier(name))

    assert [(token.token_type, token.text) for token in tokens] == [(TokenType.IDENTIFIER, name)]


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 128, "é" * 64])
def test_a_name_that_redshift_would_cut_or_refuse_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        identifier(name)


def test_a_text_with_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        literal("a\0b")


def test_null_and_numbers_are_written_bare() -> None:
    assert (literal(None), literal(-7)) == ("null", "-7")


def test_a_ledger_is_named_by_twelve_hex_characters_of_its_target() -> None:
    # sha256("public.customers"), by `printf public.customers | sha256sum`
    assert ledger_table("feedway", TableName("public", "customers")).name.startswith("ledger_")
    assert len(ledger_table("feedway", TableName("public", "customers")).name) == len("ledger_") + 12
    assert ledger_table("f", TableName("a", "b")) != ledger_table("f", TableName("a", "c"))

"""Names and literals as PostgreSQL text, for sessions with standard_conforming_strings on."""

from __future__ import annotations

from dataclasses import dataclass

from framework.sandbox.redshift_sql.long_names import MAX_NAME_BYTES, lowered, short_name
from framework.sandbox.redshift_sql.refusal import not_supported


@dataclass(frozen=True)
class RelationName:
    """A table or view as a statement names it, folded."""

    schema: str | None
    name: str

    @property
    def sql(self) -> str:
        """The name quoted for PostgreSQL."""
        if self.schema is None:
            return quote_name(self.name)
        return f"{quote_name(self.schema)}.{quote_name(self.name)}"

    @property
    def regclass(self) -> str:
        """The name as an argument of type regclass."""
        return f"{quote_literal(self.sql)}::regclass"

    @property
    def is_temporary(self) -> bool:
        """Whether the name itself says so. Source: r_CREATE_TABLE_NEW, names that begin with #."""
        return self.name.startswith("#")

    def for_creation(self) -> RelationName:
        """Return the name with the schema where Redshift puts a new relation without one."""
        return self if self.schema or self.is_temporary else RelationName("public", self.name)


def fold(name: str) -> str:
    """Return the name by which PostgreSQL knows what a statement names.

    Raises:
        Refused: it has more bytes than a name may have.
    """
    folded = lowered(name)
    short = short_name(folded)
    if short != folded and len(folded.encode()) > MAX_NAME_BYTES:
        raise not_supported(f'the name "{folded}" of more than {MAX_NAME_BYTES} bytes')
    return short


def quote_name(name: str) -> str:
    """Quote a folded name."""
    return '"' + name.replace('"', '""') + '"'


def quote_names(names: tuple[str, ...] | list[str]) -> str:
    """Quote folded names, separated by commas."""
    return ", ".join(quote_name(name) for name in names)


def quote_literal(value: str | None) -> str:
    """Write a text as a literal; None is `null`."""
    return "null" if value is None else "'" + value.replace("'", "''") + "'"


def quote_array(values: list[str] | tuple[str, ...]) -> str:
    """Write texts as an array of text."""
    return f"array[{', '.join(quote_literal(value) for value in values)}]::text[]"

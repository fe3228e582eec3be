"""Checks of single names: what Redshift can hold, and what Feedway keeps to itself."""

from __future__ import annotations

from collections.abc import Iterator

from framework.model.clean_name import SYSTEM_COLUMNS, clean_name
from framework.model.names import identifier
from framework.spec.document import Finding, Path, field_name

STAGING_COLUMNS = frozenset({"feedway_file", "feedway_row"})
"""Columns that staging adds; `framework.model.staging` describes them."""


def table_name_findings(path: Path, name: str) -> Iterator[Finding]:
    """Yield the problems of a text as the name of a schema, table or view."""
    yield from _name_findings(path, name)
    if name.startswith("#"):
        message = f"{field_name(path)}: {name!r} would be temporary, as every name with `#` at its start"
        yield Finding(path, "spec/name", message, f"Write {name.lstrip('#')!r}.")


def column_name_findings(path: Path, name: str, *, at_key: bool = False) -> Iterator[Finding]:
    """Yield the problems of a text as the name of a column in the target."""
    yield from _name_findings(path, name, at_key=at_key)
    if name in SYSTEM_COLUMNS:
        message = f"{field_name(path)}: {name!r} is a system column, which no table can hold as its own"
        yield Finding(path, "spec/reserved-name", message, f"Write {name + '_'!r}, its name once cleaned.", at_key)
    elif name in STAGING_COLUMNS:
        message = f"{field_name(path)}: {name!r} is a column of staging tables"
        yield Finding(path, "spec/reserved-name", message, "Take another name.", at_key)


def cleaned_name_findings(path: Path, name: str, *, at_key: bool = False) -> Iterator[Finding]:
    """Yield a finding when no cleaned column name can be equal to the text."""
    cleaned = clean_name(name, 1)
    if cleaned != name:
        message = f"{field_name(path)}: no column is called {name!r} once its name is cleaned"
        yield Finding(path, "spec/cleaned-name", message, f"Write {cleaned!r}.", at_key)


def file_column_findings(path: Path, name: str, *, at_key: bool = False) -> Iterator[Finding]:
    """Yield the problems of a text as the name of a target column that the spec does not rename."""
    lowered = _lower(name)
    is_valid = not any(column_name_findings(path, lowered))
    if is_valid and clean_name(lowered, 1) != lowered:
        yield from cleaned_name_findings(path, name, at_key=at_key)
    else:
        yield from column_name_findings(path, name, at_key=at_key)


def _name_findings(path: Path, name: str, *, at_key: bool = False) -> Iterator[Finding]:
    try:
        identifier(name)
    except ValueError as error:
        message = f"{field_name(path)}: {error}"
        yield Finding(path, "spec/name", message, "Write a name of 1 to 127 bytes.", at_key)
        return
    lowered = _lower(name)
    if name != lowered:
        message = f"{field_name(path)}: Redshift folds {name!r} to lower case"
        yield Finding(path, "spec/upper-case", message, f"Write {lowered!r}.", at_key)
    elif name != name.strip():
        message = f"{field_name(path)}: {name!r} has blanks around it"
        yield Finding(path, "spec/name", message, f"Write {name.strip()!r}.", at_key)


def _lower(name: str) -> str:
    """Return a name as Redshift stores it: only ASCII letters are folded.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
    """
    return "".join(character.lower() if character.isascii() else character for character in name)

"""Statements as values, and their text: a template, its values, and a line that says whose they are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TypeVar

from jinja2 import FunctionLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from framework import resources
from framework.errors import SchemaChangeError, WarehouseError
from framework.names import identifier, literal
from framework.schema.table import Grant

T = TypeVar("T")

MAX_STATEMENT_BYTES = 100_000
"""Source: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html (100 KB a statement)"""
MAX_BATCH_STATEMENTS = 40
"""Source: the Data API's service model, BatchExecuteStatement"""
_LINE_BREAK_IN_VALUE = "\0"
"""Stands for a line break while a statement is rendered; no name, literal or definition can hold it."""
_PRIVILEGES = frozenset(
    {"select", "insert", "update", "delete", "references", "drop", "alter", "truncate", "trigger", "rule"}
)


@dataclass(frozen=True)
class Statement:
    """One statement: the template `templates/sql/<template>.sql.j2` and its values."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Transaction:
    """Statements that take effect together or not at all; a single one runs outside any transaction block."""

    name: str
    statements: tuple[Statement, ...]

    def index_of(self, template: str) -> int:
        """Return the position of the first statement made from a template; -1 without one."""
        names = [statement.template for statement in self.statements]
        return names.index(template) if template in names else -1

    def refused_by(self, error: WarehouseError) -> Statement | None:
        """Return the statement that the warehouse refused; None where it was the submission as a whole."""
        return None if error.failed_index is None else self.statements[error.failed_index]


def in_portions(items: Iterable[T], size_of: Callable[[T], int], most: int) -> Iterator[list[T]]:
    """Yield items in portions whose sizes add up to the most allowed, or of a single item."""
    portion: list[T] = []
    size = 0
    for item in items:
        own = size_of(item)
        if portion and size + own > most:
            yield portion
            portion, size = [], 0
        portion.append(item)
        size += own
    if portion:
        yield portion


def render(statement: Statement, pipeline: str, run_id: str) -> str:
    """Return the statement's SQL, headed by `-- feedway <pipeline> <run_id> <step>`.

    Raises:
        SchemaChangeError: the text has more bytes than a statement may have.
    """
    template = _environment().get_template(statement.template)
    # Only the template's own lines are tidied: a line break in a value is a part of the value.
    lines = [line.rstrip() for line in template.render(**statement.values).split("\n") if line.strip()]
    text = "\n".join([f"-- feedway {pipeline} {run_id} {statement.template}", *lines])
    sql = text.replace(_LINE_BREAK_IN_VALUE, "\n")
    if len(sql.encode("utf-8")) > MAX_STATEMENT_BYTES:
        raise SchemaChangeError(
            f"pipeline {pipeline}: the statement {statement.template} would have {len(sql.encode('utf-8'))} bytes; "
            f"the Data API takes {MAX_STATEMENT_BYTES}. Load fewer files at a time, leave columns out "
            "(columns.exclude), or give them shorter names (columns.rename)."
        )
    return sql


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(lambda name: resources.read_text(f"templates/sql/{name}.sql.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        finalize=_keep_line_breaks,
    )
    environment.filters.update(
        identifier=identifier,
        literal=literal,
        timestamp=timestamp,
        iam_role=_iam_role,
        keyword=_privilege,
        word=_word,
        md5=_md5,
        grantee=_grantee,
    )
    return environment


def _keep_line_breaks(value: object) -> str:
    return str(value).replace("\n", _LINE_BREAK_IN_VALUE)


def timestamp(moment: datetime | None) -> str:
    """Write a UTC time as a literal with microseconds; None is `null`."""
    return "null" if moment is None else literal(moment.strftime("%Y-%m-%d %H:%M:%S.%f"))


def _word(text: str) -> str:
    """Write a word of the catalog's that stands in SQL as it is, such as an encoding."""
    if not re.fullmatch(r"[a-z0-9]+", text.lower()):
        raise SchemaChangeError(f"{text!r} is no word that Feedway can put back")
    return text.lower()


def _iam_role(role: str) -> str:
    return "default" if role == "default" else literal(role)


def _md5(text: str) -> str:
    # As the warehouse's own function has it: here it tells texts apart, and keeps no secret.
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()


def _privilege(privilege: str) -> str:
    if privilege.lower() not in _PRIVILEGES:
        raise SchemaChangeError(f"the privilege {privilege!r} on a view is unknown to Feedway and cannot be put back")
    return privilege.lower()


def _grantee(grant: Grant) -> str:
    if grant.grantee_kind == "public":
        return "public"
    prefix = "" if grant.grantee_kind == "user" else f"{grant.grantee_kind} "
    return prefix + identifier(grant.grantee)


def condensed(sql: str) -> str:
    """Return SQL on one line, for a message."""
    return re.sub(r"\s+", " ", sql).strip()

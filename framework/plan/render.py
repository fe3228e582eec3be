"""The text of a statement: its template, its values, and a line that names its run."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Sequence
from datetime import datetime
from functools import cache

from jinja2 import FunctionLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from framework import resources
from framework.errors import SchemaChangeError
from framework.model.names import TableName, identifier, literal
from framework.model.observation import Grant
from framework.plan.steps import MAX_STATEMENT_BYTES, Statement

_LINE_BREAK_IN_VALUE = "\0"
"""Replaces a line break while a statement is rendered; no name, literal or definition can contain it."""
_PRIVILEGES = frozenset(
    {"select", "insert", "update", "delete", "references", "drop", "alter", "truncate", "trigger", "rule"}
)
_COMPILING = threading.Lock()
"""Held while a template is compiled: for other threads, waiting is faster than compiling it again."""


def render(statement: Statement, pipeline: str, run_id: str) -> str:
    """Return the statement's SQL, headed by `-- feedway <pipeline> <run_id> <step>`.

    Raises:
        SchemaChangeError: the text has more bytes than a statement may have.
    """
    with _COMPILING:
        template = _environment().get_template(statement.template)
    # Only the template's own lines are trimmed: a line break in a value is part of the value.
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
        among=_among,
    )
    return environment


def _keep_line_breaks(value: object) -> str:
    return str(value).replace("\n", _LINE_BREAK_IN_VALUE)


def timestamp(moment: datetime | None) -> str:
    """Write a UTC time as a literal with microseconds; None is `null`."""
    return "null" if moment is None else literal(moment.strftime("%Y-%m-%d %H:%M:%S.%f"))


def _word(text: str) -> str:
    """Write a word of the catalog that SQL takes unquoted, such as an encoding."""
    if not re.fullmatch(r"[a-z0-9]+", text.lower()):
        raise SchemaChangeError(f"unsupported encoding {text!r}")
    return text.lower()


def _iam_role(role: str) -> str:
    return "default" if role == "default" else literal(role)


def _md5(text: str) -> str:
    # As the warehouse's own function: it compares texts here, and protects no secret.
    return hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()


def _privilege(privilege: str) -> str:
    if privilege.lower() not in _PRIVILEGES:
        raise SchemaChangeError(f"cannot restore unsupported privilege {privilege!r}")
    return privilege.lower()


def _grantee(grant: Grant) -> str:
    if grant.grantee_kind == "public":
        return "public"
    prefix = "" if grant.grantee_kind == "user" else f"{grant.grantee_kind} "
    return prefix + identifier(grant.grantee)


def _among(names: Sequence[TableName], schema: str, name: str) -> str:
    """Return the condition that the columns `schema` and `name` hold one of some names."""
    return " or ".join(f"({schema} = {literal(each.schema)} and {name} = {literal(each.name)})" for each in names)


def condensed(sql: str) -> str:
    """Return SQL on one line, for a message."""
    return re.sub(r"\s+", " ", sql).strip()

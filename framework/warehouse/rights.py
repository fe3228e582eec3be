"""The connecting user: who it is, and its rights on the database, schemas, tables and views. Read from the catalog."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from framework.dataclass import dataclass
from framework.errors import WarehouseError
from framework.model.names import TableName
from framework.plan.steps import MAX_STATEMENT_BYTES, Transaction, in_portions, select
from framework.warehouse.client import Row, Value
from framework.warehouse.session import WarehouseSession

Privilege = Literal["select", "insert", "delete"]
PRIVILEGES: tuple[Privilege, ...] = ("select", "insert", "delete")
"""The privileges on tables that loads use; DDL needs the ownership."""
_BYTES_PER_RELATION = 330
"""The condition on two names of up to 127 bytes, and its words."""


@dataclass(frozen=True)
class Connection:
    """The user that statements run as, its database, and the version of the warehouse as it is called there."""

    user: str
    is_superuser: bool
    database: str
    version: str
    may_create_schemas: bool
    may_create_temporary_tables: bool


@dataclass(frozen=True)
class SchemaRights:
    """The user's rights on a schema that exists."""

    usage: bool
    create: bool


@dataclass(frozen=True)
class RelationRights:
    """The owner of a table or view that exists, and the user's privileges on it."""

    owner: str
    privileges: frozenset[Privilege]


def read_connection(warehouse: WarehouseSession) -> Connection:
    """Return who the statements run as, by one attempt.

    Raises:
        WarehouseError: the Data API, the database or the catalog cannot be reached.
    """
    (rows,) = warehouse.run(Transaction("connection", (select("select_connection"),)), attempts=1)
    if not rows:
        raise WarehouseError("pg_user does not show the user that Feedway connects as")
    user, is_superuser, database, version, may_create, may_create_temporary = rows[0]
    return Connection(
        user=str(user),
        is_superuser=_is_true(is_superuser),
        database=str(database),
        version=_version(str(version)),
        may_create_schemas=_is_true(may_create),
        may_create_temporary_tables=_is_true(may_create_temporary),
    )


def _version(text: str) -> str:
    """Return the version, `Redshift 1.0.123`; a server that is no Redshift keeps the first words of its own."""
    named = re.search(r"Redshift \S+", text)
    return named[0] if named else " ".join(text.split()[:2])


def read_schema_rights(warehouse: WarehouseSession, schemas: Sequence[str]) -> Mapping[str, SchemaRights]:
    """Return the user's rights on the schemas that exist. `schemas` has at least one name."""
    (rows,) = warehouse.run(
        Transaction("schema_rights", (select("select_schema_rights", {"schemas": schemas}),)), attempts=1
    )
    return {str(name): SchemaRights(_is_true(usage), _is_true(create)) for name, usage, create in rows}


def read_relation_rights(
    warehouse: WarehouseSession, relations: Sequence[TableName]
) -> Mapping[TableName, RelationRights]:
    """Return owners and privileges of the tables and views that exist. The user must have USAGE on their schemas."""
    found: dict[TableName, RelationRights] = {}
    for portion in in_portions(relations, lambda _: _BYTES_PER_RELATION, MAX_STATEMENT_BYTES // 2):
        statement = select("select_relation_rights", {"relations": portion})
        (rows,) = warehouse.run(Transaction("relation_rights", (statement,)), attempts=1)
        found.update(_relation(row) for row in rows)
    return found


def _relation(row: Row) -> tuple[TableName, RelationRights]:
    schema, name, owner, *may = row
    privileges = frozenset(privilege for privilege, held in zip(PRIVILEGES, may, strict=True) if _is_true(held))
    return TableName(str(schema), str(name)), RelationRights(str(owner), privileges)


def _is_true(value: Value) -> bool:
    # The documentation gives the functions' type as CHAR or VARCHAR.
    return str(value).lower() in ("true", "t", "1")

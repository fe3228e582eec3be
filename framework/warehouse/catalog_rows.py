"""One batch of questions to the catalog, and what its answers say of privileges and comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from framework.model.names import TableName
from framework.model.observation import Comment, Grant
from framework.plan.steps import Statement, Transaction
from framework.warehouse.client import Row
from framework.warehouse.session import WarehouseSession

_ACL_ENTRY = re.compile(r'(?:^|,)((?:group |role )?)(?:"((?:[^"]|"")*)"|([^"=,]*))=')
"""Who an entry of a list of privileges is about; a name that is no plain word stands in quotes."""

DEFINITION_PARTS = {"part_characters": 15_000, "parts": 7}
"""A row of a result has 64 KB; what is longer than seven parts has no room in a statement.
Source: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html"""


@dataclass(frozen=True)
class Look:
    """The statements of one observation, and the rows each brought, by template."""

    rows: dict[str, list[Row]]

    def of(self, template: str) -> list[Row]:
        """Return the rows of one statement; none where it was not asked."""
        return self.rows.get(template, [])


def look_at(warehouse: WarehouseSession, statements: Sequence[Statement]) -> Look:
    """Ask all at once, in one submission."""
    results = warehouse.run(Transaction("observe", tuple(statements)))
    rows: dict[str, list[Row]] = {}
    for statement, found in zip(statements, results, strict=True):
        rows.setdefault(statement.template, []).extend(found)
    return Look(rows)


def is_materialized(definition: str) -> bool:
    """Return whether what pg_views shows is a materialized view.

    Source: https://github.com/awslabs/amazon-redshift-utils (v_generate_view_ddl)
    """
    return definition.lstrip().lower().startswith("create materialized view")


def grants_of(look: Look, relations: str) -> dict[TableName, list[Grant]]:
    """Return the privileges by relation; `relations` is the template that tells the owners, whose own are left out."""
    grants: dict[TableName, list[Grant]] = {}
    owners = {TableName(str(row[0]), str(row[1])): str(row[2]) for row in look.of(relations)}
    for schema, name, privilege, grantee, kind, admin in look.of("select_grants"):
        view = TableName(str(schema), str(name))
        kind = str(kind).lower()
        if kind not in ("user", "group", "role", "public") or (kind == "user" and grantee == owners.get(view)):
            continue
        grants.setdefault(view, []).append(Grant(str(privilege), str(grantee), kind, bool(admin)))  # type: ignore[arg-type]
    return grants


def hidden_grantees_of(look: Look) -> dict[TableName, tuple[str, ...]]:
    """Return by relation who holds privileges on it that the asking user cannot see; a superuser sees all.

    The list of a relation names them as `ann=r/owner`, `group board=r/owner`, and the public as `=r/owner`.
    """
    visible: dict[TableName, set[str]] = {}
    for schema, name, _, grantee, kind, _ in look.of("select_grants"):
        word = "" if str(kind).lower() in ("user", "public") else f"{str(kind).lower()} "
        visible.setdefault(TableName(str(schema), str(name)), set()).add(f"{word}{grantee}")
    hidden = {}
    for schema, name, owner, is_superuser, acl in look.of("select_acls"):
        relation = TableName(str(schema), str(name))
        found = _ACL_ENTRY.findall(str(acl or ""))
        names = [f"{kind}{quoted.replace(chr(34) * 2, chr(34)) or plain}" or "public" for kind, quoted, plain in found]
        unseen = sorted(set(names) - visible.get(relation, set()) - {str(owner)})
        if unseen and not is_superuser:
            hidden[relation] = tuple(unseen)
    return hidden


def comment_of(row: Row) -> Comment:
    """Read a row of select_comments."""
    schema, name, column, text = row
    return Comment(TableName(str(schema), str(name)), None if column is None else str(column), str(text))


def definitions_of(rows: Iterable[Row]) -> dict[TableName, str]:
    """Return views' definitions from rows that begin with schema and name and end with a part, in order."""
    definitions: dict[TableName, str] = {}
    for schema, name, *_, part in rows:
        view = TableName(str(schema), str(name))
        definitions[view] = definitions.get(view, "") + str(part)
    return definitions

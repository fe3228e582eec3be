"""Rows of a batch of catalog queries, and the privileges and comments in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import field

from framework.dataclass import dataclass
from framework.model.column_type import ColumnType, parse_type
from framework.model.names import TableName
from framework.model.observation import Comment, Grant
from framework.plan.steps import Statement, Transaction
from framework.warehouse.client import Row
from framework.warehouse.session import WarehouseSession

_ACL_ENTRY = re.compile(r'(?:^|,)((?:group |role )?)(?:"((?:[^"]|"")*)"|([^"=,]*))=')
"""The grantee of an entry of an access control list; a name that is not a plain word is quoted."""

DEFINITION_PARTS = {"part_characters": 15_000, "parts": 7}
"""A row of a result has at most 64 KB; a definition longer than seven parts does not fit a statement.
Source: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html"""


@dataclass(frozen=True)
class CatalogRows:
    """The rows of one batch of queries, by template; `grouped` by what they are about, once they were asked for so."""

    rows: dict[str, list[Row]]
    grouped: dict[str, dict[Row, list[Row]]] = field(default_factory=dict)

    def of(self, template: str) -> list[Row]:
        """Return the rows of one statement; none where it was not in the batch."""
        return self.rows.get(template, [])

    def of_relation(self, template: str, name: TableName) -> list[Row]:
        """Return what follows schema and name in the rows about a relation, which begin with them."""
        return self._grouped(template, 2).get((name.schema, name.name), [])

    def of_target(self, template: str, name: TableName) -> list[Row]:
        """Return what follows the target in the rows about a target, whose text they begin with."""
        return self._grouped(template, 1).get((str(name),), [])

    def _grouped(self, template: str, size: int) -> dict[Row, list[Row]]:
        if template not in self.grouped:
            groups: dict[Row, list[Row]] = {}
            for row in self.of(template):
                groups.setdefault(row[:size], []).append(row[size:])
            self.grouped[template] = groups
        return self.grouped[template]


def read_catalog(
    warehouse: WarehouseSession, statements: Sequence[Statement], attempts: int | None = None
) -> CatalogRows:
    """Return the rows of the statements, read in one submission."""
    results = warehouse.run(Transaction("observe", tuple(statements)), attempts)
    rows: dict[str, list[Row]] = {}
    for statement, found in zip(statements, results, strict=True):
        rows.setdefault(statement.template, []).extend(found)
    return CatalogRows(rows)


def is_materialized(definition: str) -> bool:
    """Return whether a definition in pg_views is a materialized view's.

    Source: https://github.com/awslabs/amazon-redshift-utils (v_generate_view_ddl)
    """
    return definition.lstrip().lower().startswith("create materialized view")


def grants_of(shown: CatalogRows, relations: str) -> dict[TableName, list[Grant]]:
    """Return the privileges by relation, without the owners' own; `relations` is the template that reads the owners."""
    grants: dict[TableName, list[Grant]] = {}
    owners = {TableName(str(row[0]), str(row[1])): str(row[2]) for row in shown.of(relations)}
    for schema, name, privilege, grantee, kind, admin in shown.of("select_grants"):
        view = TableName(str(schema), str(name))
        kind = str(kind).lower()
        if kind not in ("user", "group", "role", "public") or (kind == "user" and grantee == owners.get(view)):
            continue
        grants.setdefault(view, []).append(Grant(str(privilege), str(grantee), kind, bool(admin)))  # type: ignore[arg-type]
    return grants


def hidden_grantees_of(shown: CatalogRows) -> dict[TableName, tuple[str, ...]]:
    """Return by relation the grantees whose privileges the current user cannot see; a superuser sees all.

    A relation's access control list names them as `ann=r/owner`, `group board=r/owner`, and the public as `=r/owner`.
    """
    visible: dict[TableName, set[str]] = {}
    for schema, name, _, grantee, kind, _ in shown.of("select_grants"):
        word = "" if str(kind).lower() in ("user", "public") else f"{str(kind).lower()} "
        visible.setdefault(TableName(str(schema), str(name)), set()).add(f"{word}{grantee}")
    hidden = {}
    for schema, name, owner, is_superuser, acl in shown.of("select_acls"):
        relation = TableName(str(schema), str(name))
        found = _ACL_ENTRY.findall(str(acl or ""))
        names = [f"{kind}{quoted.replace(chr(34) * 2, chr(34)) or plain}" or "public" for kind, quoted, plain in found]
        unseen = sorted(set(names) - visible.get(relation, set()) - {str(owner)})
        if unseen and not is_superuser:
            hidden[relation] = tuple(unseen)
    return hidden


def column_type_of(data_type: str, length: object, precision: object, scale: object) -> tuple[ColumnType | None, str]:
    """Return the type as a value, None where Feedway knows no such type, and as text."""
    text = data_type
    has_length = data_type.startswith("character") or data_type in ("varchar", "char", "bpchar")
    if data_type in ("numeric", "decimal"):
        text = f"decimal({precision},{scale})"
    elif has_length or (data_type == "binary varying" and length is not None):
        text = f"{data_type}({length})"
    try:
        parsed = parse_type(text)
    except ValueError:
        return None, text
    return parsed, parsed.sql


def comment_of(row: Row) -> Comment:
    """Return the comment in a row of select_comments."""
    schema, name, column, text = row
    return Comment(TableName(str(schema), str(name)), None if column is None else str(column), str(text))


def definitions_of(rows: Iterable[Row]) -> dict[TableName, str]:
    """Return views' definitions from rows that begin with schema and name and end with a part, in order."""
    definitions: dict[TableName, str] = {}
    for schema, name, *_, part in rows:
        view = TableName(str(schema), str(name))
        definitions[view] = definitions.get(view, "") + str(part)
    return definitions

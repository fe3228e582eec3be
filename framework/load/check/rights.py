"""The rights that loads of the project's specs need, and the statements that grant those which the user lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from framework.dataclass import dataclass
from framework.errors import Cause, WarehouseError
from framework.load.check.outcome import WRONG_SERVICE, NotReady, failure
from framework.load.check.subject import Subject
from framework.model.names import TableName, identifier, ledger_table
from framework.model.words import counted
from framework.plan.render import condensed
from framework.plan.spelling_rows import SPELLINGS
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.catalog import ToObserve, observe_all
from framework.warehouse.control_tables import SHARED_TABLES
from framework.warehouse.refusals import name_at_fault
from framework.warehouse.rights import (
    PRIVILEGES,
    Connection,
    Privilege,
    RelationRights,
    SchemaRights,
    read_relation_rights,
    read_schema_rights,
)

_GROWING = ("job_sts", "schema_changes", SPELLINGS)
"""Control tables of which loads delete nothing. To lock a ledger takes the right to delete from it."""


@dataclass(frozen=True)
class Rights:
    """What the user may do: on the database, on schemas that exist, and on tables and views that exist."""

    connection: Connection
    schemas: Mapping[str, SchemaRights]
    relations: Mapping[TableName, RelationRights]

    @property
    def user(self) -> str:
        """The user's name, quoted."""
        return identifier(self.connection.user)


def check_rights(subject: Subject) -> str:
    """Return for how many specs the user has all rights that loads need; read the catalog as they do."""
    schemas = _schemas(subject)
    control_tables = _control_tables(subject)
    rights = _read_rights(subject, schemas, [*control_tables, *subject.relations])
    creates_in = {schemas[0], *(schema for spec in subject.specs for schema in _creates_in(spec))}
    missing = dict.fromkeys(
        (
            *missing_on_database(rights, schemas),
            *missing_on_schemas(rights, schemas, creates_in),
            *missing_on_control_tables(rights, control_tables),
            *(statement for spec in subject.specs for statement in missing_on_tables(rights, spec)),
        )
    )
    if missing:
        found = f"user {rights.connection.user} lacks {counted(len(missing), 'right')} that loads need"
        raise NotReady(found, f"Run as an administrator: {'; '.join(missing)}", WRONG_SERVICE)
    _read_catalog(subject, rights)
    left_out = f"; {counted(subject.unread, 'spec')} that cannot be read left out: validate" if subject.unread else ""
    existing = len({spec.target.table for spec in subject.specs} & rights.relations.keys())
    return f"all that loads of {counted(len(subject.specs), 'spec')} need; {existing} of their targets exist{left_out}"


def _schemas(subject: Subject) -> list[str]:
    """Return the schemas that loads use, each once: the control schema, then those of targets and views."""
    return list(dict.fromkeys([subject.warehouse.control_schema, *(name.schema for name in subject.relations)]))


def _control_tables(subject: Subject) -> list[TableName]:
    schema = subject.warehouse.control_schema
    ledgers = (ledger_table(schema, spec.target.table) for spec in subject.specs)
    return list(dict.fromkeys([*(TableName(schema, name) for name in SHARED_TABLES), *ledgers]))


def _read_rights(subject: Subject, schemas: Sequence[str], relations: Sequence[TableName]) -> Rights:
    of_schemas = read_schema_rights(subject.warehouse, schemas)
    # Of tables in a schema without USAGE the warehouse answers with an error.
    usable = {name for name, held in of_schemas.items() if held.usage}
    visible = [name for name in relations if name.schema in usable]
    return Rights(subject.connection, of_schemas, read_relation_rights(subject.warehouse, visible))


def missing_on_database(rights: Rights, schemas: Sequence[str]) -> Iterator[str]:
    """Yield the grants on the database that the user needs: TEMP, and CREATE where a schema does not exist."""
    connection = rights.connection
    database = identifier(connection.database)
    if not connection.may_create_temporary_tables:
        yield f"grant temp on database {database} to {rights.user}"
    if not connection.may_create_schemas and any(schema not in rights.schemas for schema in schemas):
        yield f"grant create on database {database} to {rights.user}"


def missing_on_schemas(rights: Rights, schemas: Sequence[str], creates_in: Collection[str]) -> Iterator[str]:
    """Yield the grants on schemas that exist: USAGE, and CREATE on those in which loads create something."""
    for schema in schemas:
        held = rights.schemas.get(schema)
        if held is None:
            continue
        if schema in creates_in and not (held.usage and held.create):
            yield f"grant usage, create on schema {identifier(schema)} to {rights.user}"
        elif not held.usage:
            yield f"grant usage on schema {identifier(schema)} to {rights.user}"


def missing_on_control_tables(rights: Rights, tables: Sequence[TableName]) -> Iterator[str]:
    """Yield the grants on control tables that another user has created."""
    for table in tables:
        yield from _missing_privileges(rights, table, ("select", "insert") if table.name in _GROWING else PRIVILEGES)


def missing_on_tables(rights: Rights, spec: PipelineSpec) -> Iterator[str]:
    """Yield what the user needs on a spec's target and views, where they exist.

    Only its owner may replace a view, and alter a table or grant on it, which not every spec asks for.
    """
    target = spec.target.table
    owned = [*([target] if _changes_target(spec) else []), *(view.view for view in spec.views)]
    for name in owned:
        held = rights.relations.get(name)
        if held is not None and not _is_own(rights, held):
            yield f"alter table {name.sql} owner to {rights.user}"
    held = rights.relations.get(target)
    if held is not None and (_is_own(rights, held) or target not in owned):
        needed = tuple(each for each in PRIVILEGES if each != "delete" or not spec.load.mode.only_adds)
        yield from _missing_privileges(rights, target, needed)


def _changes_target(spec: PipelineSpec) -> bool:
    """Return whether loads may alter the target, or grant privileges on it."""
    policies = (spec.evolution, *spec.evolution.columns.values())
    alters = any(
        policy.new_columns == "add" or policy.wider_values == "widen" or policy.type_conflicts == "to_text"
        for policy in policies
    )
    return alters or bool(spec.grants) or spec.grants_exclusive


def _creates_in(spec: PipelineSpec) -> Iterator[str]:
    """Yield the schemas in which loads create views, or copies of the target."""
    yield from (view.view.schema for view in spec.views)
    if _changes_target(spec):
        yield spec.target.table.schema


def _is_own(rights: Rights, held: RelationRights) -> bool:
    return rights.connection.is_superuser or held.owner == rights.connection.user


def _missing_privileges(rights: Rights, table: TableName, needed: Sequence[Privilege]) -> Iterator[str]:
    held = rights.relations.get(table)
    missing = [] if held is None else [privilege for privilege in needed if privilege not in held.privileges]
    if missing:
        yield f"grant {', '.join(missing)} on {table.sql} to {rights.user}"


def _read_catalog(subject: Subject, rights: Rights) -> None:
    """Read what loads observe of all targets, without their files."""
    feeds = [ToObserve(spec, ()) for spec in subject.specs]
    try:
        found = observe_all(subject.warehouse, feeds, attempts=1) if feeds else []
    except WarehouseError as error:
        if error.cause is not Cause.NOT_PERMITTED:
            raise
        name = name_at_fault(error.reason)
        remedy = f"grant select on {name or 'the relation that the message names'} to {rights.user}"
        raise NotReady(condensed(error.first_line), f"Run as an administrator: {remedy}", error.exit_code) from error
    for each in found:
        if isinstance(each, WarehouseError):
            unusable = failure("rights", each)
            raise NotReady(unusable.found, unusable.remedy or "", unusable.exit_code) from each

"""The warehouse: whether it answers, whether COPY works, and whether the control schema is complete."""

from __future__ import annotations

import tempfile
from pathlib import Path

from framework.errors import Cause, PipelineError, WarehouseError
from framework.load.check.outcome import WRONG_SERVICE, NotReady, advising
from framework.load.check.subject import Subject
from framework.log.aws_errors import credentials_advice, denied_right, has_answer, is_denied
from framework.model.names import identifier, temporary_staging_table
from framework.model.words import listed
from framework.plan.copy import CopyInput, manifest, plan_copy
from framework.plan.render import condensed
from framework.plan.steps import Statement, Transaction, select
from framework.rows.choice import missing_package
from framework.spec.environment import WarehouseSettings
from framework.warehouse.control_tables import ControlSchema, complete_control_schema, read_control_schema
from framework.warehouse.wrong_settings import wrong_field

_LONGEST_REASON = 300
_OF_THE_DATABASE = ("database", "secret_arn", "db_user")
"""Fields of `warehouse` without which the Data API answers, and nobody connects."""


def check_warehouse(subject: Subject) -> str:
    """Return which warehouse has answered, and after how long."""
    reached, settings = subject.reached, subject.services.environment.warehouse
    if reached.error is not None and not _concerns_database(reached.error, settings):
        with advising(lambda error: _reach_advice(subject, error)):
            raise reached.error
    return f"{_name_of(settings)} answered a query in {round(reached.seconds * 1000):,} ms"


def check_database(subject: Subject) -> str:
    """Return the database, the user that statements run as, and the version."""
    if (error := subject.reached.error) is not None:
        field = wrong_field(error.reason, subject.services.environment.warehouse) or "database"
        reason = condensed(error.reason)[:_LONGEST_REASON]
        raise NotReady(reason, f"Correct {subject.field(f'warehouse.{field}')}", error.exit_code) from error
    found = subject.connection
    return f"{found.database} as user {found.user}{' (superuser)' if found.is_superuser else ''}, {found.version}"


def check_copy_role(subject: Subject) -> str:
    """Return by which role COPY has read a staging file of one row, into a temporary table that was dropped."""
    if (package := missing_package("embedded")) is not None:
        raise NotReady(f"{package} is not installed", "Install feedway[embedded]", WRONG_SERVICE, "embedded")
    role = subject.services.environment.warehouse.copy_role
    lake = subject.lake
    try:
        url, size_bytes = _stage_one_row(subject)
        lake.put(f"{subject.staging_prefix}manifest.json", manifest({url: size_bytes}))
        _copy(subject, lake.url(f"{subject.staging_prefix}manifest.json"), role)
    finally:
        lake.delete_below(subject.staging_prefix)
    return f"COPY reads {lake.url(lake.key('staging/'))} by {_shown_role(role)}"


def check_control_schema(subject: Subject) -> str:
    """Return whether the control tables that pipelines share are complete; create what is missing if asked to."""
    schema = subject.warehouse.control_schema
    found = read_control_schema(subject.warehouse)
    missing = _missing(found)
    if missing and subject.creates:
        complete_control_schema(subject.warehouse, found)
        return f"{schema}: created {listed(missing, len(missing))}"
    if missing:
        create = subject.services.program.command("check", "--create")
        raise NotReady(
            f"{schema} has no {listed(missing, len(missing))}",
            f"Correct {subject.field('warehouse.control_schema')}, or run: {create}",
            WRONG_SERVICE,
        )
    return f"{schema} has all tables and columns"


def _missing(found: ControlSchema) -> list[str]:
    return [*found.missing_tables, *(f"{table}.{column}" for table, column in found.missing_columns)]


def _name_of(settings: WarehouseSettings) -> str:
    return f"workgroup {settings.workgroup}" if settings.workgroup else f"cluster {settings.cluster}"


def _concerns_database(error: WarehouseError, settings: WarehouseSettings) -> bool:
    """Return whether the warehouse was reached, and the query failed there or nobody could connect."""
    field = wrong_field(error.reason, settings)
    return field in _OF_THE_DATABASE if field is not None else error.statement_id is not None


def _reach_advice(subject: Subject, error: PipelineError) -> str:
    settings = subject.services.environment.warehouse
    field = subject.field("warehouse.workgroup" if settings.workgroup else "warehouse.cluster")
    if (advice := credentials_advice(error)) is not None:
        return advice
    if is_denied(error):
        right = denied_right(error) or "redshift-data:ExecuteStatement"
        return f"Allow {right}; or correct {field}"
    if not has_answer(error):
        return (
            f"See whether this machine reaches the Data API in {subject.services.warehouse.region}: "
            f"{subject.field('warehouse.region')}, its proxy, or the VPC's endpoint for redshift-data"
        )
    if isinstance(error, WarehouseError) and wrong_field(error.reason, settings) is not None:
        return f"Correct {field}, or the region: {subject.field('warehouse.region')}"
    return f"See whether the {_name_of(settings)} is available, or correct {field}"


def _stage_one_row(subject: Subject) -> tuple[str, int]:
    """Upload a staging file as tasks do; return its address and size in bytes."""
    # imported where it is used: it needs an engine's packages
    from framework.rows.probe import write_one_row

    url = subject.lake.url(f"{subject.staging_prefix}part.parquet")
    with tempfile.TemporaryDirectory(prefix="feedway-check-") as folder:
        path = Path(folder) / "part.parquet"
        write_one_row(path)
        subject.lake.store.upload(path, url)
        return url, path.stat().st_size


def _copy(subject: Subject, manifest_url: str, role: str) -> None:
    """Copy the staging file as a small load does, and drop the table in the same transaction."""
    table = temporary_staging_table(subject.warehouse.run_id)
    created, *copied = plan_copy(CopyInput((), (), None, manifest_url, role), table)
    statements = (
        created,
        *copied,
        select("select_staging_count", {"staging": table}),
        Statement("drop_tables", {"tables": (table.sql,)}),
    )
    try:
        results = subject.warehouse.run(Transaction("check_copy", statements), attempts=1)
    except WarehouseError as error:
        # Without a temporary table nothing is known of the role.
        is_consequence = error.refused.index == 0
        reason = condensed(error.reason)[:_LONGEST_REASON]
        because = "rights" if is_consequence else None
        raise NotReady(reason, _copy_advice(subject, role, error), error.exit_code, because) from error
    if results[-2] != [(1,)]:
        raise NotReady(f"COPY loaded {results[-2]} rows of 1", _copy_advice(subject, role), WRONG_SERVICE)


def _copy_advice(subject: Subject, role: str, error: WarehouseError | None = None) -> str:
    field = subject.field("warehouse.copy_role")
    if error is not None and error.refused.index == 0:
        return f"Run as an administrator: {grant_temporary(subject)}"
    if error is not None and error.cause is Cause.NOT_PERMITTED:
        return (
            f"Attach {_shown_role(role)} to the {_name_of(subject.services.environment.warehouse)}, and let "
            f"redshift.amazonaws.com and redshift-serverless.amazonaws.com assume it; or correct {field}"
        )
    return (
        f"Allow {_shown_role(role)} s3:GetObject on {subject.bucket_arn}/{subject.lake.key('staging/')}*, "
        f"s3:ListBucket on {subject.bucket_arn}, and kms:Decrypt on the bucket's key if it has one; or correct {field}"
    )


def grant_temporary(subject: Subject) -> str:
    """Return the statement that lets the user create temporary tables."""
    found = subject.connection
    return f"grant temp on database {identifier(found.database)} to {identifier(found.user)}"


def _shown_role(role: str) -> str:
    return "the default role" if role == "default" else f"role {role}"

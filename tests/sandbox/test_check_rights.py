"""`check` as a user with few rights: what is missing turns `rights` red alone, and its remedy makes it green."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import boto3
import psycopg
import pytest

from framework.model.names import ledger_table
from framework.sandbox import SandboxAddress
from tests.harness import MakeFeed, csv_text, new_name
from tests.sandbox.checking import Checking, LimitedUser, failed, skipped
from tests.sandbox.conftest import ENVIRONMENT

SPEC = """
source: {prefix: data/in/{name}/}
target: {schema: {schema}, table: "{name}"}
load: {keys: [id]}
views: [{schema: {schema}, name: "v_{name}", definition: "select id from {{ target }}"}]
"""
ASKED = "Run as an administrator: "


@pytest.fixture
def user(sandbox: SandboxAddress) -> Iterator[LimitedUser]:
    with psycopg.connect(sandbox.database_url, autocommit=True) as admin:
        made = LimitedUser(sandbox, admin)
        yield made
        made.remove()


@pytest.fixture
def checking(user: LimitedUser, make_feed: MakeFeed, sandbox: SandboxAddress) -> Iterator[Checking]:
    """A feed that this user loads into a schema of its own, with a control schema of its own; all of it exists."""
    schema, control_schema = new_name("own"), new_name("control")
    user.administer(f"create schema {schema} authorization USER", "grant create on database dev to USER")
    environment = replace(ENVIRONMENT, warehouse=replace(ENVIRONMENT.warehouse, control_schema=control_schema))
    with user.data_api() as client:
        feed = make_feed(SPEC.replace("{schema}", schema), redshift_data=client, environment=environment)
        made = Checking(feed, sandbox, boto3.session.Session().client("s3"), client)
        made.check(creates=True)
        assert feed.load("1.csv", csv_text("id,a", "1,x")).status == "SUCCESS"
        yield made


def names(checking: Checking) -> dict[str, str]:
    """Return what stands for names in the cases."""
    spec = checking.feed.spec()
    schema, control = spec.target.table.schema, checking.feed.environment.warehouse.control_schema
    ledger = ledger_table(control, spec.target.table).name
    return {"SCHEMA": schema, "CONTROL": control, "TARGET": spec.target.table.name, "LEDGER": ledger}


def filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def test_a_user_with_no_more_than_it_needs_is_green(checking: Checking, user: LimitedUser) -> None:
    found = checking.check()

    assert {outcome.status for outcome in found.values()} == {"ok"}
    assert f"dev as user {user.name}, " in found["database"].found
    assert found["rights"].found == "all that loads of 1 spec need; 1 of their targets exist"


CASES = (
    # what an administrator does to the user, and the remedy for it
    ("revoke create on schema SCHEMA from USER", 'grant usage, create on schema "SCHEMA" to "USER"'),
    ("revoke usage on schema SCHEMA from USER", 'grant usage, create on schema "SCHEMA" to "USER"'),
    ("revoke create on schema CONTROL from USER", 'grant usage, create on schema "CONTROL" to "USER"'),
    ('alter table SCHEMA."TARGET" owner to awsuser', 'alter table "SCHEMA"."TARGET" owner to "USER"'),
    ('alter view SCHEMA."v_TARGET" owner to awsuser', 'alter table "SCHEMA"."v_TARGET" owner to "USER"'),
    ('revoke insert on SCHEMA."TARGET" from USER', 'grant insert on "SCHEMA"."TARGET" to "USER"'),
    ("revoke insert on CONTROL.job_sts from USER", 'grant insert on "CONTROL"."job_sts" to "USER"'),
    ("alter table CONTROL.job_sts owner to awsuser", 'grant select, insert on "CONTROL"."job_sts" to "USER"'),
    (
        "alter table CONTROL.view_builds owner to awsuser",
        'grant select, insert, delete on "CONTROL"."view_builds" to "USER"',
    ),
    ('revoke delete on CONTROL."LEDGER" from USER', 'grant delete on "CONTROL"."LEDGER" to "USER"'),
)


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize(("broken", "remedy"), CASES, ids=[case[1] for case in CASES])
def test_a_right_that_is_missing(checking: Checking, user: LimitedUser, broken: str, remedy: str) -> None:
    values = names(checking)
    user.administer(filled(broken, values))

    found = checking.check()

    red = failed(found)
    assert (red.item, red.exit_code) == ("rights", 5)
    assert red.found == f"user {user.name} lacks 1 right that loads need"
    expected = filled(remedy, values | {"USER": user.name})
    assert red.remedy == f"{ASKED}{expected}"
    assert skipped(found) == {"control_schema"}

    user.administer(expected)
    assert {outcome.status for outcome in checking.check().values()} == {"ok"}
    assert checking.feed.load("2.csv", csv_text("id,a,b", f"2,{'x' * 300},y")).status == "SUCCESS"


def test_without_create_on_the_database_no_schema_can_be_created(checking: Checking, user: LimitedUser) -> None:
    user.administer("revoke create on database dev from USER")
    assert {outcome.status for outcome in checking.check().values()} == {"ok"}
    warehouse = replace(checking.feed.environment.warehouse, control_schema=new_name("control"))

    found = checking.check(environment=replace(checking.feed.environment, warehouse=warehouse), creates=True)

    red = failed(found)
    assert (red.item, red.remedy) == ("rights", f'{ASKED}grant create on database "dev" to "{user.name}"')
    assert skipped(found) == {"control_schema"}


def test_without_temporary_tables_nothing_is_known_of_the_copy_role(checking: Checking, user: LimitedUser) -> None:
    user.administer("revoke temp on database dev from public")
    try:
        found = checking.check()
    finally:
        user.administer("grant temp on database dev to public")

    red = failed(found)
    assert (red.item, red.remedy) == ("rights", f'{ASKED}grant temp on database "dev" to "{user.name}"')
    assert skipped(found) == {"copy_role", "control_schema"}


def test_a_spec_that_changes_no_table_needs_privileges_but_not_the_ownership(
    checking: Checking, user: LimitedUser
) -> None:
    values = names(checking)
    user.administer(filled('alter table SCHEMA."TARGET" owner to awsuser', values))
    user.administer(filled("revoke create on schema SCHEMA from USER", values))
    body = checking.feed.spec_body.partition("views:")[0]
    checking.feed.spec_body = f"{body}evolution: {{new_columns: reject, wider_values: reject}}\n"

    red = failed(checking.check())
    statement = filled('grant select, insert, delete on "SCHEMA"."TARGET" to "USER"', values | {"USER": user.name})
    assert red.remedy == f"{ASKED}{statement}"

    user.administer(statement)
    assert {outcome.status for outcome in checking.check().values()} == {"ok"}
    assert checking.feed.load("2.csv", csv_text("id,a", "2,y")).status == "SUCCESS"


def test_several_missing_rights_are_one_line_of_statements(checking: Checking, user: LimitedUser) -> None:
    values = names(checking)
    user.administer(filled("revoke create on schema SCHEMA from USER", values))
    user.administer(filled("revoke select, delete on CONTROL.view_journal from USER", values))

    red = failed(checking.check())

    assert red.found == f"user {user.name} lacks 2 rights that loads need"
    assert red.remedy is not None
    assert len(red.remedy.split("; ")) == 2


def test_a_catalog_view_that_loads_read_is_denied(checking: Checking, user: LimitedUser) -> None:
    user.administer("revoke select on pg_internal.svv_redshift_columns from public")
    try:
        red = failed(checking.check())
    finally:
        user.administer("grant select on pg_internal.svv_redshift_columns to public")

    assert red.item == "rights"
    assert red.found.endswith("ERROR: permission denied for relation svv_redshift_columns")
    assert red.remedy == f'{ASKED}grant select on svv_redshift_columns to "{user.name}"'


def test_a_target_that_is_a_view_is_no_target(checking: Checking, user: LimitedUser) -> None:
    schema = names(checking)["SCHEMA"]
    checking.feed.sql(f"create view {schema}.other as select 1 as id")
    checking.feed.spec_body = checking.feed.spec_body.replace('table: "{name}"', "table: other")

    red = failed(checking.check())

    assert red.item == "rights"
    assert red.found == f"{schema}.other is a view, and a load needs a table"
    assert red.remedy == "Name another target.table"

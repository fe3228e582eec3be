"""Views, bound and late-binding, comments, and who may do what."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.redshift_sql_session import Session, new_session

GRANTS = """
select privilege_type, identity_name, identity_type, admin_option from svv_relation_privileges
where namespace_name = 's' and relation_name = 'v' and identity_name <> 'postgres' order by 2, 1
"""


@pytest.fixture
def session() -> Iterator[Session]:
    with new_session() as session:
        session.run("create table s.t (a int, b varchar(9))")
        session.run("insert into s.t values (1, 'x ')")
        yield session


def test_a_bound_view_is_shown_as_it_was_written(session: Session) -> None:
    session.run("create view s.v as\nselect a, b from s.t where b = 'x' -- shown")

    assert session.run("select * from s.v") == [(1, "x ")]
    views = session.run("select schemaname, viewname, definition from pg_views")
    assert views == [("s", "v", "select a, b from s.t where b = 'x'")]


def test_a_views_columns_stay_when_it_is_replaced(session: Session) -> None:
    session.run("create or replace view s.v as select a, b from s.t")
    session.run("create or replace view s.v as select a + 1 as a, b from s.t")

    assert session.run("select a from s.v") == [(2,)]
    more = session.error("create or replace view s.v as select a, b, 1 as c from s.t")
    assert more == "cannot change number of columns in view"
    fewer = session.error("create or replace view s.v as select a from s.t")
    assert fewer == "cannot drop columns from view"
    other = session.error("create or replace view s.v as select a::bigint as a, b from s.t")
    assert other == 'cannot change data type of view column "a"'


def test_a_view_cannot_be_written(session: Session) -> None:
    session.run("create view s.v as select a from s.t")

    assert session.error("insert into s.v values (1)") == "cannot insert into a view"
    assert session.error("delete from s.v") == "cannot delete from a view"
    session.run("create view s.late as select a from s.t with no schema binding")
    assert session.error("insert into s.late values (1)") == "cannot insert into a view"


def test_a_late_binding_view_reads_what_is_there_now(session: Session) -> None:
    session.run("create view s.v as select * from s.later with no schema binding")
    assert session.error("select * from s.v") == 'relation "s.later" does not exist'

    session.run_all("create table s.later (c varchar(3))", "insert into s.later values ('y ')")
    assert session.run("select v.c, s.v.c from s.v where s.v.c = 'y'") == [("y ", "y ")]
    session.run_all("alter table s.later rename column c to d", "alter table s.later add column e int")
    assert session.run("select x.* from s.v as x") == [("y ", None)]
    session.run("create table s.w as select 'y' as d")
    session.run("delete from s.w using s.v, s.t as t where w.d = v.d and t.a = 1")
    assert session.row_count == 1
    session.run("drop table s.later")


def test_a_late_binding_view_may_stand_on_another(session: Session) -> None:
    session.run("create view s.inner_view as select a from s.t with no schema binding")
    session.run("create view s.v as select a + 1 as a from s.inner_view WITH NO SCHEMA BINDING;")

    assert session.run("select a from s.v union all select a from s.inner_view") == [(2,), (1,)]
    session.run("create temp table u as select a from s.v")
    assert session.run("select a from u") == [(2,)]
    bound = session.error("create view s.w as select a from s.v")
    assert bound == "A bound view on the late-binding view s.v is not supported by the sandbox"


def test_a_late_binding_view_names_schemas_that_exist(session: Session) -> None:
    unqualified = session.error("create view s.v as select a from t with no schema binding")
    assert (
        unqualified == "All the relation names inside should be qualified when creating views with no schema binding."
    )
    missing = session.error("create view s.v as select a from nowhere.t with no schema binding")
    assert missing == 'schema "nowhere" does not exist'


def test_a_late_binding_view_is_listed_and_dropped_like_any(session: Session) -> None:
    statement = "create or replace view s.v as select a from s.t with no schema binding"
    session.run_all(statement, statement)

    assert session.run("select table_type from svv_tables where table_name = 'v'") == [("VIEW",)]
    assert session.run("select definition from pg_views where viewname = 'v'") == [(statement,)]
    assert session.run("select * from svv_columns where table_name = 'v'") == []
    assert session.error("create table s.v (a int)") == 'relation "v" already exists'
    session.run_all("drop table s.t", "drop view s.v")
    assert session.find_view("s", "v") is None


def test_dependents_are_found_as_on_redshift(session: Session) -> None:
    session.run_all("create view s.v as select a from s.t", "create view s.w as select a from s.v")
    session.run("create view s.late as select a from s.t with no schema binding")

    rows = session.run(
        "select distinct dep_ns.nspname, dep.relname, src.relname, a.attname from pg_depend d "
        "join pg_rewrite r on r.oid = d.objid join pg_class dep on dep.oid = r.ev_class "
        "join pg_namespace dep_ns on dep_ns.oid = dep.relnamespace join pg_class src on src.oid = d.refobjid "
        "join pg_namespace src_ns on src_ns.oid = src.relnamespace "
        "left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid and a.attnum > 0 "
        "where src_ns.nspname = 's' and dep.oid <> src.oid order by 2"
    )
    assert rows == [("s", "v", "t", "a"), ("s", "w", "v", "a")]


def test_users_groups_and_roles_of_one_name_are_three(session: Session) -> None:
    session.run("create view s.v as select a from s.t")
    session.run_all("create user ann password 'Secret1'", "create group ann with user ann", "create role ann")
    session.run("grant select on s.v to ann with grant option")
    session.run_all(
        "grant select on table s.v to group ann", "grant all on s.v to role ann", "grant select on s.v to public"
    )

    identities = {(row[1], row[2], row[3]) for row in session.run(GRANTS)}
    expected = {("ann", "user", True), ("ann", "group", False), ("ann", "role", False), ("public", "public", False)}
    assert identities == expected
    privileges = [row[0] for row in session.run(GRANTS) if row[2] == "role"]
    assert privileges == ["DELETE", "INSERT", "REFERENCES", "SELECT", "UPDATE"]
    session.run_all(
        "revoke all on s.v from role ann", "revoke select on s.v from group ann", "revoke select on s.v from ann"
    )
    assert session.run(GRANTS) == [("SELECT", "public", "public", False)]
    session.run_all("drop group ann", "drop role ann")


def test_who_is_missing_is_named_by_its_kind(session: Session) -> None:
    assert session.error("grant select on s.t to ann") == 'user "ann" does not exist'
    assert session.error("grant select on s.t to group ann") == 'group "ann" does not exist'
    assert session.error("drop role ann") == 'role "ann" does not exist'


def test_grant_options_go_to_users_only(session: Session) -> None:
    session.run("create group readers")

    message = session.error("grant select on s.t to group readers with grant option")
    assert message == "Grant options can only be granted to individual users"


def test_grants_survive_replacing_a_view_but_not_dropping_it(session: Session) -> None:
    session.run_all(
        "create user ann password disable", "create view s.v as select a from s.t", "grant select on s.v to ann"
    )
    session.run("create or replace view s.v as select a from s.t where a > 0")
    assert session.run(GRANTS) == [("SELECT", "ann", "user", False)]

    session.run_all("drop view s.v", "create view s.v as select a from s.t")
    assert session.run(GRANTS) == []


def test_column_grants_are_seen(session: Session) -> None:
    session.run_all("create user ann password disable", "grant select (a) on s.t to ann")

    acls = dict(session.run("select column_name, column_acl from svv_redshift_columns where table_name = 't'"))
    assert "ann=r" in acls["a"]
    assert acls["b"] is None


def test_a_user_sees_only_what_it_may_use(session: Session) -> None:
    session.run_all("create user ann password disable", "create table s.secret (a int)", "grant select on s.t to ann")
    session.connection.execute("set local role ann")

    assert session.run("select table_name from svv_tables") == [("t",)]


def test_comments_are_put_on_tables_views_and_columns(session: Session) -> None:
    session.run("create view s.v as select a from s.t with no schema binding")
    session.run_all(
        "comment on table s.t is 'it''s'", "comment on view s.v is 'v'", "comment on column s.t.a is 'c\\\\d'"
    )

    assert session.run("select table_name, remarks from svv_tables order by 1") == [("t", "it's"), ("v", "v")]
    assert session.run("select remarks from svv_columns where column_name = 'a'") == [("c\\d",)]
    session.run("comment on table s.t is null")
    assert session.run("select remarks from svv_tables where table_name = 't'") == [(None,)]


def test_the_owner_changes(session: Session) -> None:
    session.run_all(
        "create user ann password disable", "create view s.v as select a from s.t", "alter table s.v owner to ann"
    )

    assert session.run("select viewowner from pg_views") == [("ann",)]

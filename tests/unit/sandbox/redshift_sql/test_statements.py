"""Every kind of statement is known by its grammar, however it is written, and everything else is refused."""

from __future__ import annotations

import re

import pytest

from framework.sandbox.redshift_sql import Parsed, Refused, parse, to_postgres

STATEMENTS = {
    "create schema if not exists s": "CREATE SCHEMA",
    "drop schema if exists s cascade": "DROP SCHEMA",
    "create table if not exists s.t (a int not null, b varchar(9) default 'x', primary key (a)) "
    "diststyle key distkey (a) compound sortkey (a, b)": "CREATE TABLE",
    "create table s.t (a int encode az64 distkey sortkey primary key, b date null) backup no": "CREATE TABLE",
    "create table s.t (a int) diststyle auto sortkey auto": "CREATE TABLE",
    "create table s.t (like s.u including defaults)": "CREATE TABLE",
    "create temp table t as select a from s.u": "CREATE TABLE AS",
    "create table s.t diststyle even as select a from s.u": "CREATE TABLE AS",
    "copy s.t (a, b) from 's3://b/k' iam_role 'arn:aws:iam::1:role/r' format as parquet manifest": "COPY",
    "lock table s.t, s.u": "LOCK",
    "lock s.t": "LOCK",
    "select cast(case when count(*) = 0 then '1' else 'x' end as integer) from s.t": "SELECT",
    "with w as (select a from s.t) select a from w": "SELECT",
    "(select a from s.t) union all (select b from s.u)": "SELECT",
    "insert into s.t (a, b) select a, b from s.u": "INSERT",
    "insert into s.t (a) values (1), (2)": "INSERT",
    "delete from s.t": "DELETE",
    "delete from s.t using s.u where s.t.a = s.u.a": "DELETE",
    "update s.t set a = s.u.a from s.u where s.t.b = s.u.b": "UPDATE",
    "drop table if exists s.t, s.u cascade": "DROP TABLE",
    "drop view s.v restrict": "DROP VIEW",
    "truncate table s.t": "TRUNCATE",
    "create view s.v as select a from s.t": "CREATE VIEW",
    "create or replace view s.v (x) as select a from s.t": "CREATE VIEW",
    "create view s.v as select a from s.t with no schema binding": "CREATE VIEW",
    "comment on table s.t is 'x'": "COMMENT",
    "comment on column s.t.a is null": "COMMENT",
    "comment on view s.v is 'x'": "COMMENT",
    "alter table s.t add column a int default 1 encode raw": "ALTER TABLE",
    "alter table s.t drop column a restrict": "ALTER TABLE",
    "alter table s.t rename column a to b": "ALTER TABLE",
    "alter table s.t rename to u": "ALTER TABLE",
    "alter table s.t alter column a type varchar(9)": "ALTER TABLE",
    "alter table s.t alter column a encode zstd": "ALTER TABLE",
    "alter table s.t owner to ann": "ALTER TABLE",
    "grant select, insert on s.t to ann, group g, role r, public": "GRANT",
    "grant select on s.t to ann with grant option": "GRANT",
    "grant usage on schema s to group g": "GRANT",
    "grant role r to ann": "GRANT",
    "revoke all privileges on table s.t from ann cascade": "REVOKE",
    "create user ann password 'Secret1' in group g": "CREATE USER",
    "create group g with user ann": "CREATE GROUP",
    "create role r": "CREATE ROLE",
    "drop user if exists ann": "DROP USER",
    "drop group g": "DROP GROUP",
    "alter group g add user ann": "ALTER GROUP",
    "set query_group to 'x'": "SET",
    "reset query_group": "RESET",
    "begin transaction isolation level serializable": "BEGIN",
    "commit work": "COMMIT",
    "end": "COMMIT",
    "abort": "ROLLBACK",
    "analyze s.t": "ANALYZE",
    "vacuum delete only s.t to 99 percent": "VACUUM",
}


def translated(parsed: Parsed) -> tuple[str, ...]:
    return to_postgres(parsed, lambda schema, name: None)


def rewritten(statement: str) -> str:
    """The statement in other letters, with comments, white space and a semicolon more."""
    parts = re.split(r"('[^']*')", statement)
    parts = [part if part.startswith("'") else part.upper().replace(" ", " /* ; ' */\n -- \" '\n\t") for part in parts]
    return " -- first\n" + "".join(parts) + " ; \n/* last */"


@pytest.mark.parametrize(("statement", "kind"), STATEMENTS.items())
def test_a_statement_is_known_however_it_is_written(statement: str, kind: str) -> None:
    parsed = parse(statement)
    other = parse(rewritten(statement))

    assert parsed.kind == other.kind == kind
    assert parsed.copy == other.copy
    if kind != "CREATE VIEW":
        assert translated(parsed) == translated(other)


@pytest.mark.parametrize(("statement", "kind"), STATEMENTS.items())
def test_a_statement_cut_short_or_run_on_is_refused(statement: str, kind: str) -> None:
    with pytest.raises(Refused):
        parse(f"{statement} )")
    with pytest.raises(Refused, match="cannot insert multiple commands into a prepared statement"):
        parse(f"{statement}; {statement}")


def test_only_a_query_returns_rows() -> None:
    assert {kind for statement, kind in STATEMENTS.items() if parse(statement).returns_rows} == {"SELECT"}


def test_what_is_barred_in_a_transaction_and_what_commits_is_said() -> None:
    barred = {parsed.barred_in_transaction for parsed in map(parse, STATEMENTS)}
    assert barred == {None, "ALTER TABLE ALTER COLUMN", "VACUUM"}
    assert {parsed.kind for parsed in map(parse, STATEMENTS) if parsed.commits} == {"TRUNCATE"}
    assert {parsed.transaction_control for parsed in map(parse, STATEMENTS)} == {None, "BEGIN", "COMMIT", "ROLLBACK"}


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("explain select 1", "EXPLAIN"),
        ("cancel 1", "CANCEL"),
        ("show table s.t", "SHOW"),
        ("unload ('select 1') to 's3://b/k'", "UNLOAD"),
        ("merge into s.t using s.u on s.t.a = s.u.a remove duplicates", "MERGE"),
        ("create database d", "CREATE DATABASE"),
        ("create materialized view s.v as select 1", "CREATE MATERIALIZED"),
        ("create external table s.t (a int)", "CREATE EXTERNAL"),
        ("drop database d", "DROP DATABASE"),
        ("alter user ann createdb", "ALTER USER"),
        ("alter table s.t append from s.u", "ALTER TABLE APPEND"),
        ("alter table s.t alter distkey a", "ALTER TABLE DISTKEY"),
        ("alter table s.t add constraint k unique (a)", "ALTER TABLE ADD CONSTRAINT"),
        ("create table s.t (a int identity(1,1))", "IDENTITY"),
        ("create table s.t (a int check (a > 0))", "CHECK"),
        ("create table s.t (a int) interleaved sortkey (a)", "INTERLEAVED SORTKEY"),
        ("create table dev.s.t (a int)", "a name with a database, dev.s.t,"),
        ("grant drop on s.t to ann", "GRANT DROP"),
        ("set search_path to s", "SET search_path to s"),
        ("analyze compression s.t", "ANALYZE COMPRESSION"),
        ("select count(*) filter (where a > 0) from s.t", "FILTER"),
        ("select a is distinct from b from s.t", "IS DISTINCT FROM"),
        ("select array[1, 2]", "ARRAY"),
        ("select try_cast(a as int) from s.t", "TRY_CAST"),
        ("select * from (values (1)) as v", "VALUES as a table"),
        ("select is_valid_json('{}')", "function is_valid_json()"),
        ("select a[0] from s.t", "An array"),
        ("select '61'::varbyte", "type varbinary"),
        ("select a::super from s.t", "type super"),
        ("select * from stl_query", "stl_query"),
        ("select * from pg_internal.svv_tables", "pg_internal.svv_tables"),
        ("insert into s.t values (1) on conflict do nothing", "ON CONFLICT"),
        ("select " + "a" * 128 + " from s.t", f'the name "{"a" * 128}" of more than 127 bytes'),
        ("create schema " + "a" * 128, f'the name "{"a" * 128}" of more than 127 bytes'),
        ("select a\u00a0from s.t", "U+00A0 in a name without quotes"),
        ("select a from s.t\u3000where a > 0", "U+3000 in a name without quotes"),
        ("select lımıt from s.t", "lımıt without quotes"),
        ("create user " + "a" * 58, "A name of more than 57 bytes in CREATE USER"),
    ],
)
def test_what_the_sandbox_does_not_do_is_refused_by_name(statement: str, name: str) -> None:
    with pytest.raises(Refused) as refused:
        translated(parse(statement))

    assert refused.value.message == f"{name} is not supported by the sandbox"
    assert refused.value.sqlstate == "0A000"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("selekt 1", 'syntax error at or near "selekt"'),
        ("", "syntax error at end of input"),
        ("create table if not exists s.t as select 1", 'syntax error at or near "as"'),
        ("create table s.t (tag int)", 'syntax error at or near "tag"'),
        ("create table s.t (a int,)", 'syntax error at or near ")"'),
        ("alter table s.t add column a int, add column b int", 'syntax error at or near ","'),
        ("select open from s.t", 'syntax error at or near "open"'),
        ("select 1 from", 'syntax error at or near "from"'),
        ("delete from s.t as x where x.a = 1", 'syntax error at or near "x"'),
        ("select 'it", "unterminated quoted text or comment"),
        ("select string_agg(a, ',') from s.t", "function string_agg() does not exist"),
        ("select sum(a) over (order by b) from s.t", "Aggregate window functions with an ORDER BY clause require"),
        ("select datediff(fortnight, a, b) from s.t", 'timestamp units "fortnight" not recognized'),
        ("create table s.t (a int) diststyle even distkey (a)", "Cannot specify DISTKEY column with DISTSTYLE EVEN"),
        ("create table s.t (a int) sortkey (b)", 'column "b" named in key does not exist'),
        ("create table s.t (a varchar(65536))", "length for type varchar cannot exceed 65535"),
        ("create table s.t (a decimal(39,0))", "DECIMAL precision 39 must be between 1 and 38"),
        ("create table s.t (ctid int)", 'column name "ctid" conflicts with a system column name'),
        ("drop table pg_sandbox.table_design", "permission denied for schema pg_sandbox"),
        ("create temp table s.t (a int)", "cannot create temporary relation in non-temporary schema"),
        ("alter table s.t alter column a set default 1", "ALTER COLUMN SET/DROP DEFAULT is not supported"),
        (
            "alter table s.t alter a type varchar(9) using b",
            "ALTER TABLE ALTER COLUMN does not support USING expression",
        ),
        ("alter table s.t add a int unique", "ALTER TABLE ADD COLUMN does not support columns defined with UNIQUE"),
    ],
)
def test_what_redshift_refuses_is_refused_in_its_words(statement: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(statement)

    assert refused.value.message.startswith(message)


def test_a_syntax_error_has_its_position() -> None:
    with pytest.raises(Refused) as refused:
        parse("drop table s.t s.u")

    assert (refused.value.position, refused.value.sqlstate) == (16, "42601")

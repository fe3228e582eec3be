"""Redshift's statements on PostgreSQL: tables, their rows, and what is refused in Redshift's words."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework.model.names import identifier, literal
from tests.sandbox.redshift_sql_session import Session, new_session


@pytest.fixture
def session() -> Iterator[Session]:
    with new_session() as session:
        yield session


def columns(session: Session, table: str) -> dict[str, tuple[object, ...]]:
    rows = session.run(
        "select column_name, data_type, character_maximum_length, numeric_precision, numeric_scale, is_nullable, "
        f"column_default from svv_columns where table_schema = 's' and table_name = '{table}' order by ordinal_position"
    )
    return {row[0]: row[1:] for row in rows}


def design(session: Session, table: str) -> list[tuple[object, ...]]:
    return session.run(
        "select column_name, encoding, distkey, sortkey from svv_redshift_columns "
        f"where database_name = current_database() and table_name = '{table}' order by ordinal_position"
    )


def test_types_without_a_length_have_redshifts(session: Session) -> None:
    session.run("create table s.t (a varchar, b text, c char, d bpchar, e decimal, f varchar(max), g numeric(38,37))")

    assert [row[1:4] for row in columns(session, "t").values()] == [
        *[(256, None, None), (256, None, None), (1, None, None), (256, None, None)],
        *[(None, 18, 0), (65535, None, None), (None, 38, 37)],
    ]


@pytest.mark.parametrize(
    ("type_sql", "spelling"),
    [
        ("int2", "smallint"),
        ("int", "integer"),
        ("int8", "bigint"),
        ("float4", "real"),
        ("float", "double precision"),
        ("double precision", "double precision"),
        ("bool", "boolean"),
        ("date", "date"),
        ("timestamp", "timestamp without time zone"),
        ("timestamp with time zone", "timestamp with time zone"),
        ("nvarchar(3)", "character varying"),
        ("nchar(3)", "character"),
    ],
)
def test_the_catalog_spells_types_as_redshift_does(session: Session, type_sql: str, spelling: str) -> None:
    session.run(f"create table s.t (a {type_sql})")

    assert columns(session, "t")["a"][0] == spelling


@pytest.mark.parametrize("type_sql", ["jsonb", "uuid", "integer[]", "serial", "bytea"])
def test_other_types_are_refused(session: Session, type_sql: str) -> None:
    assert session.error(f"create table s.t (a {type_sql})")


def test_lengths_are_bytes(session: Session) -> None:
    session.run("create table s.t (a varchar(5), b char(3))")
    session.run("insert into s.t values ('éé1', 'abc')")

    assert session.error("insert into s.t (a) values ('ééé')") == "value too long for type character varying(5)"
    assert session.error("insert into s.t (a) values ('abcdef')") == "value too long for type character varying(5)"
    assert session.error("insert into s.t (b) values ('é')") == "value too long for type character(3)"


def test_lengths_stay_bytes_after_rename_and_growth(session: Session) -> None:
    session.run_all(
        "create table s.t (a varchar(5))", "alter table s.t rename column a to b", "alter table s.t rename to u"
    )
    session.run("alter table s.u alter column b type varchar(6)")
    session.run("insert into s.u values ('ééé')")

    assert session.error("insert into s.u values ('éééé')") == "value too long for type character varying(6)"


@pytest.mark.parametrize(
    "make", ["create table s.u as select a from s.t", "create table s.u (like s.t)", "create temp table u (like s.t)"]
)
def test_lengths_are_bytes_in_a_table_made_from_another(session: Session, make: str) -> None:
    session.run_all("create table s.t (a varchar(5))", make)

    name = "u" if "temp" in make else "s.u"
    assert session.error(f"insert into {name} values ('ééé')") == "value too long for type character varying(5)"


def test_null_is_refused_where_not_null_is_stated(session: Session) -> None:
    session.run("create table s.t (a int not null, b int)")

    assert session.error("insert into s.t (b) values (1)") == "Cannot insert a NULL value into column a"


def test_keys_are_recorded_and_not_enforced(session: Session) -> None:
    session.run("create table s.t (a int primary key, b int unique, c int, foreign key (c) references s.t (a))")
    session.run("insert into s.t values (1, 1, 1), (1, 1, 9)")

    assert session.run(
        "select constraint_type, constraint_name from information_schema.table_constraints "
        "where table_name = 't' order by 1"
    ) == [("FOREIGN KEY", "t_c_fkey"), ("PRIMARY KEY", "t_pkey"), ("UNIQUE", "t_b_key")]
    session.run("alter table s.t rename column b to d")
    used = "select distinct column_name from information_schema.key_column_usage where table_schema = 's' order by 1"
    assert session.run(used) == [("a",), ("c",), ("d",)]


def test_the_design_is_kept_through_renames(session: Session) -> None:
    session.run(
        "create table s.t (a int encode raw, b date, c varchar(9) encode zstd, d float) distkey (a) sortkey (b, a)"
    )
    session.run_all("alter table s.t rename column c to x", "alter table s.t rename to u", "drop table if exists s.t")

    expected = [("a", "none", True, 2), ("b", "none", False, 1), ("x", "zstd", False, 0), ("d", "none", False, 0)]
    assert design(session, "u") == expected
    assert session.run("create table s.w (like s.u)") == []
    assert design(session, "w") == expected


def test_an_existing_table_keeps_its_design(session: Session) -> None:
    session.run_all(
        "create table s.t (a int, b int) distkey (a)", "create table if not exists s.t (a int, b int) distkey (b)"
    )

    assert [row[2] for row in design(session, "t")] == [True, False]


def test_distribution_and_sort_columns_cannot_be_dropped(session: Session) -> None:
    session.run("create table s.t (a int distkey, b int sortkey, c int)")

    assert session.error("alter table s.t drop column a") == 'cannot drop distkey column "a"'
    assert session.error("alter table s.t drop column b restrict") == 'cannot drop sortkey column "b"'
    session.run("alter table s.t drop column c cascade")
    assert list(columns(session, "t")) == ["a", "b"]


def test_a_column_a_view_uses_cannot_be_dropped_or_grow(session: Session) -> None:
    session.run_all("create table s.t (a varchar(5), b int)", "create view s.v as select a from s.t")

    dependent = "because other objects depend on it"
    assert session.error("alter table s.t drop column a") == f"cannot drop table s.t column a {dependent}"
    assert session.error("drop table s.t") == f"cannot drop table s.t {dependent}"
    changed = session.error("alter table s.t alter column a type varchar(9)")
    assert changed == "cannot alter type of a column used by a view or rule"
    session.run("drop table s.t cascade")
    assert session.run("select 1 from svv_tables where table_name = 'v'") == []


@pytest.mark.parametrize(
    ("column", "type_sql", "message"),
    [
        ("a varchar(5)", "varchar(5)", "target column size should be different"),
        ("a varchar(5)", "varchar(2)", "its longest value has 3 bytes, more than 2"),
        ("a varchar(5)", "int", "only the size of a VARCHAR can change"),
        ("a int", "varchar(5)", "only the size of a VARCHAR can change"),
        ("a varchar(5) default 'x'", "varchar(9)", "with a default value"),
        ("a varchar(5) encode text255", "varchar(9)", "with encoding text255"),
        ("a varchar(5) unique", "varchar(9)", "in a UNIQUE, PRIMARY KEY or FOREIGN KEY constraint"),
    ],
)
def test_a_type_changes_on_redshifts_conditions_only(
    session: Session, column: str, type_sql: str, message: str
) -> None:
    session.run_all(f"create table s.t ({column})", "insert into s.t values (123)")

    assert message in session.error(f"alter table s.t alter column a type {type_sql}")


def test_an_added_column_has_its_default_in_old_rows(session: Session) -> None:
    session.run_all("create table s.t (a int)", "insert into s.t values (1)")
    session.run_all(
        "alter table s.t add b varchar(3) default 'x' not null", "alter table s.t add column c decimal(5,2)"
    )

    assert session.run("select * from s.t") == [(1, "x", None)]
    assert columns(session, "t")["b"] == ("character varying", 3, None, None, "NO", "'x'::character varying")
    message = "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression"
    assert session.error("alter table s.t add column d int not null") == message


def test_rows_are_deleted_updated_and_counted(session: Session) -> None:
    session.run_all("create table s.t (k varchar(5), v int)", "create table s.u (k varchar(5), v int)")
    session.run_all("insert into s.t values ('a', 1), ('b', 2)", "insert into s.u values ('a ', 9)")

    session.run("update s.t set v = s.u.v from s.u where s.t.k = s.u.k")
    assert session.run("select v from s.t order by k") == [(9,), (2,)]
    session.run("delete from s.t using s.u where s.t.k = s.u.k")
    assert session.row_count == 1
    assert session.run("select k from s.t") == [("b",)]
    session.run("delete s.t")
    assert session.value("select count(*) from s.t") == 0


def test_what_is_deleted_and_updated_may_be_joined_from_several(session: Session) -> None:
    session.run_all(
        "create table s.t as select 1 as a, 1 as b",
        "create table s.u as select 1 as a",
        "create table s.w as select 1 as a",
    )

    session.run(
        "update s.t set b = w.a + 1 from s.u join s.w as w on w.a = s.u.a, (select 1 as q) as x where s.t.a = x.q"
    )
    assert session.run("select b from s.t") == [(2,)]
    session.run("delete from s.t using s.u, s.w as w, (select 1 as q) as x where s.t.a = s.u.a and w.a = x.q")
    assert session.row_count == 1


def test_inserts_round_and_fill_the_first_columns(session: Session) -> None:
    session.run_all("create table s.t (a decimal(5,2), b int)", "insert into s.t values (20.255), (1.1), (1)")

    assert session.run("select a, b from s.t order by a desc")[0] == (Decimal("20.26"), None)


def test_a_temporary_table_hides_another_of_its_name(session: Session) -> None:
    session.run_all(
        "create table t as select 1 as a", "create temp table t as select 2 as a", "create table #u (a int)"
    )

    assert session.run("select t.a, #u.a from t left join #u on true") == [(2, None)]
    assert session.value("select a from public.t") == 1


def test_a_hash_join_compares_texts(session: Session) -> None:
    session.run_all("create table s.t (a varchar(9), b int)", "create table s.u (a varchar(9), b int)")
    from framework.sandbox import redshift_sql

    parsed = redshift_sql.parse("delete from s.t using s.u where s.t.a = s.u.a and s.t.b = s.u.b")
    (statement,) = redshift_sql.to_postgres(parsed, session.find_view)
    session.connection.execute("set enable_mergejoin to off")
    plan = "\n".join(row[0] for row in session.connection.execute(f"explain {statement}".encode()))
    assert "Hash Cond: (((t.a)::bpchar = (u.a)::bpchar) AND (t.b = u.b))" in plan


NAMES = st.text(min_size=1, max_size=15).filter(
    lambda name: "\0" not in name and len(name.encode("utf-8", "ignore")) <= 60 and name.isprintable() and name != "oid"
)
VALUES = st.text(max_size=60).filter(lambda text: "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=NAMES, column=NAMES, value=VALUES)
def test_any_name_and_any_text_survive(session: Session, table: str, column: str, value: str) -> None:
    lower = column.translate({number: chr(number + 32) for number in range(65, 91)})
    name = f"s.{identifier('t' + table)}"
    session.run(f"create table {name} ({identifier('c' + column)} varchar(65535) default {literal(value)})")
    session.run(f"insert into {name} values ({literal(value)})")
    session.run(f"comment on table {name} is {literal(value or 'x')}")

    stored = f"{name}.{identifier('C' + column)}"
    assert session.run(f"select {stored} from {name} where {stored} = {literal(value)} limit 1") == [(value,)]
    assert session.run(f"select column_name, remarks from svv_columns c where column_name = {literal('c' + lower)}")
    session.run(f"drop table {name}")

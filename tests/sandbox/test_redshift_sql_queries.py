"""Queries of Redshift on PostgreSQL give Redshift's values."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.redshift_sql_session import Session, new_session

ROWS = """
insert into s.t values
    (1, 'a', '2024-01-31', '2024-01-31 10:11:12.345', 1.25, 1.5, true),
    (2, 'b ', '2024-02-29', null, 2.30, 2.5, false),
    (4, null, null, null, null, null, null)
"""


moment = datetime.datetime.fromisoformat


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with new_session() as session:
        session.run(
            "create table s.t (id int, name varchar(9), d date, ts timestamp, n decimal(18,2), f float, b bool)"
        )
        session.run(ROWS)
        yield session


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cast('1.239' as decimal(5,2))", Decimal("1.24")),
        ("'12'::int", 12),
        ("'ééé'::varchar(3)", "é"),
        ("12345::varchar(2)", "12"),
        ("cast('abc' as varchar)", "abc"),
        ("cast(7.5 as decimal)", Decimal(8)),
        ("7 / 2", 3),
        ("'a ' = 'a'", True),
        ("'a' || null", None),
        ("concat('a', null)", None),
        ("concat('a', 'b')", "ab"),
        ("len('a  ')", 3),
        ("nvl(null, 2)", 2),
        ("nvl2(null, 1, 2)", 2),
        ("decode(null, 1, 2, null, 3, 4)", 3),
        ("decode(5, 1, 2, 6)", 6),
        ("nullif('a ', 'a')", None),
        ("datediff(hour, '2024-01-01 08:30', '2024-01-01 10:00')", 2),
        ("datediff(month, '2024-01-31', '2024-02-01')", 1),
        ("datediff(year, '2024-12-31 23:59', '2025-01-01')", 1),
        ("datediff('qtr', '2024-03-31', '2024-04-01')", 1),
        ("datediff(s, '2024-01-01 00:00:00.9', '2024-01-01 00:00:01.1')", 1),
        ("datediff(day, '2024-01-02', '2024-01-01 23:00')", -1),
        ("dateadd(month, 1, '2024-01-31')", moment("2024-02-29")),
        ("dateadd(qtr, -1, '2024-05-01')", moment("2024-02-01")),
        ("add_months('2024-02-29', 1)", moment("2024-03-31")),
        ("last_day('2024-02-03')", datetime.date(2024, 2, 29)),
        ("date_trunc('month', date '2024-02-03')", moment("2024-02-01")),
        ("trunc(timestamp '2024-02-03 04:05:06')", datetime.date(2024, 2, 3)),
        ("extract(second from timestamp '2024-01-01 00:00:01.7')", 1),
        ("extract(ms from timestamp '2024-01-01 00:00:01.7')", 700),
        ("date_part(dow, date '2024-01-07')", 0.0),
        ("convert_timezone('Europe/Berlin', '2024-07-01 12:00')", moment("2024-07-01 14:00")),
        ("to_char(timestamp '2024-01-02 03:04:05', 'YYYY-MM-DD HH24:MI:SS')", "2024-01-02 03:04:05"),
        ("charindex('b', 'ab')", 2),
        ("position('b' in 'ab')", 2),
        ("substring('abc' from 2 for 1)", "b"),
        ("regexp_replace('aa', 'a', 'b')", "bb"),
        ("regexp_substr('abc', 'x')", ""),
        ("round(1.55::float, 1)", 1.6),
        ("'a\\'b\\n\\\\'", "a'b\n\\"),
        ("getdate() >= sysdate - interval '1 second'", True),
        ("getdate()::timestamp = date_trunc('second', getdate())", True),
        ("case 'a ' when 'a' then 1 else 0 end", 1),
        ("'b' between 'a ' and 'b '", True),
        ("current_schema()", "public"),
    ],
)
def test_an_expression_has_redshifts_value(session: Session, expression: str, expected: Any) -> None:
    assert session.value(f"select {expression}") == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select sum(id), avg(id), sum(n), avg(n), avg(f) from s.t", [(7, 2, Decimal("3.55"), Decimal("1.78"), 2.0)]),
        ("select id from s.t where name = 'b'", [(2,)]),
        ("select id from s.t where name in ('x', 'b   ')", [(2,)]),
        ("select id from s.t where 'b' in (select name from s.t) and id = 1", [(1,)]),
        ("select a.id from s.t a join (select 'b' as x) as c on c.x = a.name", [(2,)]),
        ("select count(distinct name) from (select name from s.t union all select 'b  ') as u", [(2,)]),
        ("select max(p) from (select row_number() over (partition by name order by id) as p from s.t) q", [(1,)]),
        ("select top 1 id from s.t order by name desc nulls last", [(2,)]),
        ("select id from s.t minus select 1 order by 1", [(2,), (4,)]),
        ("with w as (select * from s.t) select count(*) from w", [(3,)]),
        ("select listagg(name, '|') within group (order by name) from s.t", [("a|b ",)]),
        ("select listagg(distinct name, '|') within group (order by name desc) from s.t", [("b |a",)]),
        ("select median(id) from s.t", [(2.0,)]),
        ("select avg(id) over (partition by 1 order by id rows unbounded preceding) from s.t", [(1,), (1,), (2,)]),
        ("select id from s.t qualify row_number() over (order by id desc) = 1", [(4,)]),
        ('select "ID" as "Odd ""Name" from s.T where s.t.id = 1 -- the end', [(1,)]),
        ("select id from s.t as x where exists (select 1 from s.t as y where y.id = x.id + 1)", [(1,)]),
        ("select d + 1, ts - interval '1 day' from s.t where id = 2", [(datetime.date(2024, 3, 1), None)]),
        ("select coalesce(sum(id), 0) from s.t where id > 9", [(0,)]),
    ],
)
def test_a_query_has_redshifts_rows(session: Session, query: str, expected: list[tuple[Any, ...]]) -> None:
    assert session.run(query) == expected


def test_a_sum_of_bigints_is_a_bigint(session: Session) -> None:
    cursor = session.connection.execute(
        "select sum(g::bigint), avg_type from (select 1 as g, 2 as avg_type) t group by 2"
    )
    assert cursor.description is not None
    assert cursor.description[0].type_code == 20


def test_a_batch_aborts_itself_by_a_cast_evaluated_when_it_runs(session: Session) -> None:
    guard = "select cast(case when count(*) = 0 then '1' else 'x' end as integer) from s.t where id > {}"

    assert session.value(guard.format(9)) == 1
    assert session.error(guard.format(0)) == 'invalid input syntax for integer: "x"'


def test_catalogs_are_read_but_not_mixed_with_tables(session: Session) -> None:
    message = "Specified types or functions (one per INFO message) not supported on Amazon Redshift tables."

    assert session.value("select count(*) from pg_class as c where c.relname = 't' and c.relkind = 'r'") == 1
    for mixed in (
        "select * from s.t, pg_class",
        "select current_schema() from s.t",
        "insert into s.t (name) select tablename from pg_table_def",
        "create table s.u as select table_name from svv_tables",
    ):
        assert session.error(mixed) == message


def test_the_systems_own_relations_are_hidden(session: Session) -> None:
    for listing in ("svv_tables", "information_schema.tables"):
        assert session.run(f"select table_schema, table_name from {listing}") == [("s", "t")]
    assert session.run("select distinct table_schema from svv_columns") == [("s",)]
    assert session.run("select schemaname from pg_views") == []
    assert session.value("select tbl_rows from svv_table_info") == 3

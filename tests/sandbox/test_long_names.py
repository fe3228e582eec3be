"""Names of any script and of up to 127 bytes, wherever Redshift takes them and wherever it shows them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.harness import MakeFeed
from tests.sandbox.data_api_caller import Caller, copy_sql, new_table

ASCII = "a" * 126
PAIR = (ASCII + "1", ASCII + "2")
"""Two names of 127 bytes with one beginning, longer than PostgreSQL's longest name."""
SCRIPTS = ("имя", "분류", "नाम_कि", "zürich_Ä", "a\u200cb", "😀", "x" * 63, "я" * 63, "क" * 42, "😀" * 31)


def columns_of(caller: Caller, table: str) -> list[str]:
    return [
        name
        for (name,) in caller.rows(
            f"select column_name from svv_columns where table_name = '{table}' order by ordinal_position"
        )
    ]


def failure(caller: Caller, sql: str) -> str:
    described = caller.run(sql)
    assert described["Status"] == "FAILED"
    return str(described["Error"])


def listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


@pytest.fixture
def table(caller: Caller) -> str:
    """A table with the two long names."""
    name = new_table()
    caller.do(f'create table public.{name} ("{PAIR[0]}" int not null, "{PAIR[1]}" varchar(3))')
    return name


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_name_may_be_of_any_script(caller: Caller, quote: str) -> None:
    table = new_table()
    names = [f"{quote}{name}{quote}" for name in SCRIPTS]
    caller.do(
        f"create table public.{table} ({', '.join(f'{name} int' for name in names)})",
        f"insert into public.{table} values ({', '.join(str(n) for n in range(len(names)))})",
    )
    assert columns_of(caller, table) == list(SCRIPTS)
    described = caller.run(f"select {', '.join(names)} from public.{table}")
    result = caller.data.get_statement_result(Id=described["Id"])
    assert [column["name"] for column in result["ColumnMetadata"]] == list(SCRIPTS)
    assert [tuple(field["longValue"] for field in row) for row in result["Records"]] == [tuple(range(len(names)))]


def test_only_ascii_letters_are_folded(caller: Caller) -> None:
    schema, table = f"Ä{new_table()}", new_table()
    caller.do(
        f'create schema "{schema}"',
        f'create table "{schema}".{table} ("A" int, "Ä" int, "ä" int, "İ" int)',
        f'create view "{schema}".v as select "Ä" from "{schema}".{table} with no schema binding',
    )
    assert columns_of(caller, table) == ["a", "Ä", "ä", "İ"]
    assert caller.rows(f'select "{schema}".v."Ä" from "{schema}".v') == []
    assert failure(caller, f'select * from "{schema.lower()}".v').endswith("does not exist")


def test_two_names_with_one_beginning_are_two_columns(caller: Caller, table: str) -> None:
    caller.do(f"insert into public.{table} values (7, 'abc')")
    assert caller.rows(f'select "{PAIR[1].upper()}", {PAIR[0]} from public.{table}') == [("abc", 7)]
    described = caller.run(f"select * from public.{table}")
    metadata = caller.data.get_statement_result(Id=described["Id"])["ColumnMetadata"]
    assert [(c["name"], c["label"]) for c in metadata] == [(name, name) for name in PAIR]


def test_the_catalogs_know_the_whole_names(caller: Caller, table: str) -> None:
    in_pg_attribute = """
        select attname, len(attname) from pg_attribute
        inner join pg_class on pg_class.oid = attrelid where relname = '{}' and attnum > 0 order by 1
    """
    for sql in (
        in_pg_attribute,
        "select column_name, len(column_name) from svv_columns where table_name = '{}' order by 1",
        "select column_name, len(column_name) from information_schema.columns where table_name = '{}' order by 1 ",
        "select column_name, len(column_name) from svv_redshift_columns where table_name = '{}' order by 1",
        'select "column", len("column") from pg_table_def where tablename = \'{}\' order by 1',
    ):
        assert caller.rows(sql.format(table)) == [(PAIR[0], 127), (PAIR[1], 127)]
    found = f"select count(*) from svv_columns where table_name = '{table}' and column_name in ('{PAIR[0]}', '{ASCII}')"
    assert caller.rows(found) == [(1,)]


def test_columns_come_and_go_under_long_names(caller: Caller, table: str) -> None:
    third, fourth = ASCII + "3", ASCII + "4"
    caller.do(
        f'alter table public.{table} add column "{third}" varchar(5) encode zstd',
        f'alter table public.{table} alter column "{third}" type varchar(9)',
        f'alter table public.{table} rename column "{third}" to "{fourth}"',
        f'alter table public.{table} drop column "{PAIR[1]}"',
        f"comment on column public.{table}.\"{fourth}\" is 'a comment'",
    )
    assert columns_of(caller, table) == [PAIR[0], fourth]
    commented = f"""
        select attname, description from pg_description inner join pg_class on pg_class.oid = objoid
        inner join pg_attribute on attrelid = objoid and attnum = objsubid where relname = '{table}'
    """
    assert caller.rows(commented) == [(fourth, "a comment")]


def test_a_batch_sees_the_names_it_gives(caller: Caller) -> None:
    """Its snapshot is older than the name."""
    table = new_table()
    batch = caller.run_batch(
        "select count(*) from pg_class",
        f'create table public.{table} ("{PAIR[0]}" int)',
        f"select column_name from svv_columns where table_name = '{table}'",
        f"select * from public.{table}",
        f"insert into public.{table} values (1), (null)",
        f'alter table public.{table} add column "{PAIR[0]}" int',
    )
    assert batch["Error"] == f'Query #6 failed with ERROR: column "{PAIR[0]}" of relation "{table}" already exists'
    assert caller.rows_of(batch["SubStatements"][2]["Id"]) == [(PAIR[0],)]
    result = caller.data.get_statement_result(Id=batch["SubStatements"][3]["Id"])
    assert [column["name"] for column in result["ColumnMetadata"]] == [PAIR[0]]


def test_rows_are_copied_merged_and_deleted_by_long_names(caller: Caller, table: str) -> None:
    staging = f"{table}_s"
    first, second = PAIR
    rows = pa.table({"x": ["new", "abc"], "y": pa.array([1, 2], pa.int32())})
    caller.do(f"create table public.{staging} (like public.{table})", f"insert into public.{table} values (1, 'old')")
    described = caller.copy(f'public.{staging} ("{second}", "{first}")', caller.stage(rows))
    assert described["Status"] == "FINISHED", described["Error"]
    caller.do(
        f'delete from public.{table} using public.{staging} where {table}."{first}" = public.{staging}."{first}"',
        f'insert into public.{table} ({listed(PAIR)}) select s."{first}", s."{second}" from public.{staging} as s',
        f'update public.{table} set "{second}" = null where "{first}" = 2',
    )
    assert caller.rows(f'select * from public.{table} order by "{first}"') == [(1, "new"), (2, None)]


@pytest.mark.parametrize("binding", ["", " with no schema binding"])
def test_views_stand_on_long_names_and_have_them(caller: Caller, table: str, binding: str) -> None:
    schema, view = new_table() + "s" * 110, new_table() + "v" * 110
    body = f'select "{PAIR[0]}", "{PAIR[1]}" as "{PAIR[1][:-1]}9" from public.{table} as "{"t" * 127}"{binding}'
    caller.do(
        f"create schema {schema}",
        f"create view {schema}.{view} as {body}",
        f"insert into public.{table} values (7, 'abc')",
        f"comment on view {schema}.{view} is 'a comment'",
        f"grant select on {schema}.{view} to public",
    )
    described = caller.run(f'select {view}.*, {schema}.{view}."{PAIR[0]}" as again from {schema}.{view}')
    result = caller.data.get_statement_result(Id=described["Id"])
    assert [column["name"] for column in result["ColumnMetadata"]] == [PAIR[0], PAIR[1][:-1] + "9", "again"]
    assert caller.rows(f"select viewname, schemaname from pg_views where viewname = '{view}'") == [(view, schema)]
    granted = f"select namespace_name, identity_name from svv_relation_privileges where relation_name = '{view}'"
    assert (schema, "public") in caller.rows(granted)
    assert caller.rows(f"select has_table_privilege('{schema}.{view}', 'select')") == [(True,)]
    definition = caller.rows(f"select pg_get_viewdef(oid) from pg_class where relname = '{view}'")
    assert body.removesuffix(binding) in definition[0][0]
    if not binding:
        error = failure(caller, f'alter table public.{table} drop column "{PAIR[1]}"')
        assert f"cannot drop table {table} column {PAIR[1]} because other objects depend on it" in error
        assert f"view {schema}.{view} depends on column {PAIR[1]} of table {table}" in error


def test_errors_show_the_whole_names(caller: Caller, table: str) -> None:
    missing = PAIR[0][:-1] + "8"
    assert failure(caller, f'select "{missing}" from public.{table}') == f'ERROR: column "{missing}" does not exist'
    # Of a name that the statement does not hold:
    null = failure(caller, f"insert into public.{table} select null, 'a'")
    assert null == f"ERROR: Cannot insert a NULL value into column {PAIR[0]}"
    # Of a statement that is refused before PostgreSQL sees it:
    keyed = failure(caller, f'create table public.{table}_k (a int, primary key ("{missing}"))')
    assert keyed == f'ERROR: column "{missing}" named in key does not exist'
    nothing = failure(caller, copy_sql(f'public.{table} ("{missing}")', caller.stage(pa.table({"a": [1]}))))
    assert nothing == f'ERROR: column "{missing}" of relation "{table}" does not exist'


def test_a_longer_name_is_cut_where_redshift_cuts_it(caller: Caller) -> None:
    """CREATE TABLE and ALTER TABLE cut; of no other statement it is documented."""
    table = new_table()
    caller.do(f'create table public.{table} ("{ASCII}1xyz" int, "{"я" * 63}a" int)')
    caller.do(f'alter table public.{table} rename column "{"я" * 63}a" to "{ASCII}2{"я" * 9}"')
    assert columns_of(caller, table) == list(PAIR)
    refused = failure(caller, f'select "{ASCII}1xyz" from public.{table}')
    assert refused == f'ERROR: the name "{ASCII}1xyz" of more than 127 bytes is not supported by the sandbox'
    split = failure(caller, f'alter table public.{table} add column "{"я" * 64}" int')
    assert "whose byte 128 is inside a character, is not supported by the sandbox" in split


@pytest.mark.parametrize("name", ["oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"])
def test_no_column_has_the_name_of_a_system_column(caller: Caller, table: str, name: str) -> None:
    words = f'ERROR: column name "{name}" conflicts with a system column name'
    for sql in (
        f'create table public.{table}_x ("{name}" int)',
        f'create table public.{table}_x as select 1 as "{name.upper()}"',
        f'create table public.{table}_x ("{name}") as select 1',
        f'alter table public.{table} add column "{name}" int',
        f'alter table public.{table} rename column "{PAIR[0]}" to "{name}"',
    ):
        assert failure(caller, sql) == words


VIEWED = """
source: {prefix: data/in/{name}/}
target: {schema: "%(schema)s", table: "%(table)s"}
load: {keys: ["분류", "%(key)s"]}
metadata_columns: {run_date: null, file_name: null}
views:
  - {schema: "%(schema)s", name: "%(view)s", definition: "select * from {{ target }}"}
  - schema: "%(schema)s"
    name: late
    definition: select "%(key)s", "नाम_कि" from {{ target }}
    late_binding: true
"""


@pytest.mark.parametrize("length", [10, 127])
def test_a_file_with_names_of_all_scripts_and_lengths_loads(make_feed: MakeFeed, length: int) -> None:
    """Its columns come in another order, grow, and are more the second time; a key grows the third time."""
    names = {part: (part * 127)[:length] for part in ("schema", "table", "view")}
    feed = make_feed(VIEWED % {"key": PAIR[0], **names})
    schema = names["schema"]
    feed.load("1.csv", f"분류,{PAIR[0]},имя,नाम_कि,{PAIR[1]}\nㄱ,1,аня,क,5\nㄴ,2,ян,ख,6\n")
    feed.sql(f"""create view public.foreign_{feed.name} as select "имя", "{PAIR[1]}" from {schema}.{names["table"]}""")

    result = feed.load("2.csv", f"{PAIR[1]},имя,분류,{ASCII}3,{PAIR[0]},नाम_कि\n7.5,{'я' * 200},ㄴ,2026-01-01,2,ग\n")

    assert result.status == "SUCCESS"
    rows = [("ㄱ", 1, "аня", "क", 5.0, None), ("ㄴ", 2, "я" * 200, "ग", 7.5, "2026-01-01")]
    columns = f'"분류", "{PAIR[0]}", "имя", "नाम_कि", "{PAIR[1]}", "{ASCII}3"'
    for relation in (names["table"], names["view"]):
        found = feed.sql(f'select {columns} from {schema}.{relation} order by "{PAIR[0]}"')
        assert [(*row[:4], float(str(row[4])), row[5] and str(row[5])) for row in found] == rows
    assert feed.sql(f'select * from {schema}.late order by "{PAIR[0]}"') == [(1, "क"), (2, "ग")]

    grown = feed.load("3.csv", f"분류,{PAIR[0]},имя,नाम_कि,{PAIR[1]},{ASCII}3\n{'ㄷ' * 99},3,рой,घ,8,2026-01-02\n")

    assert grown.status == "SUCCESS"
    assert feed.sql(f'select "분류" from {schema}.{names["view"]} order by 1 desc limit 1') == [("ㄷ" * 99,)]
    foreign = f'select "имя", "{PAIR[1]}" from public.foreign_{feed.name} order by 1'
    assert [(name, float(str(number))) for name, number in feed.sql(foreign)] == [
        ("аня", 5),
        ("рой", 8),
        ("я" * 200, 7.5),
    ]

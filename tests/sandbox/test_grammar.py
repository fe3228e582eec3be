"""The sandbox reads statements by a grammar: their letters' case, comments and names do not matter to it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from framework.load.request import Corrections
from framework.log.run_log import RunLog
from framework.sandbox.redshift_sql import parse, to_postgres
from framework.warehouse.audit import HistoryQuery, read_history, read_last_success, read_run_counts
from framework.warehouse.session import WarehouseSession
from framework.warehouse.staging_tables import read_staging_count
from tests.harness import MakeFeed, csv_text

SPEC = """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {keys: [id], order_by: [n desc]}
evolution: {missing_columns: {new_rows: null}}
views:
  - {schema: reporting, name: "v_{name}", definition: "select * from {{ target }}"}
"""
STRICT = """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {keys: [id], duplicates: reject}
"""
_QUOTED = re.compile(r"""('(?:[^'\\]|''|\\.)*'|"(?:[^"]|"")*")""", re.DOTALL)


def disguised(sql: str) -> str:
    """Write a statement in capitals, its words further apart, with a comment at each line's end; what is quoted stays.

    Not between all words: sqlglot takes `order by` for one.
    """
    body = sql.partition("\n")[2]
    parts = _QUOTED.split(body)
    for place in range(0, len(parts), 2):
        spread = re.sub(r" +", "  \t", parts[place].upper())
        parts[place] = spread.replace("\n", " /* it's a 'comment'; */\n")
    return "-- somebody else's comment\n" + "".join(parts) + " -- the end"


def sent_statements(make_feed: MakeFeed, client: Any) -> dict[str, str]:
    """Run loads of every mode and return one statement for each template that was sent."""
    found: dict[str, str] = {}

    def collect(params: Any, **_: Any) -> None:
        texts = params.get("Sqls") or [params["Sql"]]
        found.update({text.split(maxsplit=5)[4]: text for text in texts if text.startswith("-- feedway")})

    events = [f"provide-client-params.redshift-data.{name}" for name in ("ExecuteStatement", "BatchExecuteStatement")]
    for event in events:
        client.meta.events.register(event, collect)
    feed = make_feed(SPEC)
    feed.load("1.csv", csv_text("id,n,a,b", "1,1,x,y"))
    feed.sql(f"create group g_{feed.name}", f"grant select on reporting.v_{feed.name} to group g_{feed.name}")
    feed.sql(f"comment on view reporting.v_{feed.name} is 'seen'")
    feed.sql(f"comment on column {feed.table}.n is 'number'")
    feed.load("2.csv", csv_text("id,n,a,c", "1,3000000000," + "x" * 300 + ",z"))
    feed.load("3.csv", csv_text("id", "1"))
    plain = make_feed()
    plain.load("1.csv", csv_text("id,a", "1,x"))
    plain.load("2.csv", csv_text("id,a", "1," + "x" * 300))
    for mode in ("append", "replace"):
        other = make_feed(
            f'source: {{prefix: data/in/{{name}}/}}\ntarget: {{table: "{{name}}"}}\nload: {{mode: {mode}}}\n'
        )
        other.load("1.csv", csv_text("id", "1"))
    warehouse = WarehouseSession(feed.warehouse, "p", RunLog("r", "p", None))
    read_history(warehouse, HistoryQuery((feed.name,), ("SUCCESS",), source_filename="k", rows=5))
    read_last_success(warehouse, [feed.name])
    read_run_counts(warehouse, "r")
    strict = make_feed(STRICT)
    strict.load("1.csv", csv_text("id,n", "1,1", "1,2"))
    for corrected in (feed, plain):
        (result,) = corrected.run(Corrections(corrected.land("4.csv", csv_text("id,n", "1,2")), "4.csv", ("row 1",)))
        assert result.status == "SUCCESS"
    table = feed.spec().target.table
    read_staging_count(warehouse, table)
    for event in events:
        client.meta.events.unregister(event, collect)
    return found


@pytest.mark.exhaustive
def test_case_comments_and_names_do_not_change_what_a_statement_is(make_feed: MakeFeed, redshift_data: Any) -> None:
    statements = sent_statements(make_feed, redshift_data)

    assert {"lock_ledger", "copy_staging", "find_losers", "count_rows", "insert_rows", "create_view"} <= set(statements)
    assert len(statements) >= 40, sorted(statements)
    for template, sql in statements.items():
        plain = to_postgres(parse(sql), lambda schema, name: None)
        same = to_postgres(parse(disguised(sql)), lambda schema, name: None)
        # The last statement of a view's creation keeps the text as it was written.
        assert (same[0] if template == "create_view" else same) == (plain[0] if template == "create_view" else plain)
        renamed = sql.replace('"id"', '"a ""quoted"" id"').replace('"n"', '"select"')
        assert parse(renamed).kind == parse(sql).kind, template

"""`python -m benchmarks.pages`: the time and the size of a report of many feeds, whose audit is generated."""

from __future__ import annotations

import argparse
import io
import json
import resource
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

import psycopg

from benchmarks.loads import open_project
from framework.cli import main as run_command

ROOT = Path(__file__).resolve().parent.parent / ".bench-pages"
COLUMNS = 30
SPEC = """\
# One of many feeds that are alike.
pipeline: {name}
description: Orders of one country, as its shop exports them each hour
owner: orders-team
tags: [hourly, orders]
expect: {{every: 6h}}
source: {{prefix: data/in/{name}/, pattern: "{name}_*.csv"}}
target: {{table: {name}}}
load: {{keys: [column_0]}}
bad_rows: {{action: quarantine, max_rows: 100}}
views:
  - name: v_{name}
    definition: select * from {{{{ target }}}}
"""
LOADS = """
insert into feedway.job_sts (run_id, invocation_id, pipeline, run_start_ts, run_end_ts, source_bucket, source_filename,
    source_etag, source_size, source_modified_ts, source_generation, target_table_name, records_read, records_inserted,
    records_updated, records_rejected, status, error_message, spec_sha256, warnings)
select md5(feed || '-' || load), md5(feed || '-' || load), 'feed_' || feed,
    now() at time zone 'UTC' - (%(loads)s - load) * interval '7 hours',
    case when status <> 'STARTED' then
        now() at time zone 'UTC' - (%(loads)s - load) * interval '7 hours' + (load %% 97) * interval '1 second'
    end,
    'lake', 'data/in/feed_' || feed || '/feed_' || feed || '_' || load || '.csv', md5(load::text), 100000 + load * 37,
    now() at time zone 'UTC', 1, 'public.feed_' || feed,
    load * 13, load * 11, load, case when load %% 50 = 0 then 3 end, status,
    case when status = 'FAILED' then repeat('1 of 20 values of column_7 is not an integer. ', 20) end, 'x',
    case when load %% 40 = 0 then
        '[{"rule": "missing-column", "column": "column_9", "message": "the column is not in the file"}]' end
from generate_series(0, %(feeds)s - 1) feed, generate_series(1, %(loads)s) load,
    lateral (values ('STARTED'), (case when load %% 20 = 7 then 'FAILED' else 'SUCCESS' end)) ended (status)
"""
CHANGES = """
insert into feedway.schema_changes (changed_ts, run_id, pipeline, target_table_name, change, column_name, type_before,
    type_after, reason, source_filename)
select now() at time zone 'UTC' - number * interval '5 days', md5(number::text), 'feed_' || feed,
    'public.feed_' || feed,
    'grow_varchar', 'column_' || number %% 30, 'varchar(' || 300 - number || ')', 'varchar(' || 310 - number || ')',
    'the longest text has 305 bytes', 'data/in/feed_' || feed || '/feed_' || feed || '_' || number || '.csv'
from generate_series(0, %(feeds)s - 1) feed, generate_series(1, 40) number
"""


def generate(database_url: str, feeds: int, loads: int) -> None:
    """Write specs, tables, and the audit of loads that never ran."""
    columns = ", ".join(f"column_{number} varchar(300)" for number in range(COLUMNS))
    with psycopg.connect(database_url) as connection:
        for number in range(feeds):
            name = f"feed_{number}"
            (ROOT / "pipelines" / f"{name}.yml").write_text(SPEC.format(name=name), encoding="utf-8")
            connection.execute(f"create table public.{name} ({columns})".encode())
        connection.execute(LOADS, {"feeds": feeds, "loads": loads})
        connection.execute(CHANGES, {"feeds": feeds})
        connection.execute("analyze feedway.job_sts")


def command(*arguments: str) -> str:
    """Return what a command prints as JSON.

    Raises:
        RuntimeError: it did not end in 0.
    """
    out = io.StringIO()
    with redirect_stdout(out):
        code = run_command(["--project", str(ROOT), "--env", "embedded", "--output", "json", *arguments])
    if code:
        raise RuntimeError(f"{arguments}: exit code {code}")
    return out.getvalue()


def main() -> int:
    """Generate, report, and print seconds and bytes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--feeds", type=int, default=100)
    parser.add_argument("--loads", type=int, default=1_000, help="loads of each feed")
    arguments = parser.parse_args()
    with open_project(ROOT) as address:
        command("check", "--create")
        generate(address.database_url, arguments.feeds, arguments.loads)
        began = time.monotonic()
        report = json.loads(command("report", str(ROOT / "site")))["report"]
        seconds = time.monotonic() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(
        f"{report['feeds']} feeds of {arguments.loads:,} loads: {seconds:.1f} s, {report['bytes']:,} bytes in "
        f"{report['pages']} pages, at most {memory} MB of memory\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Loads to be disturbed, and all that a load leaves behind, to be compared."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow.parquet

from framework.model.files import FileIdentity
from framework.model.names import TableName, ledger_table
from framework.spec.environment import Environment
from tests.harness import FeedHarness, csv_text, new_name
from tests.sandbox.conftest import ENVIRONMENT

SPEC = """
source: {{prefix: data/in/{{name}}/{source}}}
target: {{table: "{{name}}"}}
load: {load}
metadata_columns: {{run_date: null, file_name: null}}
{more}
views: [{{schema: reporting, name: "v_{{name}}", definition: "{view}"}}]
"""
Files = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Scenario:
    """Files that are loaded undisturbed, and then those whose load is disturbed."""

    name: str
    load: str
    before: Files
    files: Files
    source: str = ""
    more: str = ""
    view: str = "select * from {{ target }}"
    own_control_schema: bool = False


UPSERT = "{keys: [id]}"
FIRST = ("0.csv", csv_text("id,a,b", "1,5,x", "2,6,y"))
SCENARIOS = (
    Scenario("first", UPSERT, (), (FIRST,), own_control_schema=True),
    Scenario("plain", UPSERT, (FIRST,), (("1.csv", csv_text("id,a,b", "2,7,z", "3,8,q")),)),
    Scenario(
        "evolve",
        UPSERT,
        (FIRST,),
        (("1.csv", csv_text("id,a,b,c", "2,5000000000,z,1.5", f"3,8,{'é' * 150},2.5")),),
    ),
    Scenario(
        "copied",
        UPSERT,
        (FIRST,),
        (("1.csv", csv_text("id,a,b,c", f"5000000000,8,{'é' * 150},2.5", "2,7,z,1")),),
    ),
    Scenario(
        "text",
        UPSERT,
        (FIRST,),
        (("1.csv", csv_text("id,a,b", "2,00123,z", "3,8,q")),),
        more="evolution: {type_conflicts: to_text}",
    ),
    Scenario(
        "grow",
        UPSERT,
        (FIRST,),
        (("1.csv", csv_text("id,a,b,c", f"2,7,{'é' * 150},1", "3,8,q,2")),),
        view="select id from {{ target }}",
    ),
    Scenario(
        "grow_under",
        UPSERT,
        (FIRST,),
        (("1.csv", csv_text("id,a,b", f"2,7,{'é' * 150}", "3,8,q")),),
        more="evolution: {rewrite_up_to_rows: 0}",
    ),
    Scenario("bad", UPSERT, (FIRST,), (("1.csv", csv_text("id,a,b", "2,7,z", "3,8,q,r")),)),
    Scenario(
        "quarantine",
        UPSERT,
        (FIRST,),
        (("1.csv", csv_text("id,a,b", "2,7,z", "3,x,q", "4,9,q", "5,8,q,r")),),
        more="bad_rows: {action: quarantine, max_fraction: 1}",
    ),
    Scenario(
        "append",
        "{mode: append}",
        (FIRST,),
        (("0.csv", csv_text("id,a,b", "1,5,x", "2,6,w")),),
    ),
    Scenario(
        "replace",
        "{mode: replace}",
        (FIRST,),
        (("1.csv", csv_text("id,a,b", "7,7,z")), ("2.csv", csv_text("id,a,b", "8,8,z", "9,9,z"))),
    ),
    Scenario(
        "batch",
        UPSERT,
        (FIRST,),
        tuple((f"{n}.csv", csv_text("id,a,b", f"2,{n},z", f"{n},8,q")) for n in (3, 4, 5)),
        source=", batch: all",
    ),
)


def open_feed(scenario: Scenario, s3: Any, redshift_data: Any, frames: Any) -> FeedHarness:
    """Make a feed of its own that stands where the scenario begins: some files loaded, others pending."""
    name = new_name(scenario.name)
    environment = _environment(name if scenario.own_control_schema else "faults")
    body = SPEC.format(load=scenario.load, source=scenario.source, more=scenario.more, view=scenario.view)
    feed = FeedHarness(s3, redshift_data, frames, environment, name, body)
    for file_name, content in scenario.before:
        assert feed.load(f"{name}_{file_name}", content).status == "SUCCESS"
    if scenario.before:
        view = f"reporting.v_{name}"
        theirs = f"reporting.theirs_{name}"
        feed.sql(
            f"grant select on {view} to public",
            f"comment on view {view} is 'as it was'",
            f"create view {theirs} as select id from {view}",
            f"grant select on {theirs} to public",
        )
    for file_name, content in scenario.files:
        feed.land(f"{name}_{file_name}", content)
    return feed


def another_run(feed: FeedHarness, s3: Any, redshift_data: Any, frames: Any, base: int) -> FeedHarness:
    """Return the same feed as another process sees it; `base` keeps the run_ids apart."""
    return replace(feed, s3=s3, redshift_data=redshift_data, frames=frames, log=io.StringIO(), run_number_base=base)


def after_a_while(feed: FeedHarness) -> None:
    """Let every other run's heartbeat be expired."""
    # A limit below zero makes every heartbeat but the own one expire.
    feed.environment = replace(feed.environment, dead_after_seconds=-1)


def recovering(feed: FeedHarness) -> FeedHarness:
    """Return the same feed as a later process sees it, to which every other run is expired."""
    later = replace(feed, log=io.StringIO(), run_number_base=0x800)
    after_a_while(later)
    return later


def _environment(control_schema: str) -> Environment:
    return replace(ENVIRONMENT, warehouse=replace(ENVIRONMENT.warehouse, control_schema=control_schema))


@dataclass(frozen=True)
class World:
    """What a load leaves behind, with the feed's own name taken out."""

    rows: list[tuple[Any, ...]]
    columns: dict[str, str]
    view: list[tuple[Any, ...]]
    view_columns: list[tuple[Any, ...]]
    theirs: list[tuple[Any, ...]]
    down: list[tuple[Any, ...]]
    grants: list[tuple[Any, ...]]
    comments: list[tuple[Any, ...]]
    builds: list[tuple[Any, ...]]
    changes: list[tuple[Any, ...]]
    ledger: list[tuple[str, int]]
    loaded: list[tuple[Any, ...]]
    files: list[tuple[str, str]]
    quarantine: list[tuple[str, list[dict[str, Any]]]]
    staging: list[str]
    staging_tables: list[tuple[Any, ...]]

    def without(self, name: str) -> World:
        """Return the world as it would be of a feed with another name."""
        taken_out: World = _without(self, name)
        return taken_out


def look(feed: FeedHarness) -> World:
    """Return the world as it stands."""
    control = feed.environment.warehouse.control_schema
    view = f"v_{feed.name}"
    return World(
        rows=sorted(feed.rows("*", "id"), key=repr),
        columns=feed.types(),
        view=sorted(feed.sql(f"select * from reporting.{view}"), key=repr),
        view_columns=feed.sql(
            f"select column_name, data_type from svv_columns where table_name = '{view}' order by ordinal_position"
        ),
        theirs=feed.sql(f"select definition from pg_views where viewname = 'theirs_{feed.name}'"),
        down=feed.sql(f"select view_name from {control}.view_journal where pipeline = '{feed.name}'"),
        grants=feed.sql(
            "select relation_name, privilege_type, identity_name, identity_type from svv_relation_privileges "
            f"where relation_name in ('{view}', 'theirs_{feed.name}') and identity_type = 'public' order by 1, 2"
        ),
        comments=feed.sql(
            f"select description from pg_description where objoid = (select oid from pg_class where relname = '{view}')"
        ),
        builds=feed.sql(f"select count(*) from {control}.view_builds where view_name = '{view}'"),
        changes=feed.sql(
            "select change, column_name, type_before, type_after, source_filename "
            f"from {control}.schema_changes where pipeline = '{feed.name}' order by 1, 2"
        ),
        ledger=_ledger(feed, control),
        loaded=feed.sql(
            "select source_filename, source_etag, source_generation, records_read, records_inserted, "
            "records_updated, records_deleted, records_deduplicated, records_rejected "
            f"from {control}.job_sts where pipeline = '{feed.name}' and status = 'SUCCESS' order by 1, 2, 3",
        ),
        files=sorted((key, _body(feed, key)) for folder in _FOLDERS for key in feed.keys(f"data/{folder}/")),
        quarantine=sorted((key, _parquet(feed, key)) for key in feed.keys(f"data/quarantine/{feed.name}/")),
        staging=feed.keys(f"staging/{feed.name}/"),
        staging_tables=feed.sql(
            f"select table_name from svv_tables where table_schema = '{control}' "
            f"and table_name like '%{feed.run_id_ending}'"
        ),
    ).without(feed.name)


def _without(value: Any, name: str) -> Any:
    match value:
        case World():
            parts = {key: _without(part, name) for key, part in vars(value).items()}
            # What was taken out has decided the order of the keys.
            return World(**parts | {key: sorted(parts[key]) for key in ("files", "ledger")})
        case str():
            return _OWN.sub("OWN", value.replace(name, "NAME"))
        case dict():
            return {key: _without(part, name) for key, part in value.items()}
        case list() | tuple():
            return type(value)(_without(part, name) for part in value)
        case _:
            return value


_OWN = re.compile(r"\b(?:[0-9a-f]{32}|[0-9a-f]{16})\b")
"""A run_id, or the digest in the name of a copy: no two feeds have the same."""
_FOLDERS = ("in", "archive", "unprocessed")


def _ledger(feed: FeedHarness, control: str) -> list[tuple[str, int]]:
    """Return the files in the ledger by name and content, for every arrival that still has a copy."""
    ledger = ledger_table(control, TableName("public", feed.name))
    entered = feed.sql(f"select source_identity, source_generation from {ledger.sql}")
    known = {_identity(feed, key).sha256: key for folder in _FOLDERS for key in feed.keys(f"data/{folder}/")}
    return sorted((known[str(identity)], generation) for identity, generation in entered)


def _identity(feed: FeedHarness, key: str) -> FileIdentity:
    file = feed.services().lake.describe(key)
    assert file is not None
    return file.identity


def _parquet(feed: FeedHarness, key: str) -> list[dict[str, Any]]:
    body = feed.s3.get_object(Bucket="lake", Key=key)["Body"].read()
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(io.BytesIO(body)).to_pylist()
    return rows


def _body(feed: FeedHarness, key: str) -> str:
    return str(feed.s3.get_object(Bucket="lake", Key=key)["Body"].read().decode())

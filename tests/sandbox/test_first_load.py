"""A first file makes the table, the view, the audit row and the archive."""

from decimal import Decimal

import pytest

from framework.model.column_type import parse_type
from framework.model.names import TableName, ledger_table
from tests.harness import FeedHarness, MakeFeed, csv_text

SPEC = """
source: {prefix: data/in/{name}/, pattern: "*.csv"}
target: {schema: public, table: "{name}", distkey: cust_no, sortkey: [updated_at]}
load: {keys: [cust_no]}
columns: {exclude: [internal]}
types:
  columns:
    signed_up: {type: timestamp, formats: ["dd/MM/yyyy HH:mm"]}
views:
  - {schema: reporting, name: "v_{name}", definition: "select cust_no, balance from {{ target }}"}
"""
HEADER = "Cust No,First Name!,ZIP,Balance,Visits,Big,Active,Born,Updated At,Signed Up,Note,Internal"
ROWS = (
    (
        "1,Zoë,00501,10.50,3,3000000000,true,2000-02-29,2026-01-01 10:00:00,31/12/2025 23:59,"
        '"a ""quoted"" note, with\nlines",x'
    ),
    '2,,12345,-0.25,,7,FALSE,1969-12-31,2026-01-02T11:30:00.5,01/01/2026 00:00,"",y',
)


def loaded(make_feed: MakeFeed) -> FeedHarness:
    feed = make_feed(SPEC)
    result = feed.load("one.csv", csv_text(HEADER, *ROWS))
    assert result.status == "SUCCESS", result.failure and result.failure.message
    return feed


def test_types_are_inferred_declared_and_kept_text_where_numbers_would_lose(make_feed: MakeFeed) -> None:
    feed = loaded(make_feed)

    assert feed.types() == {
        "cust_no": "bigint",
        "first_name": "character varying(256)",
        "zip": "character varying(256)",
        "balance": "numeric(38,18)",
        "visits": "integer",
        "big": "bigint",
        "active": "boolean",
        "born": "date",
        "updated_at": "timestamp without time zone",
        "signed_up": "timestamp without time zone",
        "note": "character varying(256)",
        "run_date": "timestamp without time zone",
        "file_name": "character varying(1024)",
    }
    assert all(parse_type(text) for text in feed.types().values())


def test_every_value_arrives_and_null_is_not_the_empty_text(make_feed: MakeFeed) -> None:
    feed = loaded(make_feed)

    first, second = feed.rows(
        "first_name, zip, balance, visits, big, active, born, updated_at, signed_up, note", "cust_no"
    )

    assert first == (
        "Zoë",
        "00501",
        "10.500000000000000000",
        3,
        3_000_000_000,
        True,
        "2000-02-29",
        "2026-01-01 10:00:00.0",
        "2025-12-31 23:59:00.0",
        'a "quoted" note, with\nlines',
    )
    assert second[0] is None
    assert (Decimal(second[2]), second[3], second[5]) == (Decimal("-0.25"), None, False)
    assert (second[6], second[7]) == ("1969-12-31", "2026-01-02 11:30:00.5")
    assert second[9] == ""


def test_times_with_an_offset_are_the_same_moments_in_the_table(make_feed: MakeFeed) -> None:
    feed = make_feed(
        """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {keys: [at], order_by: [sent desc]}
metadata_columns: {run_date: null, file_name: null}
types: {columns: {at: timestamptz, sent: timestamptz, feedway_utc_0: timestamptz}}
"""
    )
    lines = [
        "2024-01-31T10:00:00+02:00,2024-01-01T00:00:00Z,",
        "2024-01-31 08:00:00.25 Z,2024-01-01T00:00:00Z,2023-12-31T23:30:00-0130",
        # The first one's moment, written otherwise, and older.
        "2024-01-31T08:00:00Z,2024-01-01T00:30:00+01:00,2023-12-31T23:30:00Z",
    ]
    result = feed.load("1.csv", csv_text("at,sent,feedway_utc_0", *lines))

    assert result.status == "SUCCESS", result.failure and result.failure.message
    assert feed.types()["at"] == "timestamp with time zone"
    shown = "to_char(at, 'YYYY-MM-DD HH24:MI:SS.MS'), to_char(feedway_utc_0, 'YYYY-MM-DD HH24:MI')"
    assert feed.rows(shown, "at") == [
        ("2024-01-31 08:00:00.000", None),
        ("2024-01-31 08:00:00.250", "2024-01-01 01:00"),
    ]


def test_metadata_columns_say_when_and_from_which_file(make_feed: MakeFeed) -> None:
    feed = loaded(make_feed)

    rows = feed.rows("file_name, run_date", "cust_no")
    ((started,),) = feed.sql(f"select distinct run_start_ts from feedway.job_sts where pipeline = '{feed.name}'")

    assert rows == [("one.csv", started)] * 2


def test_keys_are_not_null_and_the_physical_design_is_the_specs(make_feed: MakeFeed) -> None:
    feed = loaded(make_feed)

    design = feed.sql(
        "select column_name, is_nullable, distkey, sortkey from svv_redshift_columns "
        f"where table_name = '{feed.name}' and column_name in ('cust_no', 'updated_at') order by 1"
    )

    assert [(name, nullable.upper(), distkey, sortkey) for name, nullable, distkey, sortkey in design] == [
        ("cust_no", "NO", True, 0),
        ("updated_at", "YES", False, 1),
    ]


@pytest.mark.parametrize("design", ["distkey: gone", "sortkey: [a, gone]"])
def test_a_design_that_names_a_column_which_is_not_there_is_explained(make_feed: MakeFeed, design: str) -> None:
    feed = make_feed(
        'source: {prefix: data/in/{name}/}\nload: {keys: [id]}\ntarget: {table: "{name}", ' + design + "}\n"
    )

    result = feed.load(f"{feed.name}.csv", csv_text("id,a", "1,x"))

    assert result.failure is not None
    assert result.failure.type == "SchemaChangeError"
    assert f"target.{design.partition(':')[0]}" in result.failure.message
    assert "'gone'" in result.failure.message
    assert "id, a, run_date" in result.failure.message


def test_the_view_stands_on_the_table(make_feed: MakeFeed) -> None:
    feed = loaded(make_feed)

    assert feed.sql(f"select count(*) from reporting.v_{feed.name}") == [(2,)]


def test_the_audit_has_a_started_and_a_final_row(make_feed: MakeFeed) -> None:
    feed = loaded(make_feed)

    started, final = feed.audit(
        "status, run_id, job_id, source_bucket, source_filename, source_size, source_generation, target_table_name, "
        "records_read, records_inserted, records_updated, records_deleted, records_deduplicated, records_rejected, "
        "error_message, run_end_ts is null"
    )

    size = len(csv_text(HEADER, *ROWS).encode())
    same = ("job-1", "lake", f"data/in/{feed.name}/one.csv", size, 1, f"public.{feed.name}")
    assert started == ("STARTED", final[1], *same, None, None, None, None, None, None, None, True)
    assert final == ("SUCCESS", final[1], *same, 2, 2, 0, 0, 0, 0, None, False)
    assert feed.audit("spec_sha256")[0][0] == feed.spec().sha256


def test_the_ledger_holds_the_files_identity(make_feed: MakeFeed) -> None:
    feed = loaded(make_feed)
    ledger = ledger_table("feedway", TableName("public", feed.name))

    assert feed.sql(f"select count(*), max(source_generation) from {ledger.sql}") == [(1, 1)]


def test_the_file_is_archived_staging_is_gone_and_the_log_is_kept(make_feed: MakeFeed) -> None:
    feed = make_feed(SPEC.replace('pattern: "*.csv"', 'pattern: "*.csv"'))
    feed.load(f"{feed.name}_1.csv", csv_text(HEADER, *ROWS))

    assert feed.keys("data/in/") == []
    (archived,) = feed.keys("data/archive/")
    assert archived.endswith(f"/{feed.name}_1.csv")
    assert feed.keys("staging/") == []
    assert feed.sql("select count(*) from svv_tables where table_schema = 'feedway' and table_name like 'stage_%'") == [
        (0,)
    ]
    (exported,) = feed.keys("logs/")
    assert b'"msg": "loaded"' in feed.s3.get_object(Bucket="lake", Key=exported)["Body"].read()

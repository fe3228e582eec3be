"""A report of a few feeds, the same every time: what its tests and the screenshots of docs/ show."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from framework.load.status.attention import Attention
from framework.report.site import Change, Described, FeedReport, Load, Now, Past, Period, Site, View, Warned

MADE = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
SPEC = """\
pipeline: orders
description: Orders of all shops, exported each night
owner: orders-team
tags: [daily, sales]
expect: {every: 1d}
source: {prefix: data/in/orders/, pattern: "orders_*.csv"}
target: {table: orders}
load: {keys: [order_id]}
bad_rows: {action: quarantine, max_rows: 50}
views:
  - {schema: reporting, name: v_orders, definition: "select * from {{ target }}"}
"""


def orders() -> FeedReport:
    """Return a feed with fifty days behind it, one of which had no load."""
    days = [day for day in range(50) if day != 30]
    loads = tuple(_load(day) for day in reversed(days))
    failed = replace(loads[4], status="FAILED", rows_loaded=0, message="2 of 900 values of amount are not a decimal")
    loads = (*loads[:4], failed, *loads[5:])
    periods = tuple(Period("day", _day(day), 1, _rows(day), 20 + day % 7 * 3.5, _rows(day) * 61) for day in days)
    changes = (
        Change(_day(41), "add_column", "coupon", None, "varchar(256)", "all values are text", _file(41)),
        Change(_day(12), "rewrite_column", "quantity", "integer", "bigint", "the value 3000000000", _file(12)),
        Change(_day(0), "create_table", None, None, "public.orders", "5 columns", _file(0)),
    )
    warned = Warned(_day(44), _file(44), "missing-column", "coupon", "the file lacks the column coupon")
    described = Described(
        "Orders of all shops, exported each night",
        "orders-team",
        ("daily", "sales"),
        "1d",
        "public.orders",
        (View("reporting.v_orders", False, _day(41)), View("reporting.v_coupons", True, None)),
        True,
    )
    columns = (("order_id", "bigint"), ("shop", "varchar(256)"), ("quantity", "bigint"), ("coupon", "varchar(256)"))
    rejects = tuple(load for load in loads if load.rows_rejected)
    past = Past(loads, len(loads), periods, rejects, len(rejects), (warned,), 1, changes, 3)
    return FeedReport("orders", described, "", SPEC, columns, past, quarantine="s3://acme-lake/data/quarantine/orders/")


def site() -> Site:
    """Return a report of feeds of every standing."""
    base, described = orders(), orders().described
    assert described is not None
    quiet = replace(described, owner="crm-team", tags=("crm",), views=())

    def feed(name: str, **changes: object) -> FeedReport:
        return replace(base, name=name, described=quiet, **changes)  # type: ignore[arg-type]

    failed = replace(base.past, loads=(replace(base.past.loads[0], status="FAILED", message="a key is NULL"),))
    file = "s3://acme-lake/data/unprocessed/"
    refused = Attention(
        "set_aside", "a key is NULL", "Have a correct file sent.", "feedway run stock", f"{file}stock_9.csv", 1
    )
    older = replace(refused, message="1 of 9 values of price is not a decimal", file=f"{file}prices_9.csv", files=3)
    late = Attention("late", "it is late", f"Ask {quiet.owner} for the file.", "feedway run invoices")
    feeds = (
        feed("customers", now=Now(bad_rows="7")),
        feed("invoices", now=Now((late,), late_since="2026-03-01 02:10")),
        replace(base, name="legacy", described=None, spec_text="", columns=()),
        feed("new_feed", past=Past(), columns=(), now=Now((late,), late_since="never loaded")),
        base,
        feed("prices", now=Now((older, late), pending="1", set_aside="3", late_since="2026-03-01 02:10")),
        replace(
            base, name="returns", described=None, problem="pipelines/returns.yml:3: unknown field keyz", spec_text=""
        ),
        feed("stock", past=failed, now=Now((refused,), set_aside="1")),
    )
    return Site("prod", MADE, "1.2.0", None, feeds)


def _rows(day: int) -> int:
    return 900 + (day * 7919) % 400 + (600 if day % 7 == 5 else 0)


def _load(day: int) -> Load:
    began, rows = _day(day), _rows(day)
    rejected = 2 if day in (17, 44) else 0
    return Load(
        run_id=hashlib.md5(str(day).encode()).hexdigest(),
        began=began,
        ended=began + timedelta(seconds=20 + day % 7 * 3.5),
        file=_file(day),
        size_bytes=rows * 61,
        rows_read=rows,
        rows_of_run=rows - rejected,
        rows_loaded=rows - rejected,
        rows_rejected=rejected,
        status="SUCCESS",
        message="",
    )


def _file(day: int) -> str:
    return f"orders_{_day(day):%Y-%m-%d}.csv"


def _day(day: int) -> datetime:
    return datetime(2026, 1, 11, 2, 10, tzinfo=UTC) + timedelta(days=day)

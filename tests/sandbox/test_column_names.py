"""Values are stored in the column of their header, whatever script it is written in."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from tests.workshop import Workshop, csv_text

Feed = Callable[..., Workshop]

APPEND = """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {mode: append}
metadata_columns: {run_date: null, file_name: null}
"""


def test_columns_in_another_script_are_matched_by_their_names(feed: Feed) -> None:
    shop = feed(APPEND)
    shop.load("1.csv", csv_text("id,분류,중요도,😀,имя,город", "1,x,y,z,ann,Oslo"))
    result = shop.load("2.csv", csv_text("id,город,😀,중요도,имя,분류", "2,Bonn,z2,y2,bob,x2"))

    smile = f"column_{sha256('😀'.encode()).hexdigest()[:6]}"
    assert result.schema_changes == ()
    assert shop.rows(f'id, "분류", "중요도", {smile}, "имя", "город"', "id") == [
        (1, "x", "y", "z", "ann", "Oslo"),
        (2, "x2", "y2", "z2", "bob", "Bonn"),
    ]


def test_a_spec_may_name_such_columns_anywhere(feed: Feed) -> None:
    shop = feed(
        APPEND.replace("{mode: append}", "{keys: [ключ], order_by: [日付 desc]}")
        + "columns: {rename: {код: ключ, 중요도: größe}, exclude: [лишнее]}\n"
        + "types: {columns: {größe: varchar(20)}}\n"
    )
    shop.load("1.csv", csv_text("Код,日付,중요도,Лишнее", "1,2026-01-01,1.5,x", "1,2026-01-02,2.5,y"))

    assert shop.rows('"ключ", "日付", "größe"', "1") == [(1, "2026-01-02", "2.5")]
    assert list(shop.types()) == ["ключ", "日付", "größe"]


def test_a_column_named_as_a_system_column_gets_an_underscore(feed: Feed) -> None:
    shop = feed(APPEND)
    shop.load("1.csv", csv_text("oid,XMin,xmax,ctid", "1,5,6,7"))

    assert shop.rows("oid_, xmin_, xmax_, ctid_", "1") == [(1, 5, 6, 7)]
    (told,) = [entry for entry in shop.entries() if entry["msg"] == "column names changed"]
    assert {"raw": "XMin", "name": "xmin_", "why": "xmin is a system column"} in told["names"]

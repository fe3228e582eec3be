"""Calls the Data API as any caller would, through boto3, for the tests of the sandbox itself."""

from __future__ import annotations

import io
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

BUCKET = "lake"

_THOUSAND = " cross join ".join(
    f"(select 0 as n{i} union all select 1 union all select 2 union all select 3 union all select 4) as t{i}"
    for i in range(5)
)
SLOW = f"select count(*) from (select 1 as a from {_THOUSAND}) as x cross join (select 1 as b from {_THOUSAND}) as y"
ENDLESS = f"{SLOW} cross join (select 1 as c from {_THOUSAND}) as z cross join (select 1 as d from {_THOUSAND}) as w"
"""Queries of about a second, and of weeks: there is no function that sleeps."""

ENDED = ("FINISHED", "FAILED", "ABORTED")


@dataclass(frozen=True)
class Caller:
    """A caller with clients of its own. `data` is a boto3 client of redshift-data, `s3` one of s3."""

    data: Any
    s3: Any

    def submit(self, sql: str, **members: Any) -> str:
        target = {"WorkgroupName": "sandbox", "Database": "dev"} | members
        return str(self.data.execute_statement(Sql=sql, **target)["Id"])

    def submit_batch(self, *sqls: str, **members: Any) -> str:
        target = {"WorkgroupName": "sandbox", "Database": "dev"} | members
        return str(self.data.batch_execute_statement(Sqls=list(sqls), **target)["Id"])

    def wait(self, statement_id: str, timeout_seconds: float = 30) -> dict[str, Any]:
        return self.wait_for(statement_id, ENDED, timeout_seconds)

    def wait_for(self, statement_id: str, statuses: tuple[str, ...], timeout_seconds: float = 30) -> dict[str, Any]:
        patient_until = time.monotonic() + timeout_seconds
        while True:
            described = self.data.describe_statement(Id=statement_id)
            if described["Status"] in statuses:
                return dict(described)
            assert time.monotonic() < patient_until, described
            time.sleep(0.01)

    def run(self, sql: str, **members: Any) -> dict[str, Any]:
        return self.wait(self.submit(sql, **members))

    def run_batch(self, *sqls: str, **members: Any) -> dict[str, Any]:
        return self.wait(self.submit_batch(*sqls, **members))

    def do(self, *sqls: str) -> None:
        for sql in sqls:
            described = self.run(sql)
            assert described["Status"] == "FINISHED", described["Error"]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        described = self.run(sql)
        assert described["Status"] == "FINISHED", described["Error"]
        return self.rows_of(described["Id"])

    def rows_of(self, statement_id: str) -> list[tuple[Any, ...]]:
        pages = self.data.get_paginator("get_statement_result").paginate(Id=statement_id)
        return [tuple(map(plain, record)) for page in pages for record in page["Records"]]

    def put(self, content: bytes, name: str = "part.parquet") -> tuple[str, int]:
        """Put an object under a prefix of its own and return its address and size."""
        key = f"staging/{uuid.uuid4().hex}/{name}"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        return f"s3://{BUCKET}/{key}", len(content)

    def put_manifest(self, *entries: dict[str, Any]) -> str:
        return self.put(json.dumps({"entries": list(entries)}).encode(), "manifest.json")[0]

    def stage(self, *tables: pa.Table, **options: Any) -> str:
        """Put a staging file per table and return the address of their manifest."""
        return self.put_manifest(*(entry(*self.put(parquet(table, **options))) for table in tables))

    def copy(self, target: str, manifest: str, more: str = "") -> dict[str, Any]:
        return self.run(f"{copy_sql(target, manifest)} {more}")


def entry(url: str, size_bytes: int, mandatory: bool = True) -> dict[str, Any]:
    return {"url": url, "mandatory": mandatory, "meta": {"content_length": size_bytes}}


def copy_sql(target: str, manifest: str) -> str:
    return f"copy {target} from '{manifest}' iam_role default format as parquet manifest"


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def plain(field: dict[str, Any]) -> Any:
    (name, value), *others = field.items()
    assert not others, field
    return None if name == "isNull" else value


def new_table() -> str:
    return f"t_{uuid.uuid4().hex[:12]}"

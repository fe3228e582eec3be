"""Staging files that are changed between a load's staging and its COPY, as nothing but a fault would change them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from tests.call_hooks import CallHook
from tests.harness import FeedHarness, MakeFeed


def feed_with_hook(make_feed: MakeFeed, *spec: str, **changes: Any) -> tuple[FeedHarness, CallHook]:
    """Return a feed, and the hook that acts once, just before the feed's next COPY is submitted."""
    client = boto3.session.Session().client("redshift-data")
    feed = make_feed(*spec, redshift_data=client, **changes)
    event = "before-call.redshift-data.BatchExecuteStatement"
    return feed, CallHook(client, event, 1, lambda context: "manifest.json" in str(context["params"]["body"]))


def restage(feed: FeedHarness, change: Callable[[pa.Table], pa.Table]) -> None:
    """Write the only staging file again with a change, and the manifest with its new size."""
    manifest_key = next(key for key in feed.keys("staging/") if key.endswith("manifest.json"))
    manifest = json.loads(feed.s3.get_object(Bucket="lake", Key=manifest_key)["Body"].read())
    (entry,) = manifest["entries"]
    staged = entry["url"].removeprefix("s3://lake/")
    content = feed.s3.get_object(Bucket="lake", Key=staged)["Body"].read()
    sink = pa.BufferOutputStream()
    pq.write_table(change(pq.read_table(pa.BufferReader(content))), sink)
    changed = sink.getvalue().to_pybytes()
    entry["meta"]["content_length"] = len(changed)
    feed.s3.put_object(Bucket="lake", Key=staged, Body=changed)
    feed.s3.put_object(Bucket="lake", Key=manifest_key, Body=json.dumps(manifest))

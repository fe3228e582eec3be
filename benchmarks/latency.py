"""Loads at the latencies of AWS: the sandbox's servers behind proxies that delay and count calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psycopg

from benchmarks import floor
from benchmarks.loads import AWS, FEEDS, add_feeds, load_feeds, source_files
from benchmarks.proxy import DataApiTraffic, Profile, S3Traffic, serving
from benchmarks.report import LatencySample
from framework.sandbox import SandboxAddress

PROFILES = (
    Profile("aws", s3_call_seconds=0.025, data_api_call_seconds=0.06, submission_seconds=0.25),
    Profile(
        "slow statements",
        s3_call_seconds=0.025,
        data_api_call_seconds=0.06,
        submission_seconds=0.25,
        sub_statement_seconds=0.05,
        copy_seconds=2.0,
    ),
)


def measure_latency(
    root: Path, address: SandboxAddress, counts: Sequence[int], runs: int, profiles: Sequence[Profile] = PROFILES
) -> Iterator[LatencySample]:
    """Yield loads without drift of so many feeds of 1,000 rows in one invocation, at each profile.

    Raises:
        RuntimeError: a load failed, or a table does not hold what the floor's does.
    """
    names = add_feeds(root, "latency", max(counts))
    first, second = source_files(root, 1000)
    with psycopg.connect(address.database_url) as connection:
        floor.create_target(connection, FEEDS)
        load_feeds(root, address, connection, names, first)
        for _ in range(runs):
            for profile in profiles:
                for count in counts:
                    yield _measured(root, address, connection, names[:count], second, profile)


def _measured(
    root: Path,
    address: SandboxAddress,
    connection: psycopg.Connection,
    names: Sequence[str],
    file: Path,
    profile: Profile,
) -> LatencySample:
    s3, data_api = S3Traffic(profile), DataApiTraffic(profile)
    with serving(address.s3_url, s3) as s3_url, serving(address.data_api_url, data_api) as data_api_url:
        slow = replace(address, s3_url=s3_url, data_api_url=data_api_url)
        cost = load_feeds(root, slow, connection, names, file, AWS)
    return LatencySample(profile.name, len(names), cost.seconds, s3.calls, data_api.calls, data_api.sub_statements)

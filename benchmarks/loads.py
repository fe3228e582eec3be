"""Loads through Feedway, in a project of the benchmark's own, each beside the floor."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psycopg

from benchmarks import floor
from benchmarks.by_hand import BUCKET_VARIABLE
from benchmarks.data import COLUMNS, CSV, FORMATS, KEYS, write_file
from benchmarks.process import Measured, measured, phases, run
from benchmarks.report import FormatSample, Sample
from framework import sandbox
from framework.model.names import statement_name
from framework.sandbox import SandboxAddress, java_environment

ENVIRONMENTS = """\
environments:
"""
ENTRY = """\
  {name}:
    kind: {kind}
    engine: {engine}
    parallel: {parallel}
    lake: {{bucket: lake}}
    warehouse: {{workgroup: sandbox, database: dev, copy_role: default}}
    retry: {{attempts: 3, delay_seconds: 0.5, backoff: 2}}
"""
DECLARED = ("zip", "notes", "amount", "score")
"""Types that the spec settles, so that the target is the floor's. The others are inferred."""
LOADS = ("initial", "upsert")
AWS = "aws"
"""The environment whose servers are those of the environment variables, with the quotas of AWS."""
FEEDS = "feeds"
"""The floor's table beside many feeds."""


@contextmanager
def open_project(root: Path) -> Iterator[SandboxAddress]:
    """Make a project, and run a sandbox in it for as long as the block runs; yield where the sandbox is."""
    shutil.rmtree(root, ignore_errors=True)
    make_project(root)
    address = sandbox.start(root / ".sandbox")
    os.environ.update(address.aws_environment())
    try:
        yield address
    finally:
        sandbox.reset(root / ".sandbox")
        shutil.rmtree(root, ignore_errors=True)


def make_project(root: Path) -> None:
    """Make a project without pipelines, with an environment per engine, and one that takes the sandbox for AWS."""
    (root / "pipelines").mkdir(parents=True, exist_ok=True)
    environments = (
        ("embedded", "sandbox", "embedded", 4),
        ("spark", "sandbox", "spark", 4),
        (AWS, "aws", "embedded", 8),
    )
    entries = (
        ENTRY.format(name=name, kind=kind, engine=engine, parallel=parallel)
        for name, kind, engine, parallel in environments
    )
    (root / "environments.yml").write_text(ENVIRONMENTS + "".join(entries), encoding="utf-8")


def add_pipeline(root: Path, name: str, declared: Sequence[str] = DECLARED) -> None:
    """Write the spec of a feed of the generated files."""
    types = ", ".join(f'{column.name}: "{column.type}"' for column in COLUMNS if column.name in declared)
    text = (
        f"pipeline: {name}\nsource: {{prefix: data/in/{name}/}}\ntarget: {{table: {name}}}\n"
        f"load: {{keys: [{', '.join(KEYS)}]}}\nmetadata_columns: {{run_date: null, file_name: null}}\n"
        f"types: {{columns: {{{types}}}}}\n"
    )
    (root / "pipelines" / f"{name}.yml").write_text(text, encoding="utf-8")


def source_files(root: Path, rows: int, written_as: str = CSV) -> list[Path]:
    """Return the two files of a size, written where they are not there yet."""
    folder = root / "files"
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{rows}-{edition}.{written_as}" for edition in range(len(LOADS))]
    for edition, path in enumerate(paths):
        if not path.exists():
            write_file(path, rows, edition, written_as)
    return paths


def land(address: SandboxAddress, name: str, file: Path, number: int) -> None:
    """Put a file into a feed's inbox."""
    inbox = address.s3_folder / "lake" / "data" / "in" / name
    inbox.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, inbox / f"{number}.csv")


def measure(root: Path, address: SandboxAddress, rows: int, engine: str, number: int) -> Iterator[Sample]:
    """Yield the initial load and the upsert of one size, each after the floor's, and compare the tables.

    Raises:
        RuntimeError: a load failed, or the table does not hold what the floor's does.
    """
    name = f"bench_{rows}_{engine}_{number}"
    add_pipeline(root, name)
    with psycopg.connect(address.database_url) as connection:
        floor.create_target(connection, name)
        for load, file in zip(LOADS, source_files(root, rows), strict=True):
            floor_seconds = floor.load(connection, name, file)
            land(address, name, file, number)
            cost = run(root, "--env", engine, "run", name)
            (result,) = cost.document["loads"]
            compare(connection, f"public.{name}", name)
            yield Sample(
                rows=rows,
                load=load,
                engine=result["engine"],
                seconds=cost.seconds,
                floor_seconds=floor_seconds,
                cpu_seconds=cost.cpu_seconds,
                peak_bytes=cost.peak_bytes,
                submissions=_submissions(address, name, result["run_id"]),
                phases=phases(cost.entries),
            )
        connection.execute(f"drop table {floor.SCHEMA}.{name}, public.{name}")
        connection.commit()
    (root / "pipelines" / f"{name}.yml").unlink()
    shutil.rmtree(address.s3_folder / "lake" / "data" / "archive", ignore_errors=True)


def measure_formats(root: Path, address: SandboxAddress, rows: int, number: int) -> Iterator[FormatSample]:
    """Yield the initial load and the upsert of the same rows in each format, all types declared.

    Raises:
        RuntimeError: a load failed, or the table does not hold what the floor's does.
    """
    for place, written_as in enumerate(FORMATS):
        name = f"format_{place}_{rows}_{number}"
        add_pipeline(root, name, [column.name for column in COLUMNS])
        with psycopg.connect(address.database_url) as connection:
            floor.create_target(connection, name)
            files = zip(source_files(root, rows), source_files(root, rows, written_as), strict=True)
            for load, (rows_file, file) in zip(LOADS, files, strict=True):
                floor.load(connection, name, rows_file)
                land(address, name, file, number)
                cost = run(root, "--env", "embedded", "run", name)
                compare(connection, f"public.{name}", name)
                prepare = phases(cost.entries)["prepare"]
                yield FormatSample(rows, written_as, load, file.stat().st_size, cost.seconds, prepare, cost.peak_bytes)
            connection.execute(f"drop table {floor.SCHEMA}.{name}, public.{name}")
            connection.commit()
        (root / "pipelines" / f"{name}.yml").unlink()
        shutil.rmtree(address.s3_folder / "lake" / "data" / "archive", ignore_errors=True)


def measure_by_hand(root: Path, address: SandboxAddress, rows: int, number: int) -> Iterator[Sample]:
    """Yield the loads of `measure` by the script that is written by hand.

    Raises:
        RuntimeError: as `measure`.
    """
    name = f"by_hand_{rows}_{number}"
    environment = {BUCKET_VARIABLE: str(address.s3_folder / "lake"), **java_environment()}
    with psycopg.connect(address.database_url) as connection:
        floor.create_target(connection, name)
        for load, file in zip(LOADS, source_files(root, rows), strict=True):
            floor_seconds = floor.load(connection, name, file)
            land(address, name, file, number)
            url = f"s3://lake/data/in/{name}/{number}.csv"
            command = [sys.executable, "-m", "benchmarks.by_hand", name, url]
            cost = measured(command, root / "last-run.log", environment)
            compare(connection, f"public.{name}", name)
            yield Sample(rows, load, "by hand", cost.seconds, floor_seconds, cost.cpu_seconds, cost.peak_bytes, 3, {})
        connection.execute(f"drop table {floor.SCHEMA}.{name}, public.{name}")
        connection.commit()
    shutil.rmtree(address.s3_folder / "lake" / "data" / "archive", ignore_errors=True)


def measure_feeds(root: Path, address: SandboxAddress, feeds: int, runs: int) -> list[float]:
    """Return the seconds of loading many feeds of 1,000 rows in one invocation, after a first one."""
    names = add_feeds(root, "feed", feeds)
    first, second = source_files(root, 1000)
    with psycopg.connect(address.database_url) as connection:
        floor.create_target(connection, FEEDS)
        load_feeds(root, address, connection, names, first)
        return [load_feeds(root, address, connection, names, second).seconds for _ in range(runs)]


def add_feeds(root: Path, stem: str, count: int, declared: Sequence[str] = DECLARED) -> list[str]:
    """Write the specs of some feeds, and return their names."""
    names = [f"{stem}_{number:03}" for number in range(count)]
    for name in names:
        add_pipeline(root, name, declared)
    return names


def load_feeds(
    root: Path,
    address: SandboxAddress,
    connection: psycopg.Connection,
    names: Sequence[str],
    file: Path,
    environment: str = "embedded",
) -> Measured:
    """Load a file into the floor and into each of some feeds in one invocation; compare the tables.

    Raises:
        RuntimeError: a load failed, or a table does not hold what the floor's does.
    """
    floor.load(connection, FEEDS, file)
    for name in names:
        land(address, name, file, time.monotonic_ns())
    cost = run(root, "--env", environment, "run", *names, environment=address.aws_environment())
    statuses = [load["status"] for load in cost.document["loads"]]
    if statuses != ["SUCCESS"] * len(names):
        raise RuntimeError(f"{len(names)} feeds were not all loaded: {statuses}")
    for name in names:
        compare(connection, f"public.{name}", FEEDS)
    return cost


def compare(connection: psycopg.Connection, table: str, floor_table: str) -> None:
    """Compare a table with one of the floor.

    Raises:
        RuntimeError: they hold different rows.
    """
    expected = floor.digest(connection, f"{floor.SCHEMA}.{floor_table}")
    found = floor.digest(connection, table)
    if found != expected:
        raise RuntimeError(f"{table} holds {found} (rows, hash) and the floor's {floor_table} {expected}")


def _submissions(address: SandboxAddress, pipeline: str, run_id: str) -> int:
    """Count what a run submitted, as the Data API itself lists it."""
    client: Any = boto3.session.Session().client("redshift-data", endpoint_url=address.data_api_url)
    pages = client.get_paginator("list_statements").paginate(
        StatementName=statement_name(pipeline, run_id, ""), Status="ALL"
    )
    return sum(len(page["Statements"]) for page in pages)

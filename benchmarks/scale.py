"""`python -m benchmarks.scale`: counts what grows with files, pipelines, columns, rows and targets."""

from __future__ import annotations

import argparse
import io
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import psycopg
from pyspark import SparkContext

from benchmarks.loads import open_project
from benchmarks.proxy import SUBMISSIONS
from benchmarks.report import as_markdown, write_into
from framework.cli import main as run_command
from framework.cli.tables import table
from framework.sandbox import SandboxAddress

ROOT = Path(__file__).resolve().parent.parent / ".bench-scale"
HEADINGS = (
    "what",
    "S3 lists",
    "other S3 calls",
    "submissions",
    "other Data API calls",
    "JOB_STS rows",
    "Spark tasks",
    "seconds",
)
FILES_PER_FOLDER = 500
"""The sandbox's S3 reads a folder anew for each call, so that big ones would take hours."""


@dataclass
class Calls:
    """The AWS calls of this process while `counting`, by operation."""

    made: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the calls of all clients that are made meanwhile."""
        make = boto3.Session.client
        lock = threading.Lock()

        def count(model: Any, **_: Any) -> None:
            with lock:
                self.made[model.name] += 1

        def counted(session: boto3.Session, *names: Any, **options: Any) -> Any:
            client = make(session, *names, **options)
            client.meta.events.register("before-call", count)
            return client

        with patch.object(boto3.Session, "client", counted):
            yield

    def of(self, *operations: str) -> int:
        """Return how many calls of some operations there were."""
        return sum(self.made[name] for name in operations)


class Bench:
    """A project in a sandbox of its own."""

    def __init__(self, address: SandboxAddress) -> None:
        self._address = address
        self._inbox = address.s3_folder / "lake" / "data" / "in"

    def add_pipelines(self, stem: str, count: int, more: str = "") -> list[str]:
        """Write the specs of some feeds, and return their names."""
        names = [f"{stem}_{number}" for number in range(count)]
        for name in names:
            text = f"pipeline: {name}\nsource: {{prefix: data/in/{name}/{more}}}\ntarget: {{table: {name}}}\n"
            text += "load: {keys: [id]}\nmetadata_columns: {run_date: null, file_name: null}\n"
            (ROOT / "pipelines" / f"{name}.yml").write_text(text, encoding="utf-8")
        return names

    def remove_pipelines(self) -> None:
        """Leave no pipeline in the project."""
        for path in (ROOT / "pipelines").iterdir():
            path.unlink()

    def land(self, name: str, number: int, columns: Sequence[str], rows: int) -> None:
        """Put a file of numbers into a feed's inbox."""
        folder = self._inbox / name / f"{number // FILES_PER_FOLDER:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        first = number * rows
        lines = (",".join([str(first + row), *("7" for _ in columns)]) for row in range(rows))
        (folder / f"{number:06d}.csv").write_text(
            "\n".join([",".join(["id", *columns]), *lines]) + "\n", encoding="utf-8"
        )

    def measured(self, what: str, *arguments: str, engine: str = "embedded") -> tuple[str, ...]:
        """Run a command in this process, and return its line of the table.

        The S3 calls are those of this process: what Spark's workers read and write is not counted.

        Raises:
            RuntimeError: it did not end in 0.
        """
        before, tasks, started, calls = self._audit_rows(), spark_tasks(), time.monotonic(), Calls()
        out, err = io.StringIO(), io.StringIO()
        with calls.counting(), redirect_stdout(out), redirect_stderr(err):
            code = run_command(["--project", str(ROOT), "--env", engine, "--output", "json", *arguments])
        if code:
            raise RuntimeError(f"{what}: exit code {code}: {err.getvalue()[-2000:]}")
        seconds = time.monotonic() - started
        lists, submissions = calls.of("ListObjectsV2"), calls.of(*SUBMISSIONS)
        data_api = calls.of("DescribeStatement", "GetStatementResult", "ListStatements", "CancelStatement")
        others = calls.made.total() - lists - submissions - data_api
        added = self._audit_rows() - before
        sys.stderr.write(f"{what}: {seconds:.1f} s\n")
        counts = (lists, others, submissions, data_api, added, spark_tasks() - tasks)
        return (what, *(f"{count:,}" for count in counts), f"{seconds:.1f}")

    def largest_statement(self, name: str) -> tuple[int, int]:
        """Return the most statements of a transaction, and the most bytes of a statement, of what a run would do."""
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(io.StringIO()):
            run_command(["--project", str(ROOT), "--env", "embedded", "--output", "json", "plan", name])
        transactions = [part for load in json.loads(out.getvalue())["loads"] for part in load["transactions"]]
        sizes = [statement["bytes"] for part in transactions for statement in part["statements"]]
        return max(len(part["statements"]) for part in transactions), max(sizes)

    def _audit_rows(self) -> int:
        with psycopg.connect(self._address.database_url) as connection:
            there = connection.execute("select to_regclass('feedway.job_sts') is not null").fetchone()
            if there is None or not there[0]:
                return 0
            row = connection.execute("select count(*) from feedway.job_sts").fetchone()
        return int(row[0]) if row else 0


def spark_tasks() -> int:
    """Return how many tasks the Spark of this process has run."""
    context = SparkContext._active_spark_context
    if context is None:
        return 0
    executors: Any = context._jsc.sc().statusStore().executorList(False)
    return sum(int(executors.apply(number).totalTasks()) for number in range(executors.size()))


def lines_on_spark(bench: Bench) -> Iterator[tuple[str, ...]]:
    """Yield the lines of what makes Spark's tasks: files, rows and columns."""
    grown = [(f"{count} files of a feed, `batch: all`", count, 10, 2, ", batch: all") for count in (1, 10, 100)]
    grown += [(f"{count:,} rows in a file", 1, count, 4, "") for count in (100_000, 10_000_000)]
    grown += [(f"{count:,} columns", 1, 10, count, "") for count in (10, 1000)]
    bench.add_pipelines("warm_spark", 1)
    bench.land("warm_spark_0", 0, ["a"], 10)
    yield bench.measured("on Spark: its first load", "run", "warm_spark_0", engine="spark")
    for number, (what, files, rows, columns, more) in enumerate(grown):
        (name,) = bench.add_pipelines(f"spark_{number}", 1, more)
        for file in range(files):
            bench.land(name, file, [f"a_column_named_{column:05d}" for column in range(columns - 1)], rows)
        yield bench.measured(f"on Spark: {what}", "run", name, engine="spark")


def lines(bench: Bench, files: int, pipelines: int) -> Iterator[tuple[str, ...]]:
    """Yield the table's lines: each thing grows by itself, the others stay small."""
    bench.add_pipelines("warm", 1)
    bench.land("warm_0", 0, ["a"], 10)
    yield bench.measured("the first load of an installation", "run", "warm_0")
    for count in (1, 10, 100):
        (name,) = bench.add_pipelines(f"single_{count}", 1)
        for number in range(count):
            bench.land(name, number, ["a"], 10)
        yield bench.measured(f"{count:,} files of a feed, a load each", "run", name)
    for count in sorted({100, 1000, files}):
        (name,) = bench.add_pipelines(f"batch_{count}", 1, ", batch: all")
        for number in range(count):
            bench.land(name, number, ["a"], 10)
        yield bench.measured(f"{count:,} files of a feed, `batch: all`", "run", name)
    for count in (1_000, 100_000, 1_000_000):
        (name,) = bench.add_pipelines(f"rows_{count}", 1)
        bench.land(name, 0, ["a", "b", "c"], count)
        yield bench.measured(f"{count:,} rows in a file", "run", name)
    for count in (10, 100, 1000):
        (name,) = bench.add_pipelines(f"columns_{count}", 1)
        bench.land(name, 0, [f"a_column_named_{number:05d}" for number in range(count - 1)], 10)
        statements, size = bench.largest_statement(name)
        what = f"{count:,} columns: at most {statements} statements a transaction, {size:,} bytes a statement"
        yield bench.measured(what, "run", name)
    bench.remove_pipelines()
    for count in sorted({10, 100, pipelines}):
        names = bench.add_pipelines("many", count)
        yield bench.measured(f"{count:,} pipelines, `validate`", "validate")
        yield bench.measured(f"{count:,} pipelines, nothing pending", "run", "--all")
    names = names[:100]
    bench.remove_pipelines()
    bench.add_pipelines("many", len(names))
    for name in names:
        bench.land(name, 0, ["a"], 10)
    yield bench.measured(f"{len(names)} pipelines and targets, a file each", "run", "--all")


def main() -> int:
    """Count, print the table, and put it into a document where asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="the most files of a feed")
    parser.add_argument("--pipelines", type=int, default=1_000, help="the most pipelines of the project")
    parser.add_argument("--markdown", type=Path, help="also put the table between the marks of this document")
    arguments = parser.parse_args()
    with open_project(ROOT) as address:
        bench = Bench(address)
        found = [*lines(bench, arguments.files, arguments.pipelines), *lines_on_spark(bench)]
    sys.stdout.write(f"{table(HEADINGS, found)}\n")
    if arguments.markdown:
        write_into(arguments.markdown, as_markdown(HEADINGS, found))
    return 0


if __name__ == "__main__":
    sys.exit(main())

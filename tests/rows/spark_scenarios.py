"""What goes wrong in Spark's workers, in a process whose Spark repeats tasks, as a local one by default does not.

`main` prints as JSON what came of each scenario. The process is started for it, by `python -c`, since workers find
nothing of a module that is the program. The environment has the sandbox's addresses.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import boto3
import psutil
import pyarrow.parquet

from framework.errors import Cause, PipelineError, TransientWarehouseError, WarehouseError
from framework.lake.connection import S3Connection
from framework.lake.lake import Lake
from framework.lake.store import S3Store
from framework.model.files import SourceBatch, SourceFile
from framework.model.measurements import Measurements
from framework.rows.engine import SplitEngine
from framework.rows.executors.spark import SparkExecutor
from framework.rows.protocol import ObjectStore, Watch
from framework.spec.environment import LakeSettings
from tests.rows.conftest import Bench, column, unwatched
from tests.spark import start_spark

ROWS = 500_000
"""As many as make three splits."""
SLEEP_SECONDS = 60.0
Fault = Literal["none", "sleep", "die", "transient", "permanent", "late"]


@dataclass(frozen=True)
class Disturbed:
    """An ObjectStore that notes its reads in a folder, and fails the first `times` calls as `fault` says."""

    store: ObjectStore
    folder: Path
    fault: Fault
    times: int

    def read_range(self, file: SourceFile, start: int, end: int, heard: Callable[[int], None]) -> bytearray:
        """Read a range, or fail."""
        (self.folder / f"read-{time.monotonic_ns()}").write_text(str(os.getpid()))
        if self.fault != "late" and self._is_to_fail():
            match self.fault:
                case "sleep":
                    time.sleep(SLEEP_SECONDS)
                case "die":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "transient":
                    raise TransientWarehouseError("S3 is busy", is_outage=True)
                case "permanent":
                    raise WarehouseError("S3 refused", cause=Cause.NOT_PERMITTED, is_outage=True)
        return self.store.read_range(file, start, end, heard)

    def stream(self, file: SourceFile, heard: Callable[[int], None]) -> Generator[bytes]:
        """Read a file."""
        return self.store.stream(file, heard)

    def upload(self, path: Path, url: str) -> None:
        """Write a file; a late one is kept, for the driver to write it later."""
        if self.fault == "late" and self._is_to_fail():
            (self.folder / f"late-{path.name}").write_bytes(path.read_bytes())
            raise TransientWarehouseError("the connection broke")
        self.store.upload(path, url)

    def _is_to_fail(self) -> bool:
        """Take one of the failures that are left, whichever process this is."""
        for number in range(self.times):
            try:
                with (self.folder / f"failed-{number}").open("x") as taken:
                    taken.write(str(os.getpid()))
            except FileExistsError:
                continue
            return True
        return False

    def reads(self) -> int:
        """Return how many reads have begun."""
        return len(list(self.folder.glob("read-*")))

    def failed_pids(self) -> list[int]:
        """Return the processes that have failed."""
        return [int(path.read_text() or 0) for path in self.folder.glob("failed-*")]


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Scenarios:
    """Each public method is a scenario, and returns what came of it."""

    def __init__(self, buckets: Path) -> None:
        self._session = start_spark("local[2,4]")
        self._executor = SparkExecutor(self._session, 1024**3)
        s3 = boto3.session.Session().client("s3")
        lake = Lake(s3, LakeSettings("lake", "", None))
        self._store = lake.store
        engine = SplitEngine(self._executor, lake.store)
        self._bench = Bench(engine, lake, s3, buckets / "lake", itertools.count(10_000))
        self._big = self._bench.batch(b"a,b\n" + b"".join(b"%d,the word %d\n" % (row, row) for row in range(ROWS)))
        self._small = self._bench.batch(b"a,b\n1,x\n")

    def _disturbed(self, fault: Fault, times: int) -> Disturbed:
        return Disturbed(self._store, Path(tempfile.mkdtemp(prefix="disturbed-")), fault, times)

    def _stage(self, store: ObjectStore, batch: SourceBatch, watch: Watch = unwatched) -> Measurements:
        columns = [column("a", "integer"), column("b", "varchar(20)")]
        with SplitEngine(self._executor, store).open(batch, watch) as rows:
            return rows.stage(columns, f"s3://lake/staging/{next(self._bench.numbers)}")

    def _failure(self, store: ObjectStore, batch: SourceBatch | None = None) -> dict[str, Any]:
        """Return how staging fails."""
        try:
            self._stage(store, batch or self._small)
        except PipelineError as error:
            attributes = {name: str(value) for name, value in vars(error).items()}
            return {"type": type(error).__name__, "message": str(error), "attributes": attributes}
        raise AssertionError("nothing was raised")

    def _is_right(self, measurements: Measurements) -> bool:
        """Return whether the staging files that a manifest would list hold every row once."""
        paths = [self._bench.folder / file.url.removeprefix("s3://lake/") for file in measurements.staging_files]
        values = [value for path in paths for value in pyarrow.parquet.read_table(path)["a"].to_pylist()]
        return sorted(values) == list(range(ROWS)) and measurements.rows_staged == ROWS

    def worker_killed_once(self) -> dict[str, Any]:
        """The driver kills a worker that is at work."""
        store = self._disturbed("sleep", 1)
        killed: list[int] = []

        def kill(step: str, **numbers: int) -> None:
            if not killed and any(pids := store.failed_pids()):
                killed.extend(pids)
                os.kill(pids[0], signal.SIGKILL)

        measurements = self._stage(store, self._big, kill)
        return {"killed": len(killed), "is_right": self._is_right(measurements)}

    def worker_killed_always(self) -> dict[str, Any]:
        """Each attempt ends as without memory."""
        store = self._disturbed("die", 100)
        left = Path(tempfile.gettempdir())
        failure = self._failure(store)
        self._stage(self._store, self._small)
        return {**failure, "reads": store.reads(), "left": [path.name for path in left.glob("feedway-rows-*")]}

    def late_upload(self) -> dict[str, Any]:
        """The staging file of a first attempt arrives when that of the second was accepted."""
        store = self._disturbed("late", 1)
        measurements = self._stage(store, self._big)
        urls = {file.url for file in measurements.staging_files}
        below = next(iter(urls)).rpartition("/")[0]
        (late,) = store.folder.glob("late-*")
        url = f"{below}/{late.name.removeprefix('late-')}"
        self._store.upload(late, url)
        return {"is_listed": url in urls, "is_right": self._is_right(measurements)}

    def failure_that_passes(self) -> dict[str, Any]:
        """Two attempts fail, the third does not."""
        store = self._disturbed("transient", 2)
        measurements = self._stage(store, self._small)
        return {"reads": store.reads(), "rows": measurements.rows_staged}

    def failure_that_does_not_pass_in_time(self) -> dict[str, Any]:
        """Each attempt fails."""
        store = self._disturbed("transient", 100)
        return {**self._failure(store), "reads": store.reads()}

    def failure_that_cannot_pass(self) -> dict[str, Any]:
        """S3 refuses."""
        store = self._disturbed("permanent", 100)
        return {**self._failure(store), "reads": store.reads()}

    def forbidden(self) -> dict[str, Any]:
        """The worker's keys are refused."""
        address = os.environ["AWS_ENDPOINT_URL_S3"]
        store = replace(self._disturbed("none", 0), store=S3Store(S3Connection("eu-west-1", address, "nobody", "none")))
        return {**self._failure(store), "reads": store.reads()}

    def replaced(self) -> dict[str, Any]:
        """The file was replaced after it was listed."""
        store = self._disturbed("none", 0)
        batch = self._bench.batch(b"a,b\n1,x\n")
        file = batch.files[0].file
        self._bench.s3.put_object(Bucket=file.bucket, Key=file.key, Body=b"a,b\n1,y\n")
        return {**self._failure(store, batch), "reads": store.reads(), "key": file.key}

    def cancelled(self) -> dict[str, Any]:
        """The watch raises while tasks sleep."""
        store = self._disturbed("sleep", 2)

        def interrupt(step: str, **numbers: int) -> None:
            if len([pid for pid in store.failed_pids() if pid]) == 2:
                raise KeyboardInterrupt

        try:
            self._stage(store, self._big, interrupt)
        except KeyboardInterrupt:
            # Spark kills them meanwhile; by themselves they would sleep on.
            workers = [pid for pid in store.failed_pids() if pid]
            until = time.monotonic() + SLEEP_SECONDS / 2
            while any(map(_is_alive, workers)) and time.monotonic() < until:
                time.sleep(0.1)
            return {"interrupted": True, "alive": list(filter(_is_alive, workers))}
        raise AssertionError("nothing was raised")

    def jobs(self) -> dict[str, Any]:
        """Count the jobs of a pass."""
        scheduler = self._session.sparkContext._jsc.sc().dagScheduler()
        before = scheduler.numTotalJobs()
        self._stage(self._store, self._small)
        return {"jobs": scheduler.numTotalJobs() - before}

    def other_versions(self) -> dict[str, Any]:
        """The workers' interpreter has no packages; then not even Feedway."""
        context = self._session.sparkContext
        folder = Path(tempfile.mkdtemp(prefix="bare-"))
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        python, paths = folder / "python", context.environment["PYTHONPATH"]
        # Without -P the driver's working directory is on the path.
        python.write_text(f'#!/bin/sh\nexec {folder}/bin/python -P "$@"\n')
        python.chmod(0o755)
        own, context.pythonExec = context.pythonExec, str(python)
        try:
            without_duckdb = self._failure(self._store)
            del context.environment["PYTHONPATH"]
            without_feedway = self._failure(self._store)
            context.pythonExec = "/no/such/python"
            return {
                "without duckdb": without_duckdb,
                "without feedway": without_feedway,
                "no interpreter": self._failure(self._store),
            }
        finally:
            context.pythonExec, context.environment["PYTHONPATH"] = own, paths

    def stopped(self) -> dict[str, Any]:
        """The session has ended; the last scenario."""
        self._session.sparkContext._jsc.stop()
        return self._failure(self._store)


def main(buckets: str) -> None:
    """Run all scenarios. `buckets` is the folder of the sandbox's buckets."""
    scenarios = Scenarios(Path(buckets))
    names = [name for name in vars(Scenarios) if not name.startswith("_")]
    print(json.dumps({name: getattr(scenarios, name)() for name in names}))

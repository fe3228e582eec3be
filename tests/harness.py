"""The harness of load tests: a feed in the sandbox, from landing a file to loading it, by a call or by a command."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import re
import shlex
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from framework.cli import main
from framework.lake.lake import Lake
from framework.load.invocation import Invocation
from framework.load.pipeline import load_pipeline, open_pipeline, run_pipeline
from framework.load.request import LoadRequest, Pending
from framework.load.result import LoadResult
from framework.load.services import Services
from framework.log.run_log import RunLog, utc_now
from framework.rows.protocol import RowEngine
from framework.spec.environment import Environment
from framework.spec.load import load_pipeline_text
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.client import Warehouse
from framework.warehouse.rate_limit import RateLimiter
from tests.documents import check_document

PENDING = Pending()
SHIPPED_ENVIRONMENTS = (Path(__file__).parents[1] / "environments.yml").read_text(encoding="utf-8")
TAGGED = """\
tags: [{name}_tag]
source: {prefix: data/in/{name}/}
target: {table: {name}}
load: {keys: [id]}
"""
"""The spec of a feed that commands run on."""
_NUMBERS = itertools.count(1)


def new_name(stem: str) -> str:
    """Return a name no other test of the run uses."""
    return f"{stem}_{next(_NUMBERS)}"


def tagged_spec(name: str) -> str:
    """Return the whole text of such a spec."""
    return f"pipeline: {name}\n" + TAGGED.replace("{name}", name)


@dataclass
class FeedHarness:
    """One pipeline in the sandbox. `spec_body` is YAML without `pipeline:`; `{name}` stands for its name.

    Commands run in the project folder `root`, and print into `capsys`.
    """

    s3: Any
    redshift_data: Any
    frames: RowEngine
    environment: Environment
    name: str
    spec_body: str
    log: io.StringIO = field(default_factory=io.StringIO)
    wrap_lake: Callable[[Lake], Lake] = lambda lake: lake
    run_number_base: int = 1
    s3_folder: Path = Path()
    root: Path = Path()
    capsys: Any = None

    def __post_init__(self) -> None:
        self.warehouse = Warehouse(
            self.redshift_data, self.environment.warehouse, self.environment.retry, RateLimiter({})
        )
        self._run_count = itertools.count()

    @property
    def table(self) -> str:
        """The target's name in SQL."""
        return f"public.{self.name}"

    @property
    def run_id_ending(self) -> str:
        """What the run_ids of this feed end with, and those of no other."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:28]

    @property
    def spec_text(self) -> str:
        """The spec as it is written now."""
        return f"pipeline: {self.name}\n" + self.spec_body.replace("{name}", self.name)

    def spec(self) -> PipelineSpec:
        """Return the spec as it is written now."""
        return load_pipeline_text(self.spec_text, f"pipelines/{self.name}.yml", self.name)

    def land(self, file_name: str, content: str | bytes) -> str:
        """Put a file into the lake; return its key. Files of one second are loaded in the order of their names."""
        key = f"data/in/{self.name}/{file_name}"
        body = content.encode("utf-8") if isinstance(content, str) else content
        self.s3.put_object(Bucket="lake", Key=key, Body=body)
        return key

    def services(self) -> Services:
        """Return what a load works with."""
        return Services(
            environment=self.environment,
            lake=self.wrap_lake(Lake(self.s3, self.environment.lake)),
            warehouse=self.warehouse,
            frames=lambda batch: self.frames,
            now=utc_now,
            new_run_id=lambda: f"{self.run_number_base + next(self._run_count):04x}{self.run_id_ending}",
            open_log=lambda run_id, pipeline: RunLog(run_id, pipeline, self.log),
            job_id="job-1",
            invocation_id=uuid.uuid4().hex,
        )

    def run(self, request: LoadRequest = PENDING) -> list[LoadResult]:
        """Load what is pending, or asked for."""
        loads = run_pipeline(self.spec(), self.services(), request)
        return [result for of_load in loads for result in of_load]

    def load(self, file_name: str, content: str | bytes) -> LoadResult:
        """Land a file and load it; it must be the only one pending."""
        self.land(file_name, content)
        (result,) = self.run()
        return result

    def open_project(self, sandbox_folder: Path) -> None:
        """Make the project folder: the pipeline and its environment, the sandbox of the test run."""
        (self.root / ".sandbox").symlink_to(sandbox_folder)
        # Not auto: another test's Spark session may be active in this process.
        embedded = SHIPPED_ENVIRONMENTS.replace("    kind: sandbox\n", "    kind: sandbox\n    engine: embedded\n")
        self.write("environments.yml", embedded)
        self.write(f"pipelines/{self.name}.yml", self.spec_text)

    def write(self, path: str, text: str) -> None:
        """Write a file of the project."""
        (self.root / path).parent.mkdir(exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def command(self, *argv: str) -> tuple[int, str, str]:
        """Run a command in the project; return its exit code, stdout and stderr."""
        self.capsys.readouterr()
        code = main(["--project", str(self.root), *argv])
        printed = self.capsys.readouterr()
        return code, printed.out, printed.err

    def json(self, *argv: str) -> tuple[int, Any]:
        """Run a command in the project; return its exit code and its JSON, which is as its schema has it."""
        line = ("--output", "json", *argv)
        code, out, _ = self.command(*line)
        return code, check_document(line, code, out)

    def pasted(self, line: str) -> list[str]:
        """Return the words of a printed command line, which must be the program's, on this project."""
        program, option, project, *words = shlex.split(line)
        assert (program, option, project) == ("feedway", "--project", str(self.root)), line
        return words

    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements through the Data API, each by itself, and return the last one's rows."""
        rows: list[tuple[Any, ...]] = []
        for statement in statements:
            rows = self._one(statement)
        return rows

    def _one(self, statement: str) -> list[tuple[Any, ...]]:
        submitted = self.redshift_data.execute_statement(WorkgroupName="sandbox", Database="dev", Sql=statement)
        statement_id = self.warehouse.poll(submitted["Id"])
        assert statement_id["Status"] == "FINISHED", statement_id.get("Error")
        return list(self.warehouse.fetch(submitted["Id"])) if statement_id["HasResultSet"] else []

    def rows(self, columns: str, order: str) -> list[tuple[Any, ...]]:
        """Return the target's rows."""
        return self.sql(f"select {columns} from {self.table} order by {order}")

    def types(self) -> dict[str, str]:
        """Return the target's column types as the catalog spells them, by name."""
        found = self.sql(
            "select column_name, data_type, character_maximum_length, numeric_precision, numeric_scale "
            "from svv_columns "
            f"where table_schema = 'public' and table_name = '{self.name}' order by ordinal_position"
        )
        return {name: _type_text(*rest) for name, *rest in found}

    def keys(self, prefix: str) -> list[str]:
        """Return the keys of this feed's objects below a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix=prefix)
        # `feed_1` is no part of `feed_12`.
        own = re.compile(rf"{re.escape(self.name)}(?![0-9])")
        return [item["Key"] for page in pages for item in page.get("Contents", []) if own.search(item["Key"])]

    def heads(self, key: str) -> dict[str, str]:
        """Return an object's own metadata, names in lower case."""
        metadata = self.s3.head_object(Bucket="lake", Key=key)["Metadata"]
        return {name.lower(): value for name, value in metadata.items()}

    def audit(self, columns: str) -> list[tuple[Any, ...]]:
        """Return the feed's JOB_STS rows, oldest first, STARTED before the end."""
        return self.sql(
            f"select {columns} from feedway.job_sts where pipeline = '{self.name}' "
            "order by run_start_ts, source_filename, case status when 'STARTED' then 0 else 1 end"
        )

    def entries(self) -> list[dict[str, Any]]:
        """Return the log entries so far."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


def _type_text(data_type: str, length: Any, precision: Any, scale: Any) -> str:
    if length is not None:
        return f"{data_type}({length})"
    return f"{data_type}({precision},{scale})" if data_type == "numeric" else data_type


def csv_text(header: str, *rows: str | Sequence[str]) -> str:
    """Return a CSV file of ready-made lines."""
    return "\n".join([header, *(row if isinstance(row, str) else ",".join(row) for row in rows)]) + "\n"


MakeFeed = Callable[..., FeedHarness]
"""What the fixture `make_feed` is: takes a spec without `pipeline:`, and other fields of the harness."""


def run_together(feeds: Sequence[FeedHarness]) -> list[LoadResult]:
    """Load the pending files of several feeds in one invocation, with the services of the first."""
    with Invocation(feeds[0].services()) as invocation:
        openings = [open_pipeline(feed.spec(), invocation, PENDING) for feed in feeds]
        invocation.prepare(openings)
        return [result for opening in openings for of_load in load_pipeline(opening, invocation) for result in of_load]

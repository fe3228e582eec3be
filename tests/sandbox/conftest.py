"""Fixtures of the load tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from framework.spec.environment import (
    EmbeddedSettings,
    Environment,
    LakeSettings,
    NotifySettings,
    RetrySettings,
    SingleSubmissionSettings,
    WarehouseSettings,
)
from tests.harness import TAGGED, FeedHarness, MakeFeed, new_name
from tests.sandbox.data_api_caller import Caller

MINIMAL = """
source: {prefix: data/in/{name}/}
target: {table: "{name}"}
load: {keys: [id]}
metadata_columns: {run_date: null, file_name: null}
"""


def spec_with(more: str = "", load: str = "keys: [id]", source: str = "") -> str:
    """Return a spec without metadata columns; `source` and `load` are what is within these fields."""
    return f"""
source: {{prefix: data/in/{{name}}/, {source}}}
target: {{table: "{{name}}"}}
load: {{{load}}}
metadata_columns: {{run_date: null, file_name: null}}
{more}
"""


ENVIRONMENT = Environment(
    name="sandbox",
    kind="sandbox",
    lake=LakeSettings("lake", "", None),
    warehouse=WarehouseSettings("sandbox", None, "dev", None, None, "default", "feedway", None),
    engine="auto",
    embedded=EmbeddedSettings(4 * 1024**3, 1024**3, None),
    retry=RetrySettings(3, 0.05, 2),
    single_submission=SingleSubmissionSettings(32 * 1024**2, 60),
    parallel=4,
    dead_after_seconds=300,
    max_attempts=3,
    notify=NotifySettings(),
)

DIVIDED = replace(ENVIRONMENT, single_submission=SingleSubmissionSettings(0, 60))
"""Every load copies and merges in two submissions."""


@pytest.fixture
def make_feed(sandbox: Any, s3: Any, redshift_data: Any, frames: Any, request: pytest.FixtureRequest) -> MakeFeed:
    """Make a feed with a name of its own; without a spec it is an upsert by `id` without metadata columns."""

    def make(spec_body: str = MINIMAL, **changes: Any) -> FeedHarness:
        name = new_name(request.node.name.split("[")[0].removeprefix("test_")[:24].strip("_"))
        values: dict[str, Any] = {
            "environment": ENVIRONMENT,
            "redshift_data": redshift_data,
            "frames": frames,
            "s3_folder": sandbox.s3_folder,
        } | changes
        return FeedHarness(s3, name=name, spec_body=spec_body, **values)

    return make


@pytest.fixture(scope="session")
def caller(redshift_data: Any, s3: Any) -> Caller:
    """A caller of the Data API with the session's clients."""
    return Caller(redshift_data, s3)


@pytest.fixture
def other_s3(sandbox: Any) -> Any:
    """A client of its own, whose calls may be listened to."""
    return boto3.session.Session().client("s3")


@pytest.fixture
def feed(make_feed: MakeFeed, sandbox: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> FeedHarness:
    """A feed with a project folder, for commands; an upsert by `id` with metadata columns."""
    made = make_feed(TAGGED, root=tmp_path, capsys=capsys)
    made.open_project(sandbox.folder)
    return made

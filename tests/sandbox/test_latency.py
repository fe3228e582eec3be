"""Loads behind the benchmarks' proxies."""

from pathlib import Path

import psycopg
import pytest

from benchmarks import floor
from benchmarks.latency import measure_latency
from benchmarks.loads import compare, make_project, source_files
from benchmarks.proxy import Profile
from framework.sandbox import SandboxAddress

PROFILE = Profile("short", s3_call_seconds=0.001, data_api_call_seconds=0.001, submission_seconds=0.3)


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxAddress) -> Path:
    """A project of the benchmark's in the sandbox of the test run."""
    (tmp_path / ".sandbox").symlink_to(sandbox.folder)
    make_project(tmp_path)
    return tmp_path


@pytest.mark.exhaustive
def test_a_load_on_aws_is_counted_and_waits_for_its_statements(project: Path, sandbox: SandboxAddress) -> None:
    (sample,) = measure_latency(project, sandbox, [2], 1, [PROFILE])

    assert (sample.profile, sample.feeds) == ("short", 2)
    assert sample.s3_calls["CopyObject"] == sample.s3_calls["DeleteObject"] == 2
    assert 2 <= sample.counts["submissions"] < sample.sub_statements
    assert sample.seconds > PROFILE.submission_seconds * sample.counts["submissions"] / 2


def test_a_table_that_differs_from_the_floors_ends_a_benchmark(tmp_path: Path, sandbox: SandboxAddress) -> None:
    first, _ = source_files(tmp_path, 1000)
    with psycopg.connect(sandbox.database_url) as connection:
        floor.create_target(connection, "expected")
        floor.load(connection, "expected", first)
        connection.execute("create table public.differing as table floor.expected")
        compare(connection, "public.differing", "expected")
        connection.execute("update public.differing set remark = '' where remark is null and id < 9")
        with pytest.raises(RuntimeError, match="differing holds"):
            compare(connection, "public.differing", "expected")

"""What a load must have done when it has ended, however it ended."""

from __future__ import annotations

from dataclasses import dataclass

from framework.errors import PipelineError, SchemaChangeError, SourceFileError, SpecError
from framework.load.run import Step
from tests.unit.load.scenarios import Bench


@dataclass(frozen=True)
class Expected:
    """How a load ends. `error` is None where its file is loaded."""

    error: type[PipelineError] | None
    folder: str
    has_problem: bool = False
    """Whether the run fails, though the file is loaded."""


LOADED = Expected(None, "archive")
NOT_ARCHIVED = Expected(None, "in")


def failure(error: type[PipelineError], max_attempts: int, *, is_outage: bool = False) -> Expected:
    """Return where the file is by who must act: its sender or the table's owner, the spec's author, or nobody."""
    if issubclass(error, SourceFileError | SchemaChangeError):
        return Expected(error, "unprocessed")
    stays = is_outage or issubclass(error, SpecError) or max_attempts > 1
    return Expected(error, "in" if stays else "unprocessed")


def has_started(step: Step) -> bool:
    """Return whether the STARTED rows are written when a load comes to a step."""
    return list(Step).index(step) > list(Step).index(Step.START)


def check_load(bench: Bench, step: Step, wanted: Expected) -> None:
    """Run a load that meets something in a step, and check its results, the places of its files and its audit rows."""
    results = {result.source_file: result for result in bench.run()}
    scenario = bench.scenario
    status = "SUCCESS" if wanted.error is None else "FAILED"
    for key in scenario.files:
        result = results[key]
        assert result.status == status
        assert (result.failure is not None) == (wanted.error is not None or wanted.has_problem)
        assert wanted.error is None or (result.failure and type(result.failure.error) is wanted.error), result
        assert bench.place_of(key) == wanted.folder
    for key in scenario.older:
        # What a loaded file replaces is archived before it.
        stays = {"archive"} if wanted == LOADED else {"in"} if status == "FAILED" else {"in", "archive"}
        assert bench.place_of(key) in stays
    rows = [(row.source.key, row.status) for row in bench.warehouse.audit if row.status != "SKIPPED"]
    started = [(key, "STARTED") for key in scenario.files if has_started(step) or status == "SUCCESS"]
    ended = [(key, status) for key in scenario.files]
    if wanted.error is None:
        assert rows == [*started, *ended]
    else:
        # A thread of the invocation records the start. A failure before COPY does not wait for it.
        assert [row for row in rows if row not in started] == ended


def require_nothing_left(bench: Bench) -> None:
    """Check that the run's tables and staging files are gone, views are back or in the journal, the log is exported."""
    assert bench.warehouse.tables == set()
    assert [key for key in bench.lake.keys("staging/golden/") if bench.run_id in key] == []
    require_views_and_log(bench)


def require_views_and_log(bench: Bench) -> None:
    """Check that views are back or in the journal, and that the log is exported."""
    assert bench.warehouse.dropped_views == {str(row.view) for row in bench.warehouse.journal}
    assert bench.log_key in bench.lake.objects

"""What commands print of a log, and of loads that have ended."""

from __future__ import annotations

import io
from typing import Any

import pytest

from framework.cli.display import Display, is_live
from framework.cli.output import Format, Output
from framework.cli.summary import load_lines
from framework.errors import PipelineError, Problem, SpecError
from framework.load.result import LoadFailure, LoadResult, RecordCounts, failed_early
from framework.log.run_log import Event, RunLog


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def log_of_a_load(asked: Format) -> str:
    """Return what stderr has of a load's log."""
    stderr = io.StringIO()
    output = Output(asked, io.StringIO(), stderr, Display(stderr))
    log = RunLog("r", "p", output.log_stream, listen=output.progress)
    log.info(Event.STEP, step="prepare")
    log.progress("stage", bytes_read=1, bytes_total=2, rows=3)
    log.info("staged", rows=5)
    log.warning("retrying after a transient failure", attempt=2, error="500\nslow down")
    log.warning(Event.FILE_SKIPPED, file="s3://lake/k", reason="it is loaded")
    log.error(Event.LOAD_FAILED, step="merge", error_type="WarehouseError", error="it is full")
    log.error("could not move the file", error="denied")
    output.ended("p", "p: k FAILED", "error")
    return stderr.getvalue()


def test_a_pipe_has_warnings_errors_and_a_line_per_load() -> None:
    assert log_of_a_load("text").splitlines() == [
        "p: warning: retrying after a transient failure (attempt=2, error=500)",
        "p: error: could not move the file (error=denied)",
        "p: k FAILED",
    ]


def test_the_log_has_everything() -> None:
    # Of its progress an entry every ten seconds.
    assert len(log_of_a_load("json").splitlines()) == 6
    assert log_of_a_load("lines") == ""


@pytest.mark.parametrize(
    ("environ", "live"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "unknown"}, False),
        ({"TERM": "xterm", "CI": "true"}, False),
        ({"TERM": "xterm", "CI": "false"}, True),
    ],
)
def test_only_a_terminal_that_a_person_watches_is_redrawn(environ: dict[str, str], live: bool) -> None:
    assert is_live(Terminal(), environ) is live
    assert is_live(io.StringIO(), environ) is False


def test_without_rich_a_terminal_is_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("framework.cli.display.find_spec", lambda name: None)

    assert is_live(Terminal(), {"TERM": "xterm"}) is False


def result(status: Any = "SUCCESS", **fields: Any) -> LoadResult:
    return LoadResult("p", "data/in/p/1.csv", "r", status, "embedded", 3.21, **fields)


BROKEN = SpecError("1 problem", problems=(Problem("p.yml", 3, 1, "spec/field", "there is no field 'x'", "Remove it."),))


@pytest.mark.parametrize(
    ("results", "lines"),
    [
        ([result(counts=RecordCounts(1300, 1000, 234))], ["p: 1.csv SUCCESS, 1,234 rows, 3.2 s"]),
        ([result(counts=RecordCounts(3, 1, 1, 0, 0, 1))], ["p: 1.csv SUCCESS, 2 rows, 1 rejected, 3.2 s"]),
        # A batch is one load, whatever it skipped.
        (
            [result(counts=RecordCounts(2, 2)), result("SKIPPED", reason="it is loaded"), result()],
            ["p: 2 files SUCCESS, 2 rows, 3.2 s", "p: 1.csv SKIPPED, 3.2 s: it is loaded"],
        ),
        (
            [result("FAILED", failure=LoadFailure("E", "prepare", "2 rows are bad\n row 1", PipelineError("2 rows")))],
            ["p: 1.csv FAILED, 3.2 s: prepare: 2 rows are bad"],
        ),
        ([failed_early("p", BROKEN)], [f"p: FAILED: discover: {BROKEN.problems[0]}"]),
        (
            [result(failure=LoadFailure("E", "settle", "v_p is broken", PipelineError("v_p")))],
            ["p: 1.csv SUCCESS, 0 rows, 3.2 s: settle: v_p is broken"],
        ),
    ],
)
def test_a_load_that_has_ended_is_one_line(results: list[LoadResult], lines: list[str]) -> None:
    assert [line.text for line in load_lines(results)] == lines

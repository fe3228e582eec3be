"""`test`: runs the tests of feeds, each in an empty sandbox."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from framework.cli.junit import JunitCase, junit_xml
from framework.cli.output import Output
from framework.cli.wiring import IsolatedSandbox, open_isolated
from framework.dataclass import dataclass
from framework.errors import SpecError
from framework.feed_tests.found_rows import found_rows, yaml_rows
from framework.feed_tests.run import Verdict, run_feed_test
from framework.log.run_log import utc_now
from framework.model.words import counted, duration
from framework.spec.document import spec_error
from framework.spec.environment import Environment
from framework.spec.feed_tests import FeedTest, FeedTests
from framework.spec.load import load_environments_text
from framework.spec.pipeline import PipelineSpec
from framework.spec.project import PIPELINES, TESTS, Project, stray_tests

FAILED_EXIT_CODE = 1
_MOST_ROWS = 50
"""So many rows are printed to copy."""
_SANDBOX = "sandbox"
_DEFAULT_ENVIRONMENT = """\
environments:
  sandbox:
    kind: sandbox
    lake: {bucket: lake}
    warehouse: {workgroup: sandbox, database: dev, copy_role: default}
    retry: {attempts: 3, delay_seconds: 0.5, backoff: 2}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `test` takes."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="pipelines to test; none means all that have tests")
    parser.add_argument("--junit", metavar="FILE", type=Path, help="also write the results there, as JUnit XML")


@dataclass(frozen=True)
class _Feed:
    """A pipeline and its tests."""

    spec: PipelineSpec
    tests: FeedTests


@dataclass(frozen=True)
class _Tested:
    """A test that has run."""

    feed: _Feed
    test: FeedTest
    verdict: Verdict
    seconds: float

    @property
    def failures(self) -> tuple[str, ...]:
        """A line for each difference, with its place."""
        return tuple(
            f"{self.feed.tests.path}:{each.place[0]}:{each.place[1]}: {each.part}: {each.message}"
            for each in self.verdict.differences
        )


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Run the tests of the named pipelines, print one line each and every difference; return 1 if a test failed.

    Raises:
        SpecError: a name, a spec, a file of tests or the environment is wrong; no test has run.
        PipelineError: the sandbox does not come up.
    """
    environment = _environment(project, arguments.env)
    feeds = _feeds(project, arguments.names)
    _prepare_place(arguments.junit)
    started_at, began = utc_now(), time.monotonic()
    tested: list[_Tested] = []
    with open_isolated(project.folder, environment, output) as sandbox:
        for feed, test in ((each, test) for each in feeds for test in each.tests.tests):
            if tested:
                sandbox.empty()
            output.display.work(feed.spec.pipeline, test.name, {})
            tested.append(_tested(feed, test, sandbox))
    seconds = time.monotonic() - began
    if arguments.junit is not None:
        arguments.junit.write_bytes(junit_xml([_case(each) for each in tested], started_at))
    output.document({"tests": [_document(each) for each in tested]}, lambda: _text(tested, seconds))
    return FAILED_EXIT_CODE if any(each.failures for each in tested) else 0


def _environment(project: Project, name: str) -> Environment:
    """Return the environment to stand in for: that of the sandbox, or a default one.

    Raises:
        SpecError: another one is named, or `environments.yml` has problems.
    """
    environments = project.environments()
    if name in environments or name != _SANDBOX:
        chosen = project.environment(name)
    else:
        own = [each for each in environments.values() if each.kind == "sandbox"]
        chosen = own[0] if own else load_environments_text(_DEFAULT_ENVIRONMENT, "the default sandbox")[_SANDBOX]
    if chosen.kind != "sandbox":
        raise SpecError(f"test runs in a sandbox, and the environment {name!r} is on AWS: leave --env out")
    # Both engines read a file alike, and this one needs no Spark session.
    return replace(chosen, engine="embedded")


def _feeds(project: Project, names: Sequence[str]) -> list[_Feed]:
    """Return the pipelines with their tests.

    Raises:
        SpecError: a name or a file is wrong; all problems of all files are listed.
    """
    project.require_pipelines(names)
    place = project.find(PIPELINES) / TESTS
    if "://" in place.shown:
        raise SpecError(f"test reads tests on this machine, and the project is {place.shown}: name a folder")
    chosen = list(dict.fromkeys(names)) or project.tested_names()
    if not names and (strays := stray_tests(project)):
        raise spec_error(place.shown, strays)
    if not chosen:
        raise SpecError(f"no pipeline has tests: write them in {place.shown}/NAME.yml, NAME being the pipeline's")
    feeds, errors = [], []
    for name in chosen:
        try:
            feeds.append(_Feed(project.pipeline(name), project.feed_tests(name)))
        except SpecError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise SpecError("\n".join(map(str, errors)))
    return feeds


def _prepare_place(place: Path | None) -> None:
    """Create the folder of the file to write, before a test takes time.

    Raises:
        SpecError: there can be no such file.
    """
    if place is None:
        return
    if place.is_dir():
        raise SpecError(f"--junit {place} is a folder: name a file in it")
    try:
        place.absolute().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpecError(f"--junit {place} cannot be written: {error.strerror}: {error.filename}") from error


def _tested(feed: _Feed, test: FeedTest, sandbox: IsolatedSandbox) -> _Tested:
    began = time.monotonic()
    verdict = run_feed_test(feed.spec, test, sandbox.services, sandbox.deliver)
    return _Tested(feed, test, verdict, time.monotonic() - began)


def _text(tested: Sequence[_Tested], seconds: float) -> str:
    failed = sum(bool(each.failures) for each in tested)
    end = f"{counted(failed, 'test')} of {len(tested)} failed" if failed else f"{counted(len(tested), 'test')} passed"
    return "\n".join([*(line for each in tested for line in _lines(each)), f"{end}, in {duration(seconds)}"])


def _lines(tested: _Tested) -> Iterator[str]:
    mark = "FAILED" if tested.failures else "ok    "
    yield f"{mark}  {tested.feed.spec.pipeline}: {tested.test.name}  {duration(tested.seconds)}"
    for failure in tested.failures:
        yield "  " + failure.replace("\n", "\n    ")
    rows = yaml_rows(tested.test, tested.verdict)
    if rows:
        yield "  the rows found, as a test would expect them; copy what is right:"
        yield from (f"    {row}" for row in rows[:_MOST_ROWS])
    if len(rows) > _MOST_ROWS:
        yield f"    # and {counted(len(rows) - _MOST_ROWS, 'row')} more"


def _case(tested: _Tested) -> JunitCase:
    feed, test = tested.feed, tested.test
    return JunitCase(feed.spec.pipeline, test.name, feed.tests.path, test.place[0], tested.seconds, tested.failures)


def _document(tested: _Tested) -> dict[str, object]:
    path = tested.feed.tests.path
    differences = [
        {"part": each.part, "file": path, "line": each.place[0], "column": each.place[1], "message": each.message}
        for each in tested.verdict.differences
    ]
    return {
        "pipeline": tested.feed.spec.pipeline,
        "test": tested.test.name,
        "status": "failed" if differences else "passed",
        "seconds": round(tested.seconds, 3),
        "differences": differences,
        "found_rows": found_rows(tested.test, tested.verdict),
    }

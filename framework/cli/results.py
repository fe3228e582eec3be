"""Loads pipelines concurrently, notifies of and prints the results, and raises the failure if there is one."""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial

from framework.cli.concurrency import Interruption, run_concurrently
from framework.cli.engines import require_engine
from framework.cli.exit_codes import end_in
from framework.cli.notifying import Ended, Sender, notify, notify_of_loads
from framework.cli.outcome import FeedOutcome, Outcome, State
from framework.cli.output import Output
from framework.cli.result_file import write_result
from framework.cli.retry import retries
from framework.cli.sections import see_for
from framework.cli.selection import Feed, read_feed, readable
from framework.cli.set_aside import SetAside, find_set_aside
from framework.cli.summary import full_summary, load_lines
from framework.cli.wiring import open_services
from framework.dataclass import dataclass
from framework.errors import PipelineError, SpecError
from framework.lake.unprocessed import FOLDER as UNPROCESSED_FOLDER
from framework.load.failures.next_step import FailedLoad, again, kind_of, next_step
from framework.load.first_loads import Opening
from framework.load.invocation import Invocation
from framework.load.pipeline import load_pipeline, open_pipeline
from framework.load.request import LoadRequest, Unprocessed
from framework.load.result import LoadFailure, LoadResult, failed_early
from framework.load.services import Services
from framework.log.redaction import safe_message
from framework.log.run_log import Event, RunLog
from framework.model.program import Program
from framework.model.words import listed
from framework.spec.environment import Environment
from framework.spec.pipeline import PipelineSpec, SourceSpec
from framework.spec.project import Project

_CONCURRENT_LISTINGS = 8


@dataclass(frozen=True)
class Surroundings:
    """The project, environment and job of loads. `result` is the place to write the results to, None for none.

    With `fail_fast` no load begins after the first failure.
    """

    project: Project
    environment: Environment
    job_id: str | None
    result: str | None
    fail_fast: bool


def surroundings_of(arguments: argparse.Namespace, project: Project, result: str | None = None) -> Surroundings:
    """Return the surroundings that a command line asks for.

    Raises:
        SpecError: there is no such environment, or `environments.yml` has problems.
    """
    environment = project.environment(arguments.env)
    return Surroundings(project, environment, arguments.job_id, result, arguments.fail_fast)


def add_fail_fast(parser: argparse.ArgumentParser) -> None:
    """Declare the option of commands that load several pipelines."""
    parser.add_argument("--fail-fast", action="store_true", help="after the first failure begin no further load")


def load_pipelines(feeds: Sequence[Feed], request: LoadRequest, surroundings: Surroundings, output: Output) -> int:
    """Load pipelines concurrently, notify of and print the results, and raise the failure if there is one.

    After an interruption so it is with the results so far.

    Raises:
        PipelineError: a load failed or was refused; of several failures, the class they share.
    """
    environment, project, interruption = surroundings.environment, surroundings.project, Interruption()
    outcomes = _outcomes(feeds, request, project)
    if environment.kind == "sandbox" and surroundings.result is None and (broken := all_broken(feeds)):
        for name, error in broken.items():
            outcomes[name].results.append(failed_early(name, error))
        outcome = _outcome(outcomes, (), output.program)
        log = RunLog(uuid.uuid4().hex, "run", output.log_stream, listen=output.progress)
        sender = Sender(environment, surroundings.job_id, log, output.program)
        notify(Ended(outcome.results, (), is_cut_short=True), (), sender)
        output.document(outcome.as_dict(), lambda: full_summary(outcome, output.width))
        return end_in(failures_of(outcome.results))
    with open_services(project.folder, environment, output, surroundings.job_id, interruption) as opened:
        services = replace(opened, sources=cache(partial(_sources, project)))
        command = _Command(services, request, surroundings, output, outcomes)
        output.display.begin(len(feeds))
        is_cut_short = True
        try:
            with Invocation(services, fail_fast=surroundings.fail_fast) as invocation:
                openings = _opened(feeds, command, invocation, interruption)
                # In a thread of its own, where an interruption ends it and cancels its statement.
                run_concurrently([partial(invocation.prepare, openings)], 1, interruption)
                loads = [partial(command.load, opening, invocation) for opening in openings]
                # As many again move their files meanwhile.
                run_concurrently(loads, 2 * environment.parallel, interruption)
            is_cut_short = False
        finally:
            failures = _report(feeds, command, is_cut_short=is_cut_short)
    return end_in(failures)


def _outcomes(feeds: Sequence[Feed], request: LoadRequest, project: Project) -> dict[str, FeedOutcome]:
    """Return the outcomes of feeds that have not begun."""
    known = project.pipeline_names()
    return {
        feed.pipeline: FeedOutcome(feed.pipeline, again(request, feed.pipeline) if feed.pipeline in known else ())
        for feed in feeds
    }


def _outcome(outcomes: Mapping[str, FeedOutcome], waiting: Sequence[SetAside], program: Program) -> Outcome:
    """Return the outcome of the command, with the commands that retry quoted for a shell."""
    feeds = list(outcomes.values())
    commands = [program.command(*words) for words in retries(feeds, waiting)]
    return Outcome(feeds, waiting, commands, program)


def _report(feeds: Sequence[Feed], command: _Command, *, is_cut_short: bool) -> list[PipelineError]:
    """Send, write and print the results; return the failures, also that to write."""
    services, surroundings = command.services, command.surroundings
    ended = [result for feed in command.outcomes.values() for result in feed.results]
    log = services.open_log(services.new_run_id(), "run")
    notify_of_loads(Ended(ended, readable(feeds, ()), is_cut_short), services, log)
    early = {result.pipeline for result in ended if result.run_id is None}
    waiting = [] if is_cut_short else find_set_aside(readable(feeds, early), services)
    outcome = _outcome(command.outcomes, waiting, services.program)
    place = surroundings.result
    unwritten = [] if place is None else write_result(outcome.as_dict(), place, services.lake)
    for failure in unwritten:
        log.error("the result was not kept", error=str(failure))
    if ended or not is_cut_short:
        command.output.document(outcome.as_dict(), lambda: full_summary(outcome, command.output.width))
    return [*failures_of(ended), *unwritten]


def _sources(project: Project) -> dict[str, SourceSpec]:
    """Return the source of each feed whose spec can be read."""
    feeds = [read_feed(project, name) for name in project.pipeline_names()]
    return {feed.pipeline: feed.spec.source for feed in feeds if isinstance(feed.spec, PipelineSpec)}


def all_broken(feeds: Sequence[Feed]) -> dict[str, SpecError]:
    """Return the error of each spec where none can be read, so that no sandbox is started for them; else nothing."""
    broken = {feed.pipeline: feed.spec for feed in feeds if isinstance(feed.spec, SpecError)}
    return broken if len(broken) == len(feeds) else {}


def _opened(
    feeds: Sequence[Feed], command: _Command, invocation: Invocation, interruption: Interruption
) -> list[Opening]:
    """Open the pipelines side by side, before the first one loads: what they share is then known."""
    work = [partial(command.open, feed, invocation) for feed in feeds]
    found = run_concurrently(work, _CONCURRENT_LISTINGS, interruption)
    return [opening for opening in found if opening is not None]


@dataclass(frozen=True)
class _Command:
    """A command that loads pipelines. Adds to their outcomes."""

    services: Services
    request: LoadRequest
    surroundings: Surroundings
    output: Output
    outcomes: Mapping[str, FeedOutcome]

    def open(self, feed: Feed, invocation: Invocation) -> Opening | None:
        """Open a pipeline; None where that fails, which does not stop other pipelines."""
        try:
            if isinstance(feed.spec, SpecError):
                raise feed.spec
            require_engine(self.services.environment)
            return open_pipeline(feed.spec, invocation, self.request)
        except PipelineError as error:
            self._fail(feed.pipeline, error, invocation)
        return None

    def load(self, opening: Opening, invocation: Invocation) -> None:
        """Load one pipeline. A failure does not stop other pipelines."""
        pipeline, services = opening.spec.pipeline, self.services
        outcome = self.outcomes[pipeline]
        try:
            for of_load in load_pipeline(opening, invocation):
                outcome.results += of_load
                self._show(of_load)
        except KeyboardInterrupt:
            if invocation.has_begun(pipeline):
                self.output.ended(pipeline, f"{pipeline}: interrupted", "error")
            raise
        except PipelineError as error:
            self._fail(pipeline, error, invocation)
            return
        finally:
            outcome.has_begun = invocation.has_begun(pipeline)
            invocation.not_loading(pipeline)
            self.output.display.rest(pipeline, is_done=True)
        outcome.has_ended = not invocation.is_held(pipeline)
        if outcome.state is State.IDLE:
            outcome.idle = why_nothing(opening.spec, services, self.request, opening.work.unmatched)
            self._log(pipeline).info("nothing to do", reason=outcome.idle)

    def _fail(self, pipeline: str, error: PipelineError, invocation: Invocation) -> None:
        invocation.failed()
        self._log(pipeline).error(Event.FAILED, step="discover", error=safe_message(error))
        load = FailedLoad(pipeline, self.services.program, self.request, kind_of(error, "discover"), ())
        # An error of the command line or the spec says what to write; a command repeats only other failures.
        continued = None if isinstance(error, SpecError) else next_step(load, self.services.lake)
        failed = failed_early(pipeline, error, next_step=continued)
        self.outcomes[pipeline].results.append(failed)
        self._show([failed])
        self.output.display.rest(pipeline, is_done=True)

    def _show(self, of_load: Sequence[LoadResult]) -> None:
        for line in load_lines(of_load):
            self.output.ended(of_load[0].pipeline, line.text, line.mark)

    def _log(self, pipeline: str) -> RunLog:
        return self.services.open_log(self.services.new_run_id(), pipeline)


def why_nothing(spec: PipelineSpec, services: Services, request: LoadRequest, unmatched: Sequence[str]) -> str:
    """Return where the pipeline looked for files and found none but `unmatched` keys."""
    lake = services.lake
    if isinstance(request, Unprocessed):
        return f"no file below {lake.url(lake.key(UNPROCESSED_FOLDER))} belongs to this pipeline"
    nothing = f"no file below {lake.url(lake.key(spec.source.prefix))} matches {spec.source.pattern}"
    return f"{nothing}; not matched: {listed(unmatched)}" if unmatched else nothing


def failures_of(results: Sequence[LoadResult]) -> list[PipelineError]:
    """Return one error per failed load; a bug stays its cause."""
    seen: set[str] = set()
    files = {result.source_file for result in results}
    errors = []
    for result in results:
        if result.failure is not None and result.run_id not in seen:
            seen |= {result.run_id} if result.run_id is not None else set()
            at_fault = getattr(result.failure.error, "keys", ()) or (result.source_file,)
            # Of corrections, a copy in staging is at fault: no file of a result.
            known = [result.source_file, *(file for file in at_fault if file in files)]
            file = next((each for each in known if each in at_fault), result.source_file or at_fault[0])
            errors.append(_with_place(result.pipeline, file, result.failure))
    return errors


def _with_place(pipeline: str, file: str | None, load: LoadFailure) -> PipelineError:
    error = load.error
    kind = type(error) if isinstance(error, PipelineError) else PipelineError
    name = "" if isinstance(error, PipelineError) else f"{type(error).__name__}: "
    continued = "" if load.next_step is None else f"\n{load.next_step}"
    message = f"{name}{safe_message(error)}{continued}\n{see_for(error)}"
    failure = PipelineError(f"pipeline={pipeline} file={file or '-'} step={load.step}: {message}")
    failure.exit_code = kind.exit_code
    failure.__cause__ = error
    return failure

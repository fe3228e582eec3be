"""A pipeline's run: its loads in order, each with the observation that the previous one left."""

from __future__ import annotations

from collections.abc import Iterator

from framework.errors import PipelineError
from framework.load.audit_trail import export_log
from framework.load.discover import Worklist, discover
from framework.load.first_loads import Opening
from framework.load.invocation import Invocation
from framework.load.load import load_files
from framework.load.recover import recover_only
from framework.load.request import LoadRequest
from framework.load.result import LoadResult
from framework.load.run import Run, begin_run
from framework.load.services import Services
from framework.load.settle import is_outage, report_doubtful, settle_failed, skip_files
from framework.load.unmatched import new_unmatched, remember_unmatched, unmatched_warning
from framework.log.retries import log_retries_to
from framework.model.observation import Observation
from framework.plan.audit import LoadFile
from framework.spec.pipeline import PipelineSpec


def open_pipeline(spec: PipelineSpec, invocation: Invocation, request: LoadRequest) -> Opening:
    """List a pipeline's pending files, or find the one that is asked for.

    Raises:
        SpecError: the file that is asked for is not in the lake, or may not belong to the pipeline.
        WarehouseError: the lake cannot be listed.
    """
    services, names = invocation.services, invocation.new_names(spec)
    # No load has begun, so retries go to a log of their own, in the stream only.
    with log_retries_to(services.open_log(names.run_id, spec.pipeline)):
        work = discover(spec, services, request)
        unmatched = new_unmatched(spec, services, work.unmatched)
    return Opening(spec, request, work, tuple(unmatched), names)


def load_pipeline(opening: Opening, invocation: Invocation) -> Iterator[list[LoadResult]]:
    """Load an opened pipeline's files; yield each load's results, one per source file.

    Nothing pending gives no result. A failure is a result too, and ends the pipeline's run where
    the spec says `on_failure: stop`, or where the warehouse is out of reach for every file. The run
    also ends where the invocation begins no further load.
    """
    spec, work, request, services = opening.spec, opening.work, opening.request, invocation.services
    names, unmatched = opening.names, opening.unmatched
    if work.doubtful:
        yield report_doubtful(begin_run(invocation, invocation.new_names(spec), request), work.doubtful)
    observed: Observation | None = None
    statuses: set[str] = set()
    for files in work.loads:
        warnings = (unmatched_warning(spec, unmatched),) if unmatched else ()
        with invocation.slot() as slot:
            # While it waited for its slot: a load that has not begun has not failed.
            services.check_interrupted()
            if not invocation.may_begin(spec.pipeline):
                return
            if names is opening.names:
                observed = invocation.first_loads.observation(opening)
            ended = load_files(begin_run(invocation, names, request, warnings, slot), work, files, observed)
            if any(result.failure is not None for result in ended.results):
                # Before the slot is free: the load that waits for it may not begin any more.
                invocation.failed()
        yield ended.results
        statuses.update(result.status for result in ended.results)
        if unmatched:
            remember_unmatched(spec, services, work.unmatched)
            unmatched = ()
        observed, names = ended.observed, invocation.new_names(spec)
        failures = [result.failure.error for result in ended.results if result.failure and result.status == "FAILED"]
        if any(map(is_outage, failures)) or (failures and spec.source.on_failure == "stop"):
            return
    if work.replaced is not None and statuses == {"SUCCESS"}:
        yield _archive_replaced(begin_run(invocation, names, request), work, work.replaced)
    if not work.loads and (invocation.expired_runs(spec.pipeline) or invocation.has_left_views(opening.target)):
        yield recover_only(begin_run(invocation, names, request))


def _archive_replaced(run: Run, work: Worklist, replaced: LoadFile) -> list[LoadResult]:
    """Skip a file that was set aside, in whose place another one is loaded."""
    ((loaded,),) = work.loads
    try:
        return skip_files(run, work, {replaced: f"{loaded.source.url} is loaded instead of it"})
    except PipelineError as error:
        return settle_failed(run, [replaced], error, None)
    finally:
        export_log(run)


def run_pipeline(spec: PipelineSpec, services: Services, request: LoadRequest) -> Iterator[list[LoadResult]]:
    """Load one pipeline in an invocation of its own: see `open_pipeline` and `load_pipeline`."""
    with Invocation(services) as invocation:
        opening = open_pipeline(spec, invocation, request)
        invocation.prepare([opening])
        yield from load_pipeline(opening, invocation)

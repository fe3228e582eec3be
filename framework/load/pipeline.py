"""A pipeline's run: its loads in order, each with the observation that the previous one left."""

from __future__ import annotations

from collections.abc import Iterator

from framework.lake.heartbeat import staging_prefix
from framework.load.discover import discover
from framework.load.load import load_files
from framework.load.recover import recover_only
from framework.load.request import LoadRequest
from framework.load.result import LoadResult
from framework.load.run import begin_run
from framework.load.services import Services
from framework.load.settle import is_outage, report_doubtful
from framework.load.unmatched import new_unmatched, remember_unmatched, unmatched_warning
from framework.load.view_journal import markers_prefix
from framework.log.retries import log_retries_to
from framework.model.observation import Observation
from framework.spec.pipeline import PipelineSpec


def run_pipeline(spec: PipelineSpec, services: Services, request: LoadRequest) -> Iterator[list[LoadResult]]:
    """Load a pipeline's pending files, or the one that is asked for; yield each load's results, one per source file.

    Nothing pending gives no result. A failure is a result too, and ends the pipeline's run where
    the spec says `on_failure: stop`, or where the warehouse is out of reach for every file.

    Raises:
        SpecError: the file that is asked for is not in the lake, or may not belong to the pipeline.
        WarehouseError: the lake cannot be listed.
    """
    observed: Observation | None = None
    # No load has begun, so retries while files are listed go to a log of their own, in the stream only.
    with log_retries_to(services.open_log(services.new_run_id(), spec.pipeline)):
        work = discover(spec, services, request)
        unmatched = new_unmatched(spec, services, work.unmatched)
    if work.doubtful:
        yield report_doubtful(begin_run(spec, services, request), work.doubtful)
    for files in work.loads:
        warnings = (unmatched_warning(spec, unmatched),) if unmatched else ()
        ended = load_files(begin_run(spec, services, request, warnings), work, files, observed)
        yield ended.results
        if unmatched:
            remember_unmatched(spec, services, work.unmatched)
            unmatched = []
        observed = ended.observed
        failures = [result.failure.error for result in ended.results if result.failure and result.status == "FAILED"]
        if any(map(is_outage, failures)) or (failures and spec.source.on_failure == "stop"):
            return
    if not work.loads and _is_something_left(spec, services):
        yield recover_only(begin_run(spec, services, request))


def _is_something_left(spec: PipelineSpec, services: Services) -> bool:
    """Return whether a run of the pipeline left something, or a run of any feed has dropped views on the target."""
    lake = services.lake
    markers = markers_prefix(lake, spec.target.table, services.environment.warehouse.control_schema)
    return any(lake.list_objects(staging_prefix(lake, spec.pipeline))) or any(lake.list_objects(markers))

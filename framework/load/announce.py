"""Announces the results of each pipeline's loads as metrics and events. A failure to do so stops nothing.

AWS Glue's own metrics and events are about the job, and one job loads all pipelines.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from framework.errors import PipelineError
from framework.load.result import LoadResult
from framework.log.redaction import safe_message
from framework.log.run_log import RunLog
from framework.spec.environment import Environment

EVENT_SOURCE = "feedway"
EVENT_TYPE = "Feedway Load Ended"
_METRICS_PER_CALL = 500
"""PutMetricData takes 1,000 metrics and 1 MB. Source:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html"""
_EVENTS_PER_CALL = 10
"""Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html"""
_LONGEST_TEXT = 1000
_WARNINGS_OF_EVENT = 20
"""An event has at most 256 KB."""


def announce(
    results: Sequence[LoadResult],
    environment: Environment,
    job_id: str | None,
    client: Callable[[str], Any],
    log: RunLog,
) -> None:
    """Send the metrics and events that the environment asks for; a failure to send is a warning in the log.

    `client` makes the client of a service by its name.
    """
    settings = environment.announce
    if not results:
        return
    if settings.metrics_namespace is not None:
        of_pipelines: dict[str, list[LoadResult]] = {}
        for result in results:
            of_pipelines.setdefault(result.pipeline, []).append(result)
        metrics = [
            metric
            for pipeline, of_pipeline in of_pipelines.items()
            for metric in _metrics(pipeline, of_pipeline, environment.name)
        ]
        with_namespace = {"Namespace": settings.metrics_namespace}
        _send("metrics", log, lambda: _put_metrics(client("cloudwatch"), with_namespace, metrics))
    if settings.event_bus is not None:
        entry = {"Source": EVENT_SOURCE, "DetailType": EVENT_TYPE, "EventBusName": settings.event_bus}
        common = {"environment": environment.name, "job_id": job_id}
        details = [common | _detail(result) for result in results]
        _send("events", log, lambda: _put_events(client("events"), entry, details))


def _send(what: str, log: RunLog, send: Callable[[], None]) -> None:
    try:
        send()
    # Whatever it is, the run must end as its loads did.
    except Exception as error:
        # Messages of AWS quote addresses and names, but no values of rows.
        message = str(error) if isinstance(error, BotoCoreError | ClientError) else safe_message(error)
        log.warning(f"{what} were not announced", error=f"{type(error).__name__}: {message}")


def _put_metrics(cloudwatch: Any, arguments: Mapping[str, str], metrics: Sequence[Mapping[str, Any]]) -> None:
    for start in range(0, len(metrics), _METRICS_PER_CALL):
        cloudwatch.put_metric_data(**arguments, MetricData=metrics[start : start + _METRICS_PER_CALL])


def _put_events(events: Any, entry: Mapping[str, str], details: Sequence[Mapping[str, object]]) -> None:
    entries = [{**entry, "Detail": json.dumps(detail, ensure_ascii=False)} for detail in details]
    for start in range(0, len(entries), _EVENTS_PER_CALL):
        answer = events.put_events(Entries=entries[start : start + _EVENTS_PER_CALL])
        refused = [each for each in answer["Entries"] if "ErrorCode" in each]
        if refused:
            first = refused[0]
            raise PipelineError(f"{len(refused)} refused, with {first['ErrorCode']}: {first.get('ErrorMessage', '')}")


def _metrics(pipeline: str, results: Sequence[LoadResult], environment: str) -> Iterator[dict[str, Any]]:
    """Yield a pipeline's metrics of a run, with few dimensions: each combination of values is billed as a metric."""
    dimensions = [
        {"Name": "Environment", "Value": environment},
        {"Name": "Pipeline", "Value": pipeline},
    ]
    statuses = Counter[str](result.status for result in results)
    for status, count in sorted(statuses.items()):
        by_status = [*dimensions, {"Name": "Status", "Value": status}]
        yield {"MetricName": "Loads", "Dimensions": by_status, "Unit": "Count", "Value": float(count)}
    loaded = [result.counts for result in results if result.status == "SUCCESS"]
    if loaded:
        numbers = {
            "RowsLoaded": sum(counts.inserted + counts.updated for counts in loaded),
            "RowsRejected": sum(counts.rejected for counts in loaded),
            "Warnings": len({(result.run_id, warning) for result in results for warning in result.warnings}),
        }
        for name, number in numbers.items():
            yield {"MetricName": name, "Dimensions": dimensions, "Unit": "Count", "Value": float(number)}
    seconds = [result.seconds for result in results if result.run_id and result.status in ("SUCCESS", "FAILED")]
    if seconds:
        statistics = {
            "SampleCount": float(len(seconds)),
            "Sum": sum(seconds),
            "Minimum": min(seconds),
            "Maximum": max(seconds),
        }
        yield {"MetricName": "LoadSeconds", "Dimensions": dimensions, "Unit": "Seconds", "StatisticValues": statistics}


def _detail(result: LoadResult) -> dict[str, object]:
    """Return the content of a load's event: its result as `run` prints it, with short texts."""
    failure = result.failure
    return result.as_dict() | {
        # Their list may exceed an event; JOB_STS and `changes` have it.
        "schema_changes": len(result.schema_changes),
        "warnings": [w.as_dict() | {"message": _short(w.message)} for w in result.warnings[:_WARNINGS_OF_EVENT]],
        "reason": result.reason and _short(result.reason),
        "error": failure and {"type": failure.type, "step": failure.step, "message": _short(failure.message)},
    }


def _short(text: str) -> str:
    """Return a text's first line, which says what happened; later lines have samples of rows."""
    return (text.splitlines() or [""])[0][:_LONGEST_TEXT]

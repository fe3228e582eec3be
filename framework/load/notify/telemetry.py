"""The results of each pipeline's loads as CloudWatch metrics and EventBridge events.

AWS Glue's own metrics and events are about the job, and one job loads all pipelines.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from framework.errors import PipelineError
from framework.load.notify.delivery import Delivery
from framework.load.notify.notices import short, warning_text
from framework.load.result import LoadResult
from framework.log.redaction import brief

EVENT_SOURCE = "feedway"
EVENT_TYPE = "Feedway Load Ended"
_METRICS_PER_CALL = 500
"""PutMetricData takes 1,000 metrics and 1 MB. Source:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html"""
_EVENTS_PER_CALL = 10
"""Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html"""
_WARNINGS_OF_EVENT = 20
"""An event has at most 256 KB."""


def metrics_delivery(
    results: Sequence[LoadResult], environment: str, namespace: str, client: Callable[[], Any]
) -> Delivery:
    """Return the delivery of the metrics of each pipeline to a namespace."""
    of_pipelines: dict[str, list[LoadResult]] = {}
    for result in results:
        of_pipelines.setdefault(result.pipeline, []).append(result)
    metrics = [
        metric
        for pipeline, of_pipeline in of_pipelines.items()
        for metric in _metrics(pipeline, of_pipeline, environment)
    ]
    calls = [partial(_put_metrics, client, namespace, each) for each in _parts(metrics, _METRICS_PER_CALL)]
    return Delivery("metrics were not sent", calls)


def events_delivery(
    results: Sequence[LoadResult], common: Mapping[str, object], bus: str, client: Callable[[], Any]
) -> Delivery:
    """Return the delivery of an event per result to a bus; `common` is in each."""
    entry = {"Source": EVENT_SOURCE, "DetailType": EVENT_TYPE, "EventBusName": bus}
    details = [{**common, **_detail(result)} for result in results]
    entries = [{**entry, "Detail": json.dumps(detail, ensure_ascii=False)} for detail in details]
    calls = [partial(_put_events, client, each) for each in _parts(entries, _EVENTS_PER_CALL)]
    return Delivery("events were not sent", calls)


def _parts(items: Sequence[dict[str, Any]], most: int) -> Iterator[Sequence[dict[str, Any]]]:
    return (items[start : start + most] for start in range(0, len(items), most))


def _put_metrics(client: Callable[[], Any], namespace: str, metrics: Sequence[Mapping[str, Any]]) -> None:
    client().put_metric_data(Namespace=namespace, MetricData=metrics)


def _put_events(client: Callable[[], Any], entries: Sequence[Mapping[str, str]]) -> None:
    refused = [each for each in client().put_events(Entries=entries)["Entries"] if "ErrorCode" in each]
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
    """Return the content of a load's event: its result as `run` prints it, without content of files."""
    failure = result.failure
    shown = {name: value for name, value in result.as_dict().items() if name != "bad_rows"}
    return shown | {
        # Their list may exceed an event; JOB_STS and `changes` have it.
        "schema_changes": len(result.schema_changes),
        "warnings": [w.as_dict() | {"message": short(warning_text(w))} for w in result.warnings[:_WARNINGS_OF_EVENT]],
        "reason": result.reason and short(result.reason),
        "error": failure and {"type": failure.type, "step": failure.step, "message": short(brief(failure.error))},
    }

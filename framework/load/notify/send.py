"""Sends what a command reports to every target of its environment."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from framework.errors import PipelineError
from framework.load.notify.delivery import LONGEST_SECONDS, Delivery
from framework.load.notify.messages import sns_message, webhook_body
from framework.load.notify.notices import Notification
from framework.load.notify.post import post
from framework.load.notify.telemetry import events_delivery, metrics_delivery
from framework.load.result import LoadResult
from framework.spec.environment import NotifySettings
from framework.spec.webhook import Webhook, format_of, url_fault

Clients = Callable[[str, str | None], Any]
"""Makes the client of a service, in a region where one is given."""


def message_deliveries(settings: NotifySettings, notification: Notification, clients: Clients) -> Iterator[Delivery]:
    """Yield the deliveries of a notification to the webhooks and the topic."""
    for number, webhook in enumerate(settings.webhook, start=1):
        name = f"webhook {number}" + (f" ({webhook.env})" if webhook.env else "")
        yield Delivery(f"{name} was not notified", [partial(_post, webhook, notification, clients)])
    if settings.sns is not None:
        publish = partial(_publish, settings.sns, notification, clients)
        yield Delivery("the SNS topic was not notified", [publish])


def result_deliveries(
    settings: NotifySettings,
    results: Sequence[LoadResult],
    common: Mapping[str, object],
    clients: Clients,
) -> Iterator[Delivery]:
    """Yield the deliveries of results as metrics and events; `common` has the environment and the job."""
    if results and settings.metrics_namespace is not None:
        client = _once(partial(clients, "cloudwatch", None))
        yield metrics_delivery(results, str(common["environment"]), settings.metrics_namespace, client)
    if results and settings.event_bus is not None:
        yield events_delivery(results, common, settings.event_bus, _once(partial(clients, "events", None)))


def _post(webhook: Webhook, notification: Notification, clients: Clients) -> None:
    url = _url(webhook, clients)
    fault = url_fault(url)
    if fault is not None:
        raise PipelineError(f"its URL {fault}")
    post(url, webhook_body(notification, webhook.format or format_of(url)), LONGEST_SECONDS)


def _url(webhook: Webhook, clients: Clients) -> str:
    if webhook.env is not None:
        if webhook.env not in os.environ:
            raise PipelineError(f"the environment variable {webhook.env} is not set")
        return os.environ[webhook.env].strip()
    if webhook.secret_arn is not None:
        secrets = clients("secretsmanager", _region_of(webhook.secret_arn))
        found = secrets.get_secret_value(SecretId=webhook.secret_arn)
        if "SecretString" not in found:
            raise PipelineError(f"the secret {webhook.secret_arn} holds no text")
        return str(found["SecretString"]).strip()
    return webhook.url or ""


def _publish(topic: str, notification: Notification, clients: Clients) -> None:
    subject, text = sns_message(notification)
    clients("sns", _region_of(topic)).publish(TopicArn=topic, Subject=subject, Message=text)


def _region_of(arn: str) -> str:
    return arn.split(":")[3]


def _once(make: Callable[[], Any]) -> Callable[[], Any]:
    """Return a function that makes a client at its first call and returns it to all threads."""
    lock = threading.Lock()
    made: list[Any] = []

    def client() -> Any:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    return client

"""Notifies of what a command's loads came to, and of feeds that are late. A failure to do so stops nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from framework.cli.freshness import StaleFeed, late_feeds
from framework.cli.wiring import notifying_clients
from framework.dataclass import dataclass
from framework.errors import PipelineError
from framework.load.result import LoadFailure, LoadResult
from framework.load.services import Services
from framework.log.redaction import brief, safe_message
from framework.log.run_log import RunLog
from framework.model.program import Program
from framework.spec.environment import Environment
from framework.spec.pipeline import PipelineSpec

if TYPE_CHECKING:
    from framework.load.notify.notices import Notice


@dataclass(frozen=True)
class Ended:
    """What a command's loads came to, and the specs that could be read. `is_cut_short` where it was interrupted."""

    results: Sequence[LoadResult]
    specs: Sequence[PipelineSpec]
    is_cut_short: bool


@dataclass(frozen=True)
class Sender:
    """What sends: an environment's command. `log` gets a warning for each target that is not reached."""

    environment: Environment
    job_id: str | None
    log: RunLog
    program: Program


def notify_of_loads(ended: Ended, services: Services, log: RunLog) -> None:
    """Send metrics and events of all results, and a message of those and the late feeds that the environment wants."""
    settings = services.environment.notify
    is_asked = settings.has_messages and "late" in settings.on
    late = _late(ended, services, log) if is_asked and not ended.is_cut_short else ()
    notify(ended, late, Sender(services.environment, services.job_id, log, services.program))


def notify(ended: Ended, late: Sequence[StaleFeed], sender: Sender) -> None:
    """Send what the environment wants of results, and feeds that are late."""
    settings = sender.environment.notify
    if not settings.has_targets or not (ended.results or late):
        return
    try:
        _send(ended, late, sender)
    # The command ends as its loads did, also where this has a bug.
    except Exception as error:
        sender.log.warning("nobody was notified", error=f"{type(error).__name__}: {safe_message(error)}")


def _late(ended: Ended, services: Services, log: RunLog) -> Sequence[StaleFeed]:
    """Return the feeds that are late after the command; none where the warehouse cannot be asked."""
    if any(isinstance(failure.error, PipelineError) and failure.error.is_outage for failure in _failures(ended)):
        log.warning("late feeds were not looked for, because of the outage")
        return ()
    loaded = {result.pipeline for result in ended.results if result.status == "SUCCESS"}
    try:
        # Retries would keep a command with nothing to load waiting for minutes.
        return late_feeds([spec for spec in ended.specs if spec.pipeline not in loaded], services, log, attempts=1)
    except PipelineError as error:
        log.warning("late feeds were not looked for", error=brief(error))
        return ()


def _failures(ended: Ended) -> Iterator[LoadFailure]:
    return (result.failure for result in ended.results if result.failure is not None)


def _send(ended: Ended, late: Sequence[StaleFeed], sender: Sender) -> None:
    # imported where it is used: most commands notify nobody
    from framework.load.notify.delivery import deliver
    from framework.load.notify.notices import notices_of, notification
    from framework.load.notify.send import message_deliveries, result_deliveries

    environment, job_id = sender.environment, sender.job_id
    settings, clients = environment.notify, notifying_clients(environment)
    owners = {spec.pipeline: spec.owner for spec in ended.specs}
    notices = [*notices_of(ended.results, owners, settings.on), *_late_notices(late, sender.program)]
    common: Mapping[str, object] = {"environment": environment.name, "job_id": job_id}
    deliveries = list(result_deliveries(settings, ended.results, common, clients))
    if notices:
        deliveries += message_deliveries(settings, notification(environment.name, job_id, notices), clients)
    deliver(deliveries, sender.log)


def _late_notices(late: Sequence[StaleFeed], program: Program) -> Iterator[Notice]:
    from framework.load.notify.notices import Notice

    for feed in late:
        since = f"no load has succeeded since {feed.last_success_ts} UTC"
        message = "no load has ever succeeded" if feed.last_success_ts is None else since
        history = f"See its loads with: {program.command('history', feed.pipeline)}"
        expected = f"{message}, and one is expected every {feed.every}"
        yield Notice("late", feed.pipeline, feed.owner, None, None, None, expected, history)

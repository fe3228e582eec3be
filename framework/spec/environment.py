"""An entry of `environments.yml` as values. `schemas/environments.schema.json` has the defaults."""

from __future__ import annotations

from typing import Literal

from framework.dataclass import dataclass
from framework.spec.webhook import Webhook

NoticeKind = Literal["failure", "refusal", "late", "warning", "success"]


@dataclass(frozen=True)
class LakeSettings:
    """The bucket that holds files, staging and logs. `prefix` is empty or ends in `/`."""

    bucket: str
    prefix: str
    region: str | None


@dataclass(frozen=True)
class WarehouseSettings:
    """The warehouse's address for the Data API: a Serverless workgroup or a cluster, not both.

    `copy_role` is an IAM role's ARN, or `default` for the namespace's own.
    """

    workgroup: str | None
    cluster: str | None
    database: str
    db_user: str | None
    secret_arn: str | None
    copy_role: str
    control_schema: str
    region: str | None


@dataclass(frozen=True)
class RetrySettings:
    """How often, and after how long, a transaction is retried after a transient failure.

    The wait before attempt n + 1 is `delay_seconds * backoff ** (n - 1)`.
    """

    attempts: int
    delay_seconds: float
    backoff: float


@dataclass(frozen=True)
class EmbeddedSettings:
    """Limits of the embedded executor; `memory_bytes` holds for tasks on Spark too.

    `max_bytes`: `engine: auto` takes it for up to this many bytes of source files, packed ones counted
    tenfold. `directory` holds temporary files; None is the system's folder for them.
    """

    max_bytes: int
    memory_bytes: int
    directory: str | None


@dataclass(frozen=True)
class SingleSubmissionSettings:
    """Which loads are copied and merged in one submission.

    Those whose staging files have up to `max_bytes`. If the COPY takes more than `copy_seconds` it is cancelled, and
    the load takes two submissions: until it ends, other loads of the table wait.
    """

    max_bytes: int
    copy_seconds: int


@dataclass(frozen=True)
class NotifySettings:
    """Where commands report what loads came to: webhooks, a topic's ARN, a bus, a namespace; None for nowhere.

    `on` chooses what webhooks and the topic get. The bus and the namespace get every result.
    """

    on: tuple[NoticeKind, ...] = ()
    webhook: tuple[Webhook, ...] = ()
    sns: str | None = None
    event_bus: str | None = None
    metrics_namespace: str | None = None

    @property
    def has_messages(self) -> bool:
        """Whether somebody gets messages."""
        return bool(self.webhook) or self.sns is not None

    @property
    def has_targets(self) -> bool:
        """Whether anything is sent anywhere."""
        return self.has_messages or self.event_bus is not None or self.metrics_namespace is not None


@dataclass(frozen=True)
class Environment:
    """The lake and the warehouse a command works on.

    `dead_after_seconds`: a run whose heartbeat is older has expired.
    `parallel`: the maximum number of feeds that one invocation loads concurrently.
    `max_attempts`: after this many failed loads a file goes to `data/unprocessed`, whatever the failure.
    """

    name: str
    kind: Literal["aws", "sandbox"]
    lake: LakeSettings
    warehouse: WarehouseSettings
    engine: Literal["auto", "embedded", "spark"]
    embedded: EmbeddedSettings
    retry: RetrySettings
    single_submission: SingleSubmissionSettings
    parallel: int
    dead_after_seconds: int
    max_attempts: int
    notify: NotifySettings

"""The checks in their order, each run once, after those that it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from framework.dataclass import dataclass
from framework.errors import PipelineError, SpecError
from framework.lake.connection import S3Connection, require_principal
from framework.load.check.bucket import check_bucket, check_clock, check_credentials, check_region
from framework.load.check.machine import check_embedded, check_spark
from framework.load.check.outcome import NotReady, Outcome, failure
from framework.load.check.rights import check_rights
from framework.load.check.subject import Subject
from framework.load.check.warehouse import (
    check_control_schema,
    check_copy_role,
    check_database,
    check_warehouse,
)
from framework.log.aws_errors import is_region_fault, is_setting_fault, is_skew_fault


@dataclass(frozen=True)
class Check:
    """One item: `find` returns what is there. It is skipped where one of `needs` has failed."""

    item: str
    find: Callable[[Subject], str]
    needs: tuple[str, ...] = ()


SPARK = Check("spark", check_spark, ("bucket",))
CHECKS = (
    Check("credentials", check_credentials),
    Check("region", check_region),
    Check("bucket", check_bucket, ("credentials",)),
    Check("warehouse", check_warehouse, ("credentials",)),
    Check("database", check_database, ("warehouse",)),
    Check("copy_role", check_copy_role, ("region", "bucket", "database")),
    Check("rights", check_rights, ("database",)),
    Check("control_schema", check_control_schema, ("rights",)),
    Check("clock", check_clock),
    Check("embedded", check_embedded),
)


def run_checks(subject: Subject, checks: Sequence[Check]) -> list[Outcome]:
    """Return the outcome of each check, in their order."""
    running = _Running(subject, {check.item: check for check in checks})
    return [running.outcome(check.item) for check in checks]


def without_services(error: SpecError, connection: S3Connection, checks: Sequence[Check]) -> list[Outcome]:
    """Return the outcomes where no client could be made: the region or the settings of AWS are missing or wrong.

    Raises:
        SpecError: `error`, where it is about something else.
    """
    if not is_setting_fault(error):
        raise error
    failed = "region" if is_region_fault(error) else "credentials"
    found = {failed: failure(failed, error)}
    if failed == "region":
        try:
            found["credentials"] = Outcome("credentials", "ok", require_principal(connection))
        except PipelineError as refused:
            found["credentials"] = failure("credentials", refused)
    return [found.get(check.item) or _skipped(check.item, failed) for check in checks]


class _Running:
    """Checks under way; each runs when its outcome is first asked for."""

    def __init__(self, subject: Subject, checks: dict[str, Check]) -> None:
        self._subject = subject
        self._checks = checks
        self._outcomes: dict[str, Outcome] = {}

    def outcome(self, item: str) -> Outcome:
        if item not in self._outcomes:
            self._outcomes[item] = self._run(self._checks[item])
        return self._outcomes[item]

    def _run(self, check: Check) -> Outcome:
        for need in check.needs:
            if self.outcome(need).status != "ok":
                return _skipped(check.item, need)
        try:
            return Outcome(check.item, "ok", check.find(self._subject))
        except NotReady as reason:
            cause = reason.because_of
            if cause is not None and self.outcome(cause).status != "ok":
                return _skipped(check.item, cause)
            return Outcome(check.item, "failed", reason.found, reason.remedy, reason.exit_code)
        except PipelineError as error:
            if is_skew_fault(error) and self.outcome("clock").status != "ok":
                return _skipped(check.item, "clock")
            return failure(check.item, error)


def _skipped(item: str, because_of: str) -> Outcome:
    return Outcome(item, "skipped", f"because of {because_of}")

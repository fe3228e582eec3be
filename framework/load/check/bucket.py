"""The lake: whose credentials, in which region, what may be done in the bucket, and whose clock is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

from framework.dataclass import dataclass
from framework.errors import PipelineError
from framework.load.check.outcome import WRONG_ENVIRONMENT, WRONG_MACHINE, WRONG_SERVICE, NotReady, advising
from framework.load.check.subject import Subject
from framework.log.aws_errors import credentials_advice, denied_right, has_answer, is_denied
from framework.model.files import FileIdentity, SourceFile
from framework.parallel import map_parallel

LONGEST_SKEW_SECONDS = 60
SIGNATURE_MINUTES = 15
"""Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html"""
_OWN_FOLDERS = ("data/archive/", "data/unprocessed/", "data/quarantine/", "staging/")
_LIST_OF_UNMATCHED = "logs/_check/unmatched.json"
"""Of what loads write below logs/, the kind of object that they also read."""
_NO_ETAG = "0" * 32


def check_credentials(subject: Subject) -> str:
    """Return who the caller is."""
    return subject.lake.principal


def check_region(subject: Subject) -> str:
    """Return the region that the lake and the warehouse are in."""
    lake, warehouse = subject.lake.region, subject.services.warehouse.region
    if lake != warehouse:
        raise NotReady(
            f"S3 is called in {lake}, and the Data API in {warehouse}: COPY reads Parquet in its own region only",
            f"Name one region in {subject.field('lake.region')} and {subject.field('warehouse.region')}",
            WRONG_ENVIRONMENT,
        )
    return lake


def check_bucket(subject: Subject) -> str:
    """Return what may be done in the bucket: list, read, write and delete where loads do."""
    lake = subject.lake
    with advising(lambda error: _access_advice(subject, error)):
        for _ in lake.list_objects(lake.key("staging/")):
            break
        region = lake.bucket_region()
    if region not in (None, lake.region):
        raise NotReady(
            f"s3://{lake.bucket} is in {region}, but is called in {lake.region}",
            f"Write {region} in {subject.field('lake.region')}",
            WRONG_ENVIRONMENT,
        )
    with advising(lambda error: _access_advice(subject, error)):
        denied = [right for right in map_parallel(_denied, list(_probes(subject))) if right is not None]
        if denied:
            rights = "; ".join(dict.fromkeys(denied))
            raise NotReady(f"S3 denies calls in {lake.url(lake.prefix)}", f"Allow {rights}", WRONG_SERVICE)
        _write_and_read(subject)
    return (
        f"{lake.url(lake.prefix)} in {region or lake.region}: may be listed, read, written and deleted from; "
        f"{_versioning(subject)}"
    )


def check_clock(subject: Subject) -> str:
    """Return how far this machine's clock is from S3's."""
    now = subject.services.now
    with advising(lambda error: _access_advice(subject, error), because_of="bucket"):
        before, stated, after = now(), subject.lake.clock(subject.lake.key("staging/")), now()
    # S3 states whole seconds, and the call takes some time.
    ahead = round((before - stated).total_seconds() - 1)
    behind = round((stated - after).total_seconds())
    skew = max(ahead, behind, 0)
    if skew <= LONGEST_SKEW_SECONDS:
        return f"within {max(skew, 1)} s of S3's"
    raise NotReady(
        f"this machine's clock is {skew:,} s {'ahead of' if ahead > behind else 'behind'} S3's. Times in JOB_STS, and "
        f"`--since` and `stale`, are off by as much, and from {SIGNATURE_MINUTES} minutes on AWS refuses all "
        "calls; heartbeats have S3's times",
        "Synchronize the clock: timedatectl set-ntp true, or chronyc makestep",
        WRONG_MACHINE,
    )


@dataclass(frozen=True)
class _Probe:
    """A call that changes nothing, and the right that it needs."""

    right: str
    call: Callable[[], object]


def _denied(probe: _Probe) -> str | None:
    """Return the right that a probe lacks; None where it has it."""
    try:
        probe.call()
    except PipelineError as error:
        if is_denied(error):
            return denied_right(error) or probe.right
        raise
    return None


def _probes(subject: Subject) -> Iterator[_Probe]:
    """Yield calls on keys that do not exist, so that S3 answers them without doing anything.

    S3 checks rights first: a conditional write or deletion without one is a 403, and with it a 404.
    """
    name = f"_check-{subject.warehouse.run_id}"
    for folder in dict.fromkeys(spec.source.prefix for spec in subject.specs):
        yield from _reading(subject, folder, name)
        yield _deleting(subject, folder, name)
    for folder in _OWN_FOLDERS:
        yield from _reading(subject, folder, name)
        yield _writing(subject, folder, name)
        yield _deleting(subject, folder, name)
    folder, _, file_name = _LIST_OF_UNMATCHED.rpartition("/")
    yield _writing(subject, f"{folder}/", file_name)


def _reading(subject: Subject, folder: str, name: str) -> Iterator[_Probe]:
    prefix = subject.lake.key(folder)
    yield _Probe(f"s3:ListBucket on {subject.bucket_arn} with the prefix {prefix}*", lambda: subject.lake.clock(prefix))
    yield _Probe(f"s3:GetObject on {subject.bucket_arn}/{prefix}*", lambda: subject.lake.get(prefix + name))


def _writing(subject: Subject, folder: str, name: str) -> _Probe:
    prefix = subject.lake.key(folder)

    def write() -> None:
        if subject.lake.replace(prefix + name, _NO_ETAG, ""):
            # A server that ignores conditions has written it.
            subject.lake.delete([prefix + name])

    return _Probe(f"s3:PutObject on {subject.bucket_arn}/{prefix}*", write)


def _deleting(subject: Subject, folder: str, name: str) -> _Probe:
    lake, key = subject.lake, subject.lake.key(folder) + name
    identity, never = FileIdentity(lake.bucket, key, _NO_ETAG, 0), datetime(1970, 1, 1, tzinfo=UTC)
    absent = SourceFile(lake.bucket, key, _NO_ETAG, 0, never, identity, never)
    # Its condition also keeps a versioned bucket from writing a delete marker.
    right = f"s3:DeleteObject on {subject.bucket_arn}/{lake.key(folder)}*"
    return _Probe(right, lambda: lake.delete_unchanged(absent))


def _write_and_read(subject: Subject) -> None:
    """Write an object to the staging folder, find it in a listing, read it and delete it."""
    lake, key = subject.lake, f"{subject.staging_prefix}probe"
    text = f"written by check {subject.warehouse.run_id}"
    try:
        lake.put(key, text)
        is_listed = any(found.key == key for found in lake.list_objects(subject.staging_prefix))
        read = lake.get(key)
    finally:
        lake.delete([key])
    if not is_listed or read != text.encode():
        raise NotReady(
            f"{lake.url(key)} was written, but {'the listing lacks it' if not is_listed else 'was read as another'}",
            "Use a store that lists and reads an object as soon as it is written, as S3 does",
            WRONG_SERVICE,
        )


def _versioning(subject: Subject) -> str:
    with suppress(PipelineError):
        return f"versioning is {'on' if subject.lake.is_versioned() else 'off'}"
    # Loads do not need this right.
    return "whether it is versioned cannot be read without s3:GetBucketVersioning"


def _access_advice(subject: Subject, error: PipelineError) -> str:
    bucket = subject.field("lake.bucket")
    if (advice := credentials_advice(error)) is not None:
        return advice
    if is_denied(error):
        right = denied_right(error) or f"s3:ListBucket on {subject.bucket_arn}"
        return f"Allow {right}; or correct {bucket}: the bucket may be another account's"
    if not has_answer(error):
        return (
            f"See whether this machine reaches S3 in {subject.lake.region}: {subject.field('lake.region')}, its proxy, "
            "or the VPC's endpoint"
        )
    return f"Correct {bucket}, or create the bucket: aws s3 mb s3://{subject.lake.bucket}"

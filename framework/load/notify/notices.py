"""What a command reports: one notice per failed load, refused file, late feed or load with warnings. Pure.

No notice holds content of a file: `redaction.brief` and `LoadWarning.brief` say how.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from framework.dataclass import dataclass
from framework.load.result import LoadResult
from framework.log.redaction import brief
from framework.model.load_warning import LoadWarning
from framework.model.words import counted, share
from framework.spec.environment import NoticeKind

MOST_OF_A_FEED = 3
"""A feed may fail with hundreds of files, and the others must find room."""
_LONGEST_TEXT = 1000
_ORDER: tuple[NoticeKind, ...] = ("failure", "refusal", "late", "warning", "success")
_TITLES: Mapping[NoticeKind, tuple[str, str]] = {
    "failure": ("feed failed", "feeds failed"),
    "refusal": ("feed with refused files", "feeds with refused files"),
    "late": ("feed late", "feeds late"),
    "warning": ("feed with warnings", "feeds with warnings"),
    "success": ("feed loaded", "feeds loaded"),
}


@dataclass(frozen=True)
class Notice:
    """What a feed's owner should know. `more` counts further notices of the feed and kind, which are left out.

    `source_file` is None where no single file is meant, `run_id` and `step` where there was no load, and `next_step`
    where no command is known that continues.
    """

    kind: NoticeKind
    pipeline: str
    owner: str
    source_file: str | None
    run_id: str | None
    step: str | None
    message: str
    next_step: str | None
    more: int = 0


@dataclass(frozen=True)
class Notification:
    """What a command reports in one message: its notices, the most urgent first. `left_out` had no room in it."""

    environment: str
    job_id: str | None
    notices: tuple[Notice, ...]
    left_out: int = 0
    heading: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the notification as plain JSON (schemas/output/notification.schema.json)."""
        return {
            "environment": self.environment,
            "job_id": self.job_id,
            "title": self.heading,
            "notices": [asdict(notice) for notice in self.notices],
            "left_out": self.left_out,
        }

    def first(self, most: int) -> Notification:
        """Return the notification with its first notices alone."""
        left_out = sum(1 + notice.more for notice in self.notices[most:])
        return replace(self, notices=self.notices[:most], left_out=self.left_out + left_out)


def notification(environment: str, job_id: str | None, notices: Sequence[Notice]) -> Notification:
    """Return the notification of notices in any order; of each feed and kind it has the first few."""
    of_feeds: dict[tuple[NoticeKind, str], list[Notice]] = {}
    for notice in sorted(notices, key=lambda each: _ORDER.index(each.kind)):
        of_feeds.setdefault((notice.kind, notice.pipeline), []).append(notice)
    kept: list[Notice] = []
    for found in of_feeds.values():
        shown, more = found[:MOST_OF_A_FEED], len(found) - MOST_OF_A_FEED
        kept += shown if more <= 0 else [*shown[:-1], replace(shown[-1], more=more)]
    kinds = [kind for kind, _ in of_feeds]
    parts = [counted(kinds.count(kind), *_TITLES[kind]) for kind in _ORDER if kind in kinds]
    return Notification(environment, job_id, tuple(kept), heading=f"Feedway {environment}: {', '.join(parts)}")


def notices_of(results: Sequence[LoadResult], owners: Mapping[str, str], kinds: Collection[NoticeKind]) -> list[Notice]:
    """Return the notices of these kinds about results. What is true of several files of a load is one notice."""
    found: dict[tuple[object, ...], Notice] = {}
    for result in results:
        for notice in _of_result(result, owners.get(result.pipeline, "")):
            # Without a run each result stands for itself.
            of_load = notice.run_id or len(found)
            file = notice.source_file if notice.kind == "refusal" else None
            found.setdefault((of_load, notice.kind, notice.message, file), notice)
    return [notice for notice in found.values() if notice.kind in kinds]


def _of_result(result: LoadResult, owner: str) -> Iterator[Notice]:
    failure = result.failure
    step = None if failure is None else failure.step
    next_step = None if failure is None or failure.next_step is None else failure.next_step.words

    def notice(kind: NoticeKind, message: str) -> Notice:
        return Notice(kind, result.pipeline, owner, _file_of(result), result.run_id, step, short(message), next_step)

    if result.status == "REFUSED":
        yield notice("refusal", result.reason or "the file was refused")
    elif failure is not None:
        yield notice("failure", brief(failure.error))
    else:
        counts = result.counts
        yield from (notice("warning", f"{each.rule}: {warning_text(each)}") for each in result.warnings)
        if result.quarantine is not None:
            rows = share(counts.rejected, counts.read, "row")
            yield notice("warning", f"{rows} went to quarantine: {result.quarantine}")
        elif result.status == "SUCCESS" and not result.warnings:
            rows = f"{counted(counts.inserted, 'row')} inserted, {counts.updated:,} updated, {counts.deleted:,} deleted"
            yield notice("success", rows)


def _file_of(result: LoadResult) -> str | None:
    """Return the file at fault, which in a load of several files is not every one of them."""
    at_fault = getattr(result.failure.error, "keys", ()) if result.failure is not None else ()
    return result.source_file if not at_fault or result.source_file in at_fault else at_fault[0]


def warning_text(warning: LoadWarning) -> str:
    """Return a warning's message without content of a file."""
    return warning.brief or warning.message


def short(text: str) -> str:
    """Return a text's first line, cut to what a message has room for."""
    line = (text.splitlines() or [""])[0]
    return line if len(line) <= _LONGEST_TEXT else f"{line[: _LONGEST_TEXT - 1]}…"

"""The view journal: all that is needed to restore a view that was dropped in a transaction of its own.

Only the native growth of a VARCHAR needs it, because that runs outside any transaction. A view is entered in the
transaction that drops it, and removed from the journal in the one that completes its restoration.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby

from framework.dataclass import dataclass
from framework.model.names import TableName
from framework.model.observation import Comment, Grant, JournalEntry, ObservedView

PART_CHARACTERS = 15_000
"""Part of an entry in one row: at most 60,000 bytes, where a value may have 65,535 and a statement 100,000."""


@dataclass(frozen=True)
class JournalRow:
    """A row of the journal's table: a part of an entry. The parts in order are one JSON document."""

    run_id: str
    pipeline: str
    target: TableName
    view: TableName
    place: int
    part: int
    content: str


def as_rows(entry: JournalEntry) -> tuple[JournalRow, ...]:
    """Return an entry as the rows that hold it."""
    view = entry.view
    document = {
        "invocation_id": entry.invocation_id,
        "definition": view.definition,
        "owner": view.owner,
        "is_own": view.is_own,
        "is_of_spec": entry.is_of_spec,
        "grants": [
            [grant.privilege, grant.grantee, grant.grantee_kind, grant.with_grant_option] for grant in view.grants
        ],
        "comments": [[comment.column, comment.text] for comment in entry.comments],
    }
    text = json.dumps(document, ensure_ascii=False)
    starts = range(0, len(text), PART_CHARACTERS)
    return tuple(
        JournalRow(
            entry.run_id,
            entry.pipeline,
            entry.target,
            view.view,
            entry.place,
            part,
            text[start : start + PART_CHARACTERS],
        )
        for part, start in enumerate(starts)
    )


def entries_of(rows: Iterable[JournalRow]) -> tuple[JournalEntry, ...]:
    """Return the entries in rows, in their order: by run, the earliest first, then by place, the lowest first.

    Rows of one view and run must be consecutive, in the order of their parts.
    """
    entries = []
    for (_, name), group in groupby(rows, key=lambda row: (row.run_id, row.view)):
        parts = list(group)
        document = json.loads("".join(row.content for row in parts))
        view = ObservedView(
            name,
            document["owner"],
            document["is_own"],
            tuple(Grant(*grant) for grant in document["grants"]),
            definition=document["definition"],
        )
        first = parts[0]
        comments = tuple(Comment(name, column, text) for column, text in document["comments"])
        entries.append(
            JournalEntry(
                first.run_id,
                document.get("invocation_id"),
                first.pipeline,
                first.target,
                first.place,
                view,
                comments,
                document["is_of_spec"],
            )
        )
    return tuple(entries)

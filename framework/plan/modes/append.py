"""append: rows are added, and stored rows stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from framework.plan.merge_input import MergeInput
from framework.plan.steps import Statement
from framework.spec.pipeline import MissingPolicy


def keeps_columns(policies: Sequence[MissingPolicy]) -> bool:
    """Return that nothing stored is written."""
    return False


def find_stored_winners(merge: MergeInput) -> Iterator[Statement]:
    """Yield nothing: rows are not compared with stored ones."""
    yield from ()


def count(merge: MergeInput) -> Iterator[Statement]:
    """Yield the statement that counts the rows to insert."""
    yield merge.count_rows(updates=False)


def guard(merge: MergeInput) -> Iterator[Statement]:
    """Yield nothing: whatever the target holds, rows are added."""
    yield from ()


def delete(merge: MergeInput) -> Iterator[Statement]:
    """Yield nothing."""
    yield from ()

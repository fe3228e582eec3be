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
    """Yield the statements that count the rows to insert."""
    yield Statement("count_inserts", {"counts": merge.winners, "staging": merge.staging})
    yield Statement("count_none_replaced", {"counts": merge.replaced})


def guard(merge: MergeInput) -> Iterator[Statement]:
    """Yield nothing: whatever the target holds, rows are added."""
    yield from ()


def delete(merge: MergeInput) -> Iterator[Statement]:
    """Yield nothing."""
    yield from ()

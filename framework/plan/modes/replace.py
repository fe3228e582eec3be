"""replace: the table holds what one load holds, from one instant to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from framework.errors import OnRefusal
from framework.plan.merge_input import MergeInput
from framework.plan.steps import Statement, locks_writers
from framework.spec.pipeline import MissingPolicy


def keeps_columns(policies: Sequence[MissingPolicy]) -> bool:
    """Return whether a load without a column must not empty it: unless the spec has a policy."""
    return any(policy.written_for is None for policy in policies)


def find_stored_winners(merge: MergeInput) -> Iterator[Statement]:
    """Yield nothing: all stored rows go."""
    yield from ()


def count(merge: MergeInput) -> Iterator[Statement]:
    """Yield the statements that count the rows to insert, and the stored rows."""
    yield merge.count_rows(updates=False)
    if merge.replaced is not None:
        yield Statement("count_replaced", {"counts": merge.replaced, "target": merge.target})


def guard(merge: MergeInput) -> Iterator[Statement]:
    """Yield the guards that stop a load that would empty a column, or leave too few rows."""
    if not merge.target_exists:
        return
    emptied = [fill.column for fill in merge.fills if fill.unless_filled]
    if emptied:
        yield Statement("check_columns_empty", {"table": merge.target, "columns": emptied}, OnRefusal.REPLAN)
    if merge.max_shrink is not None and merge.max_shrink < 1:
        kept, of = (1 - merge.max_shrink).as_integer_ratio()
        values = {"counts": merge.counts, "replaced": merge.replaced, "kept": kept, "of": of}
        yield Statement("check_shrinkage", values, OnRefusal.SHRINKS_TABLE)


def delete(merge: MergeInput) -> Iterator[Statement]:
    """Yield the deletion of all rows. Not TRUNCATE: that commits, and readers would see an empty table."""
    if merge.target_exists:
        yield Statement("delete_all_rows", {"table": merge.target}, locks=locks_writers(merge.target))

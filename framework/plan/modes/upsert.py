"""upsert: rows replace the stored rows with their keys, others are added."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from framework.plan.merge_input import MergeInput
from framework.plan.missing import Fill
from framework.plan.steps import Statement, locks_writers
from framework.spec.pipeline import MissingPolicy


def keeps_columns(policies: Sequence[MissingPolicy]) -> bool:
    """Return whether stored rows keep what they hold in columns that the files lack."""
    return any(policy.stored_rows == "keep" for policy in policies)


def find_stored_winners(merge: MergeInput) -> Iterator[Statement]:
    """Yield the statements that find and delete rows that lose against the stored row with their key."""
    values = {"losers": merge.losers, "staging": merge.staging, "target": merge.target, "keys": merge.load.keys}
    delete_losers = Statement("delete_losers", {"losers": merge.losers, "staging": merge.staging})
    ordered = values | {"order_by": merge.load.order_by}
    if merge.load.order_by:
        yield from (Statement("find_stale_rows", ordered), delete_losers)
    if merge.load.order_by and merge.keeps_stored:
        yield from (Statement("find_tied_rows", ordered), delete_losers)
    elif merge.keeps_stored:
        yield from (Statement("find_stored_rows", values), delete_losers)


def count(merge: MergeInput) -> Iterator[Statement]:
    """Yield the statements that find the keys to replace, and count the rows to insert and those that replace one."""
    if merge.matches is not None:
        values = {"matches": merge.matches, "staging": merge.staging, "target": merge.target, "keys": merge.load.keys}
        yield Statement("find_matches", values | {"distkey": merge.distkey})
    yield merge.count_rows(updates=bool(merge.columns))


def guard(merge: MergeInput) -> Iterator[Statement]:
    """Yield nothing beyond what the columns' policies ask for."""
    yield from ()


def delete(merge: MergeInput) -> Iterator[Statement]:
    """Yield the deletion of replaced rows, after copying the values to keep in columns that files lack."""
    if not merge.columns:
        return
    names = {"target": merge.target, "keys": merge.load.keys}
    for columns, files in _kept(merge.fills):
        values = {"staging": merge.staging, "columns": columns, "files": files}
        yield Statement("keep_stored_values", names | values)
    values = {"matches": merge.matches or merge.staging}
    yield Statement("delete_matching_rows", names | values, locks=locks_writers(merge.target))


def _kept(fills: Sequence[Fill]) -> list[tuple[list[str], tuple[int, ...]]]:
    """Group the columns that keep stored values by the files that lack them."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for fill in fills:
        if fill.keeps_stored:
            groups.setdefault(fill.files, []).append(fill.column)
    return [(columns, files) for files, columns in groups.items()]

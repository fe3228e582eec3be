"""The merge of each load mode. A mode is one module here, a line below, and its facts in model/modes.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Protocol

from framework.model.modes import APPEND, REPLACE, UPSERT, LoadMode
from framework.plan.merge_input import MergeInput
from framework.plan.modes import append, replace, upsert
from framework.plan.steps import Statement
from framework.spec.pipeline import MissingPolicy


class MergeMode(Protocol):
    """The parts of the merge that differ between modes, in order. All of them run after the ledger is locked."""

    def keeps_columns(self, policies: Sequence[MissingPolicy]) -> bool:
        """Return whether a load must not lose what the target's columns hold that it does not know."""

    def find_stored_winners(self, merge: MergeInput) -> Iterator[Statement]:
        """Yield the statements that find and delete staging rows that lose against a stored row."""

    def count(self, merge: MergeInput) -> Iterator[Statement]:
        """Yield the statements that count the remaining rows, and the stored rows to delete."""

    def guard(self, merge: MergeInput) -> Iterator[Statement]:
        """Yield checks that only the counts and the target's values allow."""

    def delete(self, merge: MergeInput) -> Iterator[Statement]:
        """Yield the statements that delete stored rows before the others are inserted; also without rows."""


_MODES: MappingProxyType[str, MergeMode] = MappingProxyType(
    {UPSERT.name: upsert, APPEND.name: append, REPLACE.name: replace}
)


def merge_mode(mode: LoadMode) -> MergeMode:
    """Return the merge of a mode."""
    return _MODES[mode.name]

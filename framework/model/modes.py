"""Load modes: what is true of each, for everybody who asks. What a mode does to rows is in plan/modes/."""

from __future__ import annotations

from framework.dataclass import dataclass


@dataclass(frozen=True)
class LoadMode:
    """The facts of a load mode.

    `matches_keys`: rows replace the stored rows with their keys; such a mode needs keys. `replaces_table`: the table
    then holds what one load holds, so that of several pending files only the newest counts.
    """

    name: str
    matches_keys: bool = False
    replaces_table: bool = False

    @property
    def only_adds(self) -> bool:
        """Whether a load never changes stored rows."""
        return not (self.matches_keys or self.replaces_table)

    @property
    def fewest_rows(self) -> int:
        """The default of `expect.min_rows`: a load must not empty a table by accident."""
        return 1 if self.replaces_table else 0

    def order_decides(self, *, has_order_by: bool) -> bool:
        """Return whether the order of loads decides which rows stay."""
        return self.replaces_table or (self.matches_keys and not has_order_by)


UPSERT = LoadMode("upsert", matches_keys=True)
APPEND = LoadMode("append")
REPLACE = LoadMode("replace", replaces_table=True)
MODES = {mode.name: mode for mode in (UPSERT, APPEND, REPLACE)}

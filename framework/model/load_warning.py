"""Warnings of a load that succeeds, for the owner of the feed."""

from __future__ import annotations

from framework.dataclass import dataclass


@dataclass(frozen=True)
class LoadWarning:
    """A finding that the feed's owner should check, although the load succeeds.

    `rule` names the check in kebab case, such as `missing-column`. `column` is None where no single column is meant.
    `keys` are the object keys it concerns; empty means every file of the load. `brief` replaces the message where no
    content of a file may be shown; None where the message has none.
    """

    rule: str
    column: str | None
    message: str
    keys: tuple[str, ...] = ()
    brief: str | None = None

    def concerns(self, key: str) -> bool:
        """Return whether the warning is about the file with this object key."""
        return not self.keys or key in self.keys

    def as_dict(self) -> dict[str, str | None]:
        """Return the warning as results and JOB_STS show it."""
        return {"rule": self.rule, "column": self.column, "message": self.message}

"""Why a column of the target has its type."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from framework.dataclass import dataclass

DecidedBy = Literal["spec", "table", "rule", "file", "values", "feedway"]
"""spec: `types.columns`. table: the target has the column. rule: one of `types.rules`. file: the file itself gives its
fields types. values: what the load's rows hold. feedway: it is a metadata column."""


@dataclass(frozen=True)
class TypeReason:
    """Why a column has its type: what decided, and in a few words how.

    `evidence` is what the values of a new column showed, or where the first value stands that made a column grow or
    become text; None where none is needed or known. With `log_samples: false` it has counts and lengths, and no value.
    `place` is the line and column of the deciding rule in the spec.
    """

    decided_by: DecidedBy
    text: str
    evidence: str | None = None
    place: tuple[int, int] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.text if self.evidence is None else f"{self.text}: {self.evidence}"

    def as_dict(self) -> dict[str, str | None]:
        """Return the reason as `plan --output json` prints it."""
        return {"decided_by": self.decided_by, "text": self.text, "evidence": self.evidence}


OF_TABLE = TypeReason("table", "as the table has it")
DECLARED = TypeReason("spec", "declared in the spec")
METADATA = TypeReason("feedway", "metadata column")
OF_FILE = TypeReason("file", "the type in the file")

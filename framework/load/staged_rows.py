"""The rows of a load once they are staged."""

from __future__ import annotations

from framework.dataclass import dataclass
from framework.model.files import SourceBatch
from framework.model.measurements import Measurements
from framework.model.staging import StagingColumn
from framework.plan.columns import ColumnPlan
from framework.rows.protocol import SourceRows


@dataclass(frozen=True)
class StagedRows:
    """The rows of an open batch, the plan they were staged by, and their measurements."""

    batch: SourceBatch
    rows: SourceRows
    plan: ColumnPlan
    seen: Measurements

    @property
    def columns(self) -> tuple[StagingColumn, ...]:
        """The columns that were staged."""
        return self.plan.staged

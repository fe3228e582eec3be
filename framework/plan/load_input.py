"""A load whose rows are staged, as its plan needs it."""

from __future__ import annotations

from framework.dataclass import dataclass
from framework.model.files import SourceBatch, SourceFile
from framework.model.load_warning import LoadWarning
from framework.model.measurements import Measurements
from framework.plan.audit import LoadFile, RunNames
from framework.plan.columns import ColumnPlan, PlannedColumn, UnloadableColumn
from framework.plan.precedence import Precedence
from framework.spec.environment import SingleSubmissionSettings
from framework.spec.pipeline import PipelineSpec


@dataclass(frozen=True)
class Staged:
    """The result of staging a load's files: the decided columns, and the measurements.

    `quarantine` is the address of the bad rows; None where there are none.
    """

    batch: SourceBatch
    columns: ColumnPlan
    seen: Measurements
    quarantine: str | None = None

    @property
    def has_rows(self) -> bool:
        """Whether there is anything to load."""
        return self.seen.rows_staged > 0

    @property
    def filled_columns(self) -> tuple[PlannedColumn, ...]:
        """The columns of the staging table; without rows there is nothing to load into any."""
        return self.columns.columns if self.has_rows else ()

    @property
    def kept_columns(self) -> tuple[UnloadableColumn, ...]:
        """The columns of the target that nothing can be loaded into; none without rows."""
        return self.columns.kept if self.has_rows else ()


@dataclass(frozen=True)
class LoadTerms:
    """The terms of the request for this load.

    With `keeps_stored` a row loses against the target's row with its key, unless `order_by` puts it first.
    `precedence` decides whether a loaded file comes after one of these; None where their order does not matter.
    """

    keeps_stored: bool = False
    allow_shrink: bool = False
    precedence: Precedence | None = None


@dataclass(frozen=True)
class LoadInput:
    """A load to plan. `warnings` were found before its files were read."""

    names: RunNames
    files: tuple[LoadFile, ...]
    staged: Staged
    terms: LoadTerms
    copy_role: str
    manifest_url: str
    single_submission: SingleSubmissionSettings
    warnings: tuple[LoadWarning, ...] = ()

    @property
    def spec(self) -> PipelineSpec:
        """The pipeline's spec."""
        return self.names.spec

    @property
    def sources(self) -> list[SourceFile]:
        """The files as they are in the lake."""
        return [file.source for file in self.files]

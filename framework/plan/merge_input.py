"""The input of a merge's plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from framework.model.csv_options import Format
from framework.model.names import TableName, identifier, ledger_table, staging_table
from framework.model.observation import AuditRow
from framework.plan.missing import Fill
from framework.spec.pipeline import LoadSpec


@dataclass(frozen=True)
class LoadedFile:
    """A source file of the load as its JOB_STS row shows it."""

    ordinal: int
    rejected: int
    audit: AuditRow


@dataclass(frozen=True)
class MergeInput:
    """The input of one load's merge.

    `columns` are the staging columns without feedway_file and feedway_row; empty where the load
    has no row. `observed_rows` is what was counted while staging.
    """

    target: TableName
    target_exists: bool
    control_schema: str
    load: LoadSpec
    columns: tuple[str, ...]
    fills: tuple[Fill, ...]
    files: tuple[LoadedFile, ...]
    observed_rows: int
    column_count: int | None
    """Number of columns that the target must have; None where the load may overwrite ones it does not know."""
    keeps_stored: bool = False
    """Whether a row loses against the target's row with its key, unless the order puts it first."""
    max_shrink: Fraction | None = None
    """In replace mode, the maximum fraction of the table's rows that may be lost; None where all may."""
    spellings: Mapping[str, str] = field(default_factory=dict)
    """The header's text of columns that the target has and whose spelling is not stored yet."""
    source_format: Format | None = None
    """The format of the files, where the pipeline's first load decides it; None where it is known."""
    order_bounds: Mapping[str, object] | None = None
    """The bounds that a loaded file must exceed to come after one of these (Precedence.bounds); None where none can."""

    @property
    def run_id(self) -> str:
        """The load's run_id."""
        return self.files[0].audit.run_id

    @property
    def staging(self) -> TableName:
        """The staging table."""
        return staging_table(self.control_schema, self.run_id)

    @property
    def ledger(self) -> TableName:
        """The target's ledger."""
        return ledger_table(self.control_schema, self.target)

    def temporary(self, word: str) -> str:
        """Return the name of a temp table; it carries the run_id because connections are pooled."""
        return f"feedway_{word}_{self.run_id[:12]}"

    @property
    def staged(self) -> str:
        """The temp table that counts the staging rows of each file."""
        return self.temporary("staged")

    @property
    def losers(self) -> str:
        """The temp table of staging rows that another row with their key beats."""
        return self.temporary("losers")

    @property
    def winners(self) -> str:
        """The temp table that counts the remaining rows of each file."""
        return self.temporary("winners")

    @property
    def replaced(self) -> str:
        """The temp table that counts the rows deleted because the whole table is replaced."""
        return self.temporary("replaced")

    @property
    def own_tables(self) -> tuple[str, ...]:
        """All tables that are dropped at the end, as SQL."""
        temporary = (self.staged, self.losers, self.winners, self.replaced)
        return (self.staging.sql, *(identifier(name) for name in temporary))

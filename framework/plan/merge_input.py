"""The input of a merge's plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from fractions import Fraction

from framework.dataclass import dataclass
from framework.model.column_type import ColumnType
from framework.model.csv_options import Format
from framework.model.names import StagingTable, TableName, TemporaryTable, identifier, ledger_table
from framework.model.observation import AuditRow
from framework.plan.missing import Fill
from framework.plan.steps import Statement
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
    `types` are those of the written columns, without ones that no load can write.
    """

    target: TableName
    target_exists: bool
    control_schema: str
    staging: StagingTable
    load: LoadSpec
    columns: tuple[str, ...]
    types: Mapping[str, ColumnType]
    fills: tuple[Fill, ...]
    files: tuple[LoadedFile, ...]
    observed_rows: int
    has_distinct_keys: bool
    """Whether it is proven that no two staging rows have equal keys."""
    column_count: int | None
    """Number of columns that the target must have; None where the load may overwrite ones it does not know."""
    distkey: str | None = None
    """The target's distribution key where it is a key of the load, else None."""
    copy: tuple[Statement, ...] = ()
    """The statements that create and fill the staging table, where that is part of the merge's transaction."""
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
    def ledger(self) -> TableName:
        """The target's ledger."""
        return ledger_table(self.control_schema, self.target)

    def temporary(self, word: str) -> str:
        """Return the name of a temp table; it carries the run_id because connections are pooled."""
        return f"feedway_{word}_{self.run_id[:12]}"

    @property
    def losers(self) -> str | None:
        """The temp table of staging rows that another row with their key beats; None where no row can lose."""
        loses_to_stored = self.keeps_stored or (self.load.mode.matches_keys and bool(self.load.order_by))
        can_lose = loses_to_stored or not self.has_distinct_keys
        return self.temporary("losers") if self.load.keys and self.columns and can_lose else None

    @property
    def counts(self) -> str:
        """The temp table that counts the rows of each file."""
        return self.temporary("counts")

    @property
    def replaced(self) -> str | None:
        """The temp table that counts the rows deleted because the whole table is replaced; None where it is not."""
        return self.temporary("replaced") if self.load.mode.replaces_table and self.target_exists else None

    @property
    def matches(self) -> TemporaryTable | None:
        """The temp table of the staging rows' keys that the target has; None where staging rows are matched themselves.

        The deletion then joins the target with these keys instead of the whole staging table. A small load, which
        copies here, does not gain by it what the statement costs.
        """
        if self.copy or not self.columns or not self.load.mode.matches_keys:
            return None
        return TemporaryTable(self.temporary("matches"))

    def count_rows(self, *, updates: bool) -> Statement:
        """Return the statement that counts the rows of each file; `updates`: also those that replace a stored row."""
        values = {"counts": self.counts, "staging": self.staging, "losers": self.losers, "keys": self.load.keys}
        target = self.target if updates and self.matches is None else None
        return Statement("count_rows", values | {"target": target, "matches": self.matches})

    @property
    def own_tables(self) -> tuple[str, ...]:
        """All tables that are dropped at the end, as SQL."""
        names = (self.losers, self.counts, self.replaced)
        temporary = [identifier(name) for name in names if name is not None]
        return (self.staging.sql, *temporary, *([] if self.matches is None else [self.matches.sql]))

"""What `plan` found of each feed, and what its text and its Markdown have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framework.cli.set_aside import SetAside
from framework.dataclass import dataclass
from framework.errors import PipelineError, SpecError
from framework.load.preview import PlannedLoad
from framework.load.result import LoadResult, failed_early
from framework.model.words import counted, size
from framework.plan.load_report import ColumnReport

MOST_COLUMNS = 40
"""Of a load with more columns, only new and wider ones are shown, and so many of them at most."""
MOST_CHARACTERS = 30
"""Of a sample."""
MARKS = {"new": "+", "wider": "~", None: ""}


@dataclass(frozen=True)
class PlannedFeed:
    """The plan of one pipeline: its loads; or none, with the reason in `idle`; or a failure."""

    pipeline: str
    loads: tuple[PlannedLoad, ...] = ()
    idle: str | None = None
    failure: PipelineError | None = None

    @property
    def result(self) -> LoadResult:
        """The failure as a result."""
        assert self.failure is not None
        return failed_early(self.pipeline, self.failure, step="plan")

    @property
    def why_it_fails(self) -> str:
        """The first line of the failure; for a spec, its first problem instead of the number of problems."""
        problems = self.failure.problems if isinstance(self.failure, SpecError) else ()
        return str(problems[0] if problems else self.failure).partition("\n")[0]


@dataclass(frozen=True)
class PlanReport:
    """The plans of a command's feeds, in order, and the files that they have set aside."""

    feeds: Sequence[PlannedFeed]
    waiting: Sequence[SetAside]

    @property
    def has_changes(self) -> bool:
        """Whether a run would find something to do."""
        return any(feed.loads for feed in self.feeds)

    @property
    def failures(self) -> list[LoadResult]:
        """The failures as results."""
        return [feed.result for feed in self.feeds if feed.failure is not None]

    def as_dict(self) -> dict[str, object]:
        """Return the report as `plan --output json` prints it (schemas/output/plan.schema.json)."""
        failed = [result.as_dict() for result in self.failures]
        return {
            "loads": [load.as_dict() for feed in self.feeds for load in feed.loads],
            "failed": [{"pipeline": result["pipeline"], "error": result["error"]} for result in failed],
            "set_aside": [files.as_dict() for files in self.waiting],
        }


def chosen_columns(load: PlannedLoad, show_all: bool) -> tuple[Sequence[ColumnReport], str | None]:
    """Return the columns of a load to show, and what was left out in words, None where nothing was."""
    columns = load.columns
    if show_all or len(columns) <= MOST_COLUMNS:
        return columns, None
    changed = [column for column in columns if column.change is not None]
    shown = changed[:MOST_COLUMNS]
    others = f", {len(changed) - len(shown):,} of them new or wider" if len(changed) > len(shown) else ""
    return shown, f"{counted(len(columns) - len(shown), 'more column')}{others}; --columns shows all"


def type_of(column: ColumnReport) -> str:
    """Return a column's type, and the one that it has now where that changes."""
    return column.type if column.type_before is None else f"{column.type}, was {column.type_before}"


def cost_of(load: PlannedLoad) -> str | None:
    """Return how much a load reads and rewrites, in words; None where it would load nothing."""
    if load.rows is None or load.source_bytes is None or load.engine is None:
        return None
    rewritten = "no stored row is rewritten"
    if load.rows_rewritten is None:
        rewritten = "all stored rows are rewritten"
    elif load.rows_rewritten:
        rewritten = counted(load.rows_rewritten, "rewrite of a stored row", "rewrites of stored rows")
    return f"{counted(load.rows, 'row')} of {size(load.source_bytes)}, read by the {load.engine} engine; {rewritten}"


def fill_of(fill: Mapping[str, str | None]) -> str:
    """Return what rows get in a column that the files lack."""
    value = "NULL" if fill["value"] is None else repr(fill["value"])
    if fill["stored_rows"] == "keep":
        return f"stored rows keep their values, new rows get {value}"
    return f"all rows get {value}"


def messages_of(load: PlannedLoad) -> list[str]:
    """Return the warnings, without those of missing columns, which are fills."""
    return [str(warning["message"]) for warning in load.warnings if warning["rule"] != "missing-column"]

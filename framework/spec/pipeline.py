"""A pipeline spec as values. Only `schemas/pipeline.schema.json` has the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from fractions import Fraction
from typing import Final, Literal

from framework.dataclass import dataclass
from framework.errors import Problem, Severity
from framework.model.column_type import ColumnType
from framework.model.csv_options import CsvOptions, Format
from framework.model.file_options import ExcelOptions, FileOptions, FixedOptions, JsonOptions, ParquetOptions
from framework.model.files import Compression
from framework.model.modes import LoadMode
from framework.model.names import TableName
from framework.model.notation import Notation
from framework.spec.document import Path, TextPlace

DECIMAL_FIT: Final = "decimal(fit)"
"""A decimal with as many places as the file's numbers have, rounded up."""
InferredKind = Literal[
    "integer", "double", "boolean", "date", "time", "timestamp", "timestamptz", "nested", "text", "empty"
]


def is_fit(text: str) -> bool:
    """Return whether the type of a rule is written as DECIMAL_FIT."""
    return "".join(text.lower().split()) == DECIMAL_FIT


@dataclass(frozen=True)
class SourceSpec:
    """The source of a feed: the place, options and order of its files.

    `prefix` is relative to the lake's prefix and ends in `/`. Names that match a glob of `ignore` are not the feed's;
    of a zip archive, the members are that match `members`. `max_unpacked_bytes` is None where the spec has no limit of
    its own. `format` is "auto" where the first load decides. The options of each format of text have the first of
    `encodings`, which are tried in order.
    """

    prefix: str
    pattern: str
    ignore: tuple[str, ...]
    members: str
    format: Format | Literal["auto"]
    compression: Compression
    max_unpacked_bytes: int | None
    encodings: tuple[str, ...]
    csv: CsvOptions
    json: JsonOptions
    parquet: ParquetOptions
    excel: ExcelOptions
    fixed: FixedOptions
    batch: Literal["file", "all"]
    order: Literal["modified", "name"]
    on_failure: Literal["stop", "continue"]

    def options_of(self, name: Format) -> FileOptions:
        """Return the options of files of a format."""
        options: FileOptions = getattr(self, name)
        return options


@dataclass(frozen=True)
class TargetSpec:
    """The table that readers query, and its physical design when Feedway creates it."""

    table: TableName
    distkey: str | None
    sortkey: tuple[str, ...]


@dataclass(frozen=True)
class OrderBy:
    """One column that decides which of two rows with one key wins; NULL always loses."""

    column: str
    descending: bool


@dataclass(frozen=True)
class LoadSpec:
    """The load mode and its options. `keys` is empty only where the mode needs none."""

    mode: LoadMode
    keys: tuple[str, ...]
    order_by: tuple[OrderBy, ...]
    duplicates: Literal["deduplicate", "reject"]


@dataclass(frozen=True)
class ColumnsSpec:
    """Names after cleaning. `rename` maps a cleaned source name to its target name."""

    rename: Mapping[str, str]
    exclude: tuple[str, ...]


@dataclass(frozen=True)
class MetadataColumns:
    """The columns Feedway adds; None turns one off."""

    run_date: str | None
    file_name: str | None


@dataclass(frozen=True)
class TypeRule:
    """A rule for the type of a column that has none yet; None matches everything.

    `name` is a glob. `key` is True for upsert keys only, False for all other columns only. The type DECIMAL_FIT depends
    on the numbers. `place` is the rule's line and column in the spec, None for a default rule.
    """

    name: str | None
    inferred: InferredKind | None
    key: bool | None
    type: ColumnType | Literal["decimal(fit)"]
    place: tuple[int, int] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class TypesSpec:
    """Types by column name, and the rules for the columns that have none; first match wins.

    `notation` says how texts write values, `notations` how those of single columns do.
    """

    columns: Mapping[str, ColumnType]
    rules: tuple[TypeRule, ...]
    notation: Notation
    notations: Mapping[str, Notation]

    def notation_of(self, column: str) -> Notation:
        """Return how the texts of a column write values."""
        return self.notations.get(column, self.notation)


@dataclass(frozen=True)
class MissingPolicy:
    """The values that rows get in a column that their file lacks.

    New rows get an empty value (`default`) or NULL (`null`), or none may come (`reject`). Rows that replace one keep
    its value or get what new rows get; `reject` rejects the file whatever its rows. `written_for` says where the spec
    has it from; None is the default of every feed.
    """

    new_rows: Literal["default", "null", "reject"]
    stored_rows: Literal["keep", "overwrite", "reject"]
    written_for: Literal["table", "column"] | None


@dataclass(frozen=True)
class EvolutionPolicy:
    """The spec's reaction to a file that holds other values or columns than the table."""

    new_columns: Literal["add", "ignore", "reject"]
    wider_values: Literal["widen", "reject"]
    type_conflicts: Literal["reject", "quarantine", "to_text"]
    missing_columns: MissingPolicy


@dataclass(frozen=True)
class EvolutionSpec(EvolutionPolicy):
    """The policy of the table, and those of single columns, by name.

    In a table of `rewrite_up_to_rows` rows at most a VARCHAR under bound views is rewritten, not grown natively.
    """

    columns: Mapping[str, EvolutionPolicy]
    rewrite_up_to_rows: int

    def of(self, column: str) -> EvolutionPolicy:
        """Return a column's policy."""
        return self.columns.get(column, self)


@dataclass(frozen=True)
class BadRowsSpec:
    """The spec's treatment of bad rows. A limit that is None does not apply."""

    action: Literal["reject_file", "quarantine"]
    max_rows: int | None
    max_fraction: float | None
    log_samples: bool


@dataclass(frozen=True)
class GrantSpec:
    """A privilege to grant. `grantee` is `public` for everybody."""

    privilege: str
    grantee: str
    grantee_kind: Literal["user", "group", "role", "public"]


@dataclass(frozen=True)
class ViewSpec:
    """A view on the target. `definition` is a Jinja text in which `target` is the quoted table.

    `place` is the definition's place in the spec.
    """

    view: TableName
    definition: str
    late_binding: bool
    grants: tuple[GrantSpec, ...] = ()
    place: TextPlace | None = field(default=None, compare=False)


@dataclass(frozen=True)
class ExpectSpec:
    """The expected freshness and size of the table.

    `every` is the longest time between two loads; None expects none. A load must bring at least `min_rows` rows, and in
    replace mode may leave at most the fraction `max_shrink` fewer than the table has. With `last_line_end` the last
    record of a file must have a line end.
    """

    every: timedelta | None
    min_rows: int
    max_shrink: Fraction
    last_line_end: bool


@dataclass(frozen=True)
class PipelineSpec:
    """One feed: the content of `pipelines/<name>.yml`, with every default filled in.

    `path` is how messages name the file; `sha256` is of the file's bytes. `places` are the line and column of each
    field and entry of a list that the file has.
    """

    pipeline: str
    path: str
    sha256: str
    description: str
    owner: str
    tags: tuple[str, ...]
    expect: ExpectSpec
    source: SourceSpec
    target: TargetSpec
    load: LoadSpec
    columns: ColumnsSpec
    metadata_columns: MetadataColumns
    types: TypesSpec
    evolution: EvolutionSpec
    bad_rows: BadRowsSpec
    views: tuple[ViewSpec, ...]
    grants: tuple[GrantSpec, ...]
    grants_exclusive: bool
    places: Mapping[Path, tuple[int, int]] = field(default_factory=dict, compare=False)

    def place_of(self, path: Path) -> str | None:
        """Return the file, line and column of a field or an entry of a list; None where the file lacks it."""
        found = self.places.get(path)
        return None if found is None else f"{self.path}:{found[0]}:{found[1]}"

    def problem(self, path: Path, rule: str, message: str, fix: str, severity: Severity = "error") -> Problem:
        """Return a problem with a field or an entry of a list; it is at what would hold one that the file lacks."""
        held = next((path[:length] for length in range(len(path), -1, -1) if path[:length] in self.places), None)
        line, column = (0, 0) if held is None else self.places[held]
        return Problem(self.path, line, column, rule, message, fix, severity)

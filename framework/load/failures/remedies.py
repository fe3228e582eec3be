"""Changes of the spec that would load refused rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from framework.dataclass import dataclass
from framework.load.failures.hints import date_formats, is_null_marker, is_number_of, number_notations
from framework.model.column_type import MAX_VARCHAR_BYTES, ColumnType, Kind, can_widen, with_length
from framework.model.measurements import BadRow, ColumnMeasurement, FileMeasurement
from framework.model.staging import StagingColumn
from framework.model.text import FLOAT
from framework.plan.column_entry import column_entry
from framework.plan.infer_type import varchar_for
from framework.plan.widen_type import may_become_text, unconvertible_values, wider_type
from framework.spec.pipeline import BadRowsSpec, PipelineSpec

_MAX_CHAR_BYTES = 4096


@dataclass(frozen=True)
class Remedy:
    """A change of the spec: fields with their new values in YAML, and its effect.

    `removed` is a field to remove.
    """

    fields: Mapping[str, str]
    effect: str
    removed: str | None = None

    def __str__(self) -> str:
        fields = " and ".join(f"{field}: {value}" for field, value in self.fields.items())
        removed = f" without {self.removed}" if self.removed else ""
        return f"{fields}{removed} ({self.effect})"


@dataclass(frozen=True)
class Refused:
    """A column with refused values: its staging column and its measurements.

    `current_type` is its type in the table, None for a new column. `examples` are some of the bad rows, where any could
    be had. `values` counts all that the column has, NULLs aside, None where they were not counted.
    """

    current_type: ColumnType | None
    column: StagingColumn
    measured: ColumnMeasurement
    examples: Sequence[BadRow]
    values: int | None

    @property
    def texts(self) -> list[str]:
        """The values of the examples."""
        return [bad.text for bad in self.examples if bad.text is not None]

    @property
    def longest_bytes(self) -> int | None:
        """The bytes of the longest refused text; None where not all are known."""
        is_all = len(self.texts) == self.measured.misfits
        return max(len(text.encode("utf-8")) for text in self.texts) if is_all else None


def remedies(spec: PipelineSpec, refused: Refused) -> tuple[Remedy, ...]:
    """Return the changes that load the values, the best one first; none where the spec cannot help."""
    if not refused.texts:
        return ()
    as_written = (*_as_null(spec, refused), *_without_blanks(refused), *_in_a_notation(spec, refused))
    return (*as_written, *_in_a_wider_type(spec, refused), *_as_text(spec, refused))


def _as_null(spec: PipelineSpec, refused: Refused) -> Iterator[Remedy]:
    column = refused.column
    if column.type.is_text or column.required or not spec.bad_rows.log_samples:
        return
    if not all(map(is_null_marker, refused.texts)):
        return
    types = spec.types
    markers = tuple(dict.fromkeys((*types.notation_of(column.name).null_values, *refused.texts)))
    if types.notation.null_values and column.name not in types.notations:
        yield Remedy({"types.parse.null_values": json.dumps(markers)}, "NULL, in every column")
    else:
        entry = column_entry(spec, column.name, null_values=markers)
        yield Remedy({f"types.columns.{column.name}": entry}, "NULL, in this column")


def _without_blanks(refused: Refused) -> Iterator[Remedy]:
    """Yield the option that leaves out what keeps texts from being numbers."""
    column_type, numbers = refused.column.type, refused.column.notation.numbers
    bare = [text.strip(" \t") for text in refused.texts]
    if all(map(str.__ne__, bare, refused.texts)) and all(is_number_of(column_type, text, numbers) for text in bare):
        yield Remedy({"source.options.trim": "all"}, "without blanks around the values of every column")


def _in_a_notation(spec: PipelineSpec, refused: Refused) -> Iterator[Remedy]:
    """Yield the notations that describe all values of a column, where none is as the spec has it."""
    column = refused.column
    field = f"types.columns.{column.name}"
    if refused.values != refused.measured.misfits:
        return
    if column.type.is_exact_number or column.type.kind in (Kind.REAL, Kind.DOUBLE):
        for notation in number_notations(refused.texts):
            yield Remedy({field: column_entry(spec, column.name, **vars(notation))}, "if it is meant so")
    if column.type.kind not in (Kind.DATE, Kind.TIMESTAMP):
        return
    for pattern in date_formats(refused.texts):
        kind = Kind.TIMESTAMP if "H" in pattern else column.type.kind
        entry = column_entry(spec, column.name, ColumnType(kind), formats=(pattern,))
        yield Remedy({field: entry}, "if it is meant so")


def _in_a_wider_type(spec: PipelineSpec, refused: Refused) -> Iterator[Remedy]:
    column, measured = refused.column, refused.measured
    field = f"types.columns.{column.name}"
    if column.exact and all(re.fullmatch(FLOAT, text) for text in refused.texts):
        yield Remedy({field: column_entry(spec, column.name, ColumnType(Kind.DOUBLE))}, "stores the nearest double")
        return
    wider: ColumnType | None = column.type
    if column.type.is_text:
        wider = _longer_text(refused)
    elif measured.wider == measured.misfits:
        wider = wider_type(column.type, measured, spec.types.rules, column.name in spec.load.keys)
    if wider is None or wider == column.type:
        return
    if refused.current_type is None or column.name in spec.types.columns or wider.kind is Kind.CHAR:
        yield Remedy({field: column_entry(spec, column.name, wider)}, "holds the values")
    else:
        yield Remedy({f"evolution.columns.{column.name}.wider_values": "widen"}, "the column grows")


def _longer_text(refused: Refused) -> ColumnType | None:
    """Return the type of the same kind that holds the texts; None where there is none."""
    current = refused.column.type
    most = _MAX_CHAR_BYTES if current.kind is Kind.CHAR else MAX_VARCHAR_BYTES
    longest = refused.longest_bytes or most
    if longest > most or (current.kind is Kind.CHAR and not all(map(str.isascii, refused.texts))):
        return None
    wider = with_length(current, longest) if current.kind is Kind.CHAR else varchar_for(longest)
    return wider if can_widen(current, wider) else None


def _as_text(spec: PipelineSpec, refused: Refused) -> Iterator[Remedy]:
    column, current_type = refused.column, refused.current_type
    declared = f"types.columns.{column.name}"
    if column.type.kind is Kind.VARCHAR:
        return
    if current_type is None:
        wanted = varchar_for(refused.longest_bytes or MAX_VARCHAR_BYTES)
        yield Remedy({declared: column_entry(spec, column.name, wanted)}, "loads the values as text")
        return
    policy = spec.evolution.of(column.name).type_conflicts
    is_declared = column.name in spec.types.columns
    if not may_become_text(spec, column.name, current_type) or (policy == "to_text" and not is_declared):
        return
    if unconvertible_values(spec, column.name, column.type, refused.measured):
        field = f"evolution.columns.{column.name}.type_conflicts"
        yield Remedy({field: "to_text"}, "the column becomes text", declared if is_declared else None)


def larger_budget(budget: BadRowsSpec, files: Sequence[FileMeasurement]) -> Remedy:
    """Return the change that sends the bad rows of these files to quarantine."""
    fields = {} if budget.action == "quarantine" else {"bad_rows.action": "quarantine"}
    most = max(file.rows_bad for file in files)
    is_unlimited = budget.max_rows is None and budget.max_fraction is None
    if is_unlimited or (budget.max_rows is not None and budget.max_rows < most):
        fields["bad_rows.max_rows"] = str(most)
    hundredths = max(-(-100 * file.rows_bad // file.rows_read) for file in files)
    if budget.max_fraction is not None and 100 * budget.max_fraction < hundredths:
        fields["bad_rows.max_fraction"] = f"{hundredths / 100:g}"
    return Remedy(fields, "the other rows load")

"""Why a column of the target has its type: what loads recorded about it, and what the spec says now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from fnmatch import fnmatchcase
from itertools import pairwise

from framework.dataclass import dataclass
from framework.model.clean_name import digest
from framework.model.column_type import parse_type
from framework.model.observation import Observation, TableColumn
from framework.plan.column_history import ColumnChange, History
from framework.plan.column_names import target_names
from framework.plan.infer_type import rule_reason
from framework.plan.spellings import known_spellings
from framework.plan.type_reason import DECLARED
from framework.spec.document import Path, field_name
from framework.spec.pipeline import PipelineSpec, TypeRule


@dataclass(frozen=True)
class SpecEntry:
    """What the spec says about a column now, and where; `place` is None for a default rule."""

    field: str
    says: str
    place: str | None


@dataclass(frozen=True)
class Explanation:
    """Why a column has its type. `type` is None where the table does not exist; `header` is the column's in a file."""

    pipeline: str
    table: str
    column: str
    type: str | None
    header: str | None
    history: tuple[ColumnChange, ...]
    spec: tuple[SpecEntry, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Return the explanation as `explain --output json` prints it (schemas/output/explain.schema.json)."""
        return asdict(self)


@dataclass(frozen=True)
class KnownColumn:
    """A column of the target with what Feedway's own tables hold about it."""

    column: TableColumn
    header: str | None
    history: History

    @property
    def type(self) -> str:
        """Its type in the table now."""
        return self.column.type_text if self.column.type is None else self.column.type.sql


def find_column(asked: str, spec: PipelineSpec, observed: Observation) -> str:
    """Return the column that a text names: as the table has it, or as the header of a file."""
    columns = {column.name for column in observed.table.columns} if observed.table else set()
    if asked in columns:
        return asked
    try:
        (name,), _ = target_names([asked], spec.columns, known_spellings(observed, spec.columns.rename))
    except ValueError:
        # A name that staging needs itself.
        return asked
    by_digest = {sha256: column for column, sha256 in observed.spellings.items() if column in columns}
    return name if name in columns else by_digest.get(digest(asked), name)


def explain(spec: PipelineSpec, known: KnownColumn, plan_command: str) -> Explanation:
    """Return why a column has its type; `plan_command` shows what a run would do now."""
    changes = tuple(
        replace(change, place=_place_now(change, spec, known.column.name)) for change in known.history.changes
    )
    notes = (
        *_beginning(known),
        *_changes_of_others(known),
        *_differences(spec, known, plan_command),
        *_rule_notes(spec, known),
    )
    return Explanation(
        spec.pipeline,
        str(spec.target.table),
        known.column.name,
        known.type,
        known.header,
        changes,
        tuple(_entries(spec, known)),
        notes,
    )


def explain_absent(spec: PipelineSpec, column: str, notes: tuple[str, ...]) -> Explanation:
    """Return what the spec says about a column of a table that does not exist."""
    entries = tuple(_named_entries(spec, column))
    return Explanation(spec.pipeline, str(spec.target.table), column, None, None, (), entries, notes)


def _place_now(change: ColumnChange, spec: PipelineSpec, name: str) -> str | None:
    if change.reason == DECLARED.text:
        return spec.place_of(("types", "columns", name))
    rules = _rules_of_reason(change.reason, spec)
    return spec.place_of(("types", "rules", rules[0])) if rules else None


def _rules_of_reason(reason: str, spec: PipelineSpec) -> list[int]:
    return [number for number, rule in enumerate(spec.types.rules) if rule_reason(rule).text == reason]


def _entries(spec: PipelineSpec, known: KnownColumn) -> Iterator[SpecEntry]:
    yield from _named_entries(spec, known.column.name)
    for number in _rules_now(spec, known):
        rule = spec.types.rules[number]
        yield SpecEntry(
            "types.rules", f"{_type_of(rule)}, {rule_reason(rule).text}", spec.place_of(("types", "rules", number))
        )


def _named_entries(spec: PipelineSpec, name: str) -> Iterator[SpecEntry]:
    """Yield the entries that name a column."""
    paths: dict[Path, str] = {}
    if name in spec.types.columns:
        paths["types", "columns", name] = spec.types.columns[name].sql
    for source, target in spec.columns.rename.items():
        if target == name:
            paths["columns", "rename", source] = f"{source} of the files is {name}"
    if name in spec.columns.exclude:
        paths["columns", "exclude", spec.columns.exclude.index(name)] = "no load writes it"
    if name in spec.evolution.columns:
        policy = spec.evolution.columns[name]
        says = f"wider_values: {policy.wider_values}, type_conflicts: {policy.type_conflicts}"
        paths["evolution", "columns", name] = says
    if spec.metadata_columns.run_date == name:
        paths["metadata_columns", "run_date"] = "the time at which the load began"
    if spec.metadata_columns.file_name == name:
        paths["metadata_columns", "file_name"] = "the name of the row's file"
    for path, says in paths.items():
        yield SpecEntry(field_name(path), says, spec.place_of(path))


def _type_of(rule: TypeRule) -> str:
    return rule.type if isinstance(rule.type, str) else rule.type.sql


def _rules_now(spec: PipelineSpec, known: KnownColumn) -> list[int]:
    """Return the numbers of the rules that decided the column's type, and of the first that names it."""
    found = [number for change in known.history.changes for number in _rules_of_reason(change.reason, spec)[:1]]
    named = (number for number, rule in enumerate(spec.types.rules) if _names(rule, spec, known.column.name))
    return list(dict.fromkeys([*found, *([first] if (first := next(named, None)) is not None else [])]))


def _names(rule: TypeRule, spec: PipelineSpec, name: str) -> bool:
    is_key = name in spec.load.keys
    return rule.name is not None and fnmatchcase(name, rule.name) and rule.key in (None, is_key)


def _beginning(known: KnownColumn) -> Iterator[str]:
    """Yield how the column came to be, where no load has recorded it."""
    changes = known.history.changes
    if changes and changes[0].type_before is None:
        return
    if changes:
        yield f"The table had the column, as {changes[0].type_before}, before the first change that is recorded."
    elif known.history.is_created:
        yield (
            "A load created the table, and none has recorded this column: somebody else added or renamed it, or an "
            "earlier release of Feedway created it."
        )
    else:
        yield "The table had the column before Feedway first loaded it, or somebody else added it: no load did."


def _changes_of_others(known: KnownColumn) -> Iterator[str]:
    """Yield where the type is not the one that the change before has left."""
    changes = known.history.changes
    for before, after in pairwise(changes):
        if after.type_before is not None and not _are_same(before.type_after, after.type_before):
            yield (
                f"Somebody else changed it from {before.type_after} to {after.type_before} between "
                f"{_minute(before)} and {_minute(after)}."
            )
    if changes and not _are_same(changes[-1].type_after, known.type):
        last = changes[-1]
        is_as_before = last.type_before is not None and _are_same(last.type_before, known.type)
        or_not_grown = ", or the load was killed before the column grew" if is_as_before else ""
        yield (
            f"Somebody else changed it from {last.type_after} to {known.type} after {_minute(last)}{or_not_grown}: "
            "no load did."
        )


def _minute(change: ColumnChange) -> str:
    return change.changed_ts[:16]


def _are_same(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        return parse_type(one) == parse_type(other)
    except ValueError:
        return False


def _differences(spec: PipelineSpec, known: KnownColumn, plan_command: str) -> Iterator[str]:
    """Yield that the spec declares another type than the table has."""
    name = known.column.name
    declared = spec.types.columns.get(name)
    if declared is not None and declared != known.column.type:
        yield (
            f"types.columns.{name} declares {declared}, and the table has {known.type}. See what a run would do: "
            f"{plan_command}"
        )


def _rule_notes(spec: PipelineSpec, known: KnownColumn) -> Iterator[str]:
    """Yield what has become of the rule that decided the type, and that rules change no column that exists."""
    decided = [change for change in known.history.changes if change.decided_by == "rule"]
    if decided and not _rules_of_reason(decided[-1].reason, spec):
        yield f"The spec no longer has the {decided[-1].reason}."
    types = {_type_of(spec.types.rules[number]) for number in _rules_now(spec, known)}
    is_other = any(text != "decimal(fit)" and not _are_same(text, known.type) for text in types)
    if is_other and known.column.name not in spec.types.columns:
        yield (
            "A rule decides the type of a new column only. To give this one another type, declare it: "
            f"types.columns.{known.column.name}."
        )

"""A feed as it is proposed: the fields of its spec that differ from the defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from framework.dataclass import dataclass
from framework.draft.spec_text import Path, spec_text
from framework.model.csv_options import CsvOptions
from framework.model.file_options import changed_options
from framework.model.notation import PLAIN, Notation
from framework.spec.load import load_pipeline_text
from framework.spec.pipeline import PipelineSpec

FITTING = {"inferred": "double", "unless": "key", "type": "decimal(fit)"}
"""The rule for numbers with fractions, in the place of the default one, whose DECIMAL(38,18) reads 10.5 as
10.500000000000000000."""


@dataclass(frozen=True)
class Proposal:
    """What is written to a spec. `options` are as `source.options` has them.

    `parse` is the notation of the feed, `notations` those of columns that differ from it, `types` those of columns
    whose type is written. Without `keys` rows are appended. With `fills_with_null` rows of files that lack a column get
    NULL in it. With `fits_decimals` numbers with fractions get as many digits after the point as they need.
    """

    name: str
    prefix: str
    pattern: str
    members: str = "*"
    options: Mapping[str, object] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    parse: Notation = PLAIN
    notations: Mapping[str, Notation] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    rejects_duplicates: bool = True
    views: Sequence[Mapping[str, object]] = ()
    fills_with_null: bool = False
    fits_decimals: bool = False

    def fields(self) -> dict[str, object]:
        """Return the fields of the spec."""
        source: dict[str, object] = {"prefix": self.prefix, "pattern": self.pattern}
        source |= {"members": self.members} if self.members != "*" else {}
        source |= {"options": dict(self.options)} if self.options else {}
        keys = {"keys": list(self.keys), **({"duplicates": "reject"} if self.rejects_duplicates else {})}
        found: dict[str, object] = {
            "pipeline": self.name,
            "source": source,
            "target": {"table": self.name.replace("-", "_")},
            "load": keys if self.keys else {"mode": "append"},
            "columns": {"rename": dict(self.rename)} if self.rename else {},
            "metadata_columns": dict(self.metadata),
            "types": self._types(),
            "evolution": {"missing_columns": {"new_rows": "null"}} if self.fills_with_null else {},
            "views": [dict(view) for view in self.views],
        }
        return {name: value for name, value in found.items() if value}

    def text(self, comments: Mapping[Path, Sequence[str]]) -> str:
        """Return the spec as commented YAML."""
        return spec_text(self.fields(), comments)

    def spec(self) -> PipelineSpec:
        """Return the spec as commands read it.

        Raises:
            SpecError: it has problems, such as in the definition of a view.
        """
        return load_pipeline_text(self.text({}), f"pipelines/{self.name}.yml", self.name)

    def _types(self) -> dict[str, object]:
        parse = written_notation(self.parse, PLAIN)
        columns: dict[str, object] = {}
        for name in dict.fromkeys((*self.notations, *self.types)):
            notation = written_notation(self.notations.get(name, self.parse), self.parse)
            of_type = {"type": self.types[name]} if name in self.types else {}
            columns[name] = self.types[name] if not notation else {**of_type, **notation}
        rules = [dict(FITTING)] if self.fits_decimals else []
        return {name: value for name, value in (("parse", parse), ("rules", rules), ("columns", columns)) if value}


def written_notation(notation: Notation, other: Notation) -> dict[str, object]:
    """Return a notation as `types.parse` has it, as far as it differs from another one."""
    known = other.as_fields()
    return {name: _written(value) for name, value in notation.as_fields().items() if value != known[name]}


def written_options(options: CsvOptions, encodings: Sequence[str]) -> dict[str, object]:
    """Return options as `source.options` has them, as far as they differ from the defaults."""
    changed = changed_options(options, CsvOptions(",", options.encoding))
    found: dict[str, object] = {}
    if tuple(encodings) != ("utf-8",):
        found["encoding"] = encodings[0] if len(encodings) == 1 else list(encodings)
    for name, value in changed.items():
        match name:
            case "skip_until":
                found["skip_lines"] = {"until": value}
            case "footer_from":
                found["footer_lines"] = {"from": value}
            case _:
                found[name] = _written(value)
    return found


def _written(value: object) -> object:
    return [_written(each) for each in value] if isinstance(value, tuple) else value

"""What `quarantine show` and `quarantine export` print."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from framework.cli.quarantine_load import QuarantinedLoad
from framework.dataclass import dataclass
from framework.load.failures.complaints import quoted
from framework.load.quarantine.contents import QuarantinedRow
from framework.log.redaction import without_values
from framework.model.program import Program
from framework.model.words import counted, visible

_NARROWEST = 20
REPLACED = "the load mode replaces the table, so rows cannot be added: send the corrected file whole"
"""Columns."""


@dataclass(frozen=True)
class ShownRow:
    """A bad row as it is shown; without values its record is left out."""

    row: QuarantinedRow
    is_corrected: bool
    with_values: bool

    @property
    def fields(self) -> list[tuple[str, str | None]]:
        """The names and texts of its fields. Fields that the header does not name have a number."""
        header, record = self.row.header, self.row.record
        names = [*header[: len(record)], *(f"field {place + 1}" for place in range(len(header), len(record)))]
        return list(zip(names, record, strict=True))

    @property
    def reason(self) -> str:
        """What is wrong with it; it may quote a key of an object, which is often a value."""
        return self.row.reason if self.with_values else without_values(self.row.reason)

    def as_dict(self) -> dict[str, object]:
        """Return the row as a JSON value."""
        fields = [{"name": name, "value": text} for name, text in self.fields]
        return {
            "file": self.row.file,
            "row": self.row.row,
            "column": self.row.column,
            "reason": self.reason,
            "is_corrected": self.is_corrected,
            "record": fields if self.with_values else None,
        }


@dataclass(frozen=True)
class ShownRows:
    """The first bad rows of a load. Where it has replaced the table, rows cannot be added."""

    load: QuarantinedLoad
    rows: Sequence[ShownRow]
    replaces_table: bool = False

    def as_dict(self) -> dict[str, object]:
        """Return the document of the command (schemas/output/quarantine_show.schema.json)."""
        return {
            "pipeline": self.load.pipeline,
            "run_id": self.load.files[0].run_id,
            "loaded_at": self.load.files[0].loaded_at,
            "source_files": [file.key for file in self.load.asked],
            "address": self.load.url,
            "rows": [row.as_dict() for row in self.rows],
            "rows_left": self.load.rows - len(self.rows),
        }

    def text(self, width: int | None, program: Program) -> str:
        """Return the rows with the names of their fields, in lines of at most `width` columns."""
        return "\n".join(self._lines(width, program))

    def _lines(self, width: int | None, program: Program) -> Iterator[str]:
        load = self.load
        loaded = load.files[0].loaded_at[:16]
        yield visible(
            f"{load.pipeline}: {counted(load.rows, 'bad row')} of {load.named}, load {load.short_run}, {loaded}"
        )
        for shown in self.rows:
            row = shown.row
            file = f"{row.file}, " if len({each.row.file for each in self.rows}) > 1 else ""
            column = "" if row.column is None else f", {row.column}"
            done = " (loaded corrected)" if shown.is_corrected else ""
            yield from _wrapped([f"{file}row {row.row}{column}: {shown.reason}{done}"], width, "")
            if shown.with_values:
                texts = [f"{name}={'NULL' if text is None else quoted(text)}" for name, text in shown.fields]
                yield from _wrapped(texts, width, "  ")
        left = load.rows - len(self.rows)
        if left:
            yield f"and {left:,} more: see them with --rows {load.rows}"
        if not all(shown.with_values for shown in self.rows):
            yield "values are left out (bad_rows.log_samples): --values shows them"
        yield load.url
        if self.replaces_table:
            yield REPLACED
        elif not all(shown.is_corrected for shown in self.rows) or left:
            asked = () if load.file is None else ("--file", load.file.name)
            export = program.command("quarantine", "export", load.pipeline, "--run", load.short_run, *asked)
            yield f"correct them with: {export}"


def _wrapped(texts: Sequence[str], width: int | None, indent: str) -> Iterator[str]:
    """Yield lines of texts with two blanks between them, none broken that fits a line."""
    line = ""
    for text in map(visible, texts):
        joined = f"{line}  {text}" if line else f"{indent}{text}"
        if width is None or len(joined) <= width:
            line = joined
            continue
        if line:
            yield line
        room = max(width, _NARROWEST)
        *whole, line = textwrap.wrap(text, room, initial_indent=indent, subsequent_indent=f"{indent}  ")
        yield from whole
    yield line


@dataclass(frozen=True)
class Exported:
    """A file of bad rows to correct. `command` loads it; None where `instead` says what to do."""

    load: QuarantinedLoad
    file: str
    rows: int
    corrected_rows: int
    command: str | None
    instead: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the document of the command (schemas/output/quarantine_export.schema.json)."""
        return {
            "pipeline": self.load.pipeline,
            "run_id": self.load.files[0].run_id,
            "source_files": [file.key for file in self.load.asked],
            "file": self.file,
            "rows": self.rows,
            "corrected_rows": self.corrected_rows,
            "command": self.command,
        }

    def __str__(self) -> str:
        lines = [visible(f"{self.file}: {counted(self.rows, 'bad row')} of {self.load.named}")]
        if self.corrected_rows:
            lines.append(f"left out because they were loaded corrected: {counted(self.corrected_rows, 'row')}")
        if self.command is None:
            lines.append(self.instead)
        else:
            lines += ["correct the columns record.*, delete lines that you give up, and load the others with:"]
            lines.append(f"  {self.command}")
        return "\n".join(lines)

"""Replacements that would take away more of the table's rows than the spec allows."""

from __future__ import annotations

from framework.errors import Section, SourceFileError
from framework.model.files import SourceFile
from framework.spec.pipeline import PipelineSpec


def is_too_small(spec: PipelineSpec, rows: int, stored: int) -> bool:
    """Return whether a replacement with this many rows leaves less of a table than `expect.max_shrink` allows."""
    return rows < (1 - spec.expect.max_shrink) * stored


def too_small(spec: PipelineSpec, file: SourceFile, rows: str, stored: int) -> SourceFileError:
    """Return the error for a file that would replace the table's rows by too few; `rows` is their number in words."""
    return SourceFileError(
        f"{file.url}: {rows} would replace the {stored} of {spec.target.table}, and "
        f"expect.max_shrink is {float(spec.expect.max_shrink):g}. Send the whole file.",
        accept_with="--allow-shrink",
    ).about(Section.REPLACEMENT)

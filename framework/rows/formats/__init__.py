"""The formats of source files."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from framework.model.csv_options import Format

if TYPE_CHECKING:
    from framework.model.files import FileLayout
    from framework.rows.formats.reader import Reader
    from framework.rows.formats.source import SourceFormat

_MODULES: dict[Format, str] = {
    "csv": "framework.rows.formats.csv.look",
    "fixed": "framework.rows.formats.fixed.look",
    "json": "framework.rows.formats.json.look",
    "excel": "framework.rows.formats.excel.look",
    "parquet": "framework.rows.formats.parquet.look",
}
"""Each has its `FORMAT`. It imports DuckDB, and a load imports that of its files alone."""


@cache
def format_named(name: Format) -> SourceFormat:
    """Return a format."""
    found: SourceFormat = import_module(_MODULES[name]).FORMAT
    return found


def reader_of(layout: FileLayout) -> Reader:
    """Return what reads the rows of a file."""
    return format_named(layout.options.format).reader

"""The options of workbooks whose header does not stand in the first row."""

from __future__ import annotations

from dataclasses import replace

from framework.draft.reading import Samples
from framework.draft.starts import about
from framework.draft.titles import are_titles, header_of_filled
from framework.load.first_look import Feed, read_starts
from framework.model.csv_options import CsvOptions
from framework.model.file_options import ExcelOptions, changed_options
from framework.rows.formats.csv.header import records_of
from framework.rows.formats.csv.header_rule import MostlyEmpty, looks_like_data
from framework.rows.formats.csv.shape import FileStart, find_misfit
from framework.spec.pipeline import PipelineSpec


def sheet_options(samples: Samples, spec: PipelineSpec, *, is_named: bool) -> dict[str, object]:
    """Return the options under which the first sheet of the first workbook begins with its header, or has none.

    With `is_named` the spec says how many rows stand above the header.

    Raises:
        SourceFileError: the first row may be a title or the header.
    """
    (look,) = read_starts(Feed(spec, None, {}), samples.files, samples.sources[:1])
    seen = look.parts[0].look
    assert isinstance(seen.options, ExcelOptions)
    options = seen.options.as_csv
    start = FileStart(seen.text, seen.is_all, options, spec.columns, None, is_sheet=True)
    with about(samples.sources[0].url):
        changed = changed_options(_options(start, is_named), options)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in changed.items()}


def _options(start: FileStart, is_named: bool) -> CsvOptions:
    """Return the options under which a sheet begins with its header.

    Raises:
        ValueError: its first row may be a title or the header.
    """
    misfit = find_misfit(start)
    if misfit is None or not misfit.ways:
        return start.options
    is_empty = isinstance(looks_like_data(start.records[0], start.records[1:]), MostlyEmpty)
    is_header = header_of_filled(start.records) if is_empty else None
    if is_header or (is_empty and is_header is None and is_named):
        return replace(start.options, header=True)
    found = misfit.ways[0].options
    if is_header is False:
        found = next((way.options for way in misfit.ways if way.options.header is False), found)
    behind = start.read_with(found)
    skipped = found.skip_lines - start.options.skip_lines
    above = [each for line in start.text.splitlines()[:skipped] for each in records_of(line, True, start.options, 1)]
    if not are_titles(above, behind.records, found.header is not False):
        raise ValueError(
            "the first row may be a title above the header (--skip-lines 1), or the header (--skip-lines 0)"
        )
    return found

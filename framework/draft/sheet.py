"""The options of workbooks whose header does not stand in the first row."""

from __future__ import annotations

from framework.draft.reading import Samples
from framework.load.first_look import Feed, read_starts
from framework.model.file_options import ExcelOptions, changed_options
from framework.rows.formats.csv.shape import FileStart, find_misfit
from framework.spec.pipeline import PipelineSpec


def sheet_options(samples: Samples, spec: PipelineSpec) -> dict[str, object]:
    """Return the options under which the first sheet of the first workbook begins with its header, or has none."""
    (look,) = read_starts(Feed(spec, None, {}), samples.files, samples.sources[:1])
    seen = look.parts[0].look
    assert isinstance(seen.options, ExcelOptions)
    options = seen.options.as_csv
    misfit = find_misfit(FileStart(seen.text, seen.is_all, options, spec.columns, None, is_sheet=True))
    if misfit is None or not misfit.ways:
        return {}
    changed = changed_options(misfit.ways[0].options, options)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in changed.items()}

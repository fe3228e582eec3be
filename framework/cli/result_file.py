"""Writes the result of a run to a place that its caller can read: `--result PLACE`."""

from __future__ import annotations

from pathlib import Path

from framework.cli.output import as_json
from framework.cli.projects import is_in_s3
from framework.errors import PipelineError, SpecError
from framework.lake.lake import Lake


def check_result_place(place: str) -> None:
    """Check what can be checked before anything is loaded.

    Raises:
        SpecError: the place cannot be written to.
    """
    if is_in_s3(place, "--result"):
        bucket, _, key = place.removeprefix("s3://").partition("/")
        if not bucket or not key or key.endswith("/"):
            raise SpecError(f"--result {place!r} names no object: write s3://BUCKET/KEY")
    elif not place or Path(place).is_dir():
        raise SpecError(f"--result {place!r} names no file: write the path of one, or s3://BUCKET/KEY")
    elif not Path(place).absolute().parent.is_dir():
        raise SpecError(f"--result {place!r}: there is no folder {Path(place).absolute().parent}. Make it first")


def write_result(document: dict[str, object], place: str, lake: Lake) -> list[PipelineError]:
    """Write the document of `run --output json`; return the error if it could not be written."""
    try:
        if place.startswith("s3://"):
            lake.put_at(place, as_json(document))
        else:
            _write_file(as_json(document), Path(place))
    except PipelineError as error:
        failure = type(error)(f"the loads have ended, but their result was not kept: {error}")
        return [failure]
    return []


def _write_file(text: str, path: Path) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SpecError(f"--result {path} cannot be written: {error.strerror}") from error

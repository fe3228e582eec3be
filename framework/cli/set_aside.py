"""Tells which files a pipeline has set aside, and how to go on with them: they are not pending, and not loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from framework.errors import PipelineError
from framework.lake.unprocessed import count_unprocessed
from framework.load.next_step import command
from framework.load.services import Services
from framework.model.words import counted
from framework.spec.pipeline import PipelineSpec


@dataclass(frozen=True)
class SetAside:
    """The unprocessed files of a pipeline; `folder` is their address, `command` what loads them.

    With `is_minimum` there may be more.
    """

    pipeline: str
    files: int
    is_minimum: bool
    folder: str
    command: str

    def as_dict(self) -> dict[str, object]:
        """Return it as `run --output json` prints it (schemas/output/run.schema.json)."""
        return asdict(self)

    def __str__(self) -> str:
        number = f"{'at least ' if self.is_minimum else ''}{counted(self.files, 'file')}"
        return f"{self.pipeline}: {number} in data/unprocessed; continue with: {self.command}"


def find_set_aside(specs: Sequence[PipelineSpec], services: Services) -> list[SetAside]:
    """Return the pipelines that have set files aside, in order; a lake that cannot be asked is told in the log."""
    if not specs:
        return []
    try:
        found = count_unprocessed(services.lake, specs)
    except PipelineError as error:
        log = services.open_log(services.new_run_id(), "run")
        log.warning("the files in data/unprocessed were not counted", error=str(error))
        return []
    return [
        SetAside(
            spec.pipeline,
            found.files[spec.pipeline],
            found.is_minimum,
            found.folder,
            command(services.environment, "replay", spec.pipeline),
        )
        for spec in specs
        if found.files[spec.pipeline]
    ]

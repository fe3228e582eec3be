"""The files that a pipeline has set aside: they are neither pending nor loaded, and `status` shows how to continue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from framework.dataclass import dataclass
from framework.errors import PipelineError
from framework.lake.unprocessed import unprocessed_of_feeds
from framework.load.services import Services
from framework.model.words import counted
from framework.spec.pipeline import PipelineSpec


@dataclass(frozen=True)
class SetAside:
    """The unprocessed files of a pipeline; `folder` is their address, `command` shows why, and what continues.

    `files` is a minimum where `is_minimum`, and may be 0 then.
    """

    pipeline: str
    files: int
    is_minimum: bool
    folder: str
    command: str

    def as_dict(self) -> dict[str, object]:
        """Return it as `run --output json` prints it (schemas/output/run.schema.json)."""
        return asdict(self)

    @property
    def number(self) -> str:
        """How many files there are, in words."""
        if not self.files:
            return f"{self.pipeline}: too many files in data/unprocessed to know which are its own"
        least = "at least " if self.is_minimum else ""
        return f"{self.pipeline}: {least}{counted(self.files, 'file')} in data/unprocessed"

    def __str__(self) -> str:
        return f"{self.number}; see what to do with: {self.command}"


def find_set_aside(specs: Sequence[PipelineSpec], services: Services) -> list[SetAside]:
    """Return the pipelines that have set files aside, or may have, in order; a failure to count them is logged."""
    if not specs:
        return []
    try:
        found = unprocessed_of_feeds(services.lake, specs)
    except PipelineError as error:
        log = services.open_log(services.new_run_id(), "run")
        log.warning("the files in data/unprocessed were not counted", error=str(error))
        return []
    lake, program = services.lake, services.program
    counted_of = [
        SetAside(
            spec.pipeline,
            len(found.of(lake, spec).files),
            found.is_minimum_of(lake, spec),
            found.folder,
            program.command("status", spec.pipeline),
        )
        for spec in specs
    ]
    return [each for each in counted_of if each.files or each.is_minimum]

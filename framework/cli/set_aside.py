"""The files that a pipeline has set aside, which are neither pending nor loaded, and the command that loads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from framework.errors import PipelineError
from framework.lake.unprocessed import unprocessed_of_feeds
from framework.load.services import Services
from framework.model.words import counted
from framework.spec.pipeline import PipelineSpec


@dataclass(frozen=True)
class SetAside:
    """The unprocessed files of a pipeline; `folder` is their address, `command` loads them.

    `files` is a minimum where `is_minimum`.
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
        least = "at least " if self.is_minimum else ""
        return f"{self.pipeline}: {least}{counted(self.files, 'file')} in data/unprocessed"

    def __str__(self) -> str:
        return f"{self.number}; continue with: {self.command}"


def find_set_aside(specs: Sequence[PipelineSpec], services: Services) -> list[SetAside]:
    """Return the pipelines that have set files aside, in order; a failure to count them is logged."""
    if not specs:
        return []
    try:
        found = unprocessed_of_feeds(services.lake, specs)
    except PipelineError as error:
        log = services.open_log(services.new_run_id(), "run")
        log.warning("the files in data/unprocessed were not counted", error=str(error))
        return []
    numbers = {spec.pipeline: len(found.of(services.lake, spec).files) for spec in specs}
    return [
        SetAside(pipeline, number, found.is_minimum, found.folder, services.program.command("replay", pipeline))
        for pipeline, number in numbers.items()
        if number
    ]

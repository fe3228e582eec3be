"""What may be shown of messages that earlier loads recorded: they may quote values that the spec of now hides."""

from __future__ import annotations

from collections.abc import Callable

from framework.errors import SpecError
from framework.spec.pipeline import PipelineSpec

Shown = Callable[[str, object], str]
"""Returns a message of a load, given the checksum of its spec; in place of one that is hidden, why it is."""
HIDDEN = "not shown: bad_rows.log_samples is false, and another version of the spec wrote it"
WITHOUT_SPEC = "not shown: it may quote values, and no spec of the feed can be read (bad_rows.log_samples)"


def shown_by(spec: PipelineSpec | SpecError | None) -> Shown:
    """Return what shows the messages of a feed, whose spec is an error or None where it is gone or has problems.

    Where the spec of now allows no samples, only messages by the very same spec are shown: an earlier one may have
    allowed them. A spec that cannot be read may allow none.
    """

    def shown(message: str, spec_sha256: object) -> str:
        if not message:
            return message
        if not isinstance(spec, PipelineSpec):
            return WITHOUT_SPEC
        return message if spec.bad_rows.log_samples or spec.sha256 == spec_sha256 else HIDDEN

    return shown

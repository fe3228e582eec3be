"""The kind of a load's failure, as JOB_STS keeps it beside the message."""

from __future__ import annotations

import json
from dataclasses import asdict

from framework.dataclass import dataclass


@dataclass(frozen=True)
class FailureKind:
    """What kind of failure ended a load: the name of the error's class, and the step in which it was raised.

    `needs_new_file` says that no spec and no option makes the file load, `accept_with` is the option that loads it as
    it is, None where there is none. `is_outage` says that nothing could be loaded, whatever the file,
    `is_of_another_file` that another file of the load is at fault, and this one only waits.
    """

    type: str
    step: str
    needs_new_file: bool = False
    accept_with: str | None = None
    is_outage: bool = False
    is_of_another_file: bool = False

    def as_dict(self) -> dict[str, object]:
        """Return it as `history --output json` prints it."""
        return asdict(self)

    def as_text(self) -> str:
        """Return it as the JSON that JOB_STS holds."""
        return json.dumps(self.as_dict())


NOT_BEGUN = FailureKind("NotBegun", "start", is_outage=True)
"""Of a load that was recorded as STARTED and did not begin, because its command ended: its file is only pending."""


def kind_of_text(text: str) -> FailureKind:
    """Return the kind that a JSON text of JOB_STS describes, without what a later release may have added."""
    found = json.loads(text)
    return FailureKind(**{name: found[name] for name in FailureKind.__dataclass_fields__ if name in found})

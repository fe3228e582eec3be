"""Checks of `bad_rows`: a budget belongs to quarantine, and quarantine needs one."""

from __future__ import annotations

from collections.abc import Iterator

from framework.spec.document import Finding
from framework.spec.fields import mapping_at, text_at

_LIMITS = ("max_rows", "max_fraction")


def bad_rows_findings(document: object) -> Iterator[Finding]:
    """Yield what is wrong with the budget for bad rows."""
    bad_rows = mapping_at(document, "bad_rows")
    action = text_at(document, "bad_rows", "action")
    given = [name for name in _LIMITS if bad_rows.get(name) is not None]
    if action == "quarantine" and not given:
        message = "bad_rows.action is quarantine, and nothing says how many rows of a file may go there"
        fix = "Add max_rows, max_fraction or both, for example max_fraction: 0.01."
        yield Finding(("bad_rows", "action"), "spec/bad-rows", message, fix)
    for name in given:
        if action == "reject_file" and bad_rows[name] != 0:
            message = f"bad_rows.{name} allows for bad rows, and bad_rows.action is reject_file, which allows none"
            fix = f"Set action: quarantine, or leave {name} out."
            yield Finding(("bad_rows", name), "spec/bad-rows", message, fix)

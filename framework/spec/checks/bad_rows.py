"""Checks of the budget for bad rows: it belongs to quarantine, and quarantine needs one."""

from __future__ import annotations

from collections.abc import Iterator

from framework.spec.document import Finding, Path, field_name
from framework.spec.fields import mapping_at, text_at

_LIMITS = ("max_rows", "max_fraction")


def bad_rows_findings(document: object) -> Iterator[Finding]:
    """Yield the problems of the budget for bad rows."""
    bad_rows = mapping_at(document, "bad_rows")
    action = text_at(document, "bad_rows", "action")
    given = [name for name in _LIMITS if bad_rows.get(name) is not None]
    conflicts = [path for path, policy in _conflict_policies(document) if policy == "quarantine"]
    users: list[Path] = [("bad_rows", "action")] if action == "quarantine" else conflicts[:1]
    for path in users if not given else ():
        message = f"{field_name(path)} is quarantine, and nothing says how many rows of a file may go there"
        fix = "Add bad_rows.max_rows, max_fraction or both, for example max_fraction: 0.01."
        yield Finding(path, "spec/bad-rows", message, fix)
    for name in given:
        if action == "reject_file" and bad_rows[name] != 0 and not conflicts:
            message = f"bad_rows.{name} allows for bad rows, and bad_rows.action is reject_file, which allows none"
            fix = f"Set action: quarantine, or leave {name} out."
            yield Finding(("bad_rows", name), "spec/bad-rows", message, fix)


def _conflict_policies(document: object) -> Iterator[tuple[Path, str]]:
    """Yield each policy for values that no wider type can hold, with its place."""
    columns = [("evolution", "columns", name) for name in mapping_at(document, "evolution", "columns")]
    for place in (("evolution",), *columns):
        if (policy := text_at(document, *place, "type_conflicts")) is not None:
            yield (*place, "type_conflicts"), policy

"""`grants` of a spec: who is to have which privilege on the table, or on a view."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from framework.model.names import identifier
from framework.spec.document import Finding, Path
from framework.spec.fields import mapping_at, mapping_list, text_list
from framework.spec.pipeline import GrantSpec

_KINDS = ("user", "group", "role")


def read_grants(grants: Mapping[str, Sequence[str]]) -> Iterator[GrantSpec]:
    """Yield each privilege that a checked mapping of privileges to grantees names, once."""
    seen = (_grant(privilege, text) for privilege, grantees in grants.items() for text in grantees)
    yield from dict.fromkeys(seen)


def _grant(privilege: str, text: str) -> GrantSpec:
    """Read `public`, `group analysts`, `role loader`, `user ann` or `ann`."""
    if text.lower() == "public":
        return GrantSpec(privilege, "public", "public")
    kind, _, name = text.partition(" ")
    for known in _KINDS:
        if kind.lower() == known and name.strip():
            return GrantSpec(privilege, name.strip(), known)  # type: ignore[arg-type]
    return GrantSpec(privilege, text, "user")


def grant_findings(document: object) -> Iterator[Finding]:
    """Yield the problems of the grantees' names."""
    yield from _findings(document, ())
    for path, view in mapping_list(document, "views"):
        yield from _findings(view, path)


def _findings(document: object, below: Path) -> Iterator[Finding]:
    for privilege in mapping_at(document, "grants"):
        for path, text in text_list(document, "grants", privilege):
            try:
                identifier(_grant(privilege, text.strip()).grantee)
            except ValueError as error:
                fix = "Write public, or the name of a user, a group or a role: `group analysts`."
                yield Finding((*below, *path), "spec/grantee", f"grants.{privilege}: {error}", fix)

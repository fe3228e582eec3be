"""The list of files with bad rows as it fits a terminal."""

from __future__ import annotations

from framework.cli.quarantine_list import Fault, ListedFile, Listing, list_text
from framework.model.program import PLAIN

FAULTS = [Fault("amount", "is not a value of decimal(12,2)", 3), Fault(None, "the record has 2 fields", 1)]
FILES = [
    ListedFile(
        "orders", f"data/in/orders/{n}.csv", f"4be07a15{n}", "2026-02-03 04:05:06", 4, 0, 0, FAULTS, "s3://lake/q/"
    )
    for n in range(2)
]
WHY = "amount: is not a value of decimal(12,2) (3); the record has 2 fields (1)"


def test_reasons_have_lines_of_their_own_where_a_terminal_is_narrow() -> None:
    wide, narrow = (list_text(Listing(FILES, False), width, PLAIN) for width in (160, 60))

    assert wide.count(WHY) == 2
    lines = narrow.splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[0].split() == ["run", "loaded", "pipeline", "file", "rows"]
    assert [" ".join(" ".join(lines[at : at + 2]).split()) for at in (3, 6)] == [WHY, WHY]

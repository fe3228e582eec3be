"""What commands show of a log."""

from __future__ import annotations

from framework.cli.output import progress_line


def test_progress_shows_the_first_line_of_what_the_command_ends_in() -> None:
    entry: dict[str, object] = {
        "level": "error",
        "pipeline": "p",
        "msg": "load failed",
        "step": "prepare",
        "error": "2 rows\n  row 1\n",
    }

    assert progress_line(entry) == "p:   error: load failed (error=2 rows)"

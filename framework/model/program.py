"""The program as its user calls it, for messages that name the command to go on with."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

NAME = "feedway"


@dataclass(frozen=True)
class Program:
    """How a user calls Feedway: `options` chose the project and the environment, and the next command needs them too.

    They are empty where the defaults were used.
    """

    options: tuple[str, ...] = ()

    def command(self, *words: str) -> str:
        """Return a command line to paste into a shell: the words of a command, quoted, after the program's options."""
        return shlex.join((NAME, *self.options, *words))


PLAIN = Program()
"""The program without options."""

"""The program as its user calls it, for messages that name the command to go on with."""

from __future__ import annotations

import shlex

from framework.dataclass import dataclass

NAME = "feedway"


@dataclass(frozen=True)
class Program:
    """How a user calls Feedway: `options` chose the project and the environment, and the next command needs them too.

    They are empty where the defaults were used.
    """

    options: tuple[str, ...] = ()

    def command(self, *words: str) -> str:
        """Return a command line to paste into a shell: the words of a command, quoted, after the program's options."""
        return " ".join(map(_quoted, (NAME, *self.options, *words)))


def _quoted(word: str) -> str:
    """Return a word as a shell reads it, on one line and without characters that do not print."""
    if word.isprintable():
        return shlex.quote(word)
    return f"$'{''.join(map(_escaped, word))}'"


def _escaped(character: str) -> str:
    if character.isprintable():
        return f"\\{character}" if character in "\\'" else character
    # Bytes mean the same in every locale, unlike \u.
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


PLAIN = Program()
"""The program without options."""

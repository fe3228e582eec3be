"""Commands that messages print are pasted into a shell."""

from __future__ import annotations

import subprocess

import pytest

from framework.model.program import Program


@pytest.mark.parametrize(
    "word",
    [
        "plain.csv",
        'it\'s $HOME `x` "q" \\n é.csv',
        "a\nb's \\.csv",
        "\u202egnp.csv",
        "no-break\u00a0blank\x85.csv",
        "\x1b[31mred\x07a.csv",
        "tab\t$(touch x).csv",
    ],
)
def test_a_shell_reads_each_word_of_a_command_as_it_is(word: str) -> None:
    line = Program(("--project", word)).command("replay", word)

    read = subprocess.run(
        ["bash", "-c", f"feedway() {{ printf '%s\\0' \"$@\"; }}; {line}"], capture_output=True, check=True
    )

    assert read.stdout.decode("utf-8").split("\0")[:-1] == ["--project", word, "replay", word]
    assert line.isprintable()

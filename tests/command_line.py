"""What tests of commands work with: a project folder, and the command line as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from framework.cli import main
from tests.workshop import new_name

SPEC = """\
pipeline: {name}
tags: [{name}_tag]
source: {{prefix: data/in/{name}/}}
target: {{table: {name}}}
load: {{keys: [id]}}
"""


class Shop:
    """A project folder whose sandbox is the test run's own."""

    def __init__(self, root: Path, s3: Any, s3_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.s3 = s3
        self.s3_folder = s3_folder
        self.capsys = capsys
        self.name = new_name("command")
        self.write(f"pipelines/{self.name}.yml", SPEC.format(name=self.name))

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def land(self, file_name: str, text: str) -> str:
        key = f"data/in/{self.name}/{file_name}"
        self.s3.put_object(Bucket="lake", Key=key, Body=text.encode())
        return key

    def run(self, *argv: str) -> tuple[int, str, str]:
        self.capsys.readouterr()
        code = main(["--project", str(self.root), *argv])
        captured = self.capsys.readouterr()
        return code, captured.out, captured.err

    def json(self, *argv: str) -> tuple[int, Any]:
        code, out, _ = self.run("--output", "json", *argv)
        return code, json.loads(out)

    def heads(self, key: str) -> dict[str, str]:
        """Return an object's own metadata, names in lower case."""
        metadata = self.s3.head_object(Bucket="lake", Key=key)["Metadata"]
        return {name.lower(): value for name, value in metadata.items()}

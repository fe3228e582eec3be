"""What tests of commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from framework.cli import main

Init = Callable[..., tuple[int, str, str]]


@pytest.fixture
def init(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Init:
    """Run `init orders` in a new project on files with these contents; return exit code, spec and error."""

    def run(files: dict[str, str | bytes], *options: str) -> tuple[int, str, str]:
        paths = []
        for name, content in files.items():
            path = tmp_path / name
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            paths.append(str(path))
        capsys.readouterr()
        code = main(["--project", str(tmp_path / "project"), "init", "orders", "--from", *paths, *options])
        spec = tmp_path / "project" / "pipelines" / "orders.yml"
        return code, spec.read_text(encoding="utf-8") if spec.exists() else "", capsys.readouterr().err

    (tmp_path / "project").mkdir()
    return run

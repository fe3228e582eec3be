"""Fresh interpreters: what the code finds wherever it runs from, and what it does not import."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_python(code: str, path: Path) -> str:
    """Run code in a fresh interpreter that finds the framework in `path`; return what it prints."""
    setup = f"import sys; sys.path.insert(0, {str(path)!r}); "
    command = [sys.executable, "-c", setup + code]
    return subprocess.run(command, cwd=path.parent, check=True, capture_output=True, text=True).stdout.strip()


def test_texts_are_read_from_a_zip(tmp_path: Path) -> None:
    archive = tmp_path / "job.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for source in (*(ROOT / "framework").rglob("*.py"), *(ROOT / "schemas").rglob("*.json")):
            target.write(source, source.relative_to(ROOT).as_posix())
    code = "from framework.spec.json_schema import json_schema;print(json_schema('pipeline')['title'])"
    assert run_python(code, archive) == "Feedway pipeline"


def test_reading_specs_needs_neither_clients_nor_engines() -> None:
    code = (
        "import framework.spec.project;"
        "print(sorted({'boto3', 'pyspark', 'duckdb', 'jsonschema', 'jinja2'} & set(sys.modules)))"
    )
    assert run_python(code, ROOT) == "[]"


def test_a_command_that_loads_nothing_imports_no_engine() -> None:
    """Nothing imports pyspark before a Spark load really starts, nor what only the sandbox has."""
    commands = ", ".join(
        f"framework.cli.{name}" for name in ("commands.run", "commands.plan", "commands.history", "main")
    )
    code = (
        f"import sys, {commands}\n"
        "print([name for name in ('pyspark', 'duckdb', 'pyarrow', 'psycopg', 'sqlglot') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"

"""Fresh interpreters: what the code finds wherever it runs from, and what it does not import."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Collection
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("botocore", "framework.lake", "framework.warehouse", "framework.load.pipeline")
"""What calls AWS, and what loads."""
SPARE = (
    "numpy",
    "duckdb",
    "pyspark",
    "pyarrow",
    "psycopg",
    "sqlglot",
    "rich",
)
"""What no load needs until it reads rows, and most of it no load at all."""


def run_python(code: str, path: Path) -> str:
    """Run code in a fresh interpreter that finds the framework in `path`; return what it prints."""
    setup = f"import sys; sys.path.insert(0, {str(path)!r})\n"
    command = [sys.executable, "-c", setup + code]
    return subprocess.run(command, cwd=path.parent, check=True, capture_output=True, text=True).stdout.strip()


def run_command(*argv: str) -> tuple[str, list[str]]:
    """Run a command line; return what it prints, and the modules that were imported."""
    code = (
        "from framework.cli import main\n"
        "try:\n"
        f"    main({list(argv)!r})\n"
        "except SystemExit:\n"
        "    pass\n"
        "print('\\0', *sys.modules)"
    )
    printed, _, imported = run_python(code, ROOT).partition("\0")
    return printed, imported.split()


def found_in(imported: Collection[str], *names: str) -> set[str]:
    """Return which of the packages or modules are among those imported."""
    return {name for name in names if any(f"{module}.".startswith(f"{name}.") for module in imported)}


def of_commands(imported: Collection[str]) -> set[str]:
    """Return which commands' modules are among those imported."""
    parent = "framework.cli.commands."
    return {module.removeprefix(parent) for module in imported if module.startswith(parent)}


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


@pytest.mark.parametrize("argv", [["--help"], ["--version"]])
def test_the_command_line_is_read_without_what_runs_commands(argv: list[str]) -> None:
    _, imported = run_command(*argv)

    assert found_in(imported, *SERVICES, "jinja2", "yaml", "framework.spec") == set()


def test_only_the_command_that_runs_is_imported() -> None:
    _, of_none = run_command("--help")
    printed, of_validate = run_command("validate", "orders", "--project", str(ROOT))

    assert printed.endswith("1 pipeline is valid\n")
    assert of_commands(of_none) == set()
    assert of_commands(of_validate) == {"validate"}
    assert found_in(of_validate, *SERVICES) == set()


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize(
    "command",
    [
        "init",
        "check",
        "run",
        "land",
        "plan",
        "history",
        "logs",
        "changes",
        "stale",
        "prune",
        "replay",
        "skip",
        "restore-views",
        "test",
    ],
)
def test_a_command_imports_no_engine_before_a_row_is_read(command: str) -> None:
    """Nothing imports pyspark before a Spark load really starts, nor what only the sandbox has."""
    module = f"framework.cli.commands.{command.replace('-', '_')}"
    imported = run_python(f"import {module}; print(*sys.modules)", ROOT).split()

    assert found_in(imported, *SPARE) == set()


PROGRAMS = {
    "run.py": f"runpy.run_path({str(ROOT / 'run.py')!r}, run_name='__main__')",
    "python -m framework": "runpy.run_module('framework', run_name='__main__')",
    "feedway": "from framework.cli.process import run_process; sys.exit(run_process())",
}
"""Code that does what each way to start the program does; for the last one, the script that pip writes."""


@pytest.mark.parametrize("program", PROGRAMS)
def test_modules_are_hardly_searched_for_garbage_and_not_at_all_at_the_end(program: str) -> None:
    """The last search visits all that was imported, and would take a tenth of a small load."""
    code = (
        "import atexit, gc, runpy\n"
        "before = gc.get_stats()[0]['collections']\n"
        "def report(): print(gc.get_stats()[0]['collections'] - before, len(gc.get_objects()), gc.get_freeze_count())\n"
        f"atexit.register(report); sys.argv = [{program!r}, 'validate', 'orders', '--project', {str(ROOT)!r}]\n"
        f"{PROGRAMS[program]}"
    )
    searches, searched, passed_over = map(int, run_python(code, ROOT).splitlines()[-1].split())

    assert searches <= 20
    assert searched * 10 < passed_over


@pytest.mark.parametrize("program", PROGRAMS)
def test_success_ends_no_script_and_a_failure_ends_it_with_its_code(program: str) -> None:
    """AWS Glue takes any SystemExit for a failure, also one with 0."""
    code = (
        "import runpy\n"
        "def ending(*argv):\n"
        f"    sys.argv = [{program!r}, *argv]\n"
        f"    try: {PROGRAMS[program]}\n"
        "    except SystemExit as ended: return ended.code\n"
        "    return 'none'\n"
        f"print(ending('validate', '--project', {str(ROOT)!r}), ending('run', '--all', '--file', 'x'))"
    )
    succeeded, failed = run_python(code, ROOT).splitlines()[-1].split()

    assert (succeeded, failed) == ("None" if program == "feedway" else "none", "2")

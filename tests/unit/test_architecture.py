"""The rooms of the house: imports go down only, and the pure rooms stay pure."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FRAMEWORK = ROOT / "framework"

# Lower rooms first; a room may import from its own level's own room and from levels below.
LEVELS = (
    {"errors", "names", "column_type", "date_format", "resources", "words"},
    {"redaction"},
    {"spec"},
    {"schema"},
    {"plan", "run_log"},
    {"retries", "aws_errors"},
    {"frames", "warehouse", "lake"},
    {"load"},
    {"cli", "sandbox"},
)
LEVEL_OF = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
PURE = {"spec", "schema", "plan"}
FORBIDDEN_IN_PURE = {"boto3", "botocore", "pyspark", "duckdb", "time", "random", "logging", "uuid"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(FRAMEWORK.rglob("*.py")):
        parts = path.relative_to(FRAMEWORK).with_suffix("").parts
        if parts != ("__init__",):
            yield parts[0], path


def imports(path: Path, at_load_only: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if at_load_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_every_module_has_a_room() -> None:
    assert {room for room, _ in modules()} <= set(LEVEL_OF)


@pytest.mark.parametrize(("room", "path"), list(modules()), ids=lambda value: str(value).rpartition("framework/")[2])
def test_a_room_imports_only_what_lies_below_it(room: str, path: Path) -> None:
    for name in imports(path):
        if name.startswith("framework."):
            other = name.split(".")[1]
            if other in LEVEL_OF and other != room:
                allowed = LEVEL_OF[other] < LEVEL_OF[room] or (room, other) == ("cli", "sandbox")
                assert allowed, f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize(("room", "path"), [(room, path) for room, path in modules() if room in PURE], ids=str)
def test_the_pure_rooms_know_no_service_clock_or_chance(room: str, path: Path) -> None:
    found = {name.split(".")[0] for name in imports(path)} & FORBIDDEN_IN_PURE

    assert not found, f"{path.relative_to(ROOT)} imports {found}"
    assert "datetime.now" not in path.read_text(encoding="utf-8")


def test_only_the_command_line_knows_that_a_sandbox_exists() -> None:
    for room, path in modules():
        if room not in ("cli", "sandbox"):
            assert not [name for name in imports(path) if name.startswith("framework.sandbox")], path


def test_a_command_that_loads_nothing_imports_no_engine() -> None:
    """Nothing imports pyspark before a Spark load really starts, nor what only the sandbox has."""
    code = (
        "import sys, framework.cli.run, framework.cli.plan, framework.cli.history, framework.cli.main\n"
        "print([name for name in ('pyspark', 'duckdb', 'pyarrow', 'psycopg', 'sqlglot') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"

"""The rooms of the house: imports go down only, and the pure rooms stay pure."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FRAMEWORK = ROOT / "framework"

# Lower rooms first; a room imports from itself and from levels below, so rooms of one level know nothing of each other.
LEVELS = (
    {"dataclass"},
    {"errors", "parallel", "resources"},
    {"model"},
    {"spec"},
    {"plan"},
    {"log"},
    {"rows", "warehouse", "lake"},
    {"load"},
    {"draft", "feed_tests", "report"},
    {"cli", "sandbox"},
    {"__main__"},
)
LEVEL_OF = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
LOOSE = {"dataclass", "errors", "parallel", "resources", "__main__"}
PURE = {"model", "spec", "plan", "report"}
MOST_NAMES_OF_A_LOAD = 29
"""Project names that framework/load/load.py imports."""
FORBIDDEN_IN_PURE = {"boto3", "botocore", "pyspark", "duckdb", "time", "random", "logging", "uuid"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(FRAMEWORK.rglob("*.py")):
        parts = path.relative_to(FRAMEWORK).with_suffix("").parts
        if parts != ("__init__",):
            yield parts[0], path


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imports(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


MODULES = list(modules())


def teardown_module() -> None:
    """Free the memory of all modules' trees."""
    nodes.cache_clear()


def test_every_module_has_a_room() -> None:
    assert {room for room, _ in MODULES} == set(LEVEL_OF)
    assert {path.stem for path in FRAMEWORK.glob("*.py")} == LOOSE | {"__init__"}


def may_import(room: str, name: str) -> bool:
    other = name.split(".")[1] if name.startswith("framework.") else room
    if other not in LEVEL_OF or other == room or (room, other) == ("cli", "sandbox"):
        return True
    return LEVEL_OF[other] < LEVEL_OF[room]


def test_a_room_imports_only_what_lies_below_it() -> None:
    imported = [(room, path, name) for room, path in MODULES for name in imports(path)]

    assert [f"{path} imports {name}" for room, path, name in imported if not may_import(room, name)] == []


def test_dataclasses_are_those_that_are_quickly_defined() -> None:
    """Those of the standard library would add a sixth to the time of a small load."""
    others = [(room, path) for room, path in MODULES if room not in ("dataclass", "sandbox")]

    assert [path for _, path in others if "dataclasses.dataclass" in imports(path)] == []


def test_the_pure_rooms_know_no_service_clock_or_chance() -> None:
    for room, path in MODULES:
        if room in PURE:
            found = {name.split(".")[0] for name in imports(path)} & FORBIDDEN_IN_PURE

            assert not found, f"{path.relative_to(ROOT)} imports {found}"
            assert "datetime.now" not in path.read_text(encoding="utf-8"), path


def test_only_the_command_line_knows_that_a_sandbox_exists() -> None:
    for room, path in MODULES:
        if room not in ("cli", "sandbox"):
            assert not [name for name in imports(path) if name.startswith("framework.sandbox")], path


def test_the_core_of_a_load_names_no_more_of_the_project_than_it_did() -> None:
    """Where fewer names do, lower the number."""
    names = [name for name in imports(FRAMEWORK / "load" / "load.py") if name.startswith("framework.")]
    names.remove("framework.dataclass.dataclass")

    assert len(names) <= MOST_NAMES_OF_A_LOAD


def test_the_sandbox_needs_nothing_of_the_framework_but_its_errors_and_resources() -> None:
    for room, path in MODULES:
        if room == "sandbox":
            used = {name.split(".")[1] for name in imports(path) if name.startswith("framework.")}
            assert used <= {"errors", "resources", "sandbox"}, path


def compared(path: Path) -> Iterator[ast.expr]:
    """Yield what is compared, matched or asked for its beginning."""
    for node in nodes(path):
        match node:
            case ast.Compare(left=left, comparators=others):
                yield from (left, *others)
            case ast.Match(subject=subject):
                yield subject
            case ast.Call(func=ast.Attribute(value=value, attr="startswith" | "endswith")):
                yield value


def compared_everywhere() -> Iterator[tuple[Path, ast.expr]]:
    return ((path, subject) for _, path in MODULES for subject in compared(path))


def test_no_decision_depends_on_the_name_of_a_template_or_transaction() -> None:
    for path, subject in compared_everywhere():
        match subject:
            case ast.Attribute(attr="template"):
                raise AssertionError(f"{path}:{subject.lineno} compares the name of a template")
            case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr="name"):
                assert "transaction" not in owner.lower(), f"{path}:{subject.lineno} compares a transaction's name"


def test_load_modes_differ_in_their_own_modules_only() -> None:
    """Everybody else asks for a fact of the mode; what a mode does is one module of plan/modes/."""
    for path, subject in compared_everywhere():
        is_mode = isinstance(subject, ast.Attribute) and subject.attr == "mode"
        assert not is_mode, f"{path}:{subject.lineno} compares a load mode"


def test_only_one_module_reads_what_the_warehouse_says() -> None:
    """The others know a refusal's meaning and cause, and quote its text in messages."""
    for _, path in MODULES:
        if path != FRAMEWORK / "errors.py":
            attributes = [node for node in nodes(path) if isinstance(node, ast.Attribute)]
            assert "warehouse_message" not in [node.attr for node in attributes], path


def assigned(node: ast.AST) -> list[ast.expr]:
    """Return what a statement assigns to."""
    match node:
        case ast.Assign(targets=targets):
            return targets
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            return [target]
    return []


def test_nothing_in_a_load_writes_into_another_object() -> None:
    for path in (path for room, path in MODULES if room == "load"):
        for target in (target for node in nodes(path) for target in assigned(node)):
            if isinstance(target, ast.Attribute):
                is_own = isinstance(target.value, ast.Name) and target.value.id == "self"
                assert is_own, f"{path}:{target.lineno} assigns to an attribute of another object"


def test_every_folder_of_tests_is_run_by_a_target() -> None:
    run = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("Makefile", "setup.cfg"))
    folders = {path.relative_to(ROOT).parts[1] for path in (ROOT / "tests").rglob("test_*.py")}

    assert {folder for folder in folders if f"tests/{folder}" not in run} == set()

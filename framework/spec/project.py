"""A project: `environments.yml` and `pipelines/`, with the tests of feeds in `pipelines/tests/`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path

from framework.dataclass import dataclass
from framework.errors import Problem, SpecError
from framework.model.names import TableName
from framework.model.program import PLAIN
from framework.model.words import listed
from framework.spec.checks.targets import shared_targets
from framework.spec.document import Path as YamlPath
from framework.spec.document import read_document
from framework.spec.environment import Environment
from framework.spec.feed_tests import FeedTests
from framework.spec.globs import may_overlap
from framework.spec.json_schema import closest
from framework.spec.load import load_environments_text, load_feed_tests_text, load_pipeline_text, read_spec_file
from framework.spec.pipeline import PipelineSpec

ENVIRONMENTS = "environments.yml"
PIPELINES = "pipelines"
BEGINNING = PLAIN.command("init", "NAME", "--from", "FILE")
"""The command that writes a spec, and begins a project where there is none."""
TESTS = "tests"
"""The folder in `pipelines` that holds the tests of feeds."""
_MOST_NAMES = 20


@dataclass(frozen=True)
class Place:
    """A folder or file, on disk, in a zip or fetched from somewhere; `shown` is how messages name it."""

    files: Traversable
    shown: str

    def __truediv__(self, name: str) -> Place:
        return Place(self.files.joinpath(name), f"{self.shown.rstrip('/')}/{name}")

    def name_for(self, path: str) -> str:
        """Return the name of the file in problems: its path in the project, or its address where it is remote."""
        return self.shown if "://" in self.shown else path

    def exists(self) -> bool:
        """Return whether there is such a folder or file."""
        return self.files.is_file() or self.files.is_dir()


@dataclass(frozen=True)
class Project:
    """`environments.yml` and `pipelines/`, read on each call.

    `folder` is the project's folder on this machine, in which the sandbox keeps its data. Each of the
    two is read from the first of `places` that has it; without places, from the folder.
    """

    folder: Path
    places: tuple[Place, ...] = ()

    def find(self, name: str) -> Place:
        """Return the place of `environments.yml` or `pipelines`; if it does not exist, where it should be."""
        candidates = [place / name for place in self.places or (Place(self.folder, str(self.folder)),)]
        return next((candidate for candidate in candidates if candidate.exists()), candidates[0])

    def pipeline_names(self) -> list[str]:
        """Return the names of all pipelines, in order; empty where there is no folder of them."""
        return _stems(self.find(PIPELINES), ".yml")

    def pipeline(self, name: str) -> PipelineSpec:
        """Return a pipeline's spec.

        Raises:
            SpecError: there is no such pipeline, or its spec has problems.
        """
        text, shown = self._pipeline_text(name)
        return load_pipeline_text(text, shown, name)

    def _pipeline_text(self, name: str) -> tuple[str, str]:
        """Return the text of a pipeline's spec, and how problems name its file."""
        self.require_pipelines([name])
        place = self.find(PIPELINES) / f"{name}.yml"
        shown = place.name_for(f"{PIPELINES}/{name}.yml")
        return read_spec_file(place.files, shown), shown

    def require_pipelines(self, names: Iterable[str]) -> None:
        """Check that pipelines exist.

        Raises:
            SpecError: one does not exist; the message lists those that do.
        """
        known = self.pipeline_names()
        for name in names:
            if name not in known:
                folder = self.find(PIPELINES).shown
                raise SpecError(f"there is no pipeline {name!r} in {folder}. {instead(name, known)}")

    def tested_names(self) -> list[str]:
        """Return the names of all files of tests, in order; each should be that of a pipeline."""
        return _stems(self.find(PIPELINES) / TESTS, ".yml")

    def feed_tests(self, name: str) -> FeedTests:
        """Return the tests of a pipeline.

        Raises:
            SpecError: there is no file of tests for it, or the file has problems.
        """
        folder = self.find(PIPELINES) / TESTS
        if name not in self.tested_names():
            raise SpecError(f"pipeline {name} has no tests: there is no {folder.shown}/{name}.yml. Write them there.")
        place = folder / f"{name}.yml"
        shown = place.name_for(f"{PIPELINES}/{TESTS}/{name}.yml")
        return load_feed_tests_text(read_spec_file(place.files, shown), shown, name, folder.files)

    def environments(self) -> dict[str, Environment]:
        """Return all environments by name.

        Raises:
            SpecError: `environments.yml` is missing or has problems.
        """
        place = self.find(ENVIRONMENTS)
        shown = place.name_for(ENVIRONMENTS)
        return load_environments_text(read_spec_file(place.files, shown), shown)

    def field_place(self, environment: str, field: str) -> str:
        """Return the file and line of an environment's field, such as `environments.yml:12`.

        A field that is left out is at what would hold it. `field` is written with points: `lake.bucket`.

        Raises:
            SpecError: `environments.yml` is missing or is no YAML.
        """
        place = self.find(ENVIRONMENTS)
        shown = place.name_for(ENVIRONMENTS)
        document = read_document(read_spec_file(place.files, shown), shown)
        return f"{shown}:{document.line_of(('environments', environment, *field.split('.')))}"

    def environment(self, name: str) -> Environment:
        """Return an environment.

        Raises:
            SpecError: there is none of that name, or `environments.yml` has problems.
        """
        environments = self.environments()
        if name not in environments:
            file = self.find(ENVIRONMENTS).shown
            raise SpecError(f"there is no environment {name!r} in {file}. {instead(name, environments)}")
        return environments[name]


def check_project(project: Project, names: Sequence[str] = ()) -> list[Problem]:
    """Return the problems of `environments.yml` and of the named specs, warnings too; no name means all specs.

    Raises:
        SpecError: there is no pipeline of a name.
    """
    project.require_pipelines(names)
    problems: list[Problem] = []
    environments: dict[str, Environment] = {}
    try:
        environments = project.environments()
    except SpecError as error:
        problems += error.problems
    specs: list[PipelineSpec] = []
    for name in project.pipeline_names():
        try:
            specs.append(project.pipeline(name))
        except SpecError as error:
            problems += error.problems if name in names or not names else []
    # Either of two specs may be at fault, so all are compared, whichever are named.
    between = [*shared_files(specs), *_nested_folders(specs), *shared_targets(specs)]
    named = {spec.path for spec in specs if spec.pipeline in names or not names}
    for spec in specs:
        if spec.path in named:
            found = (control_schema_problem(spec, environments[name]) for name in sorted(environments))
            problems += [problem for problem in found if problem is not None][:1]
    of_named = [problem for problem, other in between if named & {problem.file, other.path}]
    return [*problems, *of_named, *_misnamed(project), *_test_problems(project, names)]


def empty_problem(project: Project) -> Problem:
    """Return the problem of a project that has no pipeline."""
    folder = project.find(PIPELINES).shown
    fix = f"Put the spec of a feed there ({BEGINNING} writes one), or name the project's folder with --project."
    # Services show a problem in a file, not in a folder.
    file = project.find(ENVIRONMENTS).name_for(ENVIRONMENTS)
    return Problem(file, 0, 0, "spec/empty-project", f"there is no pipeline in {folder}", fix)


def control_schema_problem(spec: PipelineSpec, environment: Environment) -> Problem | None:
    """Return the problem of a spec whose target or view is in the control schema; None where none is."""
    control_schema = environment.warehouse.control_schema
    views = ((("views", number, "schema"), "a view's schema", view.view) for number, view in enumerate(spec.views))
    own: list[tuple[YamlPath, str, TableName]] = [(("target", "schema"), "target.schema", spec.target.table), *views]
    for path, field, table in own:
        if table.schema == control_schema:
            message = (
                f"{field} is {table.schema!r}, the control schema of the environment {environment.name!r}: "
                "it belongs to Feedway's own tables, the ledgers among them"
            )
            return spec.problem(path, "spec/control-schema", message, "Name another schema.")
    return None


def instead(name: str, known: Iterable[str]) -> str:
    """Return a suggestion for an unknown name or a glob that matches nothing: a similar name, and the known ones."""
    known = list(known)
    slip = closest(name.replace("*", ""), known)
    hint = f"Did you mean {slip!r}? " if slip else ""
    return f"{hint}There is {listed(known, _MOST_NAMES)}." if known else "There is none at all."


def shared_files(specs: Iterable[PipelineSpec]) -> Iterator[tuple[Problem, PipelineSpec]]:
    """Yield a problem for each spec that takes the same files as another spec, with that spec."""
    owners: dict[tuple[str, str], PipelineSpec] = {}
    for spec in specs:
        first = owners.setdefault((spec.source.prefix, spec.source.pattern.lower()), spec)
        if first is not spec:
            message = f"source.prefix and source.pattern are those of {first.path}"
            fix = "Let the feeds differ in one of them, because each file is loaded by one feed."
            yield spec.problem(("source", "prefix"), "spec/shared-files", message, fix), first


def _nested_folders(specs: Sequence[PipelineSpec]) -> Iterator[tuple[Problem, PipelineSpec]]:
    """Yield a warning for each spec whose files another spec may take too, with that spec."""
    for inner in specs:
        for outer in specs:
            if not _takes_files_of(outer, inner):
                continue
            message = (
                f"files below {inner.source.prefix} may be loaded by {outer.path} instead: its source.prefix is "
                f"{outer.source.prefix} and its pattern {outer.source.pattern!r}"
            )
            fix = "Part the folders or the patterns, because each file goes to whichever feed runs first."
            yield inner.problem(("source", "prefix"), "spec/nested-prefix", message, fix, "warning"), outer


def _takes_files_of(outer: PipelineSpec, inner: PipelineSpec) -> bool:
    upper, lower = outer.source, inner.source
    if outer is inner or not lower.prefix.startswith(upper.prefix):
        return False
    if lower.prefix == upper.prefix and (outer.path <= inner.path or lower.pattern.lower() == upper.pattern.lower()):
        # The second of two feeds on one folder gets the warning; `shared_files` reports equal ones.
        return False
    return may_overlap(upper.pattern, lower.pattern)


def _misnamed(project: Project) -> Iterator[Problem]:
    folder = project.find(PIPELINES)
    for place, path, what in ((folder, PIPELINES, "specs"), (folder / TESTS, f"{PIPELINES}/{TESTS}", "tests")):
        for stem in _stems(place, ".yaml"):
            file = (place / f"{stem}.yaml").name_for(f"{path}/{stem}.yaml")
            message = f"{what} end in .yml, so this file is not read"
            yield Problem(file, 0, 0, "spec/file", message, f"Rename it to {stem}.yml.")


def stray_tests(project: Project) -> list[Problem]:
    """Return a problem for each file of tests that is named after no pipeline."""
    known = project.pipeline_names()
    problems = []
    for name in project.tested_names():
        if name not in known:
            file = (project.find(PIPELINES) / TESTS / f"{name}.yml").name_for(f"{PIPELINES}/{TESTS}/{name}.yml")
            message = f"the file is named after no pipeline: there is no {PIPELINES}/{name}.yml"
            problems.append(Problem(file, 0, 0, "spec/test-name", message, f"Rename it. {instead(name, known)}"))
    return problems


def _test_problems(project: Project, names: Sequence[str]) -> Iterator[Problem]:
    """Yield the problems of the tests of the named pipelines; without names, of all, and of tests of no pipeline."""
    if not names:
        yield from stray_tests(project)
    for name in project.tested_names():
        if name in (names or project.pipeline_names()):
            try:
                project.feed_tests(name)
            except SpecError as error:
                yield from error.problems


def _stems(place: Place, ending: str) -> list[str]:
    """Return the names, in order and without the ending, of the files in a folder with this ending."""
    folder = place.files
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return sorted(name.removesuffix(ending) for name in names if name.endswith(ending))

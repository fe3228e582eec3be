"""`init`: drafts the spec of a feed from sample files."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from framework.cli.output import Output
from framework.cli.projects import NEW_ENVIRONMENTS, ensure_project
from framework.cli.samples import Sources, find_sources
from framework.cli.tables import table
from framework.errors import SchemaChangeError, SourceFileError, SpecError
from framework.log.run_log import RunLog
from framework.model.program import Program
from framework.model.words import counted
from framework.resources import read_text
from framework.rows.choice import missing_package
from framework.spec.environment import Environment
from framework.spec.load import load_environments_text, read_spec_file
from framework.spec.project import ENVIRONMENTS, PIPELINES, Project, check_project

if TYPE_CHECKING:
    from framework.draft.draft import Draft

SCHEMAS = tuple(f"schemas/{name}.schema.json" for name in ("pipeline", "environments", "feed_tests"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `init` takes."""
    parser.add_argument("name", metavar="NAME", help="the new pipeline: lower-case letters, digits, _ and -")
    parser.add_argument(
        "--from",
        dest="sources",
        action="extend",
        nargs="+",
        required=True,
        metavar="FILE",
        help="sample files, local or s3://BUCKET/KEY; all their rows are read",
    )
    parser.add_argument("--keys", metavar="K,...", help="columns that identify a row; without them they are guessed")
    parser.add_argument("--views", metavar="FILE", help="an older JSON file of views to take over")
    parser.add_argument("--encoding", metavar="NAME", help="the files' encoding, where it cannot be seen")
    parser.add_argument("--delimiter", metavar="TEXT", help="the files' delimiter, where it cannot be seen")
    parser.add_argument("--skip-lines", metavar="N", type=int, help="lines above the header, where it cannot be seen")
    parser.add_argument(
        "--no-samples", dest="with_samples", action="store_false", help="write no cell of the files into comments"
    )


def run(arguments: argparse.Namespace, project: Project, output: Output) -> int:
    """Write the spec and print what was decided.

    Raises:
        SpecError: the spec exists, the keys are no keys, or the views no views.
        SourceFileError: a file cannot become part of a feed.
    """
    path = _new_path(project, arguments.name)
    environment = _environment(project, arguments.env)
    views = _views(arguments.views)
    with find_sources(arguments.name, arguments.sources, (project, environment), output) as sources:
        draft = _draft(arguments, (environment, sources), views, output)
    created = [*_begun(project.folder), *_written(path, draft.text)]
    _require_valid(project, arguments.name, path)
    document = _document(arguments, draft, [str(each.relative_to(project.folder)) for each in created], output.program)
    output.document(document, lambda: "\n".join(_lines(arguments, draft, path, output.program)))
    return 0


def _new_path(project: Project, name: str) -> Path:
    """Return the path of the spec to write, where there is none yet."""
    if "://" in project.find(PIPELINES).shown:
        raise SpecError("init writes to a folder of this machine: name it with --project")
    path = project.folder / PIPELINES / f"{name}.yml"
    if path.exists():
        raise SpecError(f"{path} exists, and init overwrites nothing. Take another name, or remove the file")
    return path


def _views(name: str | None) -> list[dict[str, object]]:
    if name is None:
        return []
    # imported where it is used: few feeds have such a file
    from framework.draft.view_config import read_view_config

    return read_view_config(read_spec_file(Path(name), name).removeprefix("\ufeff"), name)


def _draft(
    arguments: argparse.Namespace,
    read_by: tuple[Environment, Sources],
    views: Sequence[dict[str, object]],
    output: Output,
) -> Draft:
    environment, sources = read_by
    if (package := missing_package("embedded")) is not None:
        raise SpecError(f"init needs the package {package!r}, which is not installed: pip install 'feedway[embedded]'")
    # imported where they are used: they import duckdb
    from framework.draft.draft import DraftRequest, draft_feed
    from framework.draft.reading import Samples
    from framework.draft.texts import Asked
    from framework.rows.executors.embedded import EmbeddedExecutor

    keys = [key.strip() for key in (arguments.keys or "").split(",") if key.strip()]
    if arguments.keys is not None and not keys:
        raise SpecError("--keys takes the names of columns, with commas between them")
    for option, value in (("--delimiter", arguments.delimiter), ("--encoding", arguments.encoding)):
        if value == "":
            raise SpecError(f"{option} takes a text, and was given an empty one")
    # Shells do not make a tab of it.
    delimiter = arguments.delimiter and arguments.delimiter.replace(r"\t", "\t")
    asked = Asked(arguments.encoding, delimiter, arguments.skip_lines, arguments.with_samples)
    request = DraftRequest(arguments.name, sources.prefix, keys, views, asked)
    settings = environment.embedded
    log = RunLog("init", arguments.name, output.log_stream, listen=output.progress)
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="feedway-init-", dir=settings.directory))
        executor = stack.enter_context(closing(EmbeddedExecutor(settings.memory_bytes, settings.directory)))
        samples = Samples(sources.files, sources.found, executor, log, scratch, settings.memory_bytes)
        try:
            return draft_feed(request, samples)
        except (SourceFileError, SchemaChangeError) as error:
            # What follows the first line is advice on a spec, and there is none.
            raise type(error)(str(error).partition("\n")[0]) from error


def _environment(project: Project, name: str) -> Environment:
    """Return an environment of the project, or of the one that init begins."""
    place = project.find(ENVIRONMENTS)
    if place.exists():
        return project.environment(name)
    environments = load_environments_text(NEW_ENVIRONMENTS, ENVIRONMENTS)
    if name not in environments:
        raise SpecError(f"there is no {place.shown}, and a new one has the environment {', '.join(environments)}")
    return environments[name]


def _begun(folder: Path) -> Iterator[Path]:
    """Create what a project needs and the folder lacks; yield the files that were created."""
    yield from (path for path in ensure_project(folder) if path.is_file())
    # Editors find the schema by the first line of each file, wherever Feedway is installed.
    for path in SCHEMAS:
        schema = folder / path
        if not schema.exists():
            schema.parent.mkdir(exist_ok=True)
            schema.write_text(read_text(path), encoding="utf-8")
            yield schema


def _written(path: Path, text: str) -> Iterator[Path]:
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        raise SpecError(f"{path} exists, and init overwrites nothing") from error
    yield path


def _require_valid(project: Project, name: str, path: Path) -> None:
    """Remove the spec again where the project's other specs leave no place for it.

    Raises:
        SpecError: with what `validate` would say.
    """
    errors = [problem for problem in check_project(project, [name]) if problem.severity == "error"]
    if errors:
        path.unlink()
        raise SpecError(f"{name} does not fit into the project, and was not written:", errors)


def _document(
    arguments: argparse.Namespace, draft: Draft, created: Sequence[str], program: Program
) -> dict[str, object]:
    return {
        "pipeline": arguments.name,
        "created": list(created),
        "files": list(draft.files),
        "format": draft.format,
        "rows": draft.rows,
        "columns": [vars(column) for column in draft.columns],
        "keys": list(draft.keys),
        "keys_reason": draft.why_keys,
        "notes": list(draft.notes),
        "next": _next(arguments, program),
    }


def _lines(arguments: argparse.Namespace, draft: Draft, path: Path, program: Program) -> Iterator[str]:
    yield f"{path}: {counted(draft.rows, 'row')} of {counted(len(draft.files), 'file')} read, format {draft.format}"
    yield table(("column", "type", "reason"), [(each.name, each.type, each.reason) for each in draft.columns])
    yield f"keys: {', '.join(draft.keys) or 'none, rows are appended'} ({draft.why_keys})"
    # The keys' comment says what the line above does.
    yield from (f"note: {note}" for note in draft.notes if not note.startswith("load: "))
    yield "next:"
    yield from (f"  {command}" for command in _next(arguments, program))


def _next(arguments: argparse.Namespace, program: Program) -> list[str]:
    """Return the commands that go on. What is in S3 is not landed."""
    name, files = arguments.name, [file for file in arguments.sources if not file.startswith("s3://")]
    return [
        program.command("validate", name),
        program.command("plan", name, *(("--from", *files) if files else ())),
        *([program.command("land", name, *files)] if files else []),
        program.command("run", name),
    ]

"""The feeds that a command works on: by name, by glob, by tag, or all of the project."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

from framework.dataclass import dataclass
from framework.errors import Problem, SpecError
from framework.spec.document import spec_error
from framework.spec.pipeline import PipelineSpec
from framework.spec.project import PIPELINES, Project, empty_problem, instead, shared_files

_OF_GLOBS = frozenset("*?[")
"""Characters that no pipeline's name has."""


@dataclass(frozen=True)
class Feed:
    """A pipeline to work on; `spec` is the error where its spec cannot be read."""

    pipeline: str
    spec: PipelineSpec | SpecError


def read_feed(project: Project, name: str) -> Feed:
    """Return a pipeline to work on. A spec that cannot be read fails its own feed, not the others."""
    try:
        return Feed(name, project.pipeline(name))
    except SpecError as error:
        return Feed(name, error)


def readable(feeds: Sequence[Feed], failed: Collection[str]) -> list[PipelineSpec]:
    """Return the specs that could be read, without those of pipelines that failed."""
    return [feed.spec for feed in feeds if isinstance(feed.spec, PipelineSpec) and feed.pipeline not in failed]


def add_selection(parser: argparse.ArgumentParser, does: str, *, none_is_all: bool = False) -> None:
    """Declare the arguments that select feeds; `does` is the command's verb in its help.

    Where `none_is_all`, a command line that selects nothing means all feeds, and there is no --all.
    """
    means_all = "; none means all" if none_is_all else ""
    parser.add_argument(
        "names",
        nargs="*",
        # Without a default argparse calls them required where it lists what is missing.
        default=[],
        metavar="NAME",
        help=f"pipelines to {does}, by name or glob ('sales_*'){means_all}",
    )
    if not none_is_all:
        parser.add_argument("--all", action="store_true", help=f"{does} every pipeline of the project")
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        dest="tags",
        metavar="TAG",
        help=f"{does} the pipelines that carry a tag; several: those that carry any of them",
    )
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        dest="excluded",
        metavar="NAME",
        help="leave out these of the selected pipelines, by name or glob; may be given several times",
    )


def selected_feeds(arguments: argparse.Namespace, project: Project) -> list[Feed]:
    """Return the feeds of a command that must be given some: as they are named, without duplicates, or by name.

    Unknown names are feeds without a spec. So are, beside --tag, specs that cannot be read: they may carry the tag.
    Selected feeds that take the same files have the error that `validate` reports, each of them.

    Raises:
        SpecError: the command line selects nothing, or in two ways; or a glob, a tag or --exclude matches nothing.
    """
    if bool(arguments.names) + arguments.all + bool(arguments.tags) != 1:
        raise SpecError(f"{arguments.command} takes one of these: the names of pipelines, --all, or --tag TAG")
    if arguments.tags:
        return _apart(_tagged(arguments, project))
    return _apart([read_feed(project, name) for name in _named(arguments, project)])


def _apart(feeds: Sequence[Feed]) -> list[Feed]:
    """Return feeds with an error in place of the specs that take the same files: each file is for one of them only."""
    shared: dict[str, list[Problem]] = {}
    for problem, first in shared_files(readable(feeds, ())):
        for path in (problem.file, first.path):
            shared.setdefault(path, []).append(problem)
    return [
        Feed(feed.pipeline, spec_error(shared[feed.spec.path][0].file, shared[feed.spec.path]))
        if isinstance(feed.spec, PipelineSpec) and feed.spec.path in shared
        else feed
        for feed in feeds
    ]


def selected_names(arguments: argparse.Namespace, project: Project) -> list[str]:
    """Return the names of the feeds of a command for which no name means all; empty where nothing is selected.

    Names are not checked.

    Raises:
        SpecError: there are names beside --tag; or a glob, a tag or --exclude matches nothing.
    """
    if arguments.names and arguments.tags:
        raise SpecError(f"{arguments.command} takes the names of pipelines, or --tag TAG")
    if arguments.tags:
        return [feed.pipeline for feed in _tagged(arguments, project)]
    return _named(arguments, project) if arguments.names or arguments.excluded else []


def _named(arguments: argparse.Namespace, project: Project) -> list[str]:
    """Return the names given, or those of all pipelines where none is, without excluded ones."""
    known = _known(project) if not arguments.names else project.pipeline_names()
    given = arguments.names or known
    names = [name for each in given for name in (_matching(each, project, "") if _is_glob(each) else [each])]
    return _kept(list(dict.fromkeys(names)), arguments.excluded, project)


def _tagged(arguments: argparse.Namespace, project: Project) -> list[Feed]:
    """Return the feeds that carry any of the tags, and those whose spec cannot be read, without excluded ones."""
    feeds = [read_feed(project, name) for name in _known(project)]
    is_all_readable = all(isinstance(feed.spec, PipelineSpec) for feed in feeds)
    carried = {tag for feed in feeds if isinstance(feed.spec, PipelineSpec) for tag in feed.spec.tags}
    for tag in arguments.tags:
        if tag not in carried and is_all_readable:
            raise SpecError(f"no pipeline of the project carries the tag {tag!r}. {instead(tag, sorted(carried))}")
    asked = set(arguments.tags)
    chosen = {feed.pipeline: feed for feed in feeds if isinstance(feed.spec, SpecError) or asked & set(feed.spec.tags)}
    return [chosen[name] for name in _kept(list(chosen), arguments.excluded, project)]


def _known(project: Project) -> list[str]:
    names = project.pipeline_names()
    if not names:
        raise SpecError(str(empty_problem(project)))
    return names


def _kept(names: Sequence[str], excluded: Collection[str], project: Project) -> list[str]:
    left_out = {name for each in excluded for name in _matching(each, project, "--exclude: ")}
    kept = [name for name in names if name not in left_out]
    if not kept:
        raise SpecError("--exclude leaves out every pipeline that is selected")
    return kept


def _matching(pattern: str, project: Project, option: str) -> list[str]:
    """Return the names of the project's pipelines that match a name or glob, in order; at least one."""
    known = project.pipeline_names()
    names = [name for name in known if fnmatchcase(name, pattern)]
    if not names:
        what = "no pipeline matches" if _is_glob(pattern) else "there is no pipeline"
        place = project.find(PIPELINES).shown
        raise SpecError(f"{option}{what} {pattern!r} in {place}. {instead(pattern, known)}")
    return names


def _is_glob(text: str) -> bool:
    return not _OF_GLOBS.isdisjoint(text)

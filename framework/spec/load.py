"""Reads specs and environments: YAML, JSON Schema, the other checks, then values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from framework.errors import Problem
from framework.spec.build import build_environment, build_pipeline
from framework.spec.build_feed_tests import build_feed_tests
from framework.spec.checks.bad_rows import bad_rows_findings
from framework.spec.checks.columns import column_findings
from framework.spec.checks.environments import environment_findings
from framework.spec.checks.feed_tests import feed_test_findings
from framework.spec.checks.fixed import fixed_findings
from framework.spec.checks.source import source_findings
from framework.spec.checks.types import type_findings
from framework.spec.document import Document, Finding, end_of, read_document, spec_error
from framework.spec.environment import Environment
from framework.spec.feed_tests import FeedTests
from framework.spec.fields import text_at
from framework.spec.grants import grant_findings
from framework.spec.json_schema import json_schema, schema_findings, with_defaults
from framework.spec.pipeline import PipelineSpec
from framework.spec.views import view_findings

Check = Callable[[object], Iterable[Finding]]

_PIPELINE_CHECKS: tuple[Check, ...] = (
    source_findings,
    fixed_findings,
    column_findings,
    type_findings,
    bad_rows_findings,
    view_findings,
    grant_findings,
)


def load_pipeline_text(text: str, shown: str, stem: str) -> PipelineSpec:
    """Read a spec from its text. `stem` is the name that its `pipeline` must be equal to.

    Raises:
        SpecError: the text cannot be used as written; it lists every problem.
    """
    document = read_document(text, shown)
    fields = _checked(document, "pipeline", (*_PIPELINE_CHECKS, partial(_stem_findings, stem)))
    rules_schema = json_schema("pipeline")["properties"]["types"]["properties"]["rules"]
    default_rules = with_defaults(rules_schema["default"], rules_schema)
    spec = build_pipeline(fields, default_rules, shown, hashlib.sha256(text.encode("utf-8")).hexdigest())
    places = {**document.values, **document.keys}
    texts = (document.text_place(("views", number, "definition")) for number in range(len(spec.views)))
    views = tuple(replace(view, place=place) for view, place in zip(spec.views, texts, strict=True))
    # The spec's own rules come before the default ones.
    rules = (replace(rule, place=places.get(("types", "rules", n))) for n, rule in enumerate(spec.types.rules))
    return replace(spec, places=places, views=views, types=replace(spec.types, rules=tuple(rules)))


def load_environments_text(text: str, shown: str) -> dict[str, Environment]:
    """Read `environments.yml` from its text.

    Raises:
        SpecError: the text cannot be used as written; it lists every problem.
    """
    fields = _checked(read_document(text, shown), "environments", (environment_findings,))
    return {name: build_environment(name, entry) for name, entry in fields["environments"].items()}


def load_feed_tests_text(text: str, shown: str, pipeline: str, folder: Traversable) -> FeedTests:
    """Read the tests of a pipeline from the text of their file; `folder` is where the paths in it begin.

    Raises:
        SpecError: the text cannot be used as written; it lists every problem.
    """
    document = read_document(text, shown)
    _checked(document, "feed_tests", (partial(feed_test_findings, folder),))
    return build_feed_tests(document, pipeline, folder)


def read_spec_file(path: Traversable, shown: str) -> str:
    """Return the text of a file, line ends as they are.

    Raises:
        SpecError: there is no such file, or it is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        place = end_of(error.object[: error.start].decode("utf-8"))
        message = f"the file is not UTF-8: the byte 0x{error.object[error.start]:02x} is no character"
        problem = Problem(shown, *place, "spec/encoding", message, "Save it as UTF-8.")
        raise spec_error(shown, [problem]) from error
    except OSError as error:
        reason = f"the file cannot be read: {error.strerror}"
        raise spec_error(shown, [Problem(shown, 0, 0, "spec/file", reason, _way_out(path, error))]) from error


def _way_out(path: Traversable, error: OSError) -> str:
    """Return what to do about a file that cannot be read."""
    if isinstance(path, Path) and path.is_symlink():
        return f"Point the link {path} to a file, or delete it."
    if isinstance(error, IsADirectoryError):
        return f"Rename the folder {path}, because a name that ends so is that of a file."
    return f"Create {path}." if isinstance(error, FileNotFoundError) else f"Make {path} readable."


def _stem_findings(stem: str, fields: object) -> Iterator[Finding]:
    name = text_at(fields, "pipeline")
    if name != stem:
        message = f"pipeline is {name!r}, but the file is called {stem + '.yml'!r}"
        fix = f"Write pipeline: {stem}, or rename the file."
        yield Finding(("pipeline",), "spec/pipeline-name", message, fix)


def _checked(document: Document, schema_name: str, checks: Iterable[Check]) -> Any:
    """Return the document with its defaults filled in.

    What cannot be read is not held against the schema, and what the schema refuses is not
    checked further.
    """
    unread = [finding for finding in document.findings if finding.place is None]
    refused = _outside(schema_findings(document.value, schema_name), unread)
    fields = with_defaults(document.value, json_schema(schema_name))
    found = [finding for check in checks for finding in check(fields)]
    findings = [*document.findings, *refused, *_outside(found, [*unread, *refused])]
    if findings:
        raise spec_error(document.shown, [document.problem(finding) for finding in findings])
    return fields


def _outside(findings: Iterable[Finding], known: Iterable[Finding]) -> list[Finding]:
    """Return the findings that are neither at nor under a path that is known to be wrong."""
    paths = {finding.path for finding in known}
    return [finding for finding in findings if not any(finding.path[: len(path)] == path for path in paths)]

"""Problems as SARIF 2.1.0, which code scanning and editors read.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import quote

from framework import __version__
from framework.errors import Problem
from framework.model.words import visible
from framework.spec.rules import RULES

_ROOT = "%SRCROOT%"
_LINE_IN_MESSAGE = re.compile(r"\bline [0-9]+(, column [0-9]+)?")


def sarif(problems: Sequence[tuple[str, Problem]]) -> str:
    """Return the log of a run with these problems, each of which comes with its file's path in the repository."""
    used = sorted({problem.rule for _, problem in problems})
    seen: Counter[str] = Counter()
    run = {
        "tool": {"driver": {"name": "Feedway", "version": __version__, "rules": [_rule(name) for name in used]}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "results": [_result(path, problem, used.index(problem.rule), seen) for path, problem in problems],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=2)


def _rule(name: str) -> dict[str, object]:
    rule = RULES[name]
    return {
        "id": name,
        "shortDescription": {"text": rule.finds},
        "fullDescription": {"text": rule.finds},
        "help": {"text": f"{rule.finds} {rule.section} describes what is right."},
    }


def _result(path: str, problem: Problem, rule_index: int, seen: Counter[str]) -> dict[str, object]:
    # What has no place in a file is shown at its start: code scanning drops results without a line.
    region = {"startLine": max(problem.line, 1), "startColumn": max(problem.column, 1)}
    location = {"physicalLocation": {"artifactLocation": _artifact(path), "region": region}}
    return {
        "ruleId": problem.rule,
        "ruleIndex": rule_index,
        "level": problem.severity,
        "message": {"text": visible(f"{problem.message}. {problem.fix}".rstrip())},
        "locations": [location],
        "partialFingerprints": {"feedwayProblem/v1": _fingerprint(path, problem, seen)},
    }


def _artifact(path: str) -> dict[str, object]:
    if "://" in path:
        return {"uri": quote(path, safe=":/", errors="surrogateescape")}
    pure = PurePosixPath(path)
    return (
        {"uri": pure.as_uri()}
        if pure.is_absolute()
        else {"uri": quote(path, errors="surrogateescape"), "uriBaseId": _ROOT}
    )


def _fingerprint(path: str, problem: Problem, seen: Counter[str]) -> str:
    """Return what stays the same while the file is edited elsewhere; equal problems of a file are numbered."""
    words = _LINE_IN_MESSAGE.sub("line", problem.message)
    identity = f"{path}\n{problem.rule}\n{words}"
    digest = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"

"""Results of tests as JUnit XML, which CI systems read.

Source: https://github.com/testmoapp/junitxml (the elements and attributes that GitHub, GitLab, Jenkins and Azure read)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from xml.etree import ElementTree

from framework.dataclass import dataclass

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Source: https://www.w3.org/TR/xml/#charsets"""


@dataclass(frozen=True)
class JunitCase:
    """One test of a suite, with its place; `failures` are lines, none where it passed."""

    suite: str
    name: str
    file: str
    line: int
    seconds: float
    failures: tuple[str, ...]


def junit_xml(cases: Sequence[JunitCase], started_at: datetime) -> bytes:
    """Return the document in UTF-8; the cases of one suite must follow each other.

    A character that XML cannot hold is written as an escape of Python's: U+0001 as `x01` after a backslash.
    """
    root = ElementTree.Element("testsuites", {"name": "feedway", **_totals(cases)})
    for name, of_suite in groupby(cases, lambda case: case.suite):
        members = list(of_suite)
        moment = started_at.strftime("%Y-%m-%dT%H:%M:%S")
        attributes = {"name": _legal(name), **_totals(members), "skipped": "0", "timestamp": moment}
        suite = ElementTree.SubElement(root, "testsuite", attributes)
        for case in members:
            _add_case(suite, case)
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _totals(cases: Sequence[JunitCase]) -> dict[str, str]:
    failed = sum(bool(case.failures) for case in cases)
    seconds = sum(case.seconds for case in cases)
    return {"tests": str(len(cases)), "failures": str(failed), "errors": "0", "time": f"{seconds:.3f}"}


def _add_case(suite: ElementTree.Element, case: JunitCase) -> None:
    attributes = {
        "classname": _legal(f"feedway.{case.suite}"),
        "name": _legal(case.name),
        "file": _legal(case.file),
        "line": str(case.line),
        "time": f"{case.seconds:.3f}",
    }
    element = ElementTree.SubElement(suite, "testcase", attributes)
    if case.failures:
        first, *others = case.failures
        message = f"{first} (and {len(others)} more)" if others else first
        failure = ElementTree.SubElement(element, "failure", {"message": _legal(message), "type": "Difference"})
        failure.text = _legal("\n".join(case.failures))


def _legal(text: str) -> str:
    return _NOT_IN_XML.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)

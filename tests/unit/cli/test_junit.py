"""Results of tests as JUnit XML, as CI systems read it."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from framework.cli.junit import JunitCase, junit_xml

BEGAN = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def case(name: str = "a row is loaded", suite: str = "orders", failures: tuple[str, ...] = ()) -> JunitCase:
    return JunitCase(suite, name, f"pipelines/tests/{suite}.yml", 3, 0.5, failures)


def parsed(*cases: JunitCase) -> ElementTree.Element:
    return ElementTree.fromstring(junit_xml(cases, BEGAN))


def test_suites_hold_cases_with_places_and_failures_with_all_lines() -> None:
    root = parsed(case(), case("b", failures=("t.yml:3:1: rows: x", "t.yml:4:1: rows: y")), case(suite="customers"))

    assert root.tag == "testsuites"
    assert {name: root.attrib[name] for name in ("tests", "failures", "errors", "time")} == {
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "time": "1.500",
    }
    suites = [(suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("timestamp")) for suite in root]
    assert suites == [("orders", "2", "1", "2026-01-02T03:04:05"), ("customers", "1", "0", "2026-01-02T03:04:05")]
    passed, failed = root[0]
    assert passed.attrib == {
        "classname": "feedway.orders",
        "name": "a row is loaded",
        "file": "pipelines/tests/orders.yml",
        "line": "3",
        "time": "0.500",
    }
    assert list(passed) == []
    (failure,) = failed
    assert failure.get("message") == "t.yml:3:1: rows: x (and 1 more)"
    assert failure.text == "t.yml:3:1: rows: x\nt.yml:4:1: rows: y"


def test_characters_that_xml_cannot_hold_are_escaped() -> None:
    (failure,) = parsed(case(failures=("found '\x00\x1b\ufffe\ud800<&>'",)))[0][0]

    assert failure.text == "found '\\x00\\x1b\\ufffe\\ud800<&>'"


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_text_makes_a_document(name: str, failure: str) -> None:
    found = parsed(case(name, failures=(failure,)))[0][0]

    assert found.get("name") is not None
    assert len(found) == 1

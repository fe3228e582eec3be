"""What the tests of specs share: a spec to change, and the problems that a change brings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from framework.errors import Problem, SpecError
from framework.spec.load import load_environments_text, load_pipeline_text

MINIMAL = """\
pipeline: orders
source: {prefix: data/in/orders/}
target: {table: orders}
load: {keys: [order_id]}
"""


@pytest.fixture
def minimal() -> str:
    """The smallest spec there is."""
    return MINIMAL


@pytest.fixture
def problems_of() -> Callable[[str], list[Problem]]:
    """A function that returns what is wrong with the text of `orders.yml`."""
    return lambda text: _problems(lambda: load_pipeline_text(text, "orders.yml", "orders"))


@pytest.fixture
def environment_problems_of() -> Callable[[str], list[Problem]]:
    """A function that returns what is wrong with the text of `environments.yml`."""
    return lambda text: _problems(lambda: load_environments_text(text, "environments.yml"))


def _problems(load: Callable[[], object]) -> list[Problem]:
    try:
        load()
    except SpecError as error:
        return list(error.problems)
    return []

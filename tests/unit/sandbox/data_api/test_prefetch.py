"""Items made ahead come in order, with their errors, and no longer than they are wanted."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from framework.sandbox.data_api.prefetch import prefetched


def test_items_come_in_order() -> None:
    assert list(prefetched(range(100), ahead=3)) == list(range(100))


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    made = prefetched(items(), ahead=3)
    assert next(made) == 1
    with pytest.raises(ValueError, match="no more"):
        next(made)


def test_who_stops_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    items = prefetched(range(1000), ahead=1)
    assert next(items) == 0
    items.close()
    assert threading.active_count() == before

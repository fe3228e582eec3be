"""Pieces of work side by side, and what an interruption does to them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from framework.cli.concurrency import Interruption, run_concurrently


def test_results_come_in_the_order_asked_for_and_pieces_overlap() -> None:
    meeting = threading.Barrier(3, timeout=20)

    def piece(number: int) -> int:
        meeting.wait()
        return number

    assert run_concurrently([partial(piece, n) for n in range(6)], 3, Interruption()) == list(range(6))


def test_no_more_run_concurrently_than_asked_for() -> None:
    running: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def piece(number: int) -> None:
        with lock:
            running.append(number)
            most.append(len(running))
        threading.Event().wait(0.01)
        with lock:
            running.remove(number)

    run_concurrently([partial(piece, n) for n in range(12)], 3, Interruption())
    assert max(most) <= 3


def test_an_interruption_is_heard_once_and_sleep_ends_immediately() -> None:
    interruption = Interruption()
    heard: list[str] = []
    asleep = threading.Event()

    def piece() -> None:
        asleep.set()
        try:
            interruption.sleep(60)
        except KeyboardInterrupt:
            heard.append("interrupted")
            interruption.sleep(0)
            interruption.check()
            raise

    def interrupts() -> None:
        assert asleep.wait(20)
        raise KeyboardInterrupt

    begun: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        run_concurrently([interrupts, piece, lambda: begun.append(1)], 2, interruption)
    assert heard == ["interrupted"]


def test_an_interruption_that_tears_the_beginning_of_pieces_is_still_one() -> None:
    class Torn(list[Callable[[], None]]):
        def __iter__(self) -> Iterator[Callable[[], None]]:
            try:
                raise KeyboardInterrupt
            finally:
                raise RuntimeError("release unlocked lock")

    with pytest.raises(KeyboardInterrupt):
        run_concurrently(Torn(), 2, Interruption())

import os
import socket
from collections.abc import Iterator

import pytest

from framework.errors import PipelineError, SpecError
from framework.sandbox.ports import choose_port, holder_of, is_free


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free() -> int:
    return choose_port(None, None, "s3")


def test_any_free_port_is_taken_where_none_is_known(free: int) -> None:
    assert is_free(free)


def test_the_last_port_is_taken_again(free: int) -> None:
    assert choose_port(None, free, "s3") == free


def test_a_last_port_that_is_taken_is_passed_over(taken: int) -> None:
    assert choose_port(None, taken, "s3") != taken


def test_the_port_asked_for_goes_before_the_last_one(free: int, taken: int) -> None:
    assert choose_port(free, taken, "s3") == free


def test_a_port_asked_for_that_is_taken_is_refused(taken: int, free: int) -> None:
    with pytest.raises(PipelineError, match=f"port {taken}, asked for data_api, is taken by .*{os.getpid()}"):
        choose_port(taken, free, "data_api")


def test_a_port_nobody_listens_on_has_no_known_holder(free: int) -> None:
    assert holder_of(free) == "another process"


@pytest.mark.parametrize("port", [0, -1, 65536, 99999])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(SpecError, match="ports go from 1 to 65535"):
        choose_port(port, None, "s3")

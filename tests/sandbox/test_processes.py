"""The sandbox's three processes: they come up, survive being killed, and keep to themselves."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import psutil
import psycopg
import pytest

from framework import sandbox
from framework.cli.commands.sandbox import sandbox_sql
from framework.errors import PipelineError, WarehouseError
from framework.sandbox import Ports, SandboxAddress
from framework.sandbox.processes import wait_until

pytestmark = pytest.mark.processes

NAMES = ("s3", "postgresql", "data_api")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return the folder of a sandbox that the test starts, in a project whose path is not plain."""
    folder = tmp_path / "prójekt 'ü' #1" / ".sandbox"
    yield folder
    sandbox.reset(folder)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder of a running sandbox that tests of this module may kill processes of."""
    folder = tmp_path_factory.mktemp("own") / "prójekt 'ü' #1" / ".sandbox"
    sandbox.start(folder)
    yield folder
    sandbox.reset(folder)


def s3_client(address: SandboxAddress) -> Any:
    return boto3.session.Session(address.access_key, address.secret_key, region_name="eu-west-1").client(
        "s3", endpoint_url=address.s3_url
    )


def pids(folder: Path) -> dict[str, int | None]:
    return {process.name: process.pid for process in sandbox.status(folder)}


def kill(pid: int) -> None:
    """Kill a process and wait for its end; it may have ended with its parent."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.kill()
        wait_until(lambda: process.status() == psutil.STATUS_ZOMBIE, 5)


def test_a_second_start_leaves_everything_as_it_is(own: Path) -> None:
    before = pids(own)

    address = sandbox.start(own)

    assert pids(own) == before
    assert sandbox.is_running(own)
    assert sandbox_sql(address, "select 1 as one") == {"columns": ["one"], "rows": [[1]]}


def test_a_process_is_asked_whether_it_is_ready_until_it_has_come_up(own: Path) -> None:
    """A command that was killed while it waited leaves a process that may not have come up yet."""
    code = (
        "import sys; from pathlib import Path; from framework import sandbox\n"
        "def hear(event, arguments):\n"
        "    if event == 'open' and str(arguments[0]).endswith('/net/tcp'): asked.append(arguments[0])\n"
        f"asked = []; sys.addaudithook(hear); sandbox.start(Path({str(own)!r})); print(len(asked) > 0)"
    )
    command = [sys.executable, "-c", code]
    sandbox.start(own)
    state_file = own / "state.json"
    known = state_file.read_text(encoding="utf-8")
    state_file.write_text(known.replace('"has_come_up": true', '"has_come_up": false', 1), encoding="utf-8")

    asked = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() for _ in range(2)]

    assert asked == ["True", "False"]
    assert state_file.read_text(encoding="utf-8") == known


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_process_is_started_again_and_nothing_is_lost(own: Path, name: str) -> None:
    address = sandbox.start(own)
    sandbox_sql(address, f"create table kept_{name} (id integer)")
    sandbox_sql(address, f"insert into kept_{name} values (7)")
    s3_client(address).put_object(Bucket="lake", Key=f"kept/{name}", Body=b"7")
    before = pids(own)
    killed = before[name]
    assert killed is not None

    kill(killed)
    assert not sandbox.is_running(own)
    again = sandbox.start(own)

    assert again == address
    assert {other for other in NAMES if pids(own)[other] != before[other]} == {name}
    assert sandbox_sql(again, f"select id from kept_{name}")["rows"] == [[7]]
    assert s3_client(again).get_object(Bucket="lake", Key=f"kept/{name}")["Body"].read() == b"7"


def test_a_commit_outlives_the_kill_of_every_process_of_the_database(own: Path) -> None:
    address = sandbox.start(own)
    sandbox_sql(address, "create table outlived (id integer)")
    hundred = " union all ".join(["select 1 as a"] * 100)
    for number in range(3):
        # Of a table that its own transaction has made, and that has more than 2 MB, nothing is in the log.
        large = f"select repeat('x', 1000) as a from ({hundred}) as b cross join ({hundred}) as c"
        sandbox_sql(address, f"create table large_{number} as {large}")
        sandbox_sql(address, f"insert into outlived values ({number})")
        server = psutil.Process(pids(own)["postgresql"])
        for process in (server, *server.children()):
            kill(process.pid)

        address = sandbox.start(own)

        assert sandbox_sql(address, "select count(*) from outlived")["rows"] == [[number + 1]]
        assert sandbox_sql(address, f"select count(*), sum(len(a)) from large_{number}")["rows"] == [
            [10_000, 10_000_000]
        ]


def test_the_data_api_follows_a_database_that_had_to_move(own: Path) -> None:
    address = sandbox.start(own)
    port = psycopg.conninfo.conninfo_to_dict(address.database_url)["port"]
    killed = pids(own)["postgresql"]
    assert killed is not None
    kill(killed)

    with socket.create_server(("127.0.0.1", int(port or 0))):
        moved = sandbox.start(own)

    assert moved.database_url != address.database_url
    assert sandbox_sql(moved, "select 1 as one")["rows"] == [[1]]


def test_everything_listens_on_loopback_only(own: Path) -> None:
    sandbox.start(own)

    for pid in pids(own).values():
        listening = [
            connection.laddr.ip
            for connection in psutil.Process(pid).net_connections(kind="all")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening == ["127.0.0.1"]


def test_keys_are_for_their_owner_only(own: Path) -> None:
    address = sandbox.start(own)

    assert (own / "state.json").stat().st_mode & 0o777 == 0o600
    for pid in pids(own).values():
        command = " ".join(psutil.Process(pid).cmdline())
        assert address.secret_key not in command
        assert address.database_url not in command


def test_no_process_runs_as_root_where_it_need_not(own: Path) -> None:
    address = sandbox.start(own)
    pid = pids(own)["postgresql"]

    with psycopg.connect(address.database_url) as connection:
        data_folder = Path(connection.execute("show data_directory").fetchall()[0][0])

    assert psutil.Process(pid).uids().real != 0
    assert data_folder.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_dropped_into_the_folder_has_landed(own: Path) -> None:
    address = sandbox.start(own)
    client = s3_client(address)
    name = "orders 1+2 100% #3 'ü'.csv"

    (address.s3_folder / "lake" / "data" / "in").mkdir(parents=True, exist_ok=True)
    (address.s3_folder / "lake" / "data" / "in" / name).write_bytes(b"id\n1\n")

    assert client.get_object(Bucket="lake", Key=f"data/in/{name}")["Body"].read() == b"id\n1\n"
    listed = client.list_objects_v2(Bucket="lake", Prefix="data/in/")["Contents"]
    assert [item["Key"] for item in listed] == [f"data/in/{name}"]


def test_two_concurrent_starts_make_one_sandbox(folder: Path) -> None:
    code = f"import pathlib, framework.sandbox as s; print(s.start(pathlib.Path({str(folder)!r})))"
    both = [
        subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    printed = [process.communicate()[0] for process in both]

    assert printed[0] == printed[1] != b""
    assert sandbox.is_running(folder)


def test_a_taken_port_is_named_with_its_holder(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PipelineError, match=rf"port {port}, .* taken by .*\(process {os.getpid()}\)"):
            sandbox.start(folder, Ports(s3=port))


def test_stop_keeps_the_data_and_the_ports(folder: Path) -> None:
    address = sandbox.start(folder)
    sandbox_sql(address, "create table kept (id integer)")

    assert sandbox.stop(folder) == ["data_api", "postgresql", "s3"]
    assert [process.state for process in sandbox.status(folder)] == ["stopped"] * 3
    assert sandbox.stop(folder) == []
    assert sandbox.start(folder) == address
    assert sandbox_sql(address, "select count(*) from kept")["rows"] == [[0]]


def test_reset_leaves_no_data_behind(folder: Path) -> None:
    address = sandbox.start(folder)
    sandbox_sql(address, "create table gone (id integer)")
    s3_client(address).put_object(Bucket="lake", Key="gone", Body=b"")

    sandbox.reset(folder)
    fresh = sandbox.start(folder)

    assert fresh.secret_key != address.secret_key
    assert "Contents" not in s3_client(fresh).list_objects_v2(Bucket="lake")
    with pytest.raises(WarehouseError, match="gone"):
        sandbox_sql(fresh, "select * from gone")


def test_the_last_borrower_stops_what_borrowers_started(folder: Path) -> None:
    with sandbox.borrow(folder):
        with sandbox.borrow(folder):
            assert sandbox.is_running(folder)
        assert sandbox.is_running(folder)
    assert not sandbox.is_running(folder)


def test_a_borrower_leaves_a_sandbox_that_was_up(own: Path) -> None:
    sandbox.start(own)

    with sandbox.borrow(own):
        pass

    assert sandbox.is_running(own)


def test_a_process_that_ends_immediately_is_reported_with_its_log(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho it is broken; exit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))

    with pytest.raises(PipelineError, match=r"s3 did not come up.*s3\.log:\n    it is broken\n"):
        sandbox.start(folder)

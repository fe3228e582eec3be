"""Finds the project: a folder, an address in S3, or the one shipped with the code."""

from __future__ import annotations

from pathlib import Path

from framework.errors import SpecError
from framework.resources import roots
from framework.spec.environment import LakeSettings
from framework.spec.project import Place, Project


def is_in_s3(place: str, option: str) -> bool:
    """Return whether a place that an option names is in S3; else it is on this machine.

    Raises:
        SpecError: it is an address of another kind.
    """
    if "://" in place and not place.startswith("s3://"):
        raise SpecError(f"{option} {place} is neither a path nor an address s3://BUCKET/KEY")
    return place.startswith("s3://")


def open_project(asked: str | None, home: Path) -> Project:
    """Return the project that --project names; `home` is the folder of the sandbox where it names none on this machine.

    Without --project `environments.yml` and `pipelines/` are each taken from `home`, or else from what ships.

    Raises:
        SpecError: the address in S3 holds no project.
        WarehouseError: S3 refused or could not be reached.
    """
    if asked is None:
        return Project(home.resolve(), tuple(Place(root, str(root)) for root in (home.resolve(), *roots())))
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
    return Project(home.resolve(), (Place(fetch_project(lake), f"s3://{bucket}/{prefix}"),))

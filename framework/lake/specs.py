"""A project in S3: `environments.yml` and `pipelines/` below a prefix."""

from __future__ import annotations

import io
import zipfile
from importlib.resources.abc import Traversable

from framework.errors import SpecError
from framework.lake.lake import Lake
from framework.parallel import map_parallel
from framework.spec.project import ENVIRONMENTS, PIPELINES

_ENDINGS = (".yml", ".yaml")
"""The second is fetched so that it can be reported: specs end in .yml."""


def fetch_project(lake: Lake) -> Traversable:
    """Return `environments.yml` and the specs directly in `pipelines/` below the lake's prefix, as they are now.

    Raises:
        SpecError: the one or the other is not there.
        WarehouseError: S3 refused or could not be reached.
    """
    folder = lake.key(f"{PIPELINES}/")
    listed = [found.key for found in lake.list_objects(folder)]
    specs = [key for key in listed if key.endswith(_ENDINGS) and "/" not in key.removeprefix(folder)]
    keys = [lake.key(ENVIRONMENTS), *specs]
    found = dict(zip(keys, map_parallel(lake.get, keys), strict=True))
    if found[lake.key(ENVIRONMENTS)] is None:
        raise SpecError(_missing(lake, lake.url(lake.key(ENVIRONMENTS)), f"{ENVIRONMENTS} there"))
    if not any(key.endswith(".yml") for key in specs):
        raise SpecError(_missing(lake, f"{lake.url(folder)}NAME.yml", "the specs there"))
    # In memory, because a key may not be a valid file name.
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for key, content in found.items():
            if content is not None:
                archive.writestr(key.removeprefix(lake.prefix), content)
    return zipfile.Path(zipfile.ZipFile(packed))


def _missing(lake: Lake, address: str, what: str) -> str:
    return (
        f"{lake.url(lake.prefix)} is not a project: there is no {address}. Put {what}, or name the folder "
        f"that holds {ENVIRONMENTS} and {PIPELINES}/ with --project"
    )

"""Sample files of a feed to be: of this machine, or in S3, where they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

from framework.cli.output import Output
from framework.dataclass import dataclass
from framework.errors import SourceFileError, SpecError
from framework.lake.local import LocalFiles, local_file, md5
from framework.load.first_look import Files
from framework.log.run_log import utc_now
from framework.model.files import SourceFile
from framework.spec.environment import Environment, LakeSettings
from framework.spec.project import Project


@dataclass(frozen=True)
class Sources:
    """The sample files, what reads them, and the folder in the lake where such files arrive."""

    found: tuple[SourceFile, ...]
    files: Files
    prefix: str


@contextmanager
def find_sources(
    name: str, asked: Sequence[str], place: tuple[Project, Environment], output: Output
) -> Iterator[Sources]:
    """Yield sample files by their paths or addresses. A sandbox is not started for it.

    Raises:
        SpecError: the files are of several places, or the address is incomplete.
        SourceFileError: a file does not exist, or Feedway would never load one of its name.
    """
    _require_names(asked)
    in_s3 = [each for each in asked if each.startswith("s3://")]
    if not in_s3:
        yield _local(name, asked, place[1])
        return
    if len(in_s3) < len(asked):
        raise SpecError("init --from takes files of this machine, or files of one bucket, not both")
    with ExitStack() as stack:
        yield _remote(name, asked, place, stack, output)


def _require_names(asked: Sequence[str]) -> None:
    names = [PurePosixPath(each).name for each in asked]
    for each, name in zip(asked, names, strict=True):
        if name.startswith(("_", ".")):
            raise SourceFileError(f"{each}: its name begins with {name[0]!r}, and Feedway loads no such files")
        if names.count(name) > 1:
            raise SourceFileError(f"{each}: several files are called {name!r}, and an inbox holds one of each name")


def _local(name: str, asked: Sequence[str], environment: Environment) -> Sources:
    files = LocalFiles(environment.lake.prefix)
    prefix, now = f"data/in/{name}/", utc_now()
    keys = [(Path(each), files.key(prefix + Path(each).name)) for each in asked]
    return Sources(
        tuple(local_file(path, (environment.lake.bucket, key), now, md5()) for path, key in keys), files, prefix
    )


def _remote(
    name: str, asked: Sequence[str], place: tuple[Project, Environment], stack: ExitStack, output: Output
) -> Sources:
    # imported where they are used: files of this machine are read without AWS's clients
    from framework.cli.wiring import aws_clients, open_sandbox, sandbox_clients
    from framework.lake.lake import Lake

    project, environment = place
    addresses = [each.removeprefix("s3://").partition("/") for each in asked]
    buckets = {bucket for bucket, _, _ in addresses}
    if len(buckets) > 1 or not all(bucket and key and not key.endswith("/") for bucket, _, key in addresses):
        raise SpecError("init --from takes addresses of files in one bucket: s3://BUCKET/KEY")
    clients = aws_clients(environment.name)
    if environment.kind == "sandbox":
        clients = sandbox_clients(stack.enter_context(open_sandbox(project.folder, output)))
    settings = LakeSettings(buckets.pop(), "", environment.lake.region)
    lake = Lake(clients("s3", environment.lake.region), settings, "the bucket's name")
    found = []
    for each, (_, _, key) in zip(asked, addresses, strict=True):
        file = lake.describe(key)
        if file is None:
            raise SourceFileError(f"{each} does not exist")
        found.append(file)
    return Sources(tuple(found), lake, _prefix(name, settings.bucket, [file.key for file in found], environment))


def _prefix(name: str, bucket: str, keys: Sequence[str], environment: Environment) -> str:
    """Return the folder of files in the environment's lake; that of a new feed for any others."""
    lake = environment.lake
    folders = [key.rpartition("/")[0].split("/") for key in keys]
    common = [parts[0] for parts in zip(*folders, strict=False) if len(set(parts)) == 1]
    if any(folder[: len(common)] != common for folder in folders):
        common = []
    folder = "/".join(common) + "/"
    own = folder.removeprefix(lake.prefix)
    is_inside = bucket == lake.bucket and folder.startswith(lake.prefix) and own.strip("/")
    return own if is_inside else f"data/in/{name}/"

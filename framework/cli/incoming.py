"""Files of this machine that are to arrive in a feed's inbox, or are planned as if they had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from framework.errors import SourceFileError, SpecError
from framework.lake.local import open_local
from framework.lake.pending import why_not_taken
from framework.spec.pipeline import PipelineSpec

_LONGEST_KEY_BYTES = 1024
"""Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""


def incoming_files(spec: PipelineSpec, asked: Sequence[str], lake_prefix: str, done: str) -> list[Path]:
    """Return the local files that a command line names, if all of them can arrive in the feed's inbox.

    `lake_prefix` is the lake's; `done` is what the command would have done, for the message.

    Raises:
        SpecError: lists the files that cannot be read, or whose names the feed does not take or are the same.
    """
    paths = [Path(name) for name in asked]
    problems = [
        problem for name, path in zip(asked, paths, strict=True) for problem in _problems(spec, name, path, lake_prefix)
    ]
    for name, times in Counter(path.name for path in paths).items():
        if times > 1:
            problems.append(
                f"{times} of the files have the name {name}, and the inbox takes it once: rename the others"
            )
    if problems:
        raise SpecError("\n  ".join([f"nothing was {done}:", *problems]))
    return paths


def inbox_key(spec: PipelineSpec, path: Path) -> str:
    """Return the path in the lake under which a file arrives."""
    return spec.source.prefix + path.name


def _problems(spec: PipelineSpec, asked: str, path: Path, lake_prefix: str) -> Iterator[str]:
    if asked.startswith("s3://"):
        yield (
            f"{asked} is in S3, and files of this machine are asked for: aws s3 cp copies it to the inbox, and "
            "plan --file plans an object of the lake"
        )
        return
    try:
        asked.encode("utf-8")
    except UnicodeEncodeError:
        yield f"{asked!r} is not valid UTF-8, which S3 asks of names: rename the file"
        return
    try:
        with open_local(path):
            pass
    except SourceFileError as error:
        yield str(error)
        return
    key_bytes = len((lake_prefix + inbox_key(spec, path)).encode("utf-8"))
    if key_bytes > _LONGEST_KEY_BYTES:
        yield f"{path}: its key would have {key_bytes:,} bytes, and S3 takes {_LONGEST_KEY_BYTES:,}: shorten the name"
    if (why := why_not_taken(spec.source, path.name)) is not None:
        yield f"{path}: {spec.pipeline} does not take this name: {why}. Rename the file, or change {spec.path}"

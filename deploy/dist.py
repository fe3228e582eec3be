"""Writes what AWS Glue and spark-submit run to `dist/`: run.py, a zip of wheels, and a zip of packages."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
GLUE_REQUIREMENTS = ROOT / "deploy" / "glue-requirements.txt"
SOURCES = (
    "setup.cfg", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "CHANGELOG.md", "LICENSE", "NOTICE",
    "environments.yml", "framework", "pipelines", "schemas", "templates", "docs",
)  # fmt: skip
# Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html (appendix B)
GLUE_PLATFORMS = ("manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux2014_x86_64")
GLUE_PYTHON = "311"
COMPILED_ONLY = ("duckdb", "backports", "python_calamine")
"""They cannot be imported from a zip. Beside the zip, each node must have DuckDB installed, which both executors need,
backports.zstd for files that are packed so, and python-calamine for workbooks."""
OUTSIDE_GLUE = "attrs==24.2.0"
"""Glue has it; a cluster that is given the zip of packages may not."""
OLDEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file in the zips, so that the same sources make the same bytes."""


def write_dist(folder: Path) -> list[Path]:
    """Write run.py and the two zips into a folder; return their paths.

    Raises:
        subprocess.CalledProcessError: pip could not build the project, or get the wheels of what it needs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="feedway-dist-") as scratch:
        wheels, others = Path(scratch, "wheels"), Path(scratch, "others")
        project = build_wheel(wheels)
        download(["--requirement", str(GLUE_REQUIREMENTS)], wheels)
        download([OUTSIDE_GLUE], others)
        name = "-".join(project.name.split("-")[:2])
        packed, packages = folder / f"{name}.gluewheels.zip", folder / f"{name}.zip"
        write_zip(packed, _wheels_and_list(wheels, project))
        write_zip(packages, _packages([*wheels.iterdir(), *others.iterdir()]))
    entry = folder / "run.py"
    shutil.copyfile(ROOT / "run.py", entry)
    return [entry, packed, packages]


def build_wheel(folder: Path) -> Path:
    """Build the project's wheel into a folder; return its path."""
    with TemporaryDirectory(prefix="feedway-build-") as scratch:
        copy_sources(Path(scratch))
        _pip("wheel", "--no-deps", "--wheel-dir", str(folder), scratch)
    (wheel,) = folder.glob("feedway-*.whl")
    return wheel


def copy_sources(folder: Path) -> None:
    """Copy what is built into a folder.

    A build in place leaves its files there, and the next one would ship specs that were deleted since.
    """
    for name in SOURCES:
        source, copy = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, copy)


def download(requirements: list[str], folder: Path) -> None:
    """Fetch the wheels of what is required, and of nothing else, for Glue's platform and Python."""
    platforms = [argument for platform in GLUE_PLATFORMS for argument in ("--platform", platform)]
    target = ["--python-version", GLUE_PYTHON, "--only-binary", ":all:", "--dest", str(folder)]
    _pip("download", "--no-deps", *platforms, *target, *requirements)


def write_zip(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write a zip of files by their names, in order; the same files make the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files):
            entry = zipfile.ZipInfo(name, OLDEST_ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            # Spark may unpack it, for others to read.
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)


def _wheels_and_list(wheels: Path, project: Path) -> Iterator[tuple[str, bytes]]:
    """Yield `wheels/`, as Glue wants it: the wheels, and requirements.txt that names them all."""
    for wheel in wheels.iterdir():
        yield f"wheels/{wheel.name}", wheel.read_bytes()
    distribution, version = project.name.split("-")[:2]
    listed = GLUE_REQUIREMENTS.read_text(encoding="utf-8") + f"{distribution}=={version}\n"
    yield "wheels/requirements.txt", listed.encode("utf-8")


def _packages(wheels: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of all packages that can be imported from a zip, without the parts that are compiled."""
    for wheel in wheels:
        if wheel.name.startswith(COMPILED_ONLY):
            continue
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not name.endswith((".so", "/")):
                    yield name, archive.read(name)


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check"]
    # The wheel is a zip too, which keeps no time before 1980.
    subprocess.run(command, check=True, env={**os.environ, "SOURCE_DATE_EPOCH": "315532800"})


def main() -> None:
    """Write the files and say which."""
    parser = argparse.ArgumentParser(prog="python -m deploy.dist", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "dist", help="where to; default: dist/ of the checkout")
    for path in write_dist(parser.parse_args().folder):
        print(f"{path.stat().st_size:>12,} bytes  {path}")


if __name__ == "__main__":
    main()

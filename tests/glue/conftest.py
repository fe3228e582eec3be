"""AWS Glue as far as it can be had: its Python packages, and the sandbox in the place of S3 and Redshift."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.dist import write_dist
from framework.sandbox import SandboxAddress

PIP_OF_GLUE = {"5.0": "pip==23.0.1", "5.1": "pip==24.0"}
PROJECT = "projects/glue"
ENVIRONMENTS = """\
environments:
  glue:
    lake: {{bucket: lake, region: us-east-1}}
    warehouse: {{workgroup: sandbox, database: dev, copy_role: default}}
    engine: {engine}
"""


@dataclass(frozen=True)
class Job:
    """Runs a Python as Glue would: with nothing of this checkout, in a folder that holds run.py alone."""

    python: Path
    folder: Path
    environment: Mapping[str, str]

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.python), *argv], cwd=self.folder, env=dict(self.environment), capture_output=True, text=True
        )


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make dist` writes."""
    folder = tmp_path_factory.mktemp("dist")
    write_dist(folder)
    return folder


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python with the packages of Glue 5.0 alone."""
    return glue_python(tmp_path_factory.mktemp("base"), "5.0")


@pytest.fixture(scope="session", params=list(PIP_OF_GLUE))
def glue_version(request: pytest.FixtureRequest) -> str:
    """The version of Glue that a job runs on."""
    return str(request.param)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, dist: Path, glue_version: str) -> Path:
    """Python with Glue's packages, and with the zip of wheels as the job's --additional-python-modules."""
    python = glue_python(tmp_path_factory.mktemp("installed"), glue_version)
    wheels = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(only(dist, "*.gluewheels.zip")) as archive:
        archive.extractall(wheels)
    # Neither an index nor a setting of this machine may lend what the zip lacks.
    files = [str(path) for path in wheels.glob("wheels/*.whl")]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "--no-cache-dir", *files]
    subprocess.run(command, check=True, env={**clean, "PIP_CONFIG_FILE": os.devnull})
    return python


def only(folder: Path, pattern: str) -> Path:
    """Return the one file of a folder that matches."""
    (path,) = folder.glob(pattern)
    return path


def packages_of(glue_version: str) -> Path:
    """Return the list of Glue's packages."""
    return Path(__file__).with_name(f"glue-{glue_version}-packages.txt")


def glue_python(folder: Path, glue_version: str) -> Path:
    """Make a virtual environment with Glue's packages; return its Python."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    for what in ([PIP_OF_GLUE[glue_version]], ["--requirement", str(packages_of(glue_version))]):
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *what], check=True)
    return python


def job_environment(address: SandboxAddress, **more: str) -> dict[str, str]:
    """Return what a process that the sandbox stands in for AWS knows, and nothing of this one's Python."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    nowhere = str(address.folder / "no-aws-profile")
    return {
        **kept,
        **address.aws_environment(),
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        **more,
    }

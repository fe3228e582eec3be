"""Runs the main job in the sandbox and prints each step. Every run starts with an empty sandbox."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from demo import feeds
from framework import sandbox
from framework.cli import main

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / ".demo"
VIEW = "select * from reporting.v_customers order by country"


def run_demo() -> int:
    """Return the exit code of the first command that did not do what the demo says it does."""
    prepare_project()
    first = (
        ("Check both specs, offline.", ["validate"]),
        *landed(1),
        ("What would a run do? The tables do not exist yet.", ["plan", "customers", "orders"]),
        ("Load both feeds.", ["run", "--all"]),
        ("The view on the customers, made from the spec.", ["sandbox", "sql", VIEW]),
    )
    drifted = (
        *landed(2),
        (
            "What would a run do now? The plan names every change, its reason and its cost.",
            ["plan", "customers", "orders"],
        ),
        ("Load them.", ["run", "--all"]),
        ("The same view: the table was changed under it, and the view still works.", ["sandbox", "sql", VIEW]),
        ("Every load, as the audit table JOB_STS has it.", ["history"]),
        ("Nothing is pending: a run does nothing.", ["run", "--all"]),
    )
    code = show(first) or show(drifted)
    sandbox.stop(PROJECT / ".sandbox")
    if code == 0:
        print("\nQuery a table: .venv/bin/feedway --project .demo sandbox sql 'select * from public.customers limit 5'")
        print("The bucket is the folder .demo/.sandbox/s3/lake.")
    return code


def prepare_project() -> None:
    """Make a project of its own with the sample specs, so that nothing of yours is touched."""
    sandbox.reset(PROJECT / ".sandbox")
    shutil.rmtree(PROJECT / "pipelines", ignore_errors=True)
    shutil.copytree(ROOT / "pipelines", PROJECT / "pipelines")
    shutil.copy(ROOT / "environments.yml", PROJECT)
    heading("Start the sandbox: an S3 server, PostgreSQL and a Redshift Data API, on this machine.")
    sandbox.start(PROJECT / ".sandbox", say=print)


def landed(version: int) -> Iterator[tuple[str, list[str]]]:
    """Write a version of each feed to a folder, and yield the commands that put both into the lake."""
    drift = (
        "a new column, a longer text, a number too big for INTEGER, 10 that became 10.50, a column less, "
        "changed and new rows"
    )
    exports = PROJECT / "exports"
    exports.mkdir(exist_ok=True)
    for name, text in (("customers", feeds.customers(version)), ("orders", feeds.orders(version))):
        file = exports / f"{name}_{version}.csv"
        file.write_text(text, encoding="utf-8", newline="")
        changed = f" Both feeds have drifted: {drift}." if version == 2 and name == "customers" else ""
        yield f"Land version {version} of {name}.{changed}", ["land", name, os.path.relpath(file)]


def show(steps: tuple[tuple[str, list[str]], ...]) -> int:
    """Run commands one after the other, each under its heading, until one fails."""
    for text, command in steps:
        heading(text)
        shown = " ".join(repr(part) if " " in part else part for part in command)
        print(f"$ feedway --project .demo {shown}", flush=True)
        code = main(["--project", str(PROJECT), "--output", "text", *command])
        if code:
            return code
    return 0


def heading(text: str) -> None:
    """Print what comes next."""
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    code = run_demo()
    if code:
        raise SystemExit(code)

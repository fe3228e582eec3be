"""The command line as AWS Glue writes it: `--pipeline NAME` among arguments of Glue's own."""

from __future__ import annotations

from collections.abc import Sequence

from framework.errors import SpecError

_OPTIONS = {"--project", "--env", "--output", "--file"}
_FLAGS = {"--again", "--out-of-order"}
_GLUE_MARKS = ("--JOB_NAME", "--JOB_RUN_ID", "--JOB_ID")


def is_glue_run(argv: Sequence[str]) -> bool:
    """Say whether AWS Glue started this process: it passes the job's name and run."""
    return any(name in _GLUE_MARKS for name, _ in _pairs(argv))


def translate_pipeline_form(argv: Sequence[str]) -> tuple[list[str], str | None]:
    """Return the command line as `run NAME …`, and the id of the Glue job run if there is one.

    A command line without `--pipeline` is returned as it is. `--pipeline a,b` names several. Flags
    take `true` or `false`, because Glue passes only pairs. In a Glue run arguments that are not
    ours are Glue's and are passed over; elsewhere they are a mistake.

    Raises:
        SpecError: an argument is not understood.
    """
    if not any(name == "--pipeline" for name, _ in _pairs(argv)):
        return list(argv), None
    translated: list[str] = []
    names: list[str] = []
    job_id = None
    for name, value in _pairs(argv):
        if name == "--pipeline" and value:
            names += [part.strip() for part in value.split(",") if part.strip()]
        elif name == "--JOB_RUN_ID":
            job_id = value
        elif name in _OPTIONS and value is not None:
            translated += [name, value]
        elif name in _FLAGS:
            translated += [name] if _is_true(name, value) else []
        elif not is_glue_run(argv):
            raise SpecError(f"{name} is not understood beside --pipeline; see run.py run --help")
    if not names:
        raise SpecError("--pipeline takes the name of a pipeline, or several separated by commas")
    return ["run", *names, *translated], job_id


def _pairs(argv: Sequence[str]) -> list[tuple[str, str | None]]:
    """Read `--name value`, `--name=value` and `--name`; underscores in our names count as dashes."""
    pairs: list[tuple[str, str | None]] = []
    position = 0
    while position < len(argv):
        name, separator, value = argv[position].partition("=")
        position += 1
        if separator:
            pairs.append((name, value))
        elif position < len(argv) and name.startswith("--") and not argv[position].startswith("--"):
            pairs.append((name, argv[position]))
            position += 1
        else:
            pairs.append((name, None))
    return pairs


def _is_true(name: str, value: str | None) -> bool:
    if value is None or value.lower() == "true":
        return True
    if value.lower() == "false":
        return False
    raise SpecError(f"{name} is true or false, not {value!r}")

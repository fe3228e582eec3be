"""The command line as AWS Glue writes it: `--pipeline NAME` among arguments of Glue's own."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from framework.cli.file_options import FLAGS
from framework.dataclass import dataclass
from framework.errors import SpecError

_PIPELINE = "--pipeline"
_CHECK = "--check"
_FLAGS_OF_CHECK = frozenset({"--create", "--spark"})
_OPTIONS = frozenset({"--project", "--env", "--output", "--file", "--instead-of", "--result"})
_LISTS = frozenset({"--tag", "--exclude"})
_FLAGS = FLAGS | {"--all", "--fail-fast"}
_OURS = _OPTIONS | _LISTS | _FLAGS | {_PIPELINE}
_WRITTEN_OUT = {name: name for name in sorted(_OURS)} | {"--env": "--environment"}
_SHORTEST_SLIP = len("--res")
_GLUE_MARKS = frozenset({"--JOB_NAME", "--JOB_RUN_ID", "--JOB_ID"})
_GLUE_NAMES = _GLUE_MARKS | {
    "--RedshiftTempDir", "--SECURITY_CONFIGURATION", "--TempDir", "--additional-python-modules", "--class", "--conf",
    "--continuous-log-conversionPattern", "--continuous-log-logGroup", "--continuous-log-logStreamPrefix",
    "--custom-logGroup-prefix", "--custom-logStream-prefix", "--customer-driver-env-vars",
    "--customer-executor-env-vars", "--datalake-formats", "--debug", "--disable-proxy", "--disable-proxy-v2",
    "--enable-auto-scaling", "--enable-continuous-cloudwatch-log", "--enable-continuous-log-filter",
    "--enable-data-lineage", "--enable-glue-datacatalog", "--enable-job-insights", "--enable-metrics",
    "--enable-observability-metrics", "--enable-rename-algorithm-v2", "--enable-s3-parquet-optimized-committer",
    "--enable-spark-ui", "--encryption-type", "--endpoint", "--executor-cores", "--extra-files", "--extra-jars",
    "--extra-py-files", "--job-bookmark-from", "--job-bookmark-option", "--job-bookmark-to", "--job-language", "--mode",
    "--python-modules-installer-option", "--python-virtual-env", "--python-virtual-env-storage-prefix",
    "--python-virtual-env-version", "--scriptLocation", "--spark-event-logs-path", "--user-jars-first",
}  # fmt: skip
"""Arguments of AWS Glue, all with a value. Source:
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html"""


@dataclass(frozen=True)
class _Argument:
    """`--name value`, `--name=value` or `--name`; of our names underscores count as dashes."""

    name: str
    value: str | None


def is_glue_run(argv: Sequence[str]) -> bool:
    """Return whether AWS Glue started this process: it passes the job's name and run."""
    return any(argument.name in _GLUE_MARKS for argument in _arguments(argv))


@dataclass(frozen=True)
class CommandLine:
    """A command line as `run NAME …`, the id of the Glue job run if there is one, and the arguments that were ignored.

    `ignored` has no arguments of Glue's own.
    """

    argv: list[str]
    job_id: str | None = None
    ignored: tuple[str, ...] = ()


def translate_pipeline_form(argv: Sequence[str]) -> CommandLine:
    """Return the command line as `run NAME …`; in a Glue run with `--check true`, as `check`.

    A command line that names a command is returned as it is, if there is no `--pipeline` in it.
    `--pipeline a,b` names several, and so do `--tag` and `--exclude`, because a job has each argument once.
    Flags take `true` or `false`, because Glue passes only pairs.
    Glue's arguments are passed over, and in a Glue run all that are not ours, unless they look like
    a slip of one; elsewhere they are a mistake.

    Raises:
        SpecError: an argument is not understood, or a job does not say what to load, or in which environment.
    """
    arguments = _arguments(argv)
    has_command = bool(argv) and not argv[0].startswith("--")
    is_pipeline_form = any(argument.name == _PIPELINE for argument in arguments)
    is_in_glue = is_glue_run(argv)
    if not is_pipeline_form and (has_command or not is_in_glue):
        return CommandLine(list(argv))
    is_check = is_in_glue and any(argument.name == _CHECK and _is_true(argument) for argument in arguments)
    translated: list[str] = []
    names: list[str] = []
    ignored: list[str] = []
    job_id = None
    for argument in arguments:
        match argument.name:
            case "--pipeline":
                names += _parts(argument)
            case "--JOB_RUN_ID":
                job_id = argument.value
            case name if is_check and name in _FLAGS_OF_CHECK:
                translated += [name] if _is_true(argument) else []
            case name if name in _OPTIONS:
                translated.append(f"{name}={_value(argument)}")
            case name if name in _LISTS:
                translated += [f"{name}={part}" for part in _parts(argument)]
            case name if name in _FLAGS:
                translated += [name] if _is_true(argument) else []
            case name if name not in _GLUE_NAMES and not (is_check and name == _CHECK):
                _require_foreign(name, is_in_glue)
                ignored.append(name)
    if not (is_check or names) and not any(part == "--all" or part.startswith("--tag=") for part in translated):
        raise SpecError("nothing says what to load: give the job --pipeline NAME, --tag TAG or --all true")
    if is_in_glue and not any(part.startswith("--env=") for part in translated):
        # The default is the sandbox, which is no place for a job.
        raise SpecError("nothing says where to load: give the job --env NAME, an entry of environments.yml")
    command = ["check"] if is_check else ["run"]
    return CommandLine([*command, *names, *translated], job_id, tuple(ignored))


def _arguments(argv: Sequence[str]) -> list[_Argument]:
    arguments: list[_Argument] = []
    position = 0
    while position < len(argv):
        text = argv[position]
        position += 1
        name, separator, value = text.partition("=") if text.startswith("--") else (text, "", "")
        name = _own_name(name) or name
        if separator:
            arguments.append(_Argument(name, value))
        elif name.startswith("--") and position < len(argv) and _is_value(argv[position], name):
            arguments.append(_Argument(name, argv[position]))
            position += 1
        else:
            arguments.append(_Argument(name, None))
    return arguments


def _own_name(name: str) -> str | None:
    dashed = name.replace("_", "-")
    return dashed if dashed in _OURS else None


def _is_value(text: str, name: str) -> bool:
    """Return whether a text is the value of the argument before it, and not the next one."""
    if not text.startswith("--"):
        return True
    # Such as: --python-modules-installer-option --no-index
    following = text.partition("=")[0]
    return name in _GLUE_NAMES and following not in _GLUE_NAMES and _own_name(following) is None


def _value(argument: _Argument) -> str:
    if not argument.value:
        raise SpecError(f"{argument.name} takes a value")
    return argument.value


def _parts(argument: _Argument) -> list[str]:
    parts = [part.strip() for part in _value(argument).split(",") if part.strip()]
    if not parts:
        raise SpecError(f"{argument.name} takes a value, or several separated by commas")
    return parts


def _is_true(argument: _Argument) -> bool:
    match (argument.value or "true").lower():
        case "true":
            return True
        case "false":
            return False
    raise SpecError(f"{argument.name} is true or false, not {argument.value!r}")


def _require_foreign(name: str, is_in_glue: bool) -> None:
    """Accept an argument of a Glue run that is not Feedway's: it may be for another purpose, or new in Glue.

    Raises:
        SpecError: it is more likely a mistake.
    """
    slip = _slip_of(name)
    if is_in_glue and name.startswith("--") and slip is None:
        return
    hint = f" Did you mean {slip}?" if slip is not None else ""
    raise SpecError(f"{name} is not understood beside --pipeline; see feedway run --help.{hint}")


def _slip_of(name: str) -> str | None:
    """Return which argument of ours one is likely meant to be: misspelt, cut short or in the plural."""
    plain = name.lower().replace("_", "-")
    for ours, written_out in _WRITTEN_OUT.items():
        if (written_out.startswith(plain) and len(plain) >= _SHORTEST_SLIP) or plain == f"{ours}s":
            return ours
    close = next(iter(difflib.get_close_matches(plain, sorted(_OURS), n=1, cutoff=0.8)), None)
    # One that begins otherwise, as --profile, is another name.
    return close if close is not None and plain[:3] == close[:3] and not plain.startswith(close) else None

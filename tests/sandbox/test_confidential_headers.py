"""A row that is taken for a header: with `log_samples: false` no value of it is shown, logged or recorded."""

from __future__ import annotations

import io
import zipfile

import pytest
from openpyxl import Workbook

from tests.harness import FeedHarness

MARK = "canary"
ROWS = "".join(f"{MARK}{row},{MARK} {row}\n" for row in range(3))
SPEC = "source: {prefix: data/in/{name}/MORE}\ntarget: {table: {name}}\nbad_rows: {log_samples: false}\n"
APPEND = "load: {mode: append}\n"
KEYED = "load: {keys: [id]}\n"


def workbook(*rows: tuple[object, ...]) -> bytes:
    book, content = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(content)
    return content.getvalue()


def archive(**members: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name, text in members.items():
            packed.writestr(f"{name}.csv", text)
    return content.getvalue()


CASES: dict[str, tuple[str, str, str | bytes, str]] = {
    "no known column": (APPEND, "", ROWS, "no column of the file is one of"),
    "no key": (
        KEYED,
        "",
        f"name,{MARK}\nx,y\n",
        "is not in the file. It has 2 columns",
    ),
    "a title": (APPEND, "", f"{MARK}\nid,name\n1,a\n2,b\n", "the first line is no header"),
    "a value": (APPEND, "", f"7,{MARK}\n8,{MARK}\n9,{MARK}\n", "the first line looks like data"),
    "a clash": (
        f"{APPEND}columns: {{rename: {{{MARK}_x: q, {MARK}_y: q}}}}\n",
        "",
        f"{MARK} x,{MARK} y\na,b\n",
        "the columns 1 and 2 of the file would have one name",
    ),
    "rejected": (
        f"{APPEND}evolution: {{new_columns: reject}}\n",
        "",
        f"id,{MARK}1\n1,x\n",
        "column at position 2",
    ),
    "a sheet": (
        APPEND,
        ", format: excel",
        workbook((f"{MARK} title", f"{MARK} of"), ("a", "b")),
        "no column of the file is one of",
    ),
    "an archive": (
        APPEND,
        ", compression: zip",
        archive(a=f"id,name\n{MARK},1\n", b=f"{MARK} 1,{MARK} 2\nx,y\n"),
        "its columns are not those of a.csv",
    ),
}


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("case", CASES)
def test_no_value_of_a_row_taken_for_a_header_gets_out(feed: FeedHarness, case: str) -> None:
    more, source, content, expected = CASES[case]
    feed.spec_body = SPEC.replace("MORE", source) + more
    feed.write(f"pipelines/{feed.name}.yml", feed.spec_text)
    feed.sql(f"create table {feed.table} (id integer, name varchar(300))")
    feed.land("1.csv", content)

    planned = feed.command("plan", feed.name)
    lines = feed.command("--output", "json", "run", feed.name)
    ran = feed.command("replay", feed.name, *feed.keys("data/unprocessed/"))

    logs = [feed.s3.get_object(Bucket="lake", Key=key)["Body"].read().decode() for key in feed.keys("logs/")]
    places = {
        "plan": str(planned),
        "JSON": str(lines),
        "run": str(ran),
        "status": str(feed.command("status", feed.name)),
        "history": str(feed.command("history", feed.name)),
        "JOB_STS": str(feed.audit("error_message, warnings, failure")),
        "the logs": "".join(logs),
    }
    assert planned[0] == ran[0] != 0
    assert len(logs) == 2
    assert [place for place in ("plan", "JSON", "run", "history", "JOB_STS") if expected not in places[place]] == []
    assert [place for place, text in places.items() if MARK in text] == []

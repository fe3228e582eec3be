"""A plan as Markdown: hostile names change neither its structure nor mention anybody, and it fits a comment."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.cli.markdown import block, code, prose, table
from framework.cli.plan_markdown import MAX_BYTES, plan_mark, plan_markdown
from framework.cli.plan_report import PlannedFeed, PlanReport
from framework.cli.set_aside import SetAside
from framework.errors import SourceFileError
from framework.load.preview import PlannedLoad
from framework.model.words import visible
from framework.plan.load_report import ColumnReport
from framework.plan.type_reason import TypeReason

HOSTILE = "|`@octocat` <img src=x onerror=alert(1)> **b** [l](http://x) #12 :smile: www.x.com </details>\n\n# x\u202e"
REASON = TypeReason("values", "all values are text", "the longest has 9 bytes")
COLUMN = ColumnReport("Score", "score", "integer", "new", None, REASON, "42")
LOAD = PlannedLoad(
    pipeline="orders",
    source_files=("s3://lake/1.csv",),
    engine="embedded",
    rows=2,
    source_bytes=13,
    rows_rewritten=0,
    columns=(COLUMN,),
    transactions=({"name": "single", "locks": [], "statements": [{"step": "a", "sql": "select 1", "bytes": 8}]},),
)


def markdown_of(*loads: PlannedLoad) -> str:
    return plan_markdown(PlanReport([PlannedFeed("orders", loads)], []), "prod", "feeds", show_all=False)


def shown(markdown: str) -> str:
    """Return a cell as its reader sees it."""
    return html.unescape(re.sub("</?code>", "", markdown)).replace("\u200b", "")


def test_a_load_is_a_table_a_list_and_its_sql() -> None:
    reason = "all values are text&#58; the longest has 9 bytes"
    assert markdown_of(LOAD) == (
        f"{plan_mark('prod', 'feeds')}\n\n"
        "## Feedway plan for <code>prod</code>: 1 load\n\n"
        "### orders\n\n"
        "<code>s3&#58;&#47;&#47;lake&#47;1&#46;csv</code>\n\n"
        "|  | In the file | Column | Type | Why | Sample |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        f"| + | <code>Score</code> | <code>score</code> | integer | {reason} | <code>42</code> |\n\n"
        "- Cost: 2 rows of 13 bytes, read by the embedded engine; no stored row is rewritten\n\n"
        "<details><summary>SQL</summary>\n\n"
        "```sql\n-- 1. single\nselect 1;\n```\n\n"
        "</details>"
    )


@given(st.text(max_size=40))
def test_any_text_shows_as_it_is_and_has_no_structure(text: str) -> None:
    for markdown in (code(text), prose(text)):
        assert shown(markdown) == visible(text)
        inner = re.sub(r"^<code>|</code>$|&#\d+;", "", markdown)
        assert not re.search(r"[|`<>&@#*_\[\]!:.\\~\n]", inner)


def test_nobody_is_mentioned_and_nothing_is_linked() -> None:
    assert not re.search(r"[@#][\w]", html.unescape(prose("@octocat #12 a@b")))


@given(st.text(alphabet="`~ab\n", max_size=60))
def test_no_code_ends_its_block(text: str) -> None:
    fence, *lines, end = block(text, "sql").split("\n")
    ticks = fence.removesuffix("sql")

    assert end == ticks
    assert lines == text.split("\n")
    assert not any(ticks in line for line in lines)


def test_hostile_names_keep_a_table_a_table() -> None:
    hostile = ColumnReport(HOSTILE, HOSTILE, HOSTILE, "wider", HOSTILE, TypeReason("values", HOSTILE), HOSTILE)
    change = dict.fromkeys(("kind", "column", "from", "to", "reason", "cost"), HOSTILE)
    fill = {"column": HOSTILE, "value": HOSTILE, "stored_rows": "keep"}
    warning: dict[str, str | None] = {"rule": "x", "column": None, "message": HOSTILE}
    load = replace(
        LOAD,
        pipeline="orders",
        source_files=(HOSTILE,),
        columns=(hostile,),
        schema_changes=({**change},),
        fills=({**fill},),
        warnings=(warning,),
        views=(HOSTILE,),
        notes=(HOSTILE,),
        transactions=(),
    )

    lines = markdown_of(load).splitlines()

    assert [line.count("|") for line in lines if "|" in line] == [7] * 6
    assert not [line for line in lines if re.search(r"@|`|<img|</details>", line)]
    assert len([line for line in lines if line.startswith("#")]) == 2


def test_plans_of_environments_and_projects_differ_in_the_first_line() -> None:
    names = ["prod", "dev", "a b", "a--b", "-->", "ä\udcff", "a\nb"]
    marks = [plan_mark(one, other) for one in names for other in names]

    assert plan_mark("prod", "feeds/shop") == "<!-- feedway plan env=prod project=feeds/shop -->"
    assert markdown_of(LOAD).splitlines()[0] == plan_mark("prod", "feeds")
    assert len(set(marks)) == len(marks)
    assert all(re.fullmatch("<!-- feedway plan [!-~]+ [!-~]+ -->", mark) for mark in marks)
    assert all("--" not in mark[4:-3] for mark in marks)


def test_files_that_are_set_aside_come_last() -> None:
    waiting = SetAside("orders", 2, False, "s3://lake/data/unprocessed/", "status orders")

    text = plan_markdown(PlanReport([PlannedFeed("orders", (LOAD,))], [waiting]), "prod", "feeds", show_all=False)

    assert text.endswith("\n\n- orders&#58; 2 files in data&#47;unprocessed; see what to do with&#58; status orders")


def test_a_failure_and_an_idle_feed_are_paragraphs() -> None:
    feeds = [PlannedFeed("a", idle="no file"), PlannedFeed("b", failure=SourceFileError("1.csv: |bad|\nmore"))]

    text = plan_markdown(PlanReport(feeds, []), "prod", "feeds", show_all=False)

    assert "nothing to do, 1 pipeline would fail" in text
    assert "### a\n\nNothing to do: no file" in text
    assert text.endswith("### b\n\n**Would fail**: 1&#46;csv&#58; &#124;bad&#124;")


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize(
    ("loads", "with_sql", "end"),
    [
        (1, 1, "</details>"),
        (3, 2, "Left out, as a comment holds 65,536 characters: the SQL of 1 load. `plan --sql` shows all."),
        (2000, 0, "loads. `plan --sql` shows all."),
    ],
)
def test_what_does_not_fit_a_comment_is_counted(loads: int, with_sql: int, end: str) -> None:
    """What loads do comes before the SQL of any of them."""
    statements = [{"step": "a", "sql": "select 'ä'\n" * 2_000, "bytes": 1}]
    big = replace(LOAD, transactions=({"name": "single", "locks": [], "statements": statements},))

    text = markdown_of(*[big] * loads)

    bodies = text.count("### orders")
    assert len(text.encode("utf-8")) <= MAX_BYTES
    assert text.count("<details>") == with_sql
    assert text.endswith(end)
    assert bodies == loads or f"{loads - bodies:,} more entries and the SQL of {bodies} loads" in text


def test_a_table_has_a_line_per_row() -> None:
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
